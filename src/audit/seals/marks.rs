//! Purged seals. Their events are gone, so their digests say nothing any more. The event of the purge says instead what
//! the seals were, and which events it kept.

use std::ffi::CStr;

use const_format::concatcp;
use pgrx::prelude::*;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::chain::Seal;
use super::read::{self, View, always, in_hexadecimal};
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{latest, rows};

/// What the event of a purge says about the seals that are purged, all from the first one.
#[derive(PartialEq, Eq)]
pub struct Marks {
    /// The number of the last one.
    pub seals: i64,
    pub seals_sha256: String,
    /// The number of events in their spans.
    pub kept: i64,
    pub kept_sha256: String,
}

/// Marks, while their seals and events are read.
#[derive(Default)]
pub struct Collected {
    last: i64,
    seals: Sha256,
    kept: i64,
    events: Sha256,
}

impl Collected {
    pub fn seal(&mut self, seal: &Seal) {
        seal.add_to(&mut self.seals);
        self.last = seal.sequence;
    }

    pub fn event(&mut self, form: &[u8]) {
        self.events.update(form);
        self.kept += 1;
    }

    pub fn marks(self) -> Marks {
        Marks {
            seals: self.last,
            seals_sha256: in_hexadecimal(&self.seals.finalize()),
            kept: self.kept,
            kept_sha256: in_hexadecimal(&self.events.finalize()),
        }
    }
}

impl Marks {
    /// A JSON object for the event.
    pub fn facts(&self) -> serde_json::Value {
        json!({
            "seals": self.seals,
            "seals_sha256": self.seals_sha256,
            "kept": self.kept,
            "kept_sha256": self.kept_sha256,
        })
    }
}

/// Marks the seals up to one as purged, unless they are. Returns the marks of all.
///
/// Errors: 40001 the transaction keeps a snapshot without some of them.
pub fn mark(last: i64, purged_at: TimestampWithTimeZone) -> Result<Marks, Error> {
    static MARK: Statement = Statement::new(
        "UPDATE orchestrator.audit_seals AS s SET purged_at = $2 WHERE s.sequence <= $1 AND s.purged_at IS NULL",
    );
    static MARKED: Statement = Statement::new(concatcp!(
        "SELECT ",
        Seal::COLUMNS,
        " FROM orchestrator.audit_seals AS s WHERE s.purged_at IS NOT NULL ORDER BY s.sequence"
    ));
    MARK.update(&[last.into(), purged_at.into()], |_| Ok(()))?;
    let marked = MARKED.update(&[], |rows| rows::each(rows, |row| Seal::read(row)))?;
    const SEALS: &CStr =
        c"SELECT pg_catalog.count(*) FROM orchestrator.audit_seals AS s WHERE s.sequence <= $1";
    let seals = latest::value::<i64>(SEALS, &[last.into()])?;
    if seals.is_some_and(|seals| seals > marked.len() as i64) {
        return Err(Error::new(Kind::Serialization, "audit events were sealed meanwhile")
            .detail("The snapshot of this transaction lacks their seals.")
            .hint("Roll back and try again."));
    }
    let mut collected = Collected::default();
    for seal in &marked {
        collected.seal(seal);
    }
    if let Some(seal) = marked.last() {
        let events = |_, form: &[u8]| collected.event(form);
        read::events(View::Newest, always(), seal.sealed_until, events)?;
    }
    Ok(collected.marks())
}
