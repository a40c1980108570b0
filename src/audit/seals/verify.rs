//! The check of the trail against its seals.

use std::cmp::Ordering;
use std::ffi::CStr;

use const_format::concatcp;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::chain::{NOTHING, Seal, Span, microseconds};
use super::marks::{Collected, Marks, Purge};
use super::read::{self, always, in_hexadecimal};
use crate::server::arguments::counted;
use crate::server::error::{Error, Kind};
use crate::server::{latest, snapshot};

/// A difference between the trail and its seals.
type Finding = (Option<i64>, String, Option<String>, Option<String>);

/// Compares the trail with its seals: events that were changed, deleted or added within a sealed span, seals that are
/// missing or changed, and events that a purge kept and that have changed since. Events after the last seal are not
/// protected yet. Whoever can write the trail and the seals could make the whole chain anew; `expected_head`, kept
/// outside of the database, shows that. It does not show a purge, which has an event `audit_events_purged`.
///
/// `from_sequence`: the first seal to look at; NULL for all; `expected_head`: the digest that `audit_head` returned
/// earlier, 32 bytes; NULL for none. Returns: the number of the seal, the problem, the expected and the actual state;
/// no row if the trail is as it was sealed.
/// Errors: 22023 an expected head of another length, P0002 no seal has this number, 55000 a column of the
/// trail or the seals has another type, or no value. Since 0.8.1.
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
    Ok(TableIterator::new(snapshot::newest_if_kept(|| findings(from_sequence, expected_head))?))
}

fn findings(from: Option<i64>, expected_head: Option<Vec<u8>>) -> Result<Vec<Finding>, Error> {
    let seals = seals()?;
    let first = place(&seals, from)?;
    let purge = Purge::last()?;
    let mut findings = Vec::new();
    chain(&seals, first, &mut findings);
    spans(&seals, first, purge.as_ref(), &mut findings)?;
    let differing = purge.into_iter().flat_map(|purge| purge.differing);
    findings.extend(differing.filter(|sequence| from <= Some(*sequence)).map(|sequence| {
        let difference = ("the events that were sealed".to_owned(), "others".to_owned());
        finding(sequence, "changed events before their purge", difference)
    }));
    findings.sort_by_key(|(sequence, ..)| *sequence);
    if let Some(head) = expected_head
        && !seals.iter().any(|seal| seal.digest == head)
    {
        let known =
            seals.last().map(|seal| format!("the last seal has {}", in_hexadecimal(&seal.digest)));
        let actual = known.unwrap_or_else(|| "there is no seal".to_owned());
        findings.push((None, "lost head".to_owned(), Some(in_hexadecimal(&head)), Some(actual)));
    }
    Ok(findings)
}

/// The seals up to one whose events are not those that were sealed, or had been changed before an earlier purge.
pub fn differing(last: i64) -> Result<Vec<i64>, Error> {
    snapshot::newest(|| differing_now(last))
}

fn differing_now(last: i64) -> Result<Vec<i64>, Error> {
    let mut seals = seals()?;
    seals.retain(|seal| seal.sequence <= last);
    let purge = Purge::last()?;
    let mut findings = Vec::new();
    spans(&seals, 0, purge.as_ref(), &mut findings)?;
    let mut differing: Vec<i64> =
        findings.into_iter().filter_map(|(sequence, ..)| sequence).collect();
    differing.extend(purge.into_iter().flat_map(|purge| purge.differing));
    differing.sort_unstable();
    differing.dedup();
    Ok(differing)
}

fn seals() -> Result<Vec<Seal>, Error> {
    const SEALS: &CStr = latest::statement(concatcp!(
        "SELECT ",
        Seal::COLUMNS,
        " FROM orchestrator.audit_seals AS s ORDER BY s.sequence\0"
    ));
    snapshot::each(SEALS, &[], Seal::read)
}

/// The place of the first seal to look at.
fn place(seals: &[Seal], from: Option<i64>) -> Result<usize, Error> {
    let Some(from) = from else { return Ok(0) };
    seals.iter().position(|seal| seal.sequence == from).ok_or_else(|| {
        Error::new(Kind::NotFound, format!("audit seal {from} does not exist"))
            .hint("SELECT * FROM orchestrator.audit_seals; shows the seals.")
    })
}

/// Whether each seal from place `first` on holds the digest of the one before it.
fn chain(seals: &[Seal], first: usize, findings: &mut Vec<Finding>) {
    for (place, seal) in seals.iter().enumerate().skip(first) {
        let (number, digest, until) = match place.checked_sub(1).map(|before| &seals[before]) {
            Some(before) => {
                (before.sequence + 1, before.digest.as_slice(), microseconds(before.sealed_until))
            }
            None => (1, NOTHING.as_slice(), i64::MIN),
        };
        let difference = if seal.sequence != number {
            (format!("seal {number}"), format!("seal {} follows", seal.sequence))
        } else if seal.previous != digest {
            (
                format!("previous {}", in_hexadecimal(digest)),
                format!("previous {}", in_hexadecimal(&seal.previous)),
            )
        } else if microseconds(seal.sealed_until) <= until {
            (
                "a span after the one before it".to_owned(),
                format!("until {}", seal.sealed_until.to_iso_string()),
            )
        } else {
            continue;
        };
        findings.push(finding(seal.sequence, "broken chain", difference));
    }
}

