//! The way up: rows come back from schema orchestrator_archive. What cannot come back stays there,
//! and a NOTICE says how much of it and why.

use super::archives::{self, Archive, Holds};
use super::columns;
use super::conditions::{self, Condition, all_of, arriving, lock_parents, same_key};
use super::dependents;
use super::kept_levels;
use super::table::{ForeignKey, Table};
use crate::schema::{access, manifest};
use crate::server::arguments::counted;
use crate::server::backend_state;
use crate::server::dynamic_sql::{self, list, quote};
use crate::server::error::Error;

/// How many rows came back, and how many stay in the archive.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub restored: i64,
    pub left_behind: i64,
}

/// Brings back the rows of a table from its archives.
pub fn table(live: &Table) -> Result<Outcome, Error> {
    let mut total = Outcome::default();
    for archive in archives::of(&live.name)?.iter().filter(|archive| archive.holds == Holds::Rows) {
        let outcome = rows(archive, live)?;
        total.restored += outcome.restored;
        total.left_behind += outcome.left_behind;
    }
    Ok(total)
}

fn rows(archive: &Archive, live: &Table) -> Result<Outcome, Error> {
    unless_in_use(archive, || {
        give_grants(&archive.table, live)?;
        give_settings(&archive.table, live)?;
        advance_sequences(&archive.table, live)?;
        if archive.belongs_to == access::KEPT_LEVELS {
            kept_levels::recognise(&archive.table)?;
        }
        on_its_own(archive, || rows_of(archive, live))
    })
}

/// Refuses to go on when something of a user's depends on an archive whose rows the step up to
/// `target` brings back: the archive is dropped then.
pub fn refuse_over_dependents(target: &str) -> Result<(), Error> {
    let place = manifest::position(target)?;
    let mut dependents = Vec::new();
    for archive in archives::all()? {
        if archive.place_in_chain()? == place {
            dependents.extend(dependents::of_archive(&archive.table)?);
        }
    }
    dependents::refuse_over(&format!("go up to {target}"), dependents::UP, dependents)
}

