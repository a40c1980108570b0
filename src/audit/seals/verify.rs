//! The check of the trail against its seals.

use const_format::concatcp;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use sha2::{Digest, Sha256};

use super::chain::{NOTHING, Seal, Span, microseconds};
use super::read::{self, View, always, in_hexadecimal};
use crate::server::arguments::counted;
use crate::server::error::{Error, Kind};
use crate::server::rows;
use crate::server::statements::{self, Statement};

/// A difference between the trail and its seals.
type Finding = (Option<i64>, String, Option<String>, Option<String>);

/// Compares the trail with its seals: events that were changed, deleted or added within a sealed span, seals that are
/// missing or changed, and events that a purge kept and that have changed since. Events after the last seal are not
/// protected yet. Whoever can write the trail and the seals could make the whole chain anew; `expected_head`, kept
/// outside of the database, shows that.
///
/// `from_sequence`: the first seal to look at; NULL for all; `expected_head`: the digest that `audit_head` returned
/// earlier, 32 bytes; NULL for none. Returns: the number of the seal, the problem, the expected and the actual state;
/// no row if the trail is as it was sealed.
/// Errors: 22023 an expected head of another length, P0002 no seal has this number, 55000 the trail or the seals
/// have another form. Since 0.8.1.
#[pg_extern(sql = false, stable, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn verify_audit_seals(
    from_sequence: default!(Option<i64>, "NULL"),
    expected_head: default!(Option<Vec<u8>>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(sequence, Option<i64>),
            name!(problem, String),
            name!(expected, Option<String>),
            name!(actual, Option<String>),
        ),
    >,
    ErrorReport,
> {
    if let Some(head) = &expected_head
        && head.len() != NOTHING.len()
    {
        let message = format!(
            "argument \"expected_head\" has {}, not 32",
            counted(head.len() as i64, "byte")
        );
        return Err(Error::new(Kind::InvalidValue, message)
            .hint("Pass the digest that orchestrator.audit_head returned.")
            .into());
    }
    let (before, seals) = seals(from_sequence)?;
    let mut findings = Vec::new();
    chain(before.as_ref(), &seals, from_sequence.is_none(), &mut findings);
    spans(before.as_ref(), &seals, from_sequence.is_none(), &mut findings)?;
    findings.sort_by_key(|(sequence, ..)| *sequence);
    if let Some(head) = expected_head
        && !before.iter().chain(&seals).any(|seal| seal.digest == head)
    {
        let known =
            seals.last().map(|seal| format!("the last seal has {}", in_hexadecimal(&seal.digest)));
        let actual = known.unwrap_or_else(|| "there is no seal".to_owned());
        findings.push((None, "lost head".to_owned(), Some(in_hexadecimal(&head)), Some(actual)));
    }
    Ok(TableIterator::new(findings))
}

/// The seal before the first one to look at, and the seals from there on.
fn seals(from: Option<i64>) -> Result<(Option<Seal>, Vec<Seal>), Error> {
    static SEALS: Statement = Statement::new(concatcp!(
        "SELECT ",
        Seal::COLUMNS,
        " FROM orchestrator.audit_seals AS s WHERE s.sequence >= $1 ORDER BY s.sequence"
    ));
    static BEFORE: Statement = Statement::new(concatcp!(
        "SELECT ",
        Seal::COLUMNS,
        " FROM orchestrator.audit_seals AS s WHERE s.sequence < $1 ORDER BY s.sequence DESC LIMIT 1"
    ));
    let first = from.unwrap_or(i64::MIN);
    let seals = SEALS.select(&[first.into()], |rows| rows::each(rows, |row| Seal::read(row)))?;
    if let Some(from) = from
        && seals.first().is_none_or(|seal| seal.sequence != from)
    {
        return Err(Error::new(Kind::NotFound, format!("audit seal {from} does not exist"))
            .hint("SELECT * FROM orchestrator.audit_seals; shows the seals."));
    }
    let before = BEFORE.select(&[first.into()], |rows| rows::first(rows, |row| Seal::read(row)))?;
    Ok((before, seals))
}

/// Whether each seal holds the digest of the one before it. `is_whole`: whether the first one must be the first of all.
fn chain(before: Option<&Seal>, seals: &[Seal], is_whole: bool, findings: &mut Vec<Finding>) {
    let mut earlier = before;
    for seal in seals {
        let (number, digest, until) = match earlier {
            Some(earlier) => (
                earlier.sequence + 1,
                earlier.digest.as_slice(),
                microseconds(earlier.sealed_until),
            ),
            None if is_whole => (1, NOTHING.as_slice(), i64::MIN),
            None => (seal.sequence, seal.previous.as_slice(), i64::MIN),
        };
        let mut broken = |expected: String, actual: String| {
            findings.push((
                Some(seal.sequence),
                "broken chain".to_owned(),
                Some(expected),
                Some(actual),
            ));
        };
        if seal.sequence != number {
            broken(format!("seal {number}"), format!("seal {} follows", seal.sequence));
        } else if seal.previous != digest {
            broken(
                format!("previous {}", in_hexadecimal(digest)),
                format!("previous {}", in_hexadecimal(&seal.previous)),
            );
        } else if microseconds(seal.sealed_until) <= until {
            broken(
                "a span after the one before it".to_owned(),
                format!("until {}", seal.sealed_until.to_iso_string()),
            );
        }
        earlier = Some(seal);
    }
}

