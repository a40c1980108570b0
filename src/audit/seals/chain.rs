//! The chain of seals: each holds the digest of the one before it.

use std::ffi::CStr;

use const_format::concatcp;
use pgrx::pg_sys;
use pgrx::prelude::*;
use sha2::{Digest, Sha256};

use super::read::{self, always};
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{latest, rows, snapshot};

/// The beginning of what a seal covers: the name of the form.
const FORM: &[u8] = b"orchestrator_schema seal of audit_events, form 1\n";

/// The digest before the first seal.
pub const NOTHING: [u8; 32] = [0; 32];

/// A row of `audit_seals`.
pub struct Seal {
    pub sequence: i64,
    pub sealed_at: TimestampWithTimeZone,
    pub sealed_until: TimestampWithTimeZone,
    pub events: i64,
    pub digest: Vec<u8>,
    pub previous: Vec<u8>,
    pub purged_at: Option<TimestampWithTimeZone>,
}

impl Seal {
    /// Adds every column to a digest of seals.
    pub fn add_to(&self, hash: &mut Sha256) {
        let numbers = [
            self.sequence,
            microseconds(self.sealed_at),
            microseconds(self.sealed_until),
            self.events,
            self.purged_at.map_or(i64::MAX, microseconds),
        ];
        for number in numbers {
            hash.update(number.to_be_bytes());
        }
        for digest in [&self.digest, &self.previous] {
            hash.update((digest.len() as u64).to_be_bytes());
            hash.update(digest);
        }
    }

    /// The columns of seal `s`, as `Seal::read` reads them.
    pub const COLUMNS: &str =
        "s.sequence, s.sealed_at, s.sealed_until, s.events, s.digest, s.previous, s.purged_at";

    pub fn read(row: &impl rows::Row) -> Result<Seal, Error> {
        Ok(Seal {
            sequence: rows::value(row, 1, "audit_seals.sequence")?,
            sealed_at: rows::value(row, 2, "audit_seals.sealed_at")?,
            sealed_until: rows::value(row, 3, "audit_seals.sealed_until")?,
            events: rows::value(row, 4, "audit_seals.events")?,
            digest: rows::value(row, 5, "audit_seals.digest")?,
            previous: rows::value(row, 6, "audit_seals.previous")?,
            purged_at: rows::optional(row, 7, "audit_seals.purged_at")?,
        })
    }
}

/// The digest of a span while its events are read.
pub struct Span {
    hash: Sha256,
    pub events: i64,
}

impl Span {
    /// `previous`: the digest of the seal before it.
    pub fn after(previous: &[u8]) -> Span {
        let mut hash = Sha256::new();
        hash.update(FORM);
        hash.update(previous);
        Span { hash, events: 0 }
    }

    pub fn add(&mut self, form: &[u8]) {
        self.hash.update(form);
        self.events += 1;
    }

    /// The digest, which covers every column of the seal besides the events.
    pub fn digest(
        mut self,
        sequence: i64,
        sealed_at: TimestampWithTimeZone,
        sealed_until: TimestampWithTimeZone,
    ) -> Vec<u8> {
        for number in [sequence, microseconds(sealed_at), microseconds(sealed_until), self.events] {
            self.hash.update(number.to_be_bytes());
        }
        self.hash.finalize().to_vec()
    }
}

/// A time in microseconds since 2000, in UTC.
pub fn microseconds(time: TimestampWithTimeZone) -> i64 {
    pg_sys::TimestampTz::from(time)
}

/// The last seal.
pub fn last() -> Result<Option<Seal>, Error> {
    const LAST: &CStr = latest::statement(concatcp!(
        "SELECT ",
        Seal::COLUMNS,
        " FROM orchestrator.audit_seals AS s ORDER BY s.sequence DESC LIMIT 1\0"
    ));
    snapshot::first(LAST, &[], Seal::read)
}

/// The last seal, also if it was made after the snapshot of the transaction.
pub fn newest() -> Result<Option<Seal>, Error> {
    snapshot::newest(last)
}

/// Seals the events that are older than a time and not sealed yet. `last`: the newest seal; the caller has made other
/// callers wait. Returns the seal; `None` if there is no such event.
pub fn seal_before(
    last: Option<&Seal>,
    until: TimestampWithTimeZone,
) -> Result<Option<Seal>, Error> {
    static SEAL: Statement = Statement::new(concatcp!(
        "INSERT INTO orchestrator.audit_seals AS s (sequence, sealed_at, sealed_until, events, digest, previous) \
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING ",
        Seal::COLUMNS
    ));
    let from = last.map_or_else(always, |seal| seal.sealed_until);
    if until <= from {
        return Ok(None);
    }
    let previous = last.map_or_else(|| NOTHING.to_vec(), |seal| seal.digest.clone());
    let mut span = Span::after(&previous);
    snapshot::newest(|| read::events(from, until, |_, form| span.add(form)))?;
    let events = span.events;
    if events == 0 {
        return Ok(None);
    }
    let sequence = last.map_or(0, |seal| seal.sequence);
    let sequence = sequence.checked_add(1).ok_or_else(|| {
        Error::new(Kind::NotReady, format!("no seal can follow audit seal {sequence}"))
            .hint("See what was changed: SELECT * FROM orchestrator.verify_audit_seals();")
    })?;
    let sealed_at = pgrx::datum::transaction_timestamp();
    let digest = span.digest(sequence, sealed_at, until);
    let arguments = [
        sequence.into(),
        sealed_at.into(),
        until.into(),
        events.into(),
        digest.into(),
        previous.into(),
    ];
    let written = SEAL.update(&arguments, |rows| rows::first(rows, |row| Seal::read(row)))?;
    let no_row = || Error::no_row("the seal could not be written", "audit_seals");
    written.map(Some).ok_or_else(no_row)
}

/// The last seal whose span ends before a time and whose events are not purged; `None` if there is none.
pub fn last_to_purge(before: TimestampWithTimeZone) -> Result<Option<Seal>, Error> {
    const LAST: &CStr = latest::statement(concatcp!(
        "SELECT ",
        Seal::COLUMNS,
        " FROM orchestrator.audit_seals AS s WHERE s.sealed_until <= $1 AND s.purged_at IS NULL \
         ORDER BY s.sequence DESC LIMIT 1\0"
    ));
    snapshot::newest(|| snapshot::first(LAST, &[before.into()], Seal::read))
}
