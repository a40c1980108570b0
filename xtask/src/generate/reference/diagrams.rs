//! Diagrams in Mermaid: the tables with their keys, and each state machine as its trigger enforces it.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::Result;
use postgres::Client;

use super::markdown::{code, mermaid, section};
use crate::address::query;
use crate::generate::relation;

/// Foreign keys: parent, child, columns, whether a child may have no parent, whether a parent has at
/// most one child.
const FOREIGN_KEYS: &str = "
    SELECT p.relname::text, c.relname::text,
           (SELECT string_agg(a.attname, ', ' ORDER BY k.place)
            FROM unnest(f.conkey) WITH ORDINALITY AS k (attnum, place)
            JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.attnum),
           EXISTS (SELECT FROM pg_attribute AS a
                   WHERE a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey) AND NOT a.attnotnull),
           EXISTS (SELECT FROM pg_index AS x
                   WHERE x.indrelid = f.conrelid AND x.indisunique AND x.indpred IS NULL
                     AND x.indkey::smallint[] <@ f.conkey)
    FROM pg_constraint AS f
    JOIN pg_class AS c ON c.oid = f.conrelid JOIN pg_class AS p ON p.oid = f.confrelid
    WHERE f.contype = 'f' AND f.connamespace = 'orchestrator'::regnamespace
    ORDER BY p.relname COLLATE \"C\", c.relname COLLATE \"C\", f.conname COLLATE \"C\"";

/// Key columns of a table: name, type in one word, the keys that contain them.
const KEYS: &str = "
    SELECT a.attname::text, regexp_replace(t.typname, '^_(.*)', '\\1[]'),
           (SELECT string_agg(DISTINCT CASE k.contype WHEN 'p' THEN 'PK' WHEN 'f' THEN 'FK' ELSE 'UK' END, ', ')
            FROM pg_constraint AS k
            WHERE k.conrelid = a.attrelid AND k.contype IN ('p', 'f', 'u') AND a.attnum = ANY (k.conkey))
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attnum > 0 AND NOT a.attisdropped";

/// The section with the entity diagram.
pub fn entities(client: &mut Client) -> Result<String> {
    let mut lines = vec!["erDiagram".to_owned()];
    for table in relation::of_kind(client, "r")? {
        lines.push(format!("    {} {{", table.name));
        let sql = format!(
            "SELECT * FROM ({KEYS} AND a.attrelid = {} ORDER BY a.attnum) AS k WHERE string_agg IS NOT NULL",
            table.oid
        );
        for row in query(client, &sql)? {
            let (column, kind, keys): (String, String, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            lines.push(format!("        {kind} {column} {keys}"));
        }
        lines.push("    }".to_owned());
    }
    for row in query(client, FOREIGN_KEYS)? {
        let (parent, child, columns): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let (optional, single): (bool, bool) = (row.try_get(3)?, row.try_get(4)?);
        let from = if optional { "|o" } else { "||" };
        let to = if single { "o|" } else { "o{" };
        lines.push(format!("    {parent} {from}--{to} {child} : \"{columns}\""));
    }
    Ok(format!("{}\n{}", section(2, "Entities", "Each table with its keys"), mermaid(&lines)))
}

/// The column of each state machine: the arguments of the triggers are pairs of machine and column.
const WATCHED: &str = "
    SELECT machine, string_agg(format('%s.%s', relation, watched), ', ' ORDER BY relation COLLATE \"C\"),
           min(first)
    FROM (
        SELECT c.relname AS relation, words[i] AS machine, words[i + 1] AS watched,
               (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d JOIN pg_attribute AS a
                    ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                WHERE a.attrelid = c.oid AND a.attname = words[i + 1]) AS first
        FROM pg_trigger AS t
        JOIN pg_class AS c ON c.oid = t.tgrelid
        JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.proname = 'enforce_lifecycle',
             LATERAL (SELECT string_to_array(encode(t.tgargs, 'escape'), '\\000')) AS w (words),
             generate_series(1, t.tgnargs - 1, 2) AS i
        WHERE c.relnamespace = 'orchestrator'::regnamespace
    ) AS trigger
    GROUP BY machine ORDER BY machine COLLATE \"C\"";

/// The section with the state machines.
pub fn state_machines(client: &mut Client) -> Result<String> {
    let mut text = section(
        2,
        "State machines",
        "Enforced on every UPDATE, whoever makes it; `allowed_transitions(machine)` reads the same table as the trigger",
    );
    for row in query(client, WATCHED)? {
        let (machine, columns): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let first: Option<String> = row.try_get(2)?;
        let steps = transitions(client, &machine)?;
        write!(text, "\n{}\nOn {}.\n\n", section(3, &machine, ""), code(&columns))?;
        text.push_str(&mermaid(&states(first.as_deref(), &steps)));
    }
    Ok(text)
}

fn transitions(client: &mut Client, machine: &str) -> Result<Vec<(String, String)>> {
    let sql = "SELECT from_status, to_status FROM orchestrator.allowed_transitions($1)";
    let rows = client.query(sql, &[&machine])?;
    Ok(rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_, postgres::Error>>()?)
}

/// The lines of a diagram: the start, which is the column's default, the steps, and the ends.
fn states(default: Option<&str>, steps: &[(String, String)]) -> Vec<String> {
    let mut lines = vec!["stateDiagram-v2".to_owned()];
    let first = default.and_then(|expression| expression.split('\'').nth(1));
    if let Some(first) = first {
        lines.push(format!("    [*] --> {first}"));
    }
    for (from, to) in steps {
        lines.push(format!("    {from} --> {to}"));
    }
    let mut seen = BTreeSet::new();
    for (_, state) in steps {
        if seen.insert(state) && !steps.iter().any(|(from, _)| from == state) {
            lines.push(format!("    {state} --> [*]"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_starts_at_the_default_and_ends_where_nothing_follows() {
        let step = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let steps = [step("pending", "running"), step("running", "done"), step("pending", "done")];
        let lines = states(Some("'pending'::text"), &steps);
        assert_eq!(
            lines,
            [
                "stateDiagram-v2",
                "    [*] --> pending",
                "    pending --> running",
                "    running --> done",
                "    pending --> done",
                "    done --> [*]"
            ]
        );
    }
}