/// Gives back what one archive holds on its own, unless something of a user's depends on the archive:
/// that would be lost with it.
pub fn unless_in_use(
    archive: &Archive,
    work: impl FnOnce() -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    dynamic_sql::execute(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", archive.table))?;
    let dependents = dependents::of_archive(&archive.table)?;
    if dependents.is_empty() {
        return on_its_own(archive, work);
    }
    let mut reasons: Vec<_> = dependents
        .iter()
        .map(|dependent| format!("{} depends on the archive", dependent.description))
        .collect();
    reasons.extend(dependents.into_iter().filter_map(|dependent| dependent.undo));
    reasons.push("without these: SELECT * FROM orchestrator.restore_archived()".to_owned());
    stays(archive, &reasons)
}

/// Gives back what one archive holds, whatever becomes of others: when `work` fails, the archive
/// stays as it is, and a NOTICE says why.
pub fn on_its_own(
    archive: &Archive,
    work: impl FnOnce() -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    match backend_state::attempt(work)? {
        Ok(outcome) => Ok(outcome),
        Err(setback) => stays(archive, &[setback.0]),
    }
}

/// Leaves in an archive all that it holds, and reports why.
pub fn stays(archive: &Archive, reasons: &[String]) -> Result<Outcome, Error> {
    let rows = archive.rows()?;
    archives::note_left_behind(archive)?;
    left_behind(rows, &archive.object(), &archive.table, reasons);
    Ok(Outcome { restored: 0, left_behind: rows })
}

fn rows_of(archive: &Archive, live: &Table) -> Result<Outcome, Error> {
    let misfits = conditions::misfits(&archive.table, live)?;
    if !misfits.is_empty() {
        return stays(archive, &misfits);
    }
    let lost = lost_references(&archive.table, live)?;
    let (mut outcome, apart) = without_triggers(|| {
        let restored = copy_rows(&archive.table, live)?;
        let apart = set_extra_apart(archive, live)?;
        Ok((clear(&archive.table, live, restored)?, apart))
    })?;
    if outcome.left_behind == 0 {
        dynamic_sql::execute(&format!("DROP TABLE {}", archive.table))?;
    } else {
        archives::note_left_behind(archive)?;
        let reasons = reasons(&archive.table, live)?;
        left_behind(outcome.left_behind, &live.to_string(), &archive.table, &reasons);
    }
    outcome.left_behind += apart;
    for (key, rows) in lost {
        lost_reference(&live.to_string(), &key, rows);
    }
    Ok(outcome)
}

/// Keeps the values of rows that came back in columns which the table does not have, with the key
/// of their row: the row itself must not come back once more when somebody deletes it.
fn set_extra_apart(archive: &Archive, live: &Table) -> Result<i64, Error> {
    let (shared, extra) = shared_columns(&archive.table, live)?;
    if extra.is_empty() || live.key()?.is_empty() {
        return Ok(0);
    }
    let given = extra.iter().map(|name| conditions::is_given("kept", name));
    let rows = format!(
        "{live} AS live JOIN ONLY {} AS kept ON {} WHERE {}",
        archive.table,
        came_back(live, &shared)?,
        given.collect::<Vec<_>>().join(" OR ")
    );
    let Some((table, apart)) = columns::set_apart(archive, live, &extra, &rows)? else {
        return Ok(0);
    };
    let what = Archive { holds: Holds::Columns(extra), ..archive.clone() }.object();
    let reason = "the table has no such column; the rest of the row came back".to_owned();
    left_behind(apart, &what, &table, &[reason]);
    Ok(apart)
}

/// Moves the rows that `to` can take, by an explicit column list; the others stay in `from`.
pub fn move_rows(from: &Table, to: &Table) -> Result<Outcome, Error> {
    if !conditions::misfits(from, to)?.is_empty() {
        return Ok(Outcome { restored: 0, left_behind: from.count()? });
    }
    let restored = copy_rows(from, to)?;
    clear(from, to, restored)
}

/// Copies the rows that `to` can take; how many these are. Without a primary key nothing tells which
/// row a value belongs to: a row with values in columns that `to` does not have is not copied then.
fn copy_rows(from: &Table, to: &Table) -> Result<i64, Error> {
    let (shared, extra) = shared_columns(from, to)?;
    lock_parents(to)?;
    let accepted = accepted(from, to, &extra)?;
    let arriving_rows = conditions::arriving_rows(from, to)?;
    let columns = list("", &shared);
    dynamic_sql::execute(&format!(
        "INSERT INTO {to} ({columns}) OVERRIDING SYSTEM VALUE \
         SELECT {columns} FROM {arriving_rows} WHERE {accepted} ON CONFLICT DO NOTHING"
    ))
}

/// Takes what came back out of `from`.
fn clear(from: &Table, to: &Table, restored: i64) -> Result<Outcome, Error> {
    let total = from.count()?;
    if restored == total {
        return Ok(Outcome { restored, left_behind: 0 });
    }
    let (shared, extra) = shared_columns(from, to)?;
    let gone = if to.key()?.is_empty() {
        format!("DELETE FROM {from} AS kept WHERE {}", accepted(from, to, &extra)?)
    } else {
        let same = came_back(to, &shared)?;
        format!("DELETE FROM {from} AS kept USING {to} AS live WHERE {same}")
    };
    let returned = from.with_replica_identity(|| dynamic_sql::execute(&gone))?;
    Ok(Outcome { restored, left_behind: total - returned })
}

/// The condition that row `kept` can be a row of `to`.
fn accepted(from: &Table, to: &Table, extra: &[String]) -> Result<String, Error> {
    let mut conditions = conditions::conditions(from, to)?;
    if to.key()?.is_empty() {
        conditions.extend(extra.iter().map(|name| nothing_in(name)));
    }
    Ok(all_of(&conditions))
}

fn nothing_in(extra: &str) -> Condition {
    Condition {
        sql: format!("NOT ({})", conditions::is_given("kept", extra)),
        failure: format!("the table has neither column {extra} nor a primary key"),
    }
}

/// The condition that row `live` of `to` is row `kept`, as it arrives.
fn came_back(to: &Table, shared: &[String]) -> Result<String, Error> {
    let keys = to.foreign_keys()?;
    let values: Vec<_> =
        shared.iter().map(|name| arriving(&keys, name, &format!("kept.{}", quote(name)))).collect();
    Ok(format!(
        "{} AND record_image_eq(ROW({}), ROW({}))",
        same_key(&to.key()?, "kept", "live"),
        values.join(", "),
        list("live.", shared)
    ))
}

/// Gives back whatever the installed version has a place for.
pub fn everything() -> Result<Vec<(String, i64, i64)>, Error> {
    let mut outcomes = Vec::new();
    for archive in archives::all()? {
        let object = archive.object();
        let outcome = match (archive.live_table()?, &archive.holds) {
            (Some(live), Holds::Rows) => rows(&archive, &live)?,
            (Some(live), Holds::Columns(held)) if live.has_columns(held)? => {
                columns::values(&archive, &live, columns::Present::Respected)?
            }
            (None, Holds::Rows) if archive.belongs_to == access::KEPT_LEVELS => {
                unless_in_use(&archive, || kept_levels::give_back(&archive))?
            }
            _ => Outcome { restored: 0, left_behind: archive.rows()? },
        };
        outcomes.push((object, outcome.restored, outcome.left_behind));
    }
    Ok(outcomes)
}

/// The column names that both tables have, and those that only `from` has.
fn shared_columns(from: &Table, to: &Table) -> Result<(Vec<String>, Vec<String>), Error> {
    let known = to.columns()?;
    Ok(from
        .columns()?
        .into_iter()
        .map(|column| column.name)
        .partition(|name| known.iter().any(|column| column.name == *name)))
}

/// The foreign keys whose rows have gone without taking theirs along, with how many rows of the
/// archive that concerns.
fn lost_references(from: &Table, to: &Table) -> Result<Vec<(ForeignKey, i64)>, Error> {
    let present = from.columns()?;
    let mut lost = Vec::new();
    for key in to.foreign_keys()?.into_iter().filter(|key| key.outlives_parent) {
        let archived =
            |own: &String| present.iter().any(|column| column.name.as_str() == own.as_str());
        if key.columns.iter().all(archived) {
            let holds = key.holds_for("kept");
            let count = format!("SELECT count(*) FROM ONLY {from} AS kept WHERE NOT {holds}");
            let rows = dynamic_sql::known::<i64>(&count, &[], "count")?;
            lost.push((key, rows));
        }
    }
    lost.retain(|(_, rows)| *rows > 0);
    Ok(lost)
}

/// Why rows stayed in the archive, with their number.
fn reasons(from: &Table, to: &Table) -> Result<Vec<String>, Error> {
    let (_, extra) = shared_columns(from, to)?;
    let mut conditions = conditions::conditions(from, to)?;
    let key = to.key()?;
    if !key.is_empty() {
        conditions.push(Condition {
            sql: format!(
                "NOT EXISTS (SELECT FROM ONLY {to} AS live WHERE {})",
                same_key(&key, "kept", "live")
            ),
            failure: "a row with its key is there".to_owned(),
        });
    } else {
        conditions.extend(extra.iter().map(|name| nothing_in(name)));
    }
    let arriving_rows = conditions::arriving_rows(from, to)?;
    let mut reasons = Vec::new();
    for Condition { sql, failure } in conditions {
        let count = format!("SELECT count(*) FROM {arriving_rows} WHERE NOT ({sql})");
        match dynamic_sql::value::<i64>(&count, &[])? {
            None | Some(0) => {}
            Some(rows) => reasons.push(format!("{rows}: {failure}")),
        }
    }
    Ok(reasons)
}

/// Runs `work` with triggers and rules silent: rows come back as they were, and have been checked
/// against every foreign key in one pass.
pub fn without_triggers<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    backend_state::with_setting(c"session_replication_role", c"replica", work)
}

