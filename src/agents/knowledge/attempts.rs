//! Attempts to embed knowledge. An embedder that claims with a lease works outside any transaction. Knowledge that
//! cannot be embedded waits longer after each attempt, and is given up in the end, so that it stops nobody.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;
use serde_json::json;

use super::{Claimed, batch_of, claimed, refuse_unknown};
use crate::audit;
use crate::configuration;
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, backend_state, locks, plans, rows};

/// The number of attempts after which knowledge is given up, in configurations.
const MOST_ATTEMPTS: &str = "knowledge_max_attempts";

/// The number if it is not set.
const DEFAULT_MOST_ATTEMPTS: i32 = 10;

/// Claims the oldest knowledge that waits to be embedded and that nobody else has claimed. With a lease it is the
/// worker's until the lease ends, also after the transaction; each such claim counts as an attempt. Knowledge whose lease
/// ended without a result is then claimed alone, so that it stops no other. Without a lease the claim lasts until the end
/// of the transaction; knowledge that was not marked by then waits again. Knowledge whose last attempt ended without a
/// result is given up, which is recorded as `knowledge_given_up`.
///
/// `batch`: the greatest number of rows; `worker`: the name of the embedder, 500 characters at most; NULL means the role
/// of the caller; `lease`: the time until others may claim the rows, longer than zero; NULL means none.
/// Returns: id, type, content and metadata, oldest first.
/// Errors: 22023 a batch that is less than one, a blank or overlong worker, a lease that is not longer than zero, or a
/// configuration knowledge_max_attempts that is no number of attempts. Since 0.9.1.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::type_complexity)]
fn claim_knowledge_0_9_1(
    batch: default!(Option<i32>, "50"),
    worker: default!(Option<&str>, "NULL"),
    lease: default!(Option<Interval>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(id, Uuid),
            name!(knowledge_type, String),
            name!(content, String),
            name!(metadata, Document),
        ),
    >,
    ErrorReport,
> {
    let batch = batch_of(batch)?;
    let worker = worker.map(|worker| arguments::name("worker", Some(worker))).transpose()?;
    let lease = lease.map(|lease| arguments::positive_length("lease", lease)).transpose()?;
    let claimed = plans::by_index(|| claim(batch, worker, lease))?;
    Ok(TableIterator::new(claimed))
}

/// The $1 oldest entries `k` that can be claimed and that no other transaction holds, which it locks.
const DUE: &str = "FROM orchestrator.knowledge_staging AS k \
     WHERE NOT k.embedded AND k.given_up_at IS NULL \
       AND (k.retry_at IS NULL OR k.retry_at <= clock_timestamp()) \
       AND (k.lease_expires_at IS NULL OR k.lease_expires_at <= clock_timestamp()) \
     ORDER BY k.created_at, k.id LIMIT $1 FOR UPDATE SKIP LOCKED";

fn claim(batch: i64, worker: Option<&str>, lease: Option<Interval>) -> Result<Vec<Claimed>, Error> {
    static HOLD: Statement =
        Statement::new(concatcp!("SELECT k.id, k.knowledge_type, k.content, k.metadata ", DUE));
    // An entry whose lease ended without a result is claimed first, and alone: if it stops its embedder again, it takes no
    // other entry with it.
    static LEASE: Statement = Statement::new(concatcp!(
        "WITH due AS (SELECT k.id, k.created_at, k.lease_expires_at IS NOT NULL AS is_suspect ",
        DUE,
        "), suspect AS (SELECT d.id FROM due AS d WHERE d.is_suspect ORDER BY d.created_at, d.id LIMIT 1), \
         claimed AS ( \
             UPDATE orchestrator.knowledge_staging AS k \
             SET claimed_by = $2, lease_expires_at = clock_timestamp() + $3, \
                 attempts = least(k.attempts, 2147483646) + 1, retry_at = NULL \
             FROM due AS d WHERE k.id = d.id AND (d.id = (SELECT s.id FROM suspect AS s) OR NOT EXISTS (SELECT FROM suspect)) \
             RETURNING k.id, k.knowledge_type, k.content, k.metadata, k.created_at) \
         SELECT c.id, c.knowledge_type, c.content, c.metadata FROM claimed AS c ORDER BY c.created_at, c.id"
    ));
    // Before configurations, as updates lock them.
    locks::in_order(&[c"knowledge_staging"]);
    give_up_overdue(batch)?;
    match lease {
        None => HOLD.update(&[batch.into()], claimed),
        Some(lease) => {
            let worker = worker.map_or_else(backend_state::caller, str::to_owned);
            LEASE.update(&[batch.into(), worker.into(), lease.into()], claimed)
        }
    }
}

/// Gives up knowledge whose last lease has ended: its embedder never answers, for example because it crashes. It looks only
/// at the entries that a claim of this batch would take: a claim must not read the whole queue.
fn give_up_overdue(batch: i64) -> Result<(), Error> {
    static GIVE_UP: Statement = Statement::new(concatcp!(
        "WITH due AS (SELECT k.id, k.attempts, k.lease_expires_at ",
        DUE,
        ") UPDATE orchestrator.knowledge_staging AS k \
         SET given_up_at = clock_timestamp(), last_error = coalesce(k.last_error, 'the lease ended without a result'), \
             claimed_by = NULL, lease_expires_at = NULL \
         FROM due AS d WHERE k.id = d.id AND d.lease_expires_at IS NOT NULL AND d.attempts >= $2 \
         RETURNING k.id"
    ));
    let most = most_attempts()?;
    let mut given_up = Vec::new();
    loop {
        // Others take the places of those that were given up.
        let more = GIVE_UP.update(&[batch.into(), most.into()], ids)?;
        if more.is_empty() {
            return record_given_up(&given_up, None);
        }
        given_up.extend(more);
    }
}

/// Records that an attempt to embed knowledge has failed. It is claimed again after a while, and given up after the
/// number of attempts that configuration knowledge_max_attempts says (10), which sets given_up_at and is recorded as
/// `knowledge_given_up`. Knowledge that is embedded or given up already stays as it is.
///
/// `ids`: the knowledge; `error`: the reason; `retry_in`: the time until the next attempt; NULL means 2 to the power of
/// the number of attempts, in seconds, an hour at most, shortened by up to a quarter at random; `worker`: the name of the
/// claim: knowledge that another worker has claimed since then stays as it is; NULL for every claim.
/// Returns: the number of rows that failed.
/// Errors: 22004 also for a NULL among the ids, 22023 blank error, a blank or overlong worker, a negative time, or a
/// configuration knowledge_max_attempts that is no number of attempts, P0002 an unknown id. Since 0.9.1.
#[pg_extern(sql = false, volatile)]
fn fail_knowledge(
    ids: Option<Vec<Option<Uuid>>>,
    error: Option<&str>,
    retry_in: default!(Option<Interval>, "NULL"),
    worker: default!(Option<&str>, "NULL"),
) -> Result<i64, ErrorReport> {
    let ids = super::given(ids)?;
    let error = arguments::filled("error", error)?;
    let retry_in = retry_in.map(|time| arguments::length("retry_in", time)).transpose()?;
    let worker = worker.map(|worker| arguments::name("worker", Some(worker))).transpose()?;
    refuse_unknown(&ids)?;
    Ok(fail(ids, error, retry_in, worker)?)
}

fn fail(
    ids: Vec<Uuid>,
    error: &str,
    retry_in: Option<Interval>,
    worker: Option<&str>,
) -> Result<i64, Error> {
    static FAIL: Statement = Statement::new(include_str!("fail.sql"));
    let most = most_attempts()?;
    let arguments = [ids.into(), error.into(), retry_in.into(), most.into(), worker.into()];
    let failed = FAIL.update(&arguments, |rows| {
        rows::each(rows, |row| {
            let id = rows::value::<Uuid>(row, 1, "knowledge_staging.id")?;
            Ok((id, rows::value::<bool>(row, 2, "knowledge_staging.given_up_at")?))
        })
    })?;
    let given_up: Vec<_> = failed.iter().filter(|(_, ended)| *ended).map(|(id, _)| *id).collect();
    record_given_up(&given_up, Some(error))?;
    Ok(failed.len() as i64)
}

/// Lets knowledge wait again that was embedded by another model, or given up, and records `knowledge_restaged`.
///
/// `embedding_model`: the name of the new model, as `mark_knowledge_embedded` takes it; knowledge that it has embedded
/// stays as it is; `given_up_only`: whether only knowledge that was given up waits again.
/// Returns: the number of rows that wait again.
/// Errors: 22004, 22023 blank or overlong name. Since 0.9.1.
#[pg_extern(sql = false, volatile)]
fn restage_knowledge(
    embedding_model: Option<&str>,
    given_up_only: default!(Option<bool>, "false"),
) -> Result<i64, ErrorReport> {
    static RESTAGE: Statement = Statement::new(
        "UPDATE orchestrator.knowledge_staging AS k \
         SET embedded = false, embedded_at = NULL, embedding_model = NULL, attempts = 0, last_error = NULL, \
             retry_at = NULL, given_up_at = NULL, claimed_by = NULL, lease_expires_at = NULL \
         WHERE k.id IN (SELECT h.id FROM orchestrator.knowledge_staging AS h \
                        WHERE (h.embedded AND h.embedding_model IS DISTINCT FROM $1 AND NOT $2) OR (NOT h.embedded AND h.given_up_at IS NOT NULL) \
                        ORDER BY h.id FOR UPDATE)",
    );
    let model = arguments::name("embedding_model", embedding_model)?;
    let restaged = RESTAGE
        .update(&[model.into(), given_up_only.unwrap_or(false).into()], |rows| {
            Ok(rows.len() as i64)
        })?;
    if restaged > 0 {
        let facts = json!({ "embedding_model": model, "knowledge": restaged });
        audit::record_fact("knowledge_restaged", audit::SYSTEM, facts)?;
    }
    Ok(restaged)
}

/// The configured number of attempts.
///
/// Errors: 22023 it is no whole number from 1 on.
fn most_attempts() -> Result<i32, Error> {
    let Some(number) = configuration::number(MOST_ATTEMPTS)? else {
        return Ok(DEFAULT_MOST_ATTEMPTS);
    };
    number.value.and_then(attempts).ok_or_else(|| {
        let message =
            format!("configuration \"{MOST_ATTEMPTS}\" is not a whole number from 1 to {}", i32::MAX);
        Error::new(Kind::InvalidValue, message).hint(format!(
            "For example: SELECT orchestrator.set_configuration('{MOST_ATTEMPTS}', '{DEFAULT_MOST_ATTEMPTS}', 'integer');"
        ))
    })
}

/// A configured number as a number of attempts.
fn attempts(number: f64) -> Option<i32> {
    let fits = number.fract() == 0.0 && (1.0..=f64::from(i32::MAX)).contains(&number);
    // It is whole and in range.
    fits.then_some(number as i32)
}

fn ids(rows: SpiTupleTable<'_>) -> Result<Vec<Uuid>, Error> {
    rows::each(rows, |row| rows::value(row, 1, "knowledge_staging.id"))
}

fn record_given_up(ids: &[Uuid], error: Option<&str>) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let mut facts = json!({ "knowledge_ids": ids });
    if let Some(error) = error {
        facts["error"] = json!(error);
    }
    audit::record_fact("knowledge_given_up", audit::SYSTEM, facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_number_from_one_on_counts_attempts() {
        for (number, expected) in
            [(1.0, Some(1)), (10.0, Some(10)), (2_147_483_647.0, Some(i32::MAX))]
        {
            assert_eq!(attempts(number), expected);
        }
        for number in [0.0, -1.0, 1.5, 2_147_483_648.0, f64::NAN, f64::INFINITY] {
            assert_eq!(attempts(number), None, "{number}");
        }
    }
}
