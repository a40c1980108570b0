//! Reservations of budgets, and the question to a human when one is used up.

use std::ffi::CStr;

use const_format::concatcp;
use pgrx::datum::Interval;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, AnyNumeric, Uuid};

use super::gates::Opening;
use super::question::PENDING;
use super::reviews::{self, Request};
use crate::agents::budgets::windows::{self, Windows};
use crate::agents::budgets::{self, Scope, raise};
use crate::runs::Run;
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::ids::uuidv7;
use crate::server::jsonb::Document;
use crate::server::numbers::decimal;
use crate::server::statements::{self, Statement};
use crate::server::transition_tables::Column;
use crate::server::triggers::by_key;
use crate::server::{arguments, backend_state, latest, locks, plans, rows};

/// An answer: the reservation, whether it was admitted, the budget that refuses it, what is available, and the question.
type Answer = (Option<Uuid>, bool, Option<Uuid>, Option<AnyNumeric>, Option<Uuid>);

/// Reserves an amount in every budget that is about a call, or in none. Settle it after the call, or release it; without
/// either it is free again after a while. Nothing stays locked after the transaction.
///
/// `amount`: USD that the call can cost, as of `estimate_cost`; `project_id`, `agent_id`, `thread_id` (the run), `subject`:
/// of the call, NULL for none; `hold_for`: the time for which it is reserved, longer than zero; NULL means that of each
/// budget; `reservation_id`: an id of the caller's choice, so that the call can be repeated; NULL for a new one.
/// Returns: one row: reservation_id, NULL if nothing was reserved; admitted; refused_by, the budget with the least left that
/// refuses; available, USD that are left in the enforced budget with the least left, NULL without one; review_id, the
/// question to a human about it, one for each budget and window: a budget_exceeded review of the run, which it holds, or a
/// gate of the project. Approval raises the window by raise_by of its context.
/// Errors: 22004, 22023 an amount out of range, a blank or overlong name, or a time that is not longer than zero, 23505 the
/// reservation_id was used with another amount or scope, P0002 the thread has no run, 55000 the run has ended, or the
/// reservation is no longer held, 40001 a budget was changed since the snapshot of a transaction that keeps its snapshot. Since 0.9.2.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::type_complexity, clippy::too_many_arguments)]
fn reserve_budget(
    amount: Option<AnyNumeric>,
    project_id: default!(Option<Uuid>, "NULL"),
    agent_id: default!(Option<&str>, "NULL"),
    thread_id: default!(Option<&str>, "NULL"),
    subject: default!(Option<&str>, "NULL"),
    hold_for: default!(Option<Interval>, "NULL"),
    reservation_id: default!(Option<Uuid>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(reservation_id, Option<Uuid>),
            name!(admitted, bool),
            name!(refused_by, Option<Uuid>),
            name!(available, Option<AnyNumeric>),
            name!(review_id, Option<Uuid>),
        ),
    >,
    ErrorReport,
> {
    let mut call = Call {
        amount: budgets::usd("amount", Some(amount.ok_or_else(no_amount)?))?,
        scope: Scope::of(project_id, agent_id, thread_id, subject)?,
        hold_for: hold_for.map(|time| arguments::positive_length("hold_for", time)).transpose()?,
    };
    lock_tables();
    let run = call.scope.thread_id.map(Run::lock).transpose()?;
    Ok(TableIterator::once(call.reserve(run.as_ref(), reservation_id)?))
}

/// The error for an amount that is NULL, as the estimate for a model without a price is.
fn no_amount() -> Error {
    Error::new(Kind::NullArgument, "argument \"amount\" must not be null")
        .hint("The estimate for a model without a price is NULL: set one with orchestrator.set_price, or reserve an amount of your own.")
}

/// The form of `reserve_budget` for an amount that is a float. It is taken as the shortest decimal that reads back the
/// same.
///
/// The arguments, the result and the errors are those of the form for numeric. Since 0.9.2.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::type_complexity, clippy::too_many_arguments)]
fn reserve_budget_0_9_2_float(
    amount: Option<f64>,
    project_id: default!(Option<Uuid>, "NULL"),
    agent_id: default!(Option<&str>, "NULL"),
    thread_id: default!(Option<&str>, "NULL"),
    subject: default!(Option<&str>, "NULL"),
    hold_for: default!(Option<Interval>, "NULL"),
    reservation_id: default!(Option<Uuid>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(reservation_id, Option<Uuid>),
            name!(admitted, bool),
            name!(refused_by, Option<Uuid>),
            name!(available, Option<AnyNumeric>),
            name!(review_id, Option<Uuid>),
        ),
    >,
    ErrorReport,
> {
    let amount = amount.map(decimal).transpose()?;
    reserve_budget(amount, project_id, agent_id, thread_id, subject, hold_for, reservation_id)
}

/// Locks the tables in the order of updates: a refusal asks a human.
fn lock_tables() {
    locks::in_order(&[
        c"orchestrator_runs",
        c"human_review_queue",
        c"gates",
        c"decision_rules",
        c"decision_terms",
        c"budgets",
        c"budget_windows",
        c"budget_holds",
    ]);
}

/// A call that is about to be made.
struct Call<'a> {
    /// USD.
    amount: AnyNumeric,
    scope: Scope<'a>,
    hold_for: Option<Interval>,
}

/// The windows `w` from $2 of budgets $1, of those that are enforced, and what is available in each.
const OF_ENFORCED: &str = " FROM unnest($1, $2) AS u (budget_id, starts_at) \
     JOIN orchestrator.budget_windows AS w ON w.budget_id = u.budget_id AND w.starts_at = u.starts_at \
     JOIN orchestrator.budgets AS b ON b.id = w.budget_id, \
     LATERAL (SELECT b.limit_usd + w.raised - w.spent - w.reserved AS available) AS a WHERE b.enforce ";

/// A window that has less left than is asked for.
struct Breach {
    budget: Uuid,
    starts_at: TimestampWithTimeZone,
    available: AnyNumeric,
    review: Option<Uuid>,
}

impl Call<'_> {
    fn reserve(&mut self, run: Option<&Run>, id: Option<Uuid>) -> Result<Answer, Error> {
        if !budgets::exist() {
            run.map_or(Ok(()), Run::refuse_if_over)?;
            return Ok((None, true, None, None, None));
        }
        if let Some(id) = id {
            locks::one_at_a_time_for("reserve_budget", &id.to_string())?;
        }
        self.scope.complete(run)?;
        let now = pgrx::datum::clock_timestamp();
        let windows = windows::lock(&self.scope, now, None)?;
        if let Some(id) = id
            && let Some(available) = self.reserved_before(id, &windows)?
        {
            return Ok((Some(id), true, None, available, None));
        }
        run.map_or(Ok(()), Run::refuse_if_over)?;
        if windows.are_none() {
            return Ok((None, true, None, None, None));
        }
        take_back_expired(&windows)?;
        let breaches = self.breaches(&windows)?;
        let mut refusal = None;
        for breach in breaches {
            let review = self.ask(&breach, run)?;
            refusal.get_or_insert((breach.budget, breach.available, review));
        }
        if let Some((budget, available, review)) = refusal {
            return Ok((None, false, Some(budget), Some(available), Some(review)));
        }
        let id = id.unwrap_or_else(uuidv7);
        let available = self.hold(id, windows, now)?;
        Ok((Some(id), true, None, available, None))
    }

    /// What is left beside a reservation with the same id that is held, if there is one.
    ///
    /// Errors: 23505 its amount or its budgets differ, 55000 it is no longer held.
    fn reserved_before(
        &self,
        id: Uuid,
        windows: &Windows,
    ) -> Result<Option<Option<AnyNumeric>>, Error> {
        // The hold that has ended comes first: nothing else matters then.
        const BEFORE: &CStr = c"SELECT CASE WHEN bool_or(e.ended IS NOT NULL) THEN 'is ' || min(e.ended) \
                 ELSE concat_ws(', ', CASE WHEN bool_or(h.amount <> $2) THEN 'amount' END, \
                     CASE WHEN NOT (array_agg(h.budget_id) @> $3 AND array_agg(h.budget_id) <@ $3) THEN 'scope' END) END \
             FROM orchestrator.budget_holds AS h, \
                  LATERAL (SELECT CASE WHEN h.state <> 'held' THEN h.state WHEN h.expires_at <= clock_timestamp() THEN 'expired' END AS ended) AS e \
             WHERE h.reservation_id = $1 HAVING count(*) > 0";
        let known = [id.into(), self.amount.clone().into(), windows.budgets.clone().into()];
        match latest::value::<String>(BEFORE, &known)? {
            None => Ok(None),
            Some(names) if names.is_empty() => Ok(Some(available(windows)?)),
            Some(state) if state.starts_with("is ") => Err(Error::new(
                Kind::NotReady,
                format!("reservation {id} is no longer held: it {state}"),
            )
            .hint("Reserve again with another reservation_id.")),
            Some(names) => Err(Error::new(
                Kind::Duplicate,
                format!("reservation_id {id} was already used with another {names}"),
            )
            .hint("Repeat the first call unchanged, or give another call an id of its own.")),
        }
    }

    /// The windows of enforced budgets that have less left than is asked for, the one with the least first.
    fn breaches(&self, windows: &Windows) -> Result<Vec<Breach>, Error> {
        static BREACHED: Statement = Statement::new(concatcp!(
            "SELECT w.budget_id, w.starts_at, a.available, w.review_id",
            OF_ENFORCED,
            "AND a.available < $3 ORDER BY a.available, w.budget_id"
        ));
        let arguments = [
            windows.budgets.clone().into(),
            windows.beginnings.clone().into(),
            self.amount.clone().into(),
        ];
        plans::by_index(|| {
            BREACHED.update(&arguments, |found| {
                rows::each(found, |row| {
                    Ok(Breach {
                        budget: rows::value(row, 1, "budget_windows.budget_id")?,
                        starts_at: rows::value(row, 2, "budget_windows.starts_at")?,
                        available: rows::value(row, 3, "budgets.limit_usd")?,
                        review: rows::optional(row, 4, "budget_windows.review_id")?,
                    })
                })
            })
        })
    }

    /// Holds the amount in locked windows that have enough left. Returns what is left then.
    fn hold(
        &self,
        id: Uuid,
        windows: Windows,
        now: TimestampWithTimeZone,
    ) -> Result<Option<AnyNumeric>, Error> {
        static HOLD: Statement = Statement::new(
            "INSERT INTO orchestrator.budget_holds (reservation_id, budget_id, starts_at, amount, expires_at) \
             SELECT $3, b.id, u.starts_at, $4, $5 + coalesce($6, b.hold) \
             FROM unnest($1, $2) AS u (budget_id, starts_at) JOIN orchestrator.budgets AS b ON b.id = u.budget_id ORDER BY b.id",
        );
        static ADD: Statement = Statement::new(
            "UPDATE orchestrator.budget_windows AS w SET reserved = w.reserved + $3 \
             FROM unnest($1, $2) AS u (budget_id, starts_at) WHERE w.budget_id = u.budget_id AND w.starts_at = u.starts_at",
        );
        let budgets = || windows.budgets.clone().into();
        let beginnings = || windows.beginnings.clone().into();
        let hold = [
            budgets(),
            beginnings(),
            id.into(),
            self.amount.clone().into(),
            now.into(),
            self.hold_for.into(),
        ];
        let add = [budgets(), beginnings(), self.amount.clone().into()];
        plans::by_index(|| {
            HOLD.update(&hold, |_| Ok(()))?;
            ADD.update(&add, |_| Ok(()))
        })?;
        available(&windows)
    }

    /// The question about a window that is used up: the one that stands, or a new one.
    fn ask(&self, breach: &Breach, run: Option<&Run>) -> Result<Uuid, Error> {
        static QUESTION: Statement = Statement::new(include_str!("question.sql"));
        static NOTE: Statement = Statement::new(
            "UPDATE orchestrator.budget_windows AS w SET review_id = $3 WHERE w.budget_id = $1 AND w.starts_at = $2 RETURNING w.review_id",
        );
        if let Some(review) = breach.review
            && stands(review)?
        {
            return Ok(review);
        }
        let [project, agent, thread, subject] = self.scope.parameters();
        let (budget, starts_at) = (breach.budget.into(), breach.starts_at.into());
        let arguments =
            [project, agent, thread, subject, budget, starts_at, self.amount.clone().into()];
        let question = QUESTION.update(&arguments, statements::two::<String, Document>)?;
        let Some((Some(reason), Some(context))) = question else {
            return Err(Error::no_row("nobody could be asked about the budget", "budgets"));
        };
        let review = match run {
            Some(run) => {
                let request = Request {
                    review_type: "budget_exceeded",
                    reason: &reason,
                    safety_score: None,
                    context,
                };
                let review = reviews::ask(run, request)?;
                run.hold(review)?;
                review
            }
            None => Opening {
                project_id: self.scope.project_id.unwrap_or(Uuid::from_bytes([0; 16])),
                agent_id: self.scope.agent_id.or(self.scope.subject).unwrap_or("unknown"),
                gate_type: "manual",
                reason: &reason,
                context,
            }
            .ask()?,
        };
        let noted = [breach.budget.into(), breach.starts_at.into(), review.into()];
        let noted = NOTE.update(&noted, statements::one::<Uuid>)?;
        noted.ok_or_else(|| Error::no_row("the question could not be noted", "budget_windows"))
    }
}

