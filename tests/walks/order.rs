//! The order in which functions lock tables and views, found by blocking one relation after the other,
//! and the order in which an update locks them, which follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Result;
use support::Database;
use support::extension::{newest, walked_to};
use xtask::checks::cases;

use crate::calls::{self, CALLS};
use crate::{Block, Locked, locked_by, pid, waits};

/// The relations that a statement has locked when it waits for `relation`, which another session holds;
/// none if it does not lock `relation`.
fn held_before(
    database: &Database,
    relation: &Locked,
    block: Block,
    settings: &str,
    sql: &str,
) -> Result<Option<Vec<Locked>>> {
    let (mut client, mut observer) = (database.client()?, database.client()?);
    let own = pid(&mut client)?;
    client.batch_execute(settings)?;
    let ended = AtomicBool::new(false);
    let held = thread::scope(|scope| {
        let caller = scope.spawn(|| {
            // The outcome does not matter, only the locks before it.
            let _ = client.batch_execute(&format!("BEGIN; {sql}"));
            ended.store(true, Ordering::Relaxed);
        });
        let held = if waits(&mut observer, own, || ended.load(Ordering::Relaxed))? {
            let held = locked_by(&mut observer, own, None)?;
            observer.query("SELECT pg_cancel_backend($1)", &[&own])?;
            Some(held)
        } else {
            None
        };
        let released = block.release();
        caller.join().expect("the caller ends");
        released?;
        anyhow::Ok(held)
    })?;
    client.batch_execute("ROLLBACK")?;
    Ok(held.map(|held| held.into_iter().filter(|locked| locked.name != relation.name).collect()))
}

/// The relations that one statement locks.
fn touched(database: &Database, sql: &str) -> Result<Vec<Locked>> {
    let (mut client, mut observer) = (database.client()?, database.client()?);
    let own = pid(&mut client)?;
    // A call that fails has locked the relations that it reads to find that out.
    let _ = client.batch_execute(&format!("BEGIN; SAVEPOINT before; {sql}"));
    let touched = locked_by(&mut observer, own, None)?;
    client.batch_execute("ROLLBACK")?;
    Ok(touched)
}

/// The order of an update over the whole chain.
fn order_of_updates(database: &Database) -> Result<Vec<String>> {
    let down = "ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0'";
    let mut places = BTreeMap::new();
    for relation in touched(database, down)? {
        if relation.kind == "S" {
            continue;
        }
        let block = Block::against(database, &relation)?;
        let held = held_before(database, &relation, block, "SET deadlock_timeout = '600s'", down)?;
        places.insert(held.expect("it comes to it").len(), relation.name);
    }
    Ok(places.into_values().collect())
}

/// Functions that read every relation of ours, one after the other. An update beside them backs off, as
/// beside pg_dump.
const EVERYTHING: [&str; 5] =
    ["verify", "v7_verify", "capture_snapshot", "archived", "downgrade_plan"];

#[test]
fn updates_lock_in_the_order_of_the_functions() -> Result<()> {
    let database = walked_to("order", newest()?)?;
    let mut client = database.client()?;
    calls::run_all(&mut client, 1)?;
    calls::run_all(&mut client, 2)?;
    let order = order_of_updates(&database)?;
    let mut seen = BTreeSet::new();
    let mut wrong = BTreeSet::new();
    // A view locks its tables in the order of its text.
    let functions = CALLS.iter().filter_map(|call| Some((call, calls::function(call.sql)?)));
    let functions = functions.filter(|(_, name)| !EVERYTHING.contains(name));
    for (call, function) in cases::chosen(functions, 30) {
        let Some(sql) = call.prepared(&mut client, 1)? else { continue };
        let all = touched(&database, &sql)?;
        seen.extend(all.iter().map(|relation| relation.name.clone()));
        if all.len() < 2 {
            continue;
        }
        for relation in all.iter().filter(|relation| relation.kind != "S") {
            let block = Block::wholly(&database, &relation.name, &relation.kind)?;
            let Some(held) = held_before(&database, relation, block, "", &sql)? else { continue };
            let place = |name: &String| order.iter().position(|known| known == name);
            for earlier in held.iter().filter(|held| place(&held.name) > place(&relation.name)) {
                let (first, second) = (&earlier.name, &relation.name);
                wrong.insert(format!("{first} before {second}: {function}"));
            }
        }
    }
    let unseen: Vec<_> = order.iter().filter(|name| !seen.contains(*name)).collect();
    println!("no call comes to {unseen:?}");
    assert!(wrong.is_empty(), "{wrong:#?}\nan update locks in this order: {order:?}");
    Ok(())
}
