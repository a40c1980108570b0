//! The check of the trail against its seals.

use std::cmp::Ordering;

use const_format::concatcp;
use pgrx::JsonB;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::chain::{NOTHING, Seal, Span, microseconds};
use super::marks::{Collected, Marks};
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
    let seals = seals()?;
    let first = place(&seals, from_sequence)?;
    let mut findings = Vec::new();
    chain(&seals, first, &mut findings);
    spans(&seals, first, &mut findings)?;
    findings.sort_by_key(|(sequence, ..)| *sequence);
    if let Some(head) = expected_head
        && !seals.iter().any(|seal| seal.digest == head)
    {
        let known =
            seals.last().map(|seal| format!("the last seal has {}", in_hexadecimal(&seal.digest)));
        let actual = known.unwrap_or_else(|| "there is no seal".to_owned());
        findings.push((None, "lost head".to_owned(), Some(in_hexadecimal(&head)), Some(actual)));
    }
    Ok(TableIterator::new(findings))
}

fn seals() -> Result<Vec<Seal>, Error> {
    static SEALS: Statement = Statement::new(concatcp!(
        "SELECT ",
        Seal::COLUMNS,
        " FROM orchestrator.audit_seals AS s ORDER BY s.sequence"
    ));
    SEALS.select(&[], |rows| rows::each(rows, |row| Seal::read(row)))
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

/// Whether the events of each span are those that were sealed, and those of purged spans the ones that the purge kept.
fn spans(seals: &[Seal], first: usize, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let purge = last_purge()?;
    let is_purged = |seal: &Seal| {
        seal.purged_at.is_some() || purge.as_ref().is_some_and(|purge| seal.sequence <= purge.seals)
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
    let mut found: Vec<Span> = seals.iter().map(|seal| Span::after(&seal.previous)).collect();
    let mut place = 0;
    read::events(View::OfStatement, start, end, |at, form| {
        while seals.get(place).is_some_and(|seal| microseconds(seal.sealed_until) <= at) {
            place += 1;
        }
        match (seals.get(place), found.get_mut(place)) {
            (Some(seal), _) if is_purged(seal) => purged.event(form),
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
    findings.extend(purge_finding(purge, purged.marks()));
    Ok(())
}

fn state(events: i64, digest: &[u8]) -> String {
    format!("{}, {}", counted(events, "event"), in_hexadecimal(digest))
}

/// The difference between the last purge, as its event describes it, and the seals that are purged.
fn purge_finding(purge: Option<Marks>, found: Marks) -> Option<Finding> {
    let seals = |marks: &Marks| format!("seals to {}, {}", marks.seals, marks.seals_sha256);
    let kept =
        |marks: &Marks| format!("{} kept, {}", counted(marks.kept, "event"), marks.kept_sha256);
    match purge {
        // From a later seal on, nothing is purged.
        _ if found.seals == 0 => None,
        None => Some((
            Some(found.seals),
            "purge not recorded".to_owned(),
            Some("an event audit_events_purged".to_owned()),
            None,
        )),
        Some(purge) if seals(&purge) != seals(&found) => Some(finding(
            found.seals,
            "changed seals of purged spans",
            (seals(&purge), seals(&found)),
        )),
        Some(purge) if kept(&purge) != kept(&found) => Some(finding(
            found.seals,
            "changed events of purged spans",
            (kept(&purge), kept(&found)),
        )),
        Some(_) => None,
    }
}

/// Whatever the last purge recorded about the seals.
fn last_purge() -> Result<Option<Marks>, Error> {
    // A purge by a version without seals says nothing about them. Numbers that are none compare as different.
    static LAST: Statement = Statement::new(
        "SELECT e.metadata FROM orchestrator.audit_events AS e \
         WHERE e.event_type = 'audit_events_purged' AND e.metadata ? 'seals' ORDER BY e.id DESC LIMIT 1",
    );
    let Some(JsonB(facts)) = LAST.select(&[], statements::one::<JsonB>)? else { return Ok(None) };
    let number = |key: &str| facts[key].as_i64().unwrap_or(-1);
    let digest = |key: &str| facts[key].as_str().unwrap_or_default().to_owned();
    Ok(Some(Marks {
        seals: number("seals"),
        seals_sha256: digest("seals_sha256"),
        kept: number("kept"),
        kept_sha256: digest("kept_sha256"),
    }))
}