/// Whether a question is open, or was answered with no: then nobody is asked again in the window.
fn stands(review: Uuid) -> Result<bool, Error> {
    static STATUS: Statement = Statement::new(
        "SELECT q.status IN ('pending', 'rejected', 'denied') \
         FROM (SELECT r.status FROM orchestrator.human_review_queue AS r WHERE r.id = $1 \
               UNION ALL SELECT g.status FROM orchestrator.gates AS g WHERE g.id = $1) AS q",
    );
    Ok(STATUS.update(&[review.into()], statements::one::<bool>)? == Some(true))
}

/// Takes back what has expired in locked windows.
fn take_back_expired(windows: &Windows) -> Result<(), Error> {
    static TAKE_BACK: Statement = Statement::new(include_str!("expired_holds.sql"));
    let arguments = [windows.budgets.clone().into(), windows.beginnings.clone().into()];
    plans::by_index(|| TAKE_BACK.update(&arguments, |_| Ok(())))
}

/// USD that are left in the enforced budget with the least left.
fn available(windows: &Windows) -> Result<Option<AnyNumeric>, Error> {
    static AVAILABLE: Statement = Statement::new(concatcp!("SELECT min(a.available)", OF_ENFORCED));
    let arguments = [windows.budgets.clone().into(), windows.beginnings.clone().into()];
    plans::by_index(|| AVAILABLE.update(&arguments, statements::one::<AnyNumeric>))
}

