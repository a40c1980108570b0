//! Workers that call every function, walks over the whole chain, and pg_dump, all at the same time.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};
use postgres::Client;
use support::Database;
use support::deadline;
use support::extension::{differences, newest, versions, walked_to};
use xtask::chain::Version;
use xtask::checks::cases;

use crate::calls::{self, CALLS, Call};

const WORKERS: usize = 6;

/// The SQLSTATEs that a call may get while the version changes under it, because its objects or its rows
/// no longer exist.
const GONE: [&str; 10] =
    ["42883", "42P01", "42703", "42704", "P0002", "55000", "22004", "22023", "40001", SERVERS_OWN];

/// The server's own internal error for an object that was dropped while a statement used it.
const SERVERS_OWN: &str = "XX000 of the server";

/// Functions that read everything, or the whole catalog, and hold their locks for that time. Only one
/// worker calls them: with six, an update would rightly fail, because no lock would be free within its
/// lock_timeout.
const LONG: [&str; 4] = ["capture_snapshot", "verify", "v7_verify", "downgrade_plan"];

/// Rows that were committed: table, key column, id.
type Ledger = Vec<(&'static str, &'static str, String)>;

/// The state that all workers share.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    /// Calls that succeeded, since the start.
    done: AtomicUsize,
    ledger: Mutex<Ledger>,
    /// Failed calls by SQLSTATE, with an example.
    refused: Mutex<BTreeMap<String, (usize, String)>>,
}

impl Load {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Repeats all calls, each in a transaction of its own.
    fn work(&self, client: &mut Client, worker: usize) {
        let mut round = 0;
        while self.goes_on() {
            round += 1;
            let is_long = |call: &&Call| {
                calls::function(call.sql).is_some_and(|function| LONG.contains(&function))
            };
            for call in CALLS.iter().filter(|call| worker == 1 || !is_long(call)) {
                if !self.goes_on() {
                    return;
                }
                let made = call.prepared(client, worker * 1_000_000 + round).and_then(|sql| {
                    let Some(sql) = sql else { return Ok(None) };
                    match call.makes {
                        None => client.batch_execute(&sql).map(|()| None),
                        Some((table, key)) => {
                            let row = client.query_one(&as_text(&sql), &[])?;
                            Ok(Some((table, key, row.try_get::<_, String>(0)?)))
                        }
                    }
                });
                match made {
                    Ok(made) => {
                        self.done.fetch_add(1, Ordering::Relaxed);
                        self.ledger.lock().expect("no panic").extend(made);
                    }
                    Err(error) => {
                        let code = error.code().map_or("none", |code| code.code()).to_owned();
                        let gone = ["could not open relation", "cache lookup failed"];
                        let message = error.as_db_error().map_or("", |error| error.message());
                        let servers_own = gone.iter().any(|words| message.starts_with(words));
                        let code = if servers_own { SERVERS_OWN.to_owned() } else { code };
                        let text = format!("{}: {}", call.sql, xtask::address::explain(&error));
                        let mut refused = self.refused.lock().expect("no panic");
                        refused.entry(code).or_insert((0, text)).0 += 1;
                    }
                }
            }
        }
    }

    /// Waits until that many more calls have succeeded.
    fn until_done(&self, calls: usize) -> Result<()> {
        let wanted = self.done.load(Ordering::Relaxed) + calls;
        deadline::wait_until("work goes on", || Ok(self.done.load(Ordering::Relaxed) >= wanted))
    }
}

/// The statement with its one value as text.
fn as_text(sql: &str) -> String {
    match sql.split_once(" RETURNING id") {
        Some((insert, _)) => format!("{insert} RETURNING id::text"),
        None => {
            let value = sql.trim_start_matches("SELECT ");
            match value.split_once(" FROM ") {
                Some((column, from)) => format!("SELECT {column}::text FROM {from}"),
                None => format!("SELECT ({value})::text"),
            }
        }
    }
}

/// Repeats dumps. A dump may fail because a table is dropped under it, but never because of a deadlock.
fn dump(load: &Load, mut command: Command) -> Result<usize> {
    let mut dumps = 0;
    while load.goes_on() {
        let output = command.output().context("pg_dump")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        if errors.contains("deadlock") {
            bail!("pg_dump: {errors}");
        }
        dumps += usize::from(output.status.success());
    }
    Ok(dumps)
}

