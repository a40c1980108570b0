//! Resolves many reviews by one decision, with one statement per step. Runs are locked in the order
//! of their ids, so that overlapping calls wait for each other without a deadlock.

use std::collections::{HashMap, HashSet};

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::resolution::{RESOLUTION, Resolution};
use super::resolve::not_resolvable;
use super::rules::{self, Rules};
use crate::audit;
use crate::audit::identity::IDENTITY;
use crate::decisions::terms::Outcome;
use crate::runs::{ATTEMPTS, Run, not_lockable};
use crate::server::error::{Error, required, without_nulls};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{interrupts, rows, statements};

/// Resolves all pending reviews of a list, each by the rules of `resolve_review`. Reviews, runs and
/// one audit event for each review change together or not at all.
///
/// `decision`: approved or rejected; `notes`: a comment, required for a rejection.
/// Returns: for each different id, in the order of the list, its outcome: resolved,
/// already_resolved or unknown.
/// Errors: 22004 also for a NULL among the ids, 22023 unknown decision, blank name, a rejection
/// without notes. Since 0.5.0; replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
fn resolve_reviews(
    review_ids: Option<Vec<Option<Uuid>>>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<TableIterator<'static, (name!(review_id, Uuid), name!(outcome, String))>, ErrorReport> {
    let resolution = || Resolution::of(decision, resolved_by, notes);
    Ok(TableIterator::new(resolve_all(&rules::SINCE_0_5_0, review_ids, resolution)?))
}

/// Resolves all pending reviews of a list, each by the rules of `resolve_review`. Reviews, runs and
/// one audit event for each review change together or not at all.
///
/// `decision`: approved or rejected; `notes`: a comment, required for a rejection.
/// Returns: for each different id, in the order of the list, its outcome: resolved,
/// already_resolved or unknown.
/// Errors: 22004 also for a NULL among the ids, 22023 unknown decision, blank name, a rejection
/// without notes. Since 0.7.0; replaced in 0.7.3.
#[pg_extern(sql = false, volatile)]
fn resolve_reviews_0_7_0(
    review_ids: Option<Vec<Option<Uuid>>>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<TableIterator<'static, (name!(review_id, Uuid), name!(outcome, String))>, ErrorReport> {
    let resolution = || Resolution::of(decision, resolved_by, notes);
    Ok(TableIterator::new(resolve_all(&rules::SINCE_0_7_0, review_ids, resolution)?))
}

/// Resolves all pending reviews of a list, each by the rules of `resolve_review`. Reviews, runs and
/// one audit event for each review change together or not at all.
///
/// `decision`: approved or rejected; `notes`: a comment, required for a rejection.
/// Returns: for each different id, in the order of the list, its outcome: resolved,
/// already_resolved or unknown. Resolved is also a review about which the same person made the same
/// decision before, logged in as the same role; it does not change.
/// Errors: 22004 also for a NULL among the ids, 22023 unknown decision, blank name, a rejection
/// without notes. Since 0.7.3; replaced in 0.8.0.
#[pg_extern(sql = false, volatile)]
fn resolve_reviews_0_7_3(
    review_ids: Option<Vec<Option<Uuid>>>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<TableIterator<'static, (name!(review_id, Uuid), name!(outcome, String))>, ErrorReport> {
    let resolution = || Resolution::of(decision, resolved_by, notes);
    Ok(TableIterator::new(resolve_all(&rules::SINCE_0_7_3, review_ids, resolution)?))
}

/// Resolves all pending reviews of a list, each by the rules of `resolve_review`. Reviews, runs and
/// one audit event for each review change together or not at all.
///
/// `decision`: approved or rejected; `notes`: a comment, required for a rejection.
/// Returns: for each different id, in the order of the list, its outcome: resolved, voted if more votes are
/// needed, already_resolved or unknown. Resolved is also a review about which the same person made the same
/// decision before, logged in as the same role; it does not change.
/// Errors: 22004 also for a NULL among the ids, 22023 unknown decision, blank name, a rejection
/// without notes, 42501 the caller asked one of them and may not decide it, 55000 somebody else has claimed one of
/// them. Since 0.8.0.
#[pg_extern(sql = false, volatile)]
fn resolve_reviews_0_8_0(
    review_ids: Option<Vec<Option<Uuid>>>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<TableIterator<'static, (name!(review_id, Uuid), name!(outcome, String))>, ErrorReport> {
    let resolution = || Resolution::of(decision, resolved_by, notes);
    Ok(TableIterator::new(resolve_all(&rules::SINCE_0_8_0, review_ids, resolution)?))
}