/// AFTER UPDATE statement trigger of human_review_queue and gates, with the transition tables `was` and `became`: approved
/// questions about budgets raise their windows.
///
/// Errors: 22023 the context of the question says no amount. Since 0.9.2.
#[pg_trigger(sql = false)]
fn raise_approved<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let data = trigger.trigger_data();
    if data.tg_newtable.is_null() || data.tg_oldtable.is_null() {
        const RULE: &str =
            "it must be fired AFTER UPDATE, FOR EACH STATEMENT, with transition tables";
        lifecycle::misused("raise_approved", RULE);
    }
    if !backend_state::in_script() && budgets::exist() {
        by_key(trigger, || match approved(trigger)? {
            ids if ids.is_empty() => Ok(()),
            ids => {
                let table = trigger.table_name().unwrap_or_default();
                raise::by_questions(ids, table == "human_review_queue")
            }
        });
    }
    Ok(None)
}

/// The questions that the statement has approved.
fn approved(trigger: &PgTrigger<'_>) -> Result<Vec<Uuid>, Error> {
    const STATUS: &CStr = c"status";
    let mut was = Column::before(trigger, STATUS)?;
    let mut now = Column::after(trigger, STATUS)?.with_id(trigger, c"id")?;
    let mut ids = Vec::new();
    while let (Some(waited), Some(is_approved)) =
        (was.next(|status| status == PENDING), now.next(|status| status == "approved"))
    {
        if waited && is_approved {
            ids.extend(now.id());
        }
    }
    Ok(ids)
}
