//! Purged seals. Their events are gone, so their digests say nothing any more. The event of the purge says instead what
//! the seals were, which events it kept, and which spans had already been changed.

use std::ffi::CStr;

use const_format::{concatcp, formatcp};
use pgrx::JsonB;
use pgrx::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::chain::{Seal, microseconds};
use super::read::{self, always, in_hexadecimal};
use crate::server::arguments::counted;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{backend_state, latest, rows, snapshot};

/// The event type that a purge records.
pub const PURGED: &str = "audit_events_purged";

/// The type of the events that a purge keeps, if nothing followed in their run.
const KEPT: &str = "run_paused";

/// The seals that are purged, all from the first one, and the events in their spans.
pub struct Marks {
    /// The number of the last seal.
    pub seals: i64,
    pub seals_sha256: String,
    pub kept: i64,
    pub kept_sha256: String,
    /// The number of kept events of another type than a purge keeps.
    pub others: i64,
}

/// Marks, while their seals and events are read.
#[derive(Default)]
pub struct Collected {
    last: i64,
    seals: Sha256,
    kept: i64,
    events: Sha256,
    others: i64,
}

impl Collected {
    pub fn seal(&mut self, seal: &Seal) {
        seal.add_to(&mut self.seals);
        self.last = seal.sequence;
    }

    /// `may_be_any`: whether an event of any type may be left in the span.
    pub fn event(&mut self, form: &[u8], may_be_any: bool) {
        self.events.update(form);
        self.kept += 1;
        if !may_be_any && !read::is_of_type(form, KEPT) {
            self.others += 1;
        }
    }

    pub fn marks(self) -> Marks {
        Marks {
            seals: self.last,
            seals_sha256: in_hexadecimal(&self.seals.finalize()),
            kept: self.kept,
            kept_sha256: in_hexadecimal(&self.events.finalize()),
            others: self.others,
        }
    }
}

/// What the event of a purge says about seals.
pub struct Purge {
    pub marks: Marks,
    /// The seals whose events had been changed before they were purged.
    pub differing: Vec<i64>,
    /// The last seal, if a version without seals purged a part of its span.
    pub part_of: Option<i64>,
}

impl Purge {
    /// A JSON object for the event.
    pub fn facts(&self) -> Value {
        let mut facts = json!({
            "seals": self.marks.seals,
            "seals_sha256": self.marks.seals_sha256,
            "kept": self.marks.kept,
            "kept_sha256": self.marks.kept_sha256,
        });
        if !self.differing.is_empty() {
            facts["differing"] = json!(self.differing);
        }
        if let Some(seal) = self.part_of {
            facts["part_of"] = json!(seal);
        }
        facts
    }

    /// The last one that was recorded. Facts that only a statement by hand can have written compare as different.
    pub fn last() -> Result<Option<Purge>, Error> {
        // A purge by a version without seals says nothing about them. A later one has the same seals or more.
        const LAST: &CStr = latest::statement(formatcp!(
            "SELECT e.metadata FROM orchestrator.audit_events AS e \
             WHERE e.event_type = '{PURGED}' AND e.metadata ? 'seals' \
             ORDER BY CASE WHEN jsonb_typeof(e.metadata -> 'seals') = 'number' THEN (e.metadata -> 'seals')::numeric END DESC NULLS LAST, e.id DESC \
             LIMIT 1\0"
        ));
        let facts = |row: &_| rows::value::<JsonB>(row, 1, "audit_events.metadata");
        let Some(JsonB(facts)) = snapshot::first(LAST, &[], facts)? else {
            return Ok(None);
        };
        let number = |key: &str| facts[key].as_i64();
        let digest = |key: &str| facts[key].as_str().unwrap_or_default().to_owned();
        let differing = facts["differing"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Some(Purge {
            marks: Marks {
                seals: number("seals").unwrap_or(-1),
                seals_sha256: digest("seals_sha256"),
                kept: number("kept").unwrap_or(-1),
                kept_sha256: digest("kept_sha256"),
                others: 0,
            },
            differing: differing.iter().filter_map(Value::as_i64).collect(),
            part_of: number("part_of"),
        }))
    }
}

/// Marks the seals up to one as purged, unless they are, and describes them. `part_of`: the last seal, if only a part of
/// its span was purged; `differing`: the seals up to this one whose events had been changed.
///
/// Errors: 40001 the transaction keeps a snapshot without some of the seals, 55000 events were not deleted.
pub fn mark(
    last: i64,
    purged_at: TimestampWithTimeZone,
    part_of: Option<i64>,
    differing: Vec<i64>,
) -> Result<Purge, Error> {
    static MARK: Statement = Statement::new(
        "UPDATE orchestrator.audit_seals AS s SET purged_at = $2 WHERE s.sequence <= $1 AND s.purged_at IS NULL",
    );
    static MARKED: Statement = Statement::new(concatcp!(
        "SELECT ",
        Seal::COLUMNS,
        " FROM orchestrator.audit_seals AS s WHERE s.purged_at IS NOT NULL ORDER BY s.sequence"
    ));
    const SEALS: &CStr =
        c"SELECT pg_catalog.count(*) FROM orchestrator.audit_seals AS s WHERE s.sequence <= $1";
    MARK.update(&[last.into(), purged_at.into()], |_| Ok(()))?;
    let marked = MARKED.update(&[], |rows| rows::each(rows, |row| Seal::read(row)))?;
    let seals = latest::value::<i64>(SEALS, &[last.into()])?;
    if seals.is_some_and(|seals| seals > marked.len() as i64) {
        return Err(match backend_state::keeps_its_snapshot() {
            true => Error::new(Kind::Serialization, "audit events were sealed meanwhile")
                .detail("The snapshot of this transaction lacks their seals.")
                .hint("Roll back and try again."),
            false => Error::no_row("the purge could not be marked", "audit_seals"),
        });
    }
    let mut collected = Collected::default();
    for seal in &marked {
        collected.seal(seal);
    }
    let whole = marked.iter().rev().find(|seal| part_of != Some(seal.sequence));
    let part_from = whole.map_or_else(always, |seal| seal.sealed_until);
    if let Some(seal) = marked.last() {
        let take = |at: i64, form: &[u8]| {
            collected.event(form, part_of.is_some() && at >= microseconds(part_from));
        };
        snapshot::newest(|| read::events(always(), seal.sealed_until, take))?;
    }
    let marks = collected.marks();
    // The update that marks what an older version purged must not fail; `verify_audit_seals` reports what is left.
    if marks.others > 0 && part_of.is_none() {
        return Err(not_deleted(marks.others));
    }
    Ok(Purge { marks, differing, part_of })
}

fn not_deleted(events: i64) -> Error {
    let message = format!("{} could not be deleted", counted(events, "audit event"));
    if backend_state::keeps_its_snapshot() {
        Error::new(Kind::Serialization, message)
            .detail("The snapshot of this transaction lacks them.")
            .hint("Roll back and try again.")
    } else {
        Error::new(Kind::NotReady, message)
            .detail("A trigger or a policy on table orchestrator.audit_events keeps them.")
            .hint(
                "See what differs from the installed version: SELECT * FROM orchestrator.verify();",
            )
    }
}