/// Gives users the grants again that they held on the archived table and the sequences that it owns.
fn give_grants(archive: &Table, live: &Table) -> Result<(), Error> {
    const GRANTS: &str = "WITH pair (archived, kind, live) AS ( \
             SELECT $1, 'TABLE', $2 \
             UNION ALL \
             SELECT to_regclass(pg_get_serial_sequence($3, a.attname))::oid, 'SEQUENCE', pg_get_serial_sequence($2, l.attname) \
             FROM pg_attribute AS a JOIN pg_attribute AS l ON l.attrelid = to_regclass($2) AND l.attname = a.attname \
             WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND NOT l.attisdropped) \
         SELECT format('GRANT %s ON %s %s TO %s%s', a.privilege_type, pair.kind, pair.live, \
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, \
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
         FROM pair JOIN pg_class AS c ON c.oid = pair.archived, aclexplode(c.relacl) AS a \
         WHERE pair.live IS NOT NULL AND a.grantee <> c.relowner";
    let (to, from) = (live.to_string(), archive.to_string());
    let arguments = [archive.oid.into(), to.as_str().into(), from.as_str().into()];
    grant(dynamic_sql::column(GRANTS, &arguments)?)?;
    give_column_grants(archive, live)
}

/// Gives a table the settings again that users made on the archived one, and takes them from that
/// one: what somebody changes since must not come back with rows that are given back later.
fn give_settings(archive: &Table, live: &Table) -> Result<(), Error> {
    const SETTINGS: &str = "SELECT format('ALTER TABLE %s %s; ALTER TABLE %s %s', $2, s.give, $3, s.take) \
         FROM pg_class AS a \
              LEFT JOIN pg_index AS x ON x.indrelid = a.oid AND x.indisreplident AND a.relreplident = 'i' \
              LEFT JOIN pg_class AS i ON i.oid = x.indexrelid, \
              LATERAL (SELECT string_agg(format('%I = %L', option_name, option_value), ', '), \
                              string_agg(quote_ident(option_name), ', ') \
                       FROM pg_options_to_table(a.reloptions)) AS o (options, names), \
              LATERAL (VALUES (a.relrowsecurity, 'ENABLE ROW LEVEL SECURITY', 'DISABLE ROW LEVEL SECURITY'), \
                              (a.relforcerowsecurity, 'FORCE ROW LEVEL SECURITY', 'NO FORCE ROW LEVEL SECURITY'), \
                              (a.relreplident = 'f', 'REPLICA IDENTITY FULL', 'REPLICA IDENTITY DEFAULT'), \
                              (a.relreplident = 'n', 'REPLICA IDENTITY NOTHING', 'REPLICA IDENTITY DEFAULT'), \
                              (EXISTS (SELECT FROM pg_index AS y JOIN pg_class AS j ON j.oid = y.indexrelid \
                                       WHERE y.indrelid = to_regclass($2) AND j.relname = i.relname AND y.indisunique \
                                         AND y.indimmediate AND y.indpred IS NULL), \
                               'REPLICA IDENTITY USING INDEX ' || quote_ident(i.relname), \
                               'REPLICA IDENTITY DEFAULT'), \
                              (o.names IS NOT NULL, format('SET (%s)', o.options), format('RESET (%s)', o.names))) \
                   AS s (has, give, take) \
         WHERE a.oid = $1 AND s.has";
    let (to, from) = (live.to_string(), archive.to_string());
    let arguments = [archive.oid.into(), to.as_str().into(), from.as_str().into()];
    for statement in dynamic_sql::column::<String>(SETTINGS, &arguments)? {
        dynamic_sql::execute(&statement)?;
    }
    Ok(())
}

