//! Updates beside working clients: no deadlock, every update succeeds, no row is lost.

#[path = "walks/calls.rs"]
mod calls;
#[path = "walks/cover.rs"]
mod cover;
#[path = "walks/load.rs"]
mod load;
#[path = "walks/order.rs"]
mod order;
#[path = "walks/vacuum.rs"]
mod vacuum;

use anyhow::{Context, Result};
use postgres::Client;
use support::Database;
use support::deadline;

/// The tables, views and sequences of both schemas that a session has locked, each with its strongest
/// mode, as text. A list of OIDs, `older`, leaves out relations that the transaction itself created.
const LOCKED: &str = "SELECT c.oid::regclass::text, c.relkind::text, \
            (array_agg(l.mode ORDER BY array_position(ARRAY['AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', \
                'ShareLock', 'ShareUpdateExclusiveLock', 'RowExclusiveLock', 'RowShareLock', 'AccessShareLock'], l.mode)))[1] \
     FROM pg_locks AS l JOIN pg_class AS c ON l.relation = c.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
     WHERE l.pid = $1 AND l.granted AND l.locktype = 'relation' AND c.relkind IN ('r', 'v', 'S') \
       AND n.nspname IN ('orchestrator', 'orchestrator_archive') AND ($2::oid[] IS NULL OR c.oid = ANY ($2)) \
     GROUP BY c.oid, c.relkind ORDER BY 1";

/// A relation that is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Locked {
    name: String,
    kind: String,
    mode: String,
}

fn locked_by(client: &mut Client, pid: i32, older: Option<&[u32]>) -> Result<Vec<Locked>> {
    let rows = client.query(LOCKED, &[&pid, &older])?;
    rows.iter()
        .map(|row| {
            Ok(Locked { name: row.try_get(0)?, kind: row.try_get(1)?, mode: row.try_get(2)? })
        })
        .collect()
}

fn pid(client: &mut Client) -> Result<i32> {
    Ok(client.query_one("SELECT pg_backend_pid()", &[])?.try_get(0)?)
}

/// Waits until a session waits for a lock or has ended. Returns whether it waits.
fn waits(observer: &mut Client, pid: i32, has_ended: impl Fn() -> bool) -> Result<bool> {
    const WAITS: &str = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)";
    let mut waits = false;
    deadline::wait_until("a session waits, or ends", || {
        waits = observer.query_one(WAITS, &[&pid])?.try_get(0)?;
        Ok(waits || has_ended())
    })?;
    Ok(waits)
}

/// A transaction that holds a lock on one relation, so that others cannot lock it.
struct Block(Client);

impl Block {
    /// Locks it in the strongest mode, which conflicts with every other.
    fn wholly(database: &Database, relation: &str, kind: &str) -> Result<Block> {
        let statement = match kind {
            // LOCK TABLE of a view would lock its tables as well.
            "v" => format!("ALTER VIEW {relation} RENAME TO renamed"),
            _ => format!("LOCK TABLE ONLY {relation} IN ACCESS EXCLUSIVE MODE"),
        };
        Block::by(database, &statement)
    }

    /// Locks it in the weakest mode that conflicts with the given one.
    fn against(database: &Database, locked: &Locked) -> Result<Block> {
        let Locked { name, kind, mode } = locked;
        let statement = match (kind.as_str(), mode.as_str()) {
            ("v", "AccessExclusiveLock") => format!("COMMENT ON VIEW {name} IS 'held'"),
            ("S", _) => format!("SELECT FROM {name}"),
            ("r", "AccessExclusiveLock") => format!("LOCK TABLE ONLY {name} IN ACCESS SHARE MODE"),
            ("r", "ExclusiveLock") => format!("LOCK TABLE ONLY {name} IN ROW SHARE MODE"),
            ("r", "ShareRowExclusiveLock" | "ShareLock") => {
                format!("LOCK TABLE ONLY {name} IN ROW EXCLUSIVE MODE")
            }
            ("r", "ShareUpdateExclusiveLock") => {
                format!("LOCK TABLE ONLY {name} IN SHARE UPDATE EXCLUSIVE MODE")
            }
            _ => return Block::wholly(database, name, kind),
        };
        Block::by(database, &statement)
    }

    fn by(database: &Database, statement: &str) -> Result<Block> {
        let mut client = database.client()?;
        client
            .batch_execute(&format!("BEGIN; {statement}"))
            .with_context(|| statement.to_owned())?;
        Ok(Block(client))
    }

    fn release(mut self) -> Result<()> {
        Ok(self.0.batch_execute("ROLLBACK")?)
    }
}