fn finding(sequence: i64, problem: &str, (expected, actual): (String, String)) -> Finding {
    (Some(sequence), problem.to_owned(), Some(expected), Some(actual))
}

/// Whether the events of each span from place `first` on are those that were sealed, and those of purged spans the ones
/// that the last purge kept.
fn spans(
    seals: &[Seal],
    first: usize,
    purge: Option<&Purge>,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let is_purged = |seal: &Seal| {
        seal.purged_at.is_some() || purge.is_some_and(|purge| seal.sequence <= purge.marks.seals)
    };
    // What a purge kept is one digest from the first seal on.
    let first = if seals.get(first).is_some_and(is_purged) { 0 } else { first };
    let Some(end) = seals.last().map(|seal| seal.sealed_until) else { return Ok(()) };
    let start = first.checked_sub(1).map_or_else(always, |before| seals[before].sealed_until);
    let seals = &seals[first..];
    let mut purged = Collected::default();
    for seal in seals.iter().filter(|seal| is_purged(seal)) {
        purged.seal(seal);
    }
    let part_of = purge.and_then(|purge| purge.part_of);
    let mut found: Vec<Span> = seals.iter().map(|seal| Span::after(&seal.previous)).collect();
    let mut place = 0;
    read::events(start, end, |at, form| {
        while seals.get(place).is_some_and(|seal| microseconds(seal.sealed_until) <= at) {
            place += 1;
        }
        match (seals.get(place), found.get_mut(place)) {
            (Some(seal), _) if is_purged(seal) => {
                purged.event(form, part_of == Some(seal.sequence));
            }
            (_, Some(span)) => span.add(form),
            _ => {}
        }
    })?;
    for (seal, span) in seals.iter().zip(found).filter(|(seal, _)| !is_purged(seal)) {
        let events = span.events;
        let digest = span.digest(seal.sequence, seal.sealed_at, seal.sealed_until);
        if digest != seal.digest || events != seal.events {
            let problem = match events.cmp(&seal.events) {
                Ordering::Less => "missing events",
                Ordering::Greater => "added events",
                Ordering::Equal => "changed events",
            };
            let difference = (state(seal.events, &seal.digest), state(events, &digest));
            findings.push(finding(seal.sequence, problem, difference));
        }
    }
    findings.extend(early(seals, purge));
    findings.extend(purge_finding(purge.map(|purge| &purge.marks), &purged.marks()));
    Ok(())
}

/// The first seal that is marked as purged though events of the last day are always kept.
fn early(seals: &[Seal], purge: Option<&Purge>) -> Option<Finding> {
    /// A day with the change to summer time has 23 hours.
    const DAY: i64 = 23 * 3_600_000_000;
    let part_of = purge.and_then(|purge| purge.part_of);
    let is_early = |seal: &&Seal| {
        part_of != Some(seal.sequence)
            && seal.purged_at.is_some_and(|at| {
                microseconds(at).saturating_sub(DAY) < microseconds(seal.sealed_until)
            })
    };
    let seal = seals.iter().find(is_early)?;
    let until = seal.sealed_until.to_iso_string();
    let purged_at = seal.purged_at.map(|at| at.to_iso_string()).unwrap_or_default();
    let difference =
        (format!("a purge of events a day old or older, until {until}"), format!("at {purged_at}"));
    Some(finding(seal.sequence, "purge of the last day", difference))
}

fn state(events: i64, digest: &[u8]) -> String {
    format!("{}, {}", counted(events, "event"), in_hexadecimal(digest))
}

/// The difference between the last purge, as its event describes it, and the seals that are purged.
fn purge_finding(purge: Option<&Marks>, found: &Marks) -> Option<Finding> {
    let seals = |marks: &Marks| format!("seals to {}, {}", marks.seals, marks.seals_sha256);
    let kept =
        |marks: &Marks| format!("{} kept, {}", counted(marks.kept, "event"), marks.kept_sha256);
    let difference = match purge {
        // From a later seal on, nothing is purged.
        _ if found.seals == 0 => return None,
        None => {
            let expected = Some("an event audit_events_purged".to_owned());
            return Some((Some(found.seals), "purge not recorded".to_owned(), expected, None));
        }
        Some(purge) if seals(purge) != seals(found) => {
            return Some(finding(
                found.seals,
                "changed seals of purged spans",
                (seals(purge), seals(found)),
            ));
        }
        Some(purge) if kept(purge) != kept(found) => (kept(purge), kept(found)),
        Some(_) if found.others > 0 => {
            ("no event of a type that a purge deletes".to_owned(), counted(found.others, "event"))
        }
        Some(_) => return None,
    };
    Some(finding(found.seals, "changed events of purged spans", difference))
}