/// Gives users the grants that they hold on columns of one table on the same columns of another.
pub fn give_column_grants(from: &Table, to: &Table) -> Result<(), Error> {
    const GRANTS: &str = "SELECT format('GRANT %s (%I) ON TABLE %s TO %s%s', a.privilege_type, t.attname, $2, \
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, \
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
         FROM pg_attribute AS t, aclexplode(t.attacl) AS a, pg_attribute AS l \
         WHERE t.attrelid = $1 AND l.attrelid = $3 AND l.attname = t.attname \
           AND l.attnum > 0 AND NOT l.attisdropped AND NOT t.attisdropped";
    let name = to.to_string();
    let arguments = [from.oid.into(), name.as_str().into(), to.oid.into()];
    grant(dynamic_sql::column(GRANTS, &arguments)?)
}

fn grant(grants: Vec<String>) -> Result<(), Error> {
    backend_state::outside_the_script(|| {
        grants.iter().try_for_each(|grant| dynamic_sql::execute(grant).map(|_| ()))
    })
}

/// Moves the sequences of `live` to where those of the archived table stood.
fn advance_sequences(archive: &Table, live: &Table) -> Result<(), Error> {
    const PAIRS: &str = "SELECT format('SELECT setval(%L, s.last_value, s.is_called) FROM %s AS s, %s AS l \
                WHERE s.last_value >= l.last_value', \
                pg_get_serial_sequence($1, a.attname), pg_get_serial_sequence($2, a.attname), \
                pg_get_serial_sequence($1, a.attname)) \
         FROM pg_attribute AS a WHERE a.attrelid = $3 AND a.attnum > 0 AND NOT a.attisdropped \
           AND pg_get_serial_sequence($1, a.attname) IS NOT NULL \
           AND EXISTS (SELECT FROM pg_attribute AS o WHERE o.attrelid = $4 AND o.attname = a.attname \
                       AND NOT o.attisdropped AND pg_get_serial_sequence($2, o.attname) IS NOT NULL)";
    let (live_name, archive_name) = (live.to_string(), archive.to_string());
    let arguments = [
        live_name.as_str().into(),
        archive_name.as_str().into(),
        live.oid.into(),
        archive.oid.into(),
    ];
    for statement in dynamic_sql::column::<String>(PAIRS, &arguments)? {
        dynamic_sql::execute(&statement)?;
    }
    Ok(())
}

/// Tells how many rows stay in the archive, and why.
pub fn left_behind(rows: i64, belongs_to: &str, archive: &Table, reasons: &[String]) {
    backend_state::notice(
        format!(
            "{} of {belongs_to} could not come back and stay in {archive}",
            counted(rows, "row")
        ),
        Some(reasons.join("; ")),
    );
}

/// Tells how many rows came back without the reference they had.
pub fn lost_reference(belongs_to: &str, key: &ForeignKey, rows: i64) {
    let columns = key.columns.join(", ");
    backend_state::notice(
        format!("{} of {belongs_to} came back without {columns}", counted(rows, "row")),
        Some(format!("The row of {} that {columns} named is gone.", key.parent)),
    );
}