/// Whether the events of each span are those that were sealed.
fn spans(
    before: Option<&Seal>,
    seals: &[Seal],
    is_whole: bool,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let Some(end) = seals.last().map(|seal| seal.sealed_until) else { return Ok(()) };
    let start = before.map_or_else(always, |seal| seal.sealed_until);
    let mut kept = (Sha256::new(), 0);
    let mut found: Vec<Span> = seals.iter().map(|seal| Span::after(&seal.previous)).collect();
    let mut place = 0;
    read::events(View::OfStatement, start, end, |at, form| {
        while seals.get(place).is_some_and(|seal| microseconds(seal.sealed_until) <= at) {
            place += 1;
        }
        match (seals.get(place), found.get_mut(place)) {
            (Some(seal), _) if seal.purged_at.is_some() => {
                kept.0.update(form);
                kept.1 += 1;
            }
            (_, Some(span)) => span.add(form),
            _ => {}
        }
    })?;
    for (seal, span) in seals.iter().zip(found).filter(|(seal, _)| seal.purged_at.is_none()) {
        let events = span.events;
        let digest = span.digest(seal.sequence, seal.sealed_at, seal.sealed_until);
        if digest != seal.digest || events != seal.events {
            let problem = match events.cmp(&seal.events) {
                std::cmp::Ordering::Less => "missing events",
                std::cmp::Ordering::Greater => "added events",
                std::cmp::Ordering::Equal => "changed events",
            };
            let state = |events, digest: &[u8]| {
                format!("{}, {}", counted(events, "event"), in_hexadecimal(digest))
            };
            findings.push((
                Some(seal.sequence),
                problem.to_owned(),
                Some(state(seal.events, &seal.digest)),
                Some(state(events, &digest)),
            ));
        }
    }
    purges(seals, findings)?;
    if is_whole {
        kept_events(seals, kept.1, &in_hexadecimal(&kept.0.finalize()), findings)?;
    }
    Ok(())
}

/// Whether a purge was recorded when each seal was marked. A later purge may have deleted the event about it.
fn purges(seals: &[Seal], findings: &mut Vec<Finding>) -> Result<(), Error> {
    static RECORDED: Statement = Statement::new(
        "SELECT e.\"timestamp\" FROM orchestrator.audit_events AS e WHERE e.event_type = 'audit_events_purged'",
    );
    let Some(last) = seals.iter().rev().find(|seal| seal.purged_at.is_some()) else {
        return Ok(());
    };
    let recorded = RECORDED.select(&[], statements::column::<TimestampWithTimeZone>)?;
    for seal in seals {
        let Some(purged_at) = seal.purged_at else { continue };
        if purged_at >= last.sealed_until && !recorded.contains(&purged_at) {
            findings.push((
                Some(seal.sequence),
                "purge not recorded".to_owned(),
                Some(format!("an event audit_events_purged at {}", purged_at.to_iso_string())),
                None,
            ));
        }
    }
    Ok(())
}

/// Whether the events in purged spans are those that the last purge kept.
fn kept_events(
    seals: &[Seal],
    events: i64,
    digest: &str,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    // A purge by a version without seals says nothing about what it kept.
    static LAST: Statement = Statement::new(
        "SELECT (e.metadata ->> 'kept')::bigint, e.metadata ->> 'kept_sha256' FROM orchestrator.audit_events AS e \
         WHERE e.event_type = 'audit_events_purged' ORDER BY e.\"timestamp\" DESC, e.id DESC LIMIT 1",
    );
    let Some(seal) = seals.iter().rev().find(|seal| seal.purged_at.is_some()) else {
        return Ok(());
    };
    let Some((Some(kept), Some(kept_digest))) = LAST.select(&[], statements::two::<i64, String>)?
    else {
        return Ok(());
    };
    if kept != events || kept_digest != digest {
        let state = |events, digest: &str| format!("{} kept, {digest}", counted(events, "event"));
        findings.push((
            Some(seal.sequence),
            "changed events of purged spans".to_owned(),
            Some(state(kept, &kept_digest)),
            Some(state(events, digest)),
        ));
    }
    Ok(())
}
