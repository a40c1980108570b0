//! The terms of questions that are decided, by whatever statement: enough people have agreed, or the
//! deadline has passed.

use std::ffi::CStr;

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use crate::decisions::question::PENDING;
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::transition_tables::Column;
use crate::server::{backend_state, rows, triggers};

/// AFTER UPDATE statement trigger `enforce_terms(kind)` of a table of questions, with the transition tables
/// `was` and `became`: refuses the statement if it decides a question against its terms. It does nothing in an
/// extension script.
///
/// Errors: 55000 too few votes. Since 0.8.0.
#[pg_trigger(sql = false)]
fn enforce_terms<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    if backend_state::in_script() {
        return Ok(None);
    }
    let data = trigger.trigger_data();
    if data.tg_newtable.is_null() || data.tg_oldtable.is_null() {
        const RULE: &str =
            "it must be fired AFTER UPDATE, FOR EACH STATEMENT, with transition tables";
        lifecycle::misused("enforce_terms", RULE);
    }
    let kind = trigger.extra_args()?.into_iter().next().unwrap_or_default();
    triggers::by_key(trigger, || {
        let (ids, statuses) = decided(trigger)?;
        if ids.is_empty() { Ok(()) } else { check(&kind, ids, statuses) }
    });
    Ok(None)
}

/// The questions that the statement decided, with their new status.
fn decided(trigger: &PgTrigger<'_>) -> Result<(Vec<Uuid>, Vec<String>), Error> {
    const STATUS: &CStr = c"status";
    let mut was = Column::before(trigger, STATUS)?;
    let mut now = Column::after(trigger, STATUS)?.with_id(trigger, c"id")?;
    let (mut ids, mut statuses) = (Vec::new(), Vec::new());
    let mut status = String::new();
    while let (Some(waited), Some(is_decided)) = (
        was.next(|status| status == PENDING),
        now.next(|now| {
            status.clear();
            status.push_str(now);
            now != PENDING
        }),
    ) {
        if waited
            && is_decided
            && let Some(id) = now.id()
        {
            ids.push(id);
            statuses.push(status.clone());
        }
    }
    Ok((ids, statuses))
}

/// Errors: 55000.
fn check(kind: &str, ids: Vec<Uuid>, statuses: Vec<String>) -> Result<(), Error> {
    static AGAINST: Statement = Statement::new(include_str!("against.sql"));
    let arguments = [ids.into(), statuses.into(), kind.into()];
    let against = AGAINST.update(&arguments, |rows| {
        rows::first(rows, |row| {
            Ok((
                rows::value::<Uuid>(row, 1, "decision_terms.decision_id")?,
                rows::value::<String>(row, 2, "decision_votes.vote")?,
                rows::value::<i64>(row, 3, "count")?,
                rows::value::<i32>(row, 4, "decision_terms.approvals_needed")?,
                rows::optional::<String>(row, 5, "decision_terms.claimed_by")?,
            ))
        })
    })?;
    let Some((id, status, votes, needed, claimed_by)) = against else { return Ok(()) };
    let answer = match status.as_str() {
        "changes_requested" => "ask for changes".to_owned(),
        status => format!("be {status}"),
    };
    let claimed = claimed_by.map(|by| format!(" {by} has claimed it.")).unwrap_or_default();
    Err(Error::new(Kind::NotReady, format!("{kind} {id} cannot {answer} without enough votes"))
        .detail(format!("{votes} of {needed} people have said so.{claimed}"))
        .hint("Each of them calls orchestrator.decide; the vote that reaches the number decides."))
}
