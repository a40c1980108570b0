//! The terms of questions that are decided, by whatever statement: enough people have agreed, or the
//! deadline has passed.

use std::cell::Cell;
use std::ffi::CStr;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use crate::decisions::question::PENDING;
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};
use crate::server::transition_tables::Column;
use crate::server::{backend_state, latest, rows, scoped, trigger_depth, triggers};

thread_local! {
    /// The number of triggers around the statement of a function that decides a question without terms, while it runs.
    static DECIDING: Cell<Option<i32>> = const { Cell::new(None) };
}

/// Runs `work`, a statement that decides a question if it has no terms. A statement of a user's trigger, which may run
/// within it, is looked at as any other.
pub fn deciding<R>(work: impl FnOnce() -> R) -> R {
    scoped::with(&DECIDING, Some(trigger_depth::now()), work)
}

fn is_deciding() -> bool {
    DECIDING.get().is_some_and(|depth| trigger_depth::now() == depth + 1)
}

/// AFTER UPDATE statement trigger `enforce_terms(kind)` of a table of questions, with the transition tables
/// `was` and `became`: refuses the statement if it decides a question against its terms. It does nothing in an
/// extension script.
///
/// Errors: 55000 too few votes. Since 0.8.0.
#[pg_trigger(sql = false)]
fn enforce_terms<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    if backend_state::in_script() || is_deciding() {
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
        let Decided { ids, statuses, renamed } = Decided::by(trigger)?;
        if !renamed.is_empty() {
            refuse_new_id(&kind, renamed)?;
        }
        if ids.is_empty() { Ok(()) } else { check(&kind, ids, statuses) }
    });
    Ok(None)
}

/// The questions that the statement decided, with their new status, and the old ids of those that it gave another.
#[derive(Default)]
struct Decided {
    ids: Vec<Uuid>,
    statuses: Vec<String>,
    renamed: Vec<Uuid>,
}

impl Decided {
    fn by(trigger: &PgTrigger<'_>) -> Result<Decided, Error> {
        const STATUS: &CStr = c"status";
        let mut was = Column::before(trigger, STATUS)?.with_id(trigger, c"id")?;
        let mut now = Column::after(trigger, STATUS)?.with_id(trigger, c"id")?;
        let mut decided = Decided::default();
        let mut status = String::new();
        while let (Some(waited), Some(is_decided)) = (
            was.next(|status| status == PENDING),
            now.next(|now| {
                status.clear();
                status.push_str(now);
                now != PENDING
            }),
        ) {
            let (Some(before), Some(id)) = (was.id(), now.id()) else { continue };
            if before.as_bytes() != id.as_bytes() {
                decided.renamed.push(before);
            }
            if waited && is_decided {
                decided.ids.push(id);
                decided.statuses.push(status.clone());
            }
        }
        Ok(decided)
    }
}

/// Errors: 55000 a question with terms has got another id.
fn refuse_new_id(kind: &str, ids: Vec<Uuid>) -> Result<(), Error> {
    static WITH_TERMS: Statement = Statement::new(
        "SELECT t.decision_id FROM orchestrator.decision_terms AS t WHERE t.decision_id = ANY ($1) AND t.kind = $2 LIMIT 1",
    );
    match WITH_TERMS.update(&[ids.into(), kind.into()], statements::one::<Uuid>)? {
        None => Ok(()),
        Some(id) => {
            Err(Error::new(Kind::NotReady, format!("the id of {kind} {id} cannot be changed"))
                .detail("Its terms and votes are found by its id.")
                .hint("Withdraw it with orchestrator.withdraw_decision, and ask anew."))
        }
    }
}

/// Refuses a decision by a snapshot that lacks the terms of a question: somebody has claimed or assigned it since.
///
/// Errors: 40001.
pub fn refuse_unseen_terms(kind: &str, ids: Vec<Uuid>) -> Result<(), Error> {
    const WITH_TERMS: &str = "SELECT count(*) FROM orchestrator.decision_terms AS t WHERE t.decision_id = ANY ($1) AND t.kind = $2";
    static SEEN: Statement = Statement::new(WITH_TERMS);
    const NEWEST: &CStr = latest::statement(concatcp!(WITH_TERMS, "\0"));
    if !backend_state::keeps_its_snapshot() {
        return Ok(());
    }
    let arguments = [ids.into(), kind.into()];
    if SEEN.update(&arguments, statements::one::<i64>)? == latest::value::<i64>(NEWEST, &arguments)?
    {
        return Ok(());
    }
    Err(Error::new(Kind::Serialization, format!("a {kind} was claimed or assigned meanwhile"))
        .detail("The snapshot of this transaction is older.")
        .hint("Roll back and try again."))
}

/// Errors: 55000.
fn check(kind: &str, ids: Vec<Uuid>, statuses: Vec<String>) -> Result<(), Error> {
    static AGAINST: Statement = Statement::new(include_str!("against.sql"));
    refuse_unseen_terms(kind, ids.clone())?;
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
