//! The contents of a database in a form for comparison: the schema as a normalised dump, and every row
//! of the extension's tables.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Result, bail};
use postgres::Client;

use crate::Database;

/// The rows of each table, as text, in order.
pub type Rows = BTreeMap<String, Vec<String>>;

/// Schema `orchestrator` as `pg_dump --binary-upgrade` writes it: with that option pg_dump writes the
/// members of an extension one by one. The parts that differ between equal schemas are removed:
/// identifiers of objects, dropped columns, and the order of equal statements.
pub fn schema(database: &Database) -> Result<String> {
    let output = database
        .command("pg_dump")
        .args(["--schema-only", "--binary-upgrade", "--no-owner", "--schema=orchestrator"])
        .args(["--dbname", database.name()])
        .output()?;
    if !output.status.success() {
        bail!("pg_dump failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(normalise(&String::from_utf8(output.stdout)?))
}

/// Every row of every table of schema `orchestrator`.
pub fn rows(client: &mut Client) -> Result<Rows> {
    let tables = client.query(
        "SELECT c.oid::regclass::text FROM pg_class AS c \
         WHERE c.relnamespace = to_regnamespace('orchestrator') AND c.relkind = 'r'",
        &[],
    )?;
    let mut rows = Rows::new();
    for table in tables {
        let table: String = table.try_get(0)?;
        let sql = format!("SELECT t::text FROM ONLY {table} AS t ORDER BY t::text COLLATE \"C\"");
        let texts = client.query(&sql, &[])?;
        rows.insert(table, texts.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?);
    }
    Ok(rows)
}

/// The rows that `client` finds in the tables and columns that exist for `of`.
pub fn rows_in_columns_of(of: &mut Client, client: &mut Client) -> Result<Rows> {
    let columns = of.query(
        "SELECT attrelid::regclass::text, string_agg('t.' || quote_ident(attname), ', ' ORDER BY attnum) \
         FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' AND attnum > 0 AND NOT attisdropped \
         GROUP BY attrelid",
        &[],
    )?;
    let mut found = Rows::new();
    for row in columns {
        let (table, list): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let sql = format!("SELECT ROW({list})::text FROM {table} AS t ORDER BY 1");
        let texts = client.query(&sql, &[])?;
        found.insert(table, texts.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?);
    }
    Ok(found)
}

/// Fails, and shows the lines that differ, unless both texts are the same.
pub fn assert_same(what: &str, expected: &str, actual: &str) {
    if expected == actual {
        return;
    }
    let mut difference = String::new();
    for line in expected.lines().filter(|line| !actual.lines().any(|other| other == *line)) {
        let _ = writeln!(difference, "- {line}");
    }
    for line in actual.lines().filter(|line| !expected.lines().any(|other| other == *line)) {
        let _ = writeln!(difference, "+ {line}");
    }
    panic!("{what}: the schemas differ\n{difference}");
}

/// Fails, and shows the tables and rows that differ, unless both contents are the same.
pub fn assert_same_rows(what: &str, expected: &Rows, actual: &Rows) {
    for table in expected.keys().chain(actual.keys()) {
        assert_eq!(expected.get(table), actual.get(table), "{what}: rows of {table}");
    }
}

fn normalise(dump: &str) -> String {
    let mut sections: Vec<String> = Vec::new();
    for line in dump.lines() {
        if line.starts_with("-- Name: ") || sections.is_empty() {
            sections.push(String::new());
        }
        if is_schema(line)
            && let Some(section) = sections.last_mut()
        {
            section.push_str(line.trim_end_matches(','));
            section.push('\n');
        }
    }
    sections.retain(|section| !section.is_empty());
    sections.sort();
    sections.concat()
}

/// Whether a line of a dump describes the schema, and not the history of one database.
fn is_schema(line: &str) -> bool {
    let line = line.trim();
    !(line.is_empty()
        || line.starts_with("--")
        || line.starts_with("\\restrict")
        || line.starts_with("\\unrestrict")
        || line.contains("binary_upgrade_")
        || line.contains("pg.dropped.")
        || line.starts_with("SET ")
        || line.starts_with("UPDATE pg_catalog.")
        || line.starts_with("SET rel")
        || line.starts_with("SET att")
        || line.starts_with("WHERE oid = ")
        || line.starts_with("WHERE attrelid = ")
        || line.starts_with("AND attrelid = ")
        || line.starts_with("WHERE attname = "))
}
