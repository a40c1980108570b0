//! Functions, and the aggregates of them, each with its comment.

use std::fmt::Write;

use anyhow::Result;
use postgres::Client;

use super::comment::comment;
use super::scripts::Scripts;
use crate::address::query;

const FUNCTIONS: &str = "
    SELECT p.oid::regprocedure::text,
           CASE WHEN g.aggfnoid IS NULL THEN pg_get_functiondef(p.oid)
                ELSE format('CREATE AGGREGATE %s(%s) (SFUNC = %s, STYPE = %s, COMBINEFUNC = %s)', p.oid::regproc, pg_get_function_arguments(p.oid),
                            g.aggtransfn, format_type(g.aggtranstype, NULL), g.aggcombinefn) END,
           coalesce(obj_description(p.oid, 'pg_proc'), '')
    FROM pg_proc AS p LEFT JOIN pg_aggregate AS g ON g.aggfnoid = p.oid
    JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'orchestrator_schema'
    ORDER BY g.aggfnoid IS NOT NULL, p.proname COLLATE \"C\", p.oid::regprocedure::text COLLATE \"C\"";

/// The section of the functions.
pub fn all(client: &mut Client, scripts: &Scripts) -> Result<String> {
    let mut text = String::new();
    for row in query(client, FUNCTIONS)? {
        let cell = |at: usize| row.try_get::<_, String>(at);
        write!(text, "{}", comment(&cell(2)?, ""))?;
        write!(text, "{}", scripts.of(&[("function", cell(0)?)]))?;
        writeln!(text, "{};\n", definition(&cell(1)?))?;
    }
    Ok(text)
}

/// A definition as a script would write it.
fn definition(printed: &str) -> String {
    let lines = printed.trim_end().lines().map(str::trim_end);
    lines
        .collect::<Vec<_>>()
        .join("\n")
        .replacen("CREATE OR REPLACE FUNCTION", "CREATE FUNCTION", 1)
        .replace("$function$", "'")
}