/// Resolves the reviews by the rules of a version. Returns the outcome for each id.
fn resolve_all<'a>(
    rules: &'static Rules,
    review_ids: Option<Vec<Option<Uuid>>>,
    resolution: impl FnOnce() -> Result<Resolution<'a>, Error>,
) -> Result<Vec<(Uuid, String)>, Error> {
    let mut asked = HashSet::new();
    let mut ids = Vec::new();
    for id in without_nulls("review_ids", required("review_ids", review_ids)?)? {
        if asked.insert(*id.as_bytes()) {
            ids.push(id);
        }
    }
    let resolution = resolution()?;
    let mut runs = lock_runs(&ids)?;
    let open = if rules.has_terms { vote(&ids, &resolution)? } else { Open::new() };
    let decided = ids.iter().filter(|id| !open.contains(id.as_bytes())).copied().collect();
    let resolved = resolve(decided, &resolution)?;
    conclude(rules, &mut runs, &resolved, &resolution)?;
    record(&runs, &resolved, &resolution)?;
    outcomes(rules, ids, &resolved, &still_open(open)?, &resolution)
}

/// The reviews that need more votes.
type Open = HashSet<[u8; 16]>;

/// Votes about the reviews with terms, whose runs are locked.
fn vote(ids: &[Uuid], resolution: &Resolution<'_>) -> Result<Open, Error> {
    static WITH_TERMS: Statement = Statement::new(
        "SELECT t.decision_id FROM orchestrator.decision_terms AS t \
         WHERE t.decision_id = ANY ($1) AND t.kind = 'review' ORDER BY t.decision_id",
    );
    let with_terms = WITH_TERMS.update(&[ids.to_vec().into()], statements::column::<Uuid>)?;
    let mut open = Open::new();
    for id in with_terms {
        interrupts::allow();
        if super::resolve::vote(id, resolution)? == Some(Outcome::Open) {
            open.insert(*id.as_bytes());
        }
    }
    Ok(open)
}

/// Those that are still open: a rejection of the same call ends the run with all its questions.
fn still_open(open: Open) -> Result<Open, Error> {
    static PENDING: Statement = Statement::new(
        "SELECT q.id FROM orchestrator.human_review_queue AS q WHERE q.id = ANY ($1) AND q.status IS NOT DISTINCT FROM 'pending'",
    );
    if open.is_empty() {
        return Ok(open);
    }
    let ids: Vec<Uuid> = open.into_iter().map(Uuid::from_bytes).collect();
    let pending = PENDING.update(&[ids.into()], statements::column::<Uuid>)?;
    Ok(pending.iter().map(|id| *id.as_bytes()).collect())
}

/// The locked runs, by thread.
type Runs = HashMap<String, Run>;

/// A review that this call resolved.
struct Resolved {
    id: Uuid,
    thread_id: String,
    review_type: String,
}

/// Locks the runs of all these reviews, in the order of their ids.
fn lock_runs(ids: &[Uuid]) -> Result<Runs, Error> {
    // Without DISTINCT, which would sort threads by a collation.
    static LOCK: Statement = Statement::new(
        "WITH threads AS MATERIALIZED ( \
             SELECT q.thread_id FROM orchestrator.human_review_queue AS q WHERE q.id = ANY ($1) \
         ), locked AS MATERIALIZED ( \
             SELECT r.id, r.thread_id, r.phase, r.gate_status FROM orchestrator.orchestrator_runs AS r \
             WHERE r.thread_id IN (SELECT t.thread_id FROM threads AS t) ORDER BY r.id FOR NO KEY UPDATE \
         ) \
         SELECT l.id, l.thread_id, l.phase, l.gate_status, m.is_missing \
         FROM (SELECT EXISTS (SELECT FROM threads AS t WHERE t.thread_id NOT IN (SELECT l.thread_id FROM locked AS l)) \
                   AS is_missing) AS m \
         LEFT JOIN locked AS l ON true",
    );
    for _ in 0..ATTEMPTS {
        let (runs, is_missing) = LOCK.update(&[ids.to_vec().into()], |rows| {
            let (mut runs, mut is_missing) = (Runs::with_capacity(rows.len()), false);
            for row in rows {
                interrupts::allow();
                is_missing = rows::value(&row, 5, "human_review_queue.thread_id")?;
                if let Some(run) = Run::read(&row)? {
                    runs.insert(run.thread_id.clone(), run);
                }
            }
            Ok((runs, is_missing))
        })?;
        if !is_missing {
            return Ok(runs);
        }
        // A thread was renamed while this call waited for a lock.
    }
    Err(not_lockable())
}

/// Resolves the pending ones.
fn resolve(ids: Vec<Uuid>, resolution: &Resolution<'_>) -> Result<Vec<Resolved>, Error> {
    static RESOLVE: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.human_review_queue AS q ",
        RESOLUTION,
        "WHERE q.id = ANY ($1) AND q.status IS NOT DISTINCT FROM 'pending' RETURNING q.id, q.thread_id, q.review_type"
    ));
    let arguments = [
        ids.into(),
        resolution.decision.into(),
        resolution.resolved_by.into(),
        resolution.notes.into(),
    ];
    RESOLVE.update(&arguments, |rows| {
        rows::each(rows, |row| {
            Ok(Resolved {
                id: rows::value(row, 1, "human_review_queue.id")?,
                thread_id: rows::value(row, 2, "human_review_queue.thread_id")?,
                review_type: rows::value(row, 3, "human_review_queue.review_type")?,
            })
        })
    })
}