/// One walk down and up, in one statement each, or step by step.
fn walk(client: &mut Client, number: usize) -> Result<()> {
    let timeout = ["500ms", "2s"][number % 2];
    let steps = versions()?;
    let way: Vec<Version> = if number % 4 < 2 {
        vec![Version::BASE, newest()?]
    } else {
        steps.iter().rev().skip(1).chain(&steps[1..]).copied().collect()
    };
    for version in way {
        let sql = format!(
            "SET lock_timeout = '{timeout}'; ALTER EXTENSION orchestrator_schema UPDATE TO '{version}'"
        );
        if let Err(error) = client.batch_execute(&sql) {
            let place = error.as_db_error().and_then(|error| error.where_()).unwrap_or_default();
            bail!("walk {number}: {sql}: {} {place}", xtask::address::explain(&error));
        }
    }
    Ok(())
}

fn walks_under_load(walks: usize) -> Result<()> {
    let database = walked_to("load", newest()?)?;
    let mut walker = database.client()?;
    let load = Load::default();
    let dumps = thread::scope(|scope| {
        let workers: Vec<_> = (1..=WORKERS)
            .map(|worker| {
                let client = database.client();
                let load = &load;
                scope.spawn(move || client.map(|mut client| load.work(&mut client, worker)))
            })
            .collect();
        let mut command = database.command("pg_dump");
        command.args(["--file=/dev/null", database.name()]);
        let dumper = scope.spawn(|| dump(&load, command));
        let walked = (0..walks).try_for_each(|number| {
            load.until_done(2 * CALLS.len())?;
            walk(&mut walker, number)
        });
        let walked = walked.and_then(|()| load.until_done(2 * CALLS.len()));
        load.stop.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.join().expect("the worker ends")?;
        }
        let dumps = dumper.join().expect("the dumper ends");
        walked?;
        dumps
    })?;
    let refused = load.refused.into_inner().expect("no panic");
    println!("{} calls, {dumps} dumps, refused: {refused:#?}", load.done.into_inner());
    for (code, (_, example)) in &refused {
        assert!(GONE.contains(&code.as_str()), "{code}: {example}");
    }
    let ledger = load.ledger.into_inner().expect("no panic");
    assert!(ledger.len() > walks * CALLS.len() / 10, "work was done: {}", ledger.len());
    nothing_is_lost(&database, &mut walker, &ledger)
}

fn nothing_is_lost(database: &Database, client: &mut Client, ledger: &Ledger) -> Result<()> {
    let mut by_table: BTreeMap<_, Vec<&String>> = BTreeMap::new();
    for (table, key, id) in ledger {
        by_table.entry((table, key)).or_default().push(id);
    }
    for ((table, key), ids) in by_table {
        let lost: Vec<String> = client
            .query_one(
                &format!(
                    "SELECT coalesce(array_agg(id), '{{}}') FROM unnest($1::text[]) AS id \
                     WHERE id::uuid NOT IN (SELECT {key} FROM orchestrator.{table})"
                ),
                &[&ids],
            )?
            .try_get(0)?;
        assert!(lost.is_empty(), "{} of {} rows of {table} are gone", lost.len(), ids.len());
    }
    let archived: i64 =
        client.query_one("SELECT count(*) FROM orchestrator.archived()", &[])?.try_get(0)?;
    assert_eq!(archived, 0, "nothing is left in the archive");
    let changed: i64 = client
        .query_one("SELECT count(*) FROM orchestrator.verify_audit_seals()", &[])?
        .try_get(0)?;
    assert_eq!(changed, 0, "the audit trail is as it was sealed");
    assert_eq!(differences(client)?, [""; 0]);
    let deadlocks: i64 = client
        .query_one(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = $1",
            &[&database.name()],
        )?
        .try_get(0)?;
    assert_eq!(deadlocks, 0, "nobody waited in a circle");
    Ok(())
}

#[test]
fn walks_succeed_beside_clients_and_dumps() -> Result<()> {
    walks_under_load(cases::number(4, 2))
}

/// The long form: `cargo xtask check walks-at-length`.
#[test]
#[ignore = "takes minutes"]
fn twenty_walks_come_through_beside_everybody_else() -> Result<()> {
    walks_under_load(20)
}
