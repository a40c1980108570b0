//! More money for the window of a budget.

use const_format::concatcp;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};

use super::usd;
use super::windows::{self, OPEN_QUESTION, PRESENT};
use crate::audit;
use crate::runs::Row;
use crate::server::arguments;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::numbers::decimal;
use crate::server::rows;
use crate::server::statements::{self, Statement};

/// The facts of the event about window `w`, which was raised by $2.
const FACTS: &str = "jsonb_build_object('budget_id', w.budget_id, 'starts_at', w.starts_at, 'amount', $2, 'raised', w.raised)";

/// Raises the limit of one window of a budget, and records `budget_raised`. An open question about the window stays open; a
/// no to the last one no longer stands.
///
/// `starts_at`: the beginning of the window, as budget_status shows it, -infinity for period total; `amount`: USD, more than
/// 0 and below 10^12; `raised_by`: the person who allows it, 500 characters at most.
/// Returns: the row.
/// Errors: 22004, 22023 an amount out of range, a blank or overlong name, or a time at which no window begins, P0002 unknown
/// budget, 40001 the window was changed since the snapshot of a transaction that keeps its snapshot. Since 0.9.2.
#[pg_extern(sql = false, volatile)]
fn raise_budget(
    budget_id: Option<Uuid>,
    starts_at: Option<TimestampWithTimeZone>,
    amount: Option<AnyNumeric>,
    raised_by: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.budget_windows"), ErrorReport> {
    let budget = required("budget_id", budget_id)?;
    let starts_at = required("starts_at", starts_at)?;
    let amount = more(amount)?;
    let raised_by = arguments::name("raised_by", raised_by)?;
    windows::questions_first();
    refuse_no_beginning(budget, starts_at)?;
    Ok(raise(budget, starts_at, amount, raised_by)?)
}

/// The form of `raise_budget` for an amount that is a float. It is taken as the shortest decimal that reads back the same.
///
/// The arguments, the result and the errors are those of the form for numeric. Since 0.9.2.
#[pg_extern(sql = false, volatile)]
fn raise_budget_0_9_2_float(
    budget_id: Option<Uuid>,
    starts_at: Option<TimestampWithTimeZone>,
    amount: Option<f64>,
    raised_by: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.budget_windows"), ErrorReport> {
    raise_budget(budget_id, starts_at, amount.map(decimal).transpose()?, raised_by)
}

fn more(value: Option<AnyNumeric>) -> Result<AnyNumeric, Error> {
    let value = usd("amount", value)?;
    if value == AnyNumeric::from(0) {
        return Err(Error::new(Kind::InvalidValue, "argument \"amount\" must be more than 0"));
    }
    Ok(value)
}

/// Errors: P0002 unknown budget, 22023 no window of it begins then.
fn refuse_no_beginning(budget: Uuid, starts_at: TimestampWithTimeZone) -> Result<(), Error> {
    static BEGINS: Statement = Statement::new(concatcp!(
        "SELECT CASE b.period WHEN 'total' THEN $2 = '-infinity' ELSE isfinite($2) AND $2 = date_trunc(b.period, $2, 'UTC') END, ",
        PRESENT,
        "::text FROM orchestrator.budgets AS b WHERE b.id = $1"
    ));
    let begins =
        BEGINS.update(&[budget.into(), starts_at.into()], statements::two::<bool, String>)?;
    match begins {
        None => Err(Error::new(Kind::NotFound, format!("budget {budget} does not exist"))
            .hint("List the budgets: SELECT * FROM orchestrator.budget_status;")),
        Some((Some(true), _)) => Ok(()),
        Some((_, present)) => Err(Error::new(
            Kind::InvalidValue,
            format!("no window of budget {budget} begins at {starts_at}"),
        )
        .hint(format!("The present one begins at {}.", present.unwrap_or_default()))),
    }
}

fn raise(
    budget: Uuid,
    starts_at: TimestampWithTimeZone,
    amount: AnyNumeric,
    raised_by: &str,
) -> Result<Row, Error> {
    static RAISE: Statement = Statement::new(concatcp!(
        "INSERT INTO orchestrator.budget_windows AS w (budget_id, starts_at, raised) VALUES ($1, $3, $2) \
         ON CONFLICT ON CONSTRAINT budget_windows_pkey DO UPDATE SET raised = w.raised + excluded.raised, review_id = ",
        OPEN_QUESTION,
        " RETURNING w, ",
        FACTS
    ));
    let arguments = [budget.into(), amount.into(), starts_at.into()];
    let raised = RAISE.update(&arguments, |found| {
        rows::first(found, |row| {
            let window = rows::value::<Row>(row, 1, "budget_windows.raised")?;
            Ok((window, rows::value::<Document>(row, 2, "budget_windows.raised")?))
        })
    })?;
    let (row, facts) =
        raised.ok_or_else(|| Error::no_row("the budget could not be raised", "budget_windows"))?;
    audit::record_document("budget_raised", raised_by, facts)?;
    Ok(row)
}

/// The amount in the context of question `q`, and who decided it.
const ANSWER: &str = "SELECT CASE jsonb_typeof(q.context -> 'raise_by') WHEN 'number' THEN (q.context ->> 'raise_by')::numeric END, q.resolved_by ";

/// Raises the windows that wait for these approved questions; a question for which none waits raises nothing. All are locked
/// in the order in which everybody locks windows.
///
/// `are_reviews`: whether they are reviews; else they are gates.
/// Errors: 22023 the context of a question says no amount.
pub fn by_questions(questions: Vec<Uuid>, are_reviews: bool) -> Result<(), Error> {
    static WAITING: Statement = Statement::new(
        "SELECT w.review_id FROM orchestrator.budget_windows AS w WHERE w.review_id = ANY ($1) \
         ORDER BY w.budget_id, w.starts_at FOR NO KEY UPDATE",
    );
    static OF_REVIEW: Statement = Statement::new(concatcp!(
        ANSWER,
        "FROM orchestrator.human_review_queue AS q WHERE q.id = $1"
    ));
    static OF_GATE: Statement =
        Statement::new(concatcp!(ANSWER, "FROM orchestrator.gates AS q WHERE q.id = $1"));
    static RAISE: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.budget_windows AS w SET raised = w.raised + $2 WHERE w.review_id = $1 RETURNING ",
        FACTS,
        " || jsonb_build_object('review_id', w.review_id)"
    ));
    let answer = if are_reviews { &OF_REVIEW } else { &OF_GATE };
    for question in WAITING.update(&[questions.into()], statements::column::<Uuid>)? {
        let answer = answer.update(&[question.into()], statements::two::<AnyNumeric, String>)?;
        let (amount, decided_by) = answer.unwrap_or_default();
        let amount = amount.filter(|amount| *amount > AnyNumeric::from(0));
        let amount = amount.ok_or_else(|| says_none(question))?;
        let facts = RAISE.update(&[question.into(), amount.into()], statements::one::<Document>)?;
        let facts = facts
            .ok_or_else(|| Error::no_row("the budget could not be raised", "budget_windows"))?;
        audit::record_document("budget_raised", &decided_by.unwrap_or_default(), facts)?;
    }
    Ok(())
}

fn says_none(question: Uuid) -> Error {
    Error::new(Kind::InvalidValue, format!("question {question} says no amount to raise by"))
        .detail("Its context needs raise_by, a number of USD.")
        .hint("Reject it, and raise the window with orchestrator.raise_budget.")
}
