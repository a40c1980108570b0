//! The relations and functions that the scripts of an update lock, read from the changes of the
//! versions on its way.

use std::collections::BTreeMap;
use std::ops::Range;

use pgrx::prelude::*;

use super::order;
use crate::schema::archive::schema::ARCHIVE;
use crate::schema::facts::split;
use crate::schema::manifest::{self, Change};
use crate::server::error::Error;
use crate::server::rows;
use crate::server::statements::Statement;

/// The strength of a lock on a relation, from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// For a relation that is read by a view which the update creates.
    AccessShare,
    /// For a table that gets triggers, indexes, or a foreign key that refers to it. Clients can go
    /// on reading.
    ShareRowExclusive,
    /// For everything else.
    AccessExclusive,
}

impl Mode {
    pub fn number(self) -> pg_sys::LOCKMODE {
        let number = match self {
            Mode::AccessShare => pg_sys::AccessShareLock,
            Mode::ShareRowExclusive => pg_sys::ShareRowExclusiveLock,
            Mode::AccessExclusive => pg_sys::AccessExclusiveLock,
        };
        number as pg_sys::LOCKMODE
    }

    /// The modes that conflict with it, as pg_locks names them.
    pub fn conflicts(self) -> &'static [&'static str] {
        // The strongest first.
        const MODES: [&str; 8] = [
            "AccessExclusiveLock",
            "ExclusiveLock",
            "ShareRowExclusiveLock",
            "ShareLock",
            "ShareUpdateExclusiveLock",
            "RowExclusiveLock",
            "RowShareLock",
            "AccessShareLock",
        ];
        match self {
            Mode::AccessShare => &MODES[..1],
            Mode::ShareRowExclusive => &MODES[..6],
            Mode::AccessExclusive => &MODES,
        }
    }
}

/// A relation or a function to lock.
pub struct Lock {
    pub oid: pg_sys::Oid,
    pub name: String,
    pub mode: Mode,
    /// Whether it is a function. Some functions make their callers wait for a lock on their catalog
    /// entry.
    pub is_function: bool,
}

/// The direction of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Down,
    Up,
}

/// Relations by their qualified names, functions by their signatures.
type Modes = BTreeMap<String, Mode>;

/// The locks that these steps take on the objects that exist, in the order in which to take them.
/// `steps`: the position of each step's newer version.
pub fn locks(way: Way, steps: Range<usize>) -> Result<Vec<Lock>, Error> {
    let mut modes = Modes::new();
    for position in steps {
        for change in manifest::changes(position)? {
            add(&mut modes, way, &change);
        }
    }
    // Only a signature ends with a parenthesis.
    let (functions, relations) = modes.into_iter().partition(|(name, _)| name.ends_with(')'));
    let mut locks = found(relations, functions)?;
    locks.sort_by_key(|lock| {
        let name = lock.name.strip_prefix("orchestrator.");
        // A function that waits for its entry does so before it locks a table.
        let is_relation = !lock.is_function;
        (is_relation, name.map_or(usize::MAX, order::place), lock.oid.to_u32())
    });
    Ok(locks)
}

/// Tables with another table that the script compares with them after their rows have come back. Writers of that table
/// have to end first.
const COMPARED_WITH: [(&str, &str); 1] =
    [("orchestrator.audit_seals", "orchestrator.audit_events")];

