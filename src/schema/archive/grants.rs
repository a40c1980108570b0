//! Copies grants and settings of users, and the positions of sequences, from one table to another.

use super::table::Table;
use crate::server::backend_state;
use crate::server::dynamic_sql;
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{rows, statements};

/// Restores the grants that users held on the archived table and on the sequences that it owns.
pub fn give_grants(archive: &Table, live: &Table) -> Result<(), Error> {
    static GRANTS: Statement = Statement::new(include_str!("grants.sql"));
    let (to, from) = (live.to_string(), archive.to_string());
    let arguments = [archive.oid.into(), to.as_str().into(), from.as_str().into()];
    grant(GRANTS.update(&arguments, statements::column)?)?;
    give_column_grants(archive, live)
}

/// Restores the settings that users made on the archived table, and removes them from the archive.
/// Otherwise rows that are restored later would bring them once more, over settings that somebody
/// has changed since.
pub fn give_settings(archive: &Table, live: &Table) -> Result<(), Error> {
    static SETTINGS: Statement = Statement::new(include_str!("settings.sql"));
    let (to, from) = (live.to_string(), archive.to_string());
    let arguments = [archive.oid.into(), to.as_str().into(), from.as_str().into()];
    for statement in SETTINGS.update(&arguments, statements::column::<String>)? {
        dynamic_sql::execute(&statement)?;
    }
    Ok(())
}

/// Copies the grants that users hold on columns of one table to the same columns of another.
pub fn give_column_grants(from: &Table, to: &Table) -> Result<(), Error> {
    static GRANTS: Statement = Statement::new(
        "SELECT format('GRANT %s (%I) ON TABLE %s TO %s%s', a.privilege_type, t.attname, $2, \
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, \
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
         FROM pg_attribute AS t, aclexplode(t.attacl) AS a, pg_attribute AS l \
         WHERE t.attrelid = $1 AND l.attrelid = $3 AND l.attname = t.attname \
           AND l.attnum > 0 AND NOT l.attisdropped AND NOT t.attisdropped",
    );
    let name = to.to_string();
    let arguments = [from.oid.into(), name.as_str().into(), to.oid.into()];
    grant(GRANTS.update(&arguments, statements::column)?)
}

fn grant(grants: Vec<String>) -> Result<(), Error> {
    backend_state::outside_the_script(|| {
        grants.iter().try_for_each(|grant| dynamic_sql::execute(grant).map(|_| ()))
    })
}

/// Advances the sequences of `live` to the positions of those of the archived table.
pub fn advance_sequences(archive: &Table, live: &Table) -> Result<(), Error> {
    static PAIRS: Statement = Statement::new(
        "SELECT format('SELECT setval(%L, s.last_value, s.is_called) FROM %s AS s, %s AS l \
                WHERE s.last_value >= l.last_value', \
                pg_get_serial_sequence($1, a.attname), pg_get_serial_sequence($2, a.attname), \
                pg_get_serial_sequence($1, a.attname)) \
         FROM pg_attribute AS a WHERE a.attrelid = $3 AND a.attnum > 0 AND NOT a.attisdropped \
           AND pg_get_serial_sequence($1, a.attname) IS NOT NULL \
           AND EXISTS (SELECT FROM pg_attribute AS o WHERE o.attrelid = $4 AND o.attname = a.attname \
                       AND NOT o.attisdropped AND pg_get_serial_sequence($2, o.attname) IS NOT NULL)",
    );
    let (live_name, archive_name) = (live.to_string(), archive.to_string());
    let arguments = [
        live_name.as_str().into(),
        archive_name.as_str().into(),
        live.oid.into(),
        archive.oid.into(),
    ];
    for statement in PAIRS.update(&arguments, statements::column::<String>)? {
        dynamic_sql::execute(&statement)?;
    }
    Ok(())
}

/// Whether two names are of two functions or of two relations of schema orchestrator.
pub fn are_alike(one: &str, other: &str) -> Result<bool, Error> {
    static FUNCTIONS: Statement = Statement::new(
        "SELECT count(*) = 2 FROM unnest(ARRAY[$1, $2]) AS n (name) \
         JOIN pg_proc AS p ON p.oid = to_regprocedure(n.name) AND p.pronamespace = 'orchestrator'::regnamespace",
    );
    static RELATIONS: Statement = Statement::new(
        "SELECT count(*) = 2 FROM unnest(ARRAY[$1, $2]) AS n (name) \
         JOIN pg_class AS c ON c.oid = to_regclass(n.name) AND c.relnamespace = 'orchestrator'::regnamespace",
    );
    // The server reads no signature as the name of a relation.
    let are_functions = [one, other].iter().all(|name| name.ends_with(')'));
    let alike = if are_functions { &FUNCTIONS } else { &RELATIONS };
    alike.update(&[one.into(), other.into()], |found| rows::only(found, "count"))
}

/// Copies the grants that users hold on one function or view to another, which a script creates in
/// its place. Returns the number of grants.
pub fn copy(source: &str, target: &str) -> Result<i64, Error> {
    static GRANTS: Statement = Statement::new(include_str!("copied_grants.sql"));
    let grants: Vec<String> = GRANTS.update(&[source.into(), target.into()], statements::column)?;
    let count = grants.len() as i64;
    grant(grants)?;
    Ok(count)
}
