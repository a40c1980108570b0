//! The matrix of level, object and operation, read from the catalog and compared with `matrix.txt`, and
//! a test that the server enforces it.

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

use anyhow::Result;
use postgres::Client;
use postgres::error::SqlState;
use support::Database;
use support::extension::{newest, walked_to};
use support::roles::{self, LEVELS, name};
use xtask::address::quote_identifier;
use xtask::machine::project::Project;

/// The environment variable that makes the test write the matrix.
const ACCEPT: &str = "ORCHESTRATOR_ACCEPT";

const HEADING: &str = "nobody   reader   worker   reviewer admin    PUBLIC   operation";

/// Every object with the operations that a privilege can allow: on `all` of its columns, on `some` of
/// them, which are listed, or on none (`-`).
const MATRIX: &str = "WITH member AS ( \
        SELECT d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid \
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'orchestrator_schema' \
    ), cell AS ( \
        SELECT 1 AS place, 'schema ' || n.nspname AS object, o.operation, r.place AS role, \
               CASE WHEN CASE WHEN r.name = 'PUBLIC' THEN EXISTS (SELECT FROM aclexplode(n.nspacl) AS a WHERE a.grantee = 0 AND a.privilege_type = o.operation) \
                              ELSE has_schema_privilege(r.name, n.oid, o.operation) END THEN 'all' ELSE '-' END AS allowed, '' AS columns \
        FROM member AS m JOIN pg_namespace AS n ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid, \
             unnest(ARRAY['USAGE', 'CREATE']) AS o (operation), unnest($1::text[]) WITH ORDINALITY AS r (name, place) \
        UNION ALL \
        SELECT 2, CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'S' THEN 'sequence ' ELSE 'table ' END || c.relname, o.operation, r.place, \
               CASE WHEN r.name = 'PUBLIC' THEN CASE WHEN EXISTS (SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee = 0 AND a.privilege_type = o.operation) THEN 'all' ELSE '-' END \
                    WHEN c.relkind = 'S' THEN CASE WHEN o.operation IN ('SELECT', 'UPDATE') AND has_sequence_privilege(r.name, c.oid, o.operation) THEN 'all' ELSE '-' END \
                    WHEN has_table_privilege(r.name, c.oid, o.operation) THEN 'all' \
                    WHEN p.columns <> '' THEN 'some' ELSE '-' END, p.columns \
        FROM member AS m JOIN pg_class AS c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid, \
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS o (operation), \
             unnest($1::text[]) WITH ORDINALITY AS r (name, place), \
             LATERAL (SELECT coalesce(string_agg(a.attname, ', ' ORDER BY a.attnum), '') FROM pg_attribute AS a \
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND r.name <> 'PUBLIC' AND c.relkind <> 'S' \
                        AND o.operation IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') \
                        AND NOT has_table_privilege(CASE WHEN r.name <> 'PUBLIC' THEN r.name ELSE current_user END, c.oid, o.operation) \
                        AND has_column_privilege(CASE WHEN r.name <> 'PUBLIC' THEN r.name ELSE current_user END, c.oid, a.attnum, o.operation)) AS p (columns) \
        UNION ALL \
        SELECT DISTINCT 3, 'function ' || p.proname || CASE WHEN p.prosecdef THEN ' (with the owner''s rights)' ELSE '' END, 'EXECUTE', r.place, \
               CASE WHEN CASE WHEN r.name = 'PUBLIC' THEN EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0) \
                              ELSE has_function_privilege(r.name, p.oid, 'EXECUTE') END THEN 'all' ELSE '-' END, '' \
        FROM member AS m JOIN pg_proc AS p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid, \
             unnest($1::text[]) WITH ORDINALITY AS r (name, place) \
    ) \
    SELECT object, operation, array_agg(allowed ORDER BY role), array_agg(columns ORDER BY role) \
    FROM cell GROUP BY place, object, operation \
    HAVING bool_or(allowed <> '-') OR operation IN ('USAGE', 'SELECT', 'EXECUTE') \
    ORDER BY place, object COLLATE \"C\", operation COLLATE \"C\"";

fn matrix(database: &Database) -> Result<String> {
    let mut roles: Vec<String> =
        ["nobody"].iter().chain(&LEVELS).map(|level| name(database, level)).collect();
    roles.push("PUBLIC".to_owned());
    let mut text = format!("{HEADING}\n");
    let mut last = String::new();
    for row in database.client()?.query(MATRIX, &[&roles])? {
        let (object, operation): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (cells, columns): (Vec<String>, Vec<String>) = (row.try_get(2)?, row.try_get(3)?);
        if object != last {
            writeln!(text, "\n{object}")?;
            last = object;
        }
        let cells: String = cells.iter().map(|cell| format!("{cell:9}")).collect();
        writeln!(text, "{cells}{operation}{}", in_words(&columns))?;
    }
    Ok(text)
}

