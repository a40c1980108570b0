//! Any number of rows for every table. They are copies of the fixtures of the tests, with new values
//! where a unique index requires them.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use postgres::Client;

use super::database::{Bench, Database};
use crate::address::{execute, query};
use crate::chain::{Chain, Version};
use crate::machine::project::Project;

/// A database with the extension and about that many rows in every table that can hold them. Returns the
/// number of all rows, too.
pub fn filled(bench: &Bench, rows_per_table: u64) -> Result<(Database, u64)> {
    if rows_per_table == 0 {
        return Ok((bench.database()?, 0));
    }
    let database = bench.empty_database()?;
    let mut client = database.connect()?;
    walk_with_fixtures(&mut client, &bench.toolchain.project)?;
    // The rows are consistent, so the triggers have nothing to do.
    execute(&mut client, "SET session_replication_role = replica")?;
    for table in tables(&mut client)? {
        multiply(&mut client, &table, rows_per_table)?;
    }
    execute(&mut client, "VACUUM ANALYZE")?;
    let mut all: i64 = 0;
    for table in tables(&mut client)? {
        let rows = query(&mut client, &format!("SELECT count(*) FROM {table}"))?;
        all += rows.first().map_or(Ok(0), |row| row.try_get::<_, i64>(0))?;
    }
    Ok((database, u64::try_from(all)?))
}

fn walk_with_fixtures(client: &mut Client, project: &Project) -> Result<()> {
    for version in Chain::read(&project.sql_folder())?.versions() {
        execute(
            client,
            &if *version == Version::BASE {
                format!("CREATE EXTENSION orchestrator_schema VERSION '{version}'")
            } else {
                format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{version}'")
            },
        )?;
        let fixture = project.root().join(format!("tests/fixtures/{version}.sql"));
        if fixture.exists() {
            let sql = fs::read_to_string(&fixture)
                .with_context(|| format!("cannot read {}", fixture.display()))?;
            execute(client, &sql)?;
        }
    }
    Ok(())
}

/// The extension's tables, each after those that it refers to.
fn tables(client: &mut Client) -> Result<Vec<String>> {
    const EDGES: &str = "
        SELECT c.oid::regclass::text,
               ARRAY(SELECT f.confrelid::regclass::text FROM pg_constraint AS f
                     WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid <> c.oid)
        FROM pg_class AS c WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' ORDER BY 1";
    let mut waiting: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in query(client, EDGES)? {
        waiting.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let is_ready =
            |parents: &Vec<String>| parents.iter().all(|parent| ordered.contains(parent));
        let ready: Vec<String> = waiting
            .iter()
            .filter(|(_, parents)| is_ready(parents))
            .map(|(table, _)| table.clone())
            .collect();
        // In a circle the order does not matter, because no foreign key is checked.
        let next = if ready.is_empty() { waiting.keys().cloned().collect() } else { ready };
        waiting.retain(|table, _| !next.contains(table));
        ordered.extend(next);
    }
    Ok(ordered)
}

/// A column of a table that is filled.
struct Column {
    name: String,
    kind: String,
    /// The oids of the unique indexes that contain it.
    unique: Vec<u32>,
    /// The table and column that it refers to.
    refers_to: Option<(String, String)>,
}

const COLUMNS: &str = "
    SELECT quote_ident(a.attname), format_type(a.atttypid, NULL),
           ARRAY(SELECT x.indexrelid FROM pg_index AS x
                 WHERE x.indrelid = a.attrelid AND x.indisunique AND a.attnum = ANY (x.indkey)),
           f.confrelid::regclass::text,
           (SELECT quote_ident(p.attname) FROM pg_attribute AS p WHERE p.attrelid = f.confrelid AND p.attnum = f.confkey[1])
    FROM pg_attribute AS a
    LEFT JOIN LATERAL (SELECT * FROM pg_constraint AS f
                       WHERE f.conrelid = a.attrelid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum] LIMIT 1) AS f ON true
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = ''";

/// Inserts copies of the table's rows. A table whose own rules allow no more rows keeps those that it
/// has.
fn multiply(client: &mut Client, table: &str, rows: u64) -> Result<()> {
    let sql = format!("{COLUMNS} AND a.attrelid = '{table}'::regclass ORDER BY a.attnum");
    let mut columns = Vec::new();
    for row in query(client, &sql)? {
        let parent: (Option<String>, Option<String>) = (row.try_get(3)?, row.try_get(4)?);
        columns.push(Column {
            name: row.try_get(0)?,
            kind: row.try_get(1)?,
            unique: row.try_get(2)?,
            refers_to: parent.0.zip(parent.1),
        });
    }
    for renewed in ways(&columns) {
        let attempt = |count: u64| insertion(table, &columns, &renewed, count);
        let works = execute(client, &format!("BEGIN; {}", attempt(100))).is_ok();
        execute(client, "ROLLBACK")?;
        if works {
            return execute(client, &attempt(rows));
        }
    }
    Ok(())
}

/// The sets of columns that may get new values so that each unique index gets one, likely ones first.
fn ways(columns: &[Column]) -> Vec<Vec<usize>> {
    let mut indexes: Vec<u32> = columns.iter().flat_map(|column| column.unique.clone()).collect();
    indexes.sort_unstable();
    indexes.dedup();
    let mut ways: Vec<Vec<usize>> = vec![Vec::new()];
    for index in indexes {
        let members: Vec<usize> =
            (0..columns.len()).filter(|&at| columns[at].unique.contains(&index)).collect();
        let own: Vec<usize> =
            members.iter().copied().filter(|&at| columns[at].refers_to.is_none()).collect();
        ways = ways
            .into_iter()
            .flat_map(|way| {
                let mut longer: Vec<Vec<usize>> =
                    own.iter().map(|&at| way.iter().copied().chain([at]).collect()).collect();
                // A key that consists only of references is new if each reference has a new value.
                longer.push(way.iter().copied().chain(members.iter().copied()).collect());
                longer
            })
            .collect();
    }
    ways
}

fn insertion(table: &str, columns: &[Column], renewed: &[usize], count: u64) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut parents = String::new();
    let values: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let old = format!("sample.{}", column.name);
            if !renewed.contains(&at) {
                return old;
            }
            if let Some((parent, key)) = &column.refers_to {
                parents.push_str(&format!(
                    " JOIN (SELECT {key} AS key, row_number() OVER (ORDER BY {key}) AS place FROM {parent}) AS p{at} ON p{at}.place = number"
                ));
                return format!("p{at}.key");
            }
            match column.kind.as_str() {
                "uuid" => "orchestrator.uuidv7()".to_owned(),
                "text" => format!("left({old}, 60) || ' ' || number"),
                "date" | "timestamp with time zone" => format!("{old} + number * interval '1 day'"),
                _ => format!("{old} + number"),
            }
        })
        .collect();
    format!(
        "INSERT INTO {table} ({}) \
         SELECT {} FROM (SELECT *, row_number() OVER () - 1 AS place, count(*) OVER () AS total FROM {table} AS t \
                         WHERE pg_column_size(t.*) < 1000) AS sample \
         JOIN generate_series(1, {count}) AS number ON number % total = place{parents} ON CONFLICT DO NOTHING",
        names.join(", "),
        values.join(", ")
    )
}
