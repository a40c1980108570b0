//! Many reviews are resolved by one decision, set by set. Their runs are locked in one order, so
//! that calls which overlap queue behind each other and never in a circle.

use std::collections::HashSet;

use pgrx::Uuid;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::resolve::{ATTEMPTS, Resolution, freed, killed, not_lockable, resolution};
use crate::error::{Error, required};
use crate::{audit, plans};

/// Resolves all reviews of a list that are pending, each as `resolve_review` would: review, runs
/// and one audit event for each change together or not at all.
///
/// `decision`: approved or rejected; `notes`: what the human says about it, which a rejection
/// needs. Returns: for each id, once, in the order of the list, what came of it: resolved,
/// already_resolved or unknown.
/// Errors: 22004 also for a null among the ids, 22023 unknown decision, blank name, a rejection
/// without notes. Since 0.5.0.
#[pg_extern(sql = false, volatile)]
fn resolve_reviews(
    review_ids: Option<Vec<Option<Uuid>>>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<TableIterator<'static, (name!(review_id, Uuid), name!(outcome, String))>, ErrorReport> {
    let mut asked = HashSet::new();
    let mut ids = Vec::new();
    for id in required("review_ids", review_ids)? {
        let id = required("review_ids", id)?;
        if asked.insert(*id.as_bytes()) {
            ids.push(id);
        }
    }
    let resolution = Resolution::of(decision, resolved_by, notes)?;
    lock_runs(&ids)?;
    let (resolved, threads) = resolve(&ids, &resolution)?;
    conclude(threads, &resolution)?;
    record(&resolved, &resolution)?;
    let outcomes = outcomes(ids, &resolved)?;
    Ok(TableIterator::new(outcomes))
}

/// Locks the runs of all these reviews, in the order of their ids.
fn lock_runs(ids: &[Uuid]) -> Result<(), Error> {
    const LOCK: &str = "WITH threads AS MATERIALIZED ( \
             SELECT DISTINCT q.thread_id FROM orchestrator.human_review_queue AS q WHERE q.id = ANY ($1) \
         ), locked AS MATERIALIZED ( \
             SELECT r.id FROM orchestrator.orchestrator_runs AS r \
             WHERE r.thread_id IN (SELECT t.thread_id FROM threads AS t) ORDER BY r.id FOR NO KEY UPDATE \
         ) \
         SELECT (SELECT count(*) FROM threads) = (SELECT count(*) FROM locked)";
    for _ in 0..ATTEMPTS {
        let complete = plans::update(LOCK, &[ids.to_vec().into()], plans::one::<bool>)?;
        if complete == Some(true) {
            return Ok(());
        }
        // A thread was renamed while this call waited for a lock.
    }
    Err(not_lockable())
}

/// Resolves those that are pending; their ids, and the threads they are about.
fn resolve(
    ids: &[Uuid],
    resolution: &Resolution<'_>,
) -> Result<(Vec<Uuid>, HashSet<String>), Error> {
    const RESOLVE: &str = concat!(
        "UPDATE orchestrator.human_review_queue AS q ",
        resolution!(),
        "WHERE q.id = ANY ($1) AND q.status = 'pending' RETURNING q.id, q.thread_id"
    );
    let arguments = [
        ids.to_vec().into(),
        resolution.decision.into(),
        resolution.resolved_by.into(),
        resolution.notes.into(),
    ];
    plans::update(RESOLVE, &arguments, |rows| {
        let (mut resolved, mut threads) = (Vec::with_capacity(rows.len()), HashSet::new());
        for row in rows {
            resolved.push(required("id", row.get::<Uuid>(1)?)?);
            let thread = required("thread_id", row.get::<&str>(2)?)?;
            if !threads.contains(thread) {
                threads.insert(thread.to_owned());
            }
        }
        Ok((resolved, threads))
    })
}

/// What becomes of the runs of reviews that have been resolved.
fn conclude(threads: HashSet<String>, resolution: &Resolution<'_>) -> Result<(), Error> {
    const FREE: &str = concat!(
        "UPDATE orchestrator.orchestrator_runs AS r ",
        freed!(),
        "WHERE r.thread_id = ANY ($1) AND r.phase NOT IN ('complete', 'failed') \
           AND NOT EXISTS (SELECT FROM orchestrator.human_review_queue AS o \
                           WHERE o.thread_id = r.thread_id AND o.status = 'pending')"
    );
    const KILL: &str = concat!(
        "UPDATE orchestrator.orchestrator_runs AS r ",
        killed!(),
        "WHERE r.thread_id = ANY ($1) AND r.phase NOT IN ('complete', 'failed')"
    );
    let threads: Vec<String> = threads.into_iter().collect();
    if threads.is_empty() {
        Ok(())
    } else if resolution.approves() {
        plans::update(FREE, &[threads.into()], |_| Ok(()))
    } else {
        plans::update(KILL, &[threads.into(), resolution.error().into()], |_| Ok(()))
    }
}

/// One event for each review that has been resolved, in the order of the reviews.
fn record(resolved: &[Uuid], resolution: &Resolution<'_>) -> Result<(), Error> {
    const RECORD: &str = "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata) \
         SELECT $2, $3, r.id, jsonb_strip_nulls(jsonb_build_object( \
             'thread_id', r.thread_id, 'review_id', q.id, 'review_type', q.review_type, \
             'notes', q.resolution_notes, 'phase', r.phase, 'gate_status', r.gate_status, \
             'session_user', session_user)) \
         FROM orchestrator.human_review_queue AS q \
         JOIN orchestrator.orchestrator_runs AS r ON r.thread_id = q.thread_id \
         WHERE q.id = ANY ($1) ORDER BY q.id";
    if resolved.is_empty() {
        return Ok(());
    }
    let arguments =
        [resolved.to_vec().into(), resolution.event_type().into(), resolution.resolved_by.into()];
    audit::record_by(RECORD, &arguments)
}

/// What came of each id.
fn outcomes(ids: Vec<Uuid>, resolved: &[Uuid]) -> Result<Vec<(Uuid, String)>, Error> {
    const KNOWN: &str =
        "SELECT q.id FROM orchestrator.human_review_queue AS q WHERE q.id = ANY ($1)";
    let set = |ids: &[Uuid]| ids.iter().map(|id| *id.as_bytes()).collect::<HashSet<_>>();
    let resolved = set(resolved);
    let rest: Vec<Uuid> =
        ids.iter().filter(|id| !resolved.contains(id.as_bytes())).copied().collect();
    let known = if rest.is_empty() {
        HashSet::new()
    } else {
        set(&plans::update(KNOWN, &[rest.into()], plans::column::<Uuid>)?)
    };
    let outcome = |id: &Uuid| {
        if resolved.contains(id.as_bytes()) {
            "resolved"
        } else if known.contains(id.as_bytes()) {
            "already_resolved"
        } else {
            "unknown"
        }
    };
    Ok(ids.into_iter().map(|id| (id, outcome(&id).to_owned())).collect())
}