/// Notes the locks that one change of one version takes.
fn add(modes: &mut Modes, way: Way, change: &Change) {
    let mut need = |name: &str, mode: Mode| {
        let known = modes.entry(name.to_owned()).or_insert(mode);
        *known = mode.max(*known);
    };
    let facts = || change.before.into_iter().chain(change.after);
    // An addition on the way up leaves readers alone.
    let part = if way == Way::Up && change.before.is_none() {
        Mode::ShareRowExclusive
    } else {
        Mode::AccessExclusive
    };
    match change.kind {
        "table" | "sequence" | "function" => {
            need(change.object, Mode::AccessExclusive);
            for (_, other) in COMPARED_WITH.iter().filter(|(table, _)| *table == change.object) {
                need(other, Mode::ShareRowExclusive);
            }
        }
        "view" => {
            need(change.object, Mode::AccessExclusive);
            for name in facts().flat_map(|facts| facts.list("reads")) {
                need(name, Mode::AccessShare);
            }
        }
        "index" | "statistics" => {
            for table in facts().filter_map(|facts| facts.part_of.as_deref()) {
                need(table, part);
            }
        }
        "trigger" => need(split(change.object).0, part),
        "column" | "rule" | "policy" => need(split(change.object).0, Mode::AccessExclusive),
        "constraint" => {
            need(split(change.object).0, Mode::AccessExclusive);
            for parent in facts().filter_map(|facts| facts.text("references")) {
                need(parent, part);
            }
        }
        _ => {}
    }
}

/// Those of the named relations and functions that are there, and beside them what a statement on them locks, too:
/// the tables that inherit from them, the sequences that they own, and, because values that come back
/// are compared with them, the tables that their foreign keys lead to. At last every archive, which
/// gets rows, or gives them back.
fn found(relations: Modes, functions: Modes) -> Result<Vec<Lock>, Error> {
    static FOUND: Statement = Statement::new(include_str!("needed.sql"));
    let lists = |modes: Modes| -> (Vec<String>, Vec<i32>) {
        modes.into_iter().map(|(name, mode)| (name, mode as i32)).unzip()
    };
    let ((names, modes), (signatures, function_modes)) = (lists(relations), lists(functions));
    let arguments = [
        names.into(),
        modes.into(),
        ARCHIVE.into(),
        (Mode::ShareRowExclusive as i32).into(),
        (Mode::AccessExclusive as i32).into(),
        signatures.into(),
        function_modes.into(),
    ];
    FOUND.update(&arguments, |found| {
        rows::each(found, |row| {
            let mode = match rows::value::<i32>(row, 3, "lock.mode")? {
                0 => Mode::AccessShare,
                1 => Mode::ShareRowExclusive,
                _ => Mode::AccessExclusive,
            };
            Ok(Lock {
                oid: rows::value(row, 1, "lock.oid")?,
                name: rows::value(row, 2, "lock.name")?,
                mode,
                is_function: rows::value(row, 4, "lock.is_function")?,
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(way: Way, position: usize) -> Modes {
        let mut modes = Modes::new();
        for change in manifest::changes(position).expect("the version is there") {
            add(&mut modes, way, &change);
        }
        modes
    }

    #[test]
    fn the_inbox_locks_its_queues_for_triggers_on_the_way_up_and_wholly_on_the_way_down() {
        let inbox = manifest::position("0.6.0").expect("a version");
        let (up, down) = (modes(Way::Up, inbox), modes(Way::Down, inbox));
        for queue in ["gates", "approvals", "human_review_queue"] {
            let name = format!("orchestrator.{queue}");
            assert_eq!(up.get(&name), Some(&Mode::ShareRowExclusive), "{queue}");
            assert_eq!(down.get(&name), Some(&Mode::AccessExclusive), "{queue}");
        }
        assert_eq!(up.get("orchestrator.orchestrator_runs"), Some(&Mode::AccessShare));
        assert_eq!(down.get("orchestrator.pending_decisions"), Some(&Mode::AccessExclusive));
        assert_eq!(up.get("orchestrator.prompts"), None);
    }

    #[test]
    fn the_parents_of_foreign_keys_are_locked() {
        let runs = manifest::position("0.3.0").expect("a version");
        assert_eq!(modes(Way::Up, runs).get("orchestrator.tasks"), Some(&Mode::AccessExclusive));
        let tools = manifest::position("0.1.3").expect("a version");
        let tasks = "orchestrator.tasks";
        assert_eq!(modes(Way::Up, tools).get(tasks), Some(&Mode::ShareRowExclusive));
        assert_eq!(modes(Way::Down, tools).get(tasks), Some(&Mode::AccessExclusive));
    }
}