/// The columns that a level may use, listed by level if the levels differ.
fn in_words(columns: &[String]) -> String {
    let levels = ["nobody"].into_iter().chain(LEVELS);
    let some: Vec<(&str, &String)> =
        levels.zip(columns).filter(|(_, columns)| !columns.is_empty()).collect();
    match some.split_first() {
        None => String::new(),
        Some(((_, first), rest)) if rest.iter().all(|(_, other)| other == first) => {
            format!(" ({first})")
        }
        Some(_) => {
            let reported: Vec<_> =
                some.iter().map(|(level, columns)| format!("{level}: {columns}")).collect();
            format!(" ({})", reported.join("; "))
        }
    }
}

fn file() -> Result<PathBuf> {
    Ok(Project::find()?.root().join("tests/privileges/matrix.txt"))
}

#[test]
fn the_matrix_is_the_committed_one() -> Result<()> {
    let database = walked_to("matrix", newest()?)?;
    roles::of_every_level(&database)?;
    let actual = matrix(&database)?;
    if env::var_os(ACCEPT).is_some() {
        fs::write(file()?, &actual)?;
    }
    let expected = fs::read_to_string(file()?)?;
    for (line, (was, is)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(was, is, "tests/privileges/matrix.txt:{}; {ACCEPT}=1 writes it", line + 1);
    }
    assert_eq!(expected.lines().count(), actual.lines().count(), "{ACCEPT}=1 writes it");
    Ok(())
}

/// The operations that a statement can try on a table; `column` is one of it.
fn attempts(table: &str, column: &str) -> [(&'static str, String); 5] {
    [
        ("SELECT", format!("SELECT {column} FROM {table} LIMIT 0")),
        (
            "INSERT",
            format!("INSERT INTO {table} ({column}) SELECT {column} FROM {table} WHERE false"),
        ),
        ("UPDATE", format!("UPDATE {table} SET {column} = {column} WHERE false")),
        ("DELETE", format!("DELETE FROM {table} WHERE false")),
        ("TRUNCATE", format!("TRUNCATE {table} CASCADE")),
    ]
}

/// Tries every operation on every column of every table as every level. The server allows exactly the
/// operations that the catalog lists.
#[test]
fn the_server_does_what_the_catalog_says() -> Result<()> {
    const COLUMNS: &str = "SELECT c.oid::regclass::text, quote_ident(a.attname), \
                has_column_privilege($1, c.oid, a.attnum, 'SELECT'), has_column_privilege($1, c.oid, a.attnum, 'INSERT'), \
                has_column_privilege($1, c.oid, a.attnum, 'UPDATE'), has_table_privilege($1, c.oid, 'DELETE') \
         FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' ORDER BY 1, a.attnum";
    let database = walked_to("attempts", newest()?)?;
    roles::of_every_level(&database)?;
    for level in LEVELS.iter().chain(&["nobody"]) {
        let role = name(&database, level);
        let columns = database.client()?.query(COLUMNS, &[&role])?;
        let mut client = database.client_as(&role)?;
        for row in columns {
            let (table, column): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let may = |place| row.try_get::<_, bool>(place);
            let selects = may(2)?;
            // The INSERT and UPDATE of this test also read the column.
            let allowed = [selects, may(3)? && selects, may(4)? && selects, may(5)?, false];
            for ((operation, sql), allowed) in attempts(&table, &column).iter().zip(allowed) {
                let passes = passes(&mut client, sql)?;
                assert_eq!(passes, allowed, "{level}: {operation} {table}.{column}: {sql}");
            }
        }
    }
    Ok(())
}

/// Whether privileges allow a statement; other errors do not count. Its changes are rolled back.
fn passes(client: &mut Client, sql: &str) -> Result<bool> {
    let mut transaction = client.transaction()?;
    let passes = match transaction.batch_execute(sql) {
        Ok(()) => true,
        Err(error) => error.code() != Some(&SqlState::INSUFFICIENT_PRIVILEGE),
    };
    transaction.rollback()?;
    Ok(passes)
}

/// Names of roles may have quotes, capitals, spaces and letters of any alphabet.
#[test]
fn a_role_may_be_called_anything() -> Result<()> {
    let database = walked_to("names", newest()?)?;
    let mut client = database.client()?;
    let names = [
        "Ünïcode 日本",
        "say \"hi\"; DROP SCHEMA orchestrator CASCADE; --",
        "UPPER",
        "select",
        "it's",
        "PUBLIC",
    ];
    for role in names {
        roles::make(&mut client, role)?;
        assert!(roles::grant(&mut client, role, "worker")? > 0, "{role}");
        assert_eq!(roles::grant(&mut client, role, "worker")?, 0, "{role}: again");
    }
    let listed: Vec<String> = client
        .query("SELECT grantee FROM orchestrator.access() WHERE level = 'worker'", &[])?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    for role in names {
        assert!(listed.iter().any(|known| known == role), "{role} is listed");
        let mut theirs = database.client_as(role)?;
        theirs.batch_execute(
            "INSERT INTO orchestrator.tasks (title, task_type) VALUES ('t', 'tool')",
        )?;
        client.execute(
            "SELECT orchestrator.revoke_access((SELECT oid FROM pg_roles WHERE rolname = $1)::regrole)",
            &[&role],
        )?;
        client.batch_execute(&format!("DROP ROLE {}", quote_identifier(role)))?;
    }
    let rows = client.query("SELECT FROM orchestrator.access()", &[])?;
    assert!(rows.is_empty(), "nobody is left");
    Ok(())
}
