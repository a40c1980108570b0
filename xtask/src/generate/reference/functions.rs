//! Functions with arguments, results and errors, grouped by the version that created them.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use postgres::Client;
use regex::Regex;

use super::markdown::{section, sentence, without_casts};
use super::rust_docs::{Documentation, Documented};
use crate::address::query;
use crate::chain::Version;
use crate::generate::history::History;

const FUNCTIONS: &str = "
    SELECT p.proname::text, p.oid::regprocedure::text,
           pg_get_function_arguments(p.oid), coalesce(pg_get_function_result(p.oid), ''),
           CASE p.provolatile WHEN 'i' THEN 'Immutable' WHEN 's' THEN 'Stable' ELSE 'Volatile' END
               || CASE p.proparallel WHEN 's' THEN ', parallel safe' ELSE '' END
               || CASE WHEN p.prosecdef THEN ', with its owner''s rights' ELSE '' END,
           coalesce(obj_description(p.oid, 'pg_proc'), ''),
           CASE WHEN l.lanname = 'c' THEN p.prosrc ELSE '' END
    FROM pg_proc AS p
    JOIN pg_language AS l ON l.oid = p.prolang
    JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'orchestrator_schema'
    ORDER BY p.proname COLLATE \"C\", p.oid::regprocedure::text COLLATE \"C\"";

/// The section of the functions.
pub fn all(client: &mut Client, history: &History, documented: &Documented) -> Result<String> {
    let mut by_version: BTreeMap<Version, String> = BTreeMap::new();
    for row in query(client, FUNCTIONS)? {
        let cell = |at: usize| row.try_get::<_, String>(at);
        let (name, identity) = (cell(0)?, cell(1)?);
        let text = by_version.entry(history.since("function", &identity).parse()?).or_default();
        let signature = signature(&name, &cell(2)?, &cell(3)?)?;
        write!(text, "\n{}", section(4, &name, ""))?;
        writeln!(text, "\n```\n{signature}\n```\n\n{}", sentence(&cell(5)?))?;
        if let Some(documentation) = documented.get(&cell(6)?) {
            text.push_str(&parts(documentation));
        }
        writeln!(text, "\n{}. {}", cell(4)?, history.sentence("function", &identity))?;
    }
    let mut text = section(2, "Functions", "");
    text.push_str("\nAn error comes with SQLSTATE, DETAIL and HINT; 22004 is a required argument that is NULL.\n");
    for (version, functions) in by_version {
        write!(text, "\n{}{functions}", section(3, &format!("Functions of {version}"), ""))?;
    }
    Ok(text)
}

/// `name(argument type = default) → result`, on two lines where one would be long.
fn signature(name: &str, arguments: &str, result: &str) -> Result<String> {
    let arguments = without_casts(&arguments.replace(" DEFAULT ", " = "));
    let arguments = Regex::new(r"= NULL::[^,]*")?.replace_all(&arguments, "= NULL");
    let is_long = name.len() + arguments.len() + result.len() > 110;
    let gap = if is_long { "\n" } else { " " };
    Ok(format!("{name}({arguments}){gap}→ {result}"))
}

fn parts(documentation: &Documentation) -> String {
    let labelled = [
        ("", &documentation.details),
        ("Returns: ", &documentation.returns),
        ("Errors: ", &documentation.errors),
    ];
    labelled
        .iter()
        .filter(|(_, part)| !part.is_empty())
        .map(|(label, part)| format!("\n{label}{}\n", sentence(part)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_read_as_calls() {
        let signature = |arguments: &str| signature("f", arguments, "uuid").expect("a signature");
        assert_eq!(
            signature(
                "a text DEFAULT 'x'::text, b timestamp with time zone DEFAULT NULL::timestamp with time zone, c text"
            ),
            "f(a text = 'x', b timestamp with time zone = NULL, c text) → uuid"
        );
        assert!(signature(&"a text, ".repeat(20)).contains(")\n→ uuid"));
    }
}