/// Resumes or kills the runs of the resolved reviews, and keeps their new state in `runs`.
fn conclude(
    rules: &'static Rules,
    runs: &mut Runs,
    resolved: &[Resolved],
    resolution: &Resolution<'_>,
) -> Result<(), Error> {
    let threads: HashSet<&str> = resolved.iter().map(|review| review.thread_id.as_str()).collect();
    let open = threads.into_iter().filter_map(|thread| runs.get(thread));
    let open: Vec<&Run> = open.filter(|run| !run.has_ended()).collect();
    for run in rules.conclude(&open, resolution)? {
        interrupts::allow();
        runs.insert(run.thread_id.clone(), run);
    }
    Ok(())
}

/// Records each resolution, in the order of the reviews.
fn record(runs: &Runs, resolved: &[Resolved], resolution: &Resolution<'_>) -> Result<(), Error> {
    // The part that is the same for all reviews of a run is composed once.
    static RECORD: Statement = Statement::new(concatcp!(
        "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata) \
         SELECT $3, $4, e.run_id, e.metadata || jsonb_object( \
             ARRAY['review_id', e.review_id::text, 'review_type', e.review_type] || ",
        IDENTITY,
        ") \
         FROM ROWS FROM (unnest($5), unnest($6), unnest($7), unnest($8)) AS e (run_id, metadata, review_id, review_type)"
    ));
    if resolved.is_empty() {
        return Ok(());
    }
    let mut shared_of: HashMap<&str, Document> = HashMap::new();
    let (mut run_ids, mut metadata) = (Vec::new(), Vec::new());
    for review in resolved {
        interrupts::allow();
        let run = runs.get(&review.thread_id).ok_or_else(not_lockable)?;
        run_ids.push(run.id);
        let document =
            shared_of.entry(&review.thread_id).or_insert_with(|| shared_metadata(run, resolution));
        metadata.push(document.clone());
    }
    let recorded_as = resolution.recorded_as();
    let arguments = [
        resolution.event_type().into(),
        recorded_as.as_ref().into(),
        run_ids.into(),
        metadata.into(),
        resolved.iter().map(|review| review.id).collect::<Vec<_>>().into(),
        resolved.iter().map(|review| review.review_type.as_str()).collect::<Vec<_>>().into(),
    ];
    audit::record_by(&RECORD, arguments, resolved.len())
}

/// The part of the metadata that all reviews of a run share: its state and the notes.
fn shared_metadata(run: &Run, resolution: &Resolution<'_>) -> Document {
    let mut metadata = json!({
        "thread_id": run.thread_id,
        "phase": run.phase,
        "gate_status": run.gate_status,
    });
    if let Some(notes) = resolution.recorded_notes() {
        metadata["notes"] = notes.into();
    }
    Document::composed(metadata)
}

/// The outcome for each id.
fn outcomes(
    rules: &'static Rules,
    ids: Vec<Uuid>,
    resolved: &[Resolved],
    open: &Open,
    resolution: &Resolution<'_>,
) -> Result<Vec<(Uuid, String)>, Error> {
    static KNOWN: Statement = Statement::new(
        "SELECT q.id, q.status FROM orchestrator.human_review_queue AS q WHERE q.id = ANY ($1)",
    );
    let mut resolved: HashSet<_> = resolved.iter().map(|review| *review.id.as_bytes()).collect();
    let rest: Vec<Uuid> = ids
        .iter()
        .filter(|id| !resolved.contains(id.as_bytes()) && !open.contains(id.as_bytes()))
        .copied()
        .collect();
    if rules.repeats && !rest.is_empty() {
        resolved.extend(resolution.made_before(&rest)?.iter().map(|(id, _)| *id.as_bytes()));
    }
    let known = if rest.is_empty() {
        HashSet::new()
    } else {
        let known = KNOWN.update(&[rest.into()], |rows| {
            rows::each(rows, |row| {
                let id = rows::value::<Uuid>(row, 1, "human_review_queue.id")?;
                Ok((id, rows::value::<String>(row, 2, "human_review_queue.status")?))
            })
        })?;
        let pending = known.iter().filter(|(_, status)| status == "pending").map(|(id, _)| *id);
        let pending: Vec<Uuid> = pending.collect();
        if !pending.is_empty() {
            return Err(not_resolvable(&pending));
        }
        known.iter().map(|(id, _)| *id.as_bytes()).collect()
    };
    let outcome = |id: &Uuid| {
        if resolved.contains(id.as_bytes()) {
            "resolved"
        } else if open.contains(id.as_bytes()) {
            "voted"
        } else if known.contains(id.as_bytes()) {
            "already_resolved"
        } else {
            "unknown"
        }
    };
    Ok(ids.into_iter().map(|id| (id, outcome(&id).to_owned())).collect())
}
