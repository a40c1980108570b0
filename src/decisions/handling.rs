//! Who works on the answer to a question: claims for a while, and assignment to somebody else.

use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use crate::decisions::kinds::lock_before;
use crate::decisions::question::Question;
use crate::decisions::terms::Terms;
use crate::server::arguments;
use crate::server::error::{Error, required};
use crate::server::statements::{self, Statement};

/// Keeps others from answering a question for a while, so that two people do not work on one answer. The
/// holder of a claim may extend it. It ends with the holder's answer, with `release_decision`, or by itself.
/// Records `decision_claimed`.
///
/// `decision_id`: the review, gate or approval; `claimed_by`: the name under which the caller will decide, 500
/// characters at most; `for_how_long`: longer than zero, 100 years at most.
/// Returns: the end of the claim.
/// Errors: 22004, 22023 a blank or overlong name, or a time that is not longer than zero, P0002 no question has
/// this id, 55000 it is decided, or somebody else has claimed it. Since 0.8.0.
#[pg_extern(sql = false, volatile)]
fn claim_decision(
    decision_id: Option<Uuid>,
    claimed_by: Option<&str>,
    for_how_long: default!(Option<Interval>, "'15 minutes'"),
) -> Result<TimestampWithTimeZone, ErrorReport> {
    static CLAIM: Statement = Statement::new(
        "UPDATE orchestrator.decision_terms AS t SET claimed_by = $3, claimed_until = clock_timestamp() + $4 \
         WHERE t.decision_id = $1 AND t.kind = $2 RETURNING t.claimed_until",
    );
    let claimed_by = arguments::name("claimed_by", claimed_by)?;
    let for_how_long = for_how_long.unwrap_or_else(|| Interval::from_minutes(15));
    let for_how_long = arguments::positive_length("for_how_long", for_how_long)?;
    let (question, terms) = locked(decision_id)?;
    terms.refuse_if_claimed_by_other(&question, claimed_by)?;
    let (kind, id) = (question.kind.as_str(), question.id);
    let arguments = [id.into(), kind.into(), claimed_by.into(), for_how_long.into()];
    let until =
        CLAIM.update(&arguments, statements::one::<TimestampWithTimeZone>)?.ok_or_else(|| {
            Error::no_row(format!("{kind} {id} could not be claimed"), "decision_terms")
        })?;
    question.record("decision_claimed", claimed_by, json!({ "until": until.to_iso_string() }))?;
    Ok(until)
}

/// Ends a claim of a question, and records `decision_released`. Nothing happens if nobody has claimed it.
///
/// `decision_id`: the review, gate or approval; `claimed_by`: the holder. Returns: whether there was a claim.
/// Errors: 22004, 22023 a blank or overlong name, P0002 no question has this id, 55000 somebody else has claimed
/// it. Since 0.8.0.
#[pg_extern(sql = false, volatile)]
fn release_decision(
    decision_id: Option<Uuid>,
    claimed_by: Option<&str>,
) -> Result<bool, ErrorReport> {
    static RELEASE: Statement = Statement::new(
        "UPDATE orchestrator.decision_terms AS t SET claimed_by = NULL, claimed_until = NULL \
         WHERE t.decision_id = $1 AND t.kind = $2",
    );
    let claimed_by = arguments::name("claimed_by", claimed_by)?;
    let question = Question::find(required("decision_id", decision_id)?)?;
    let Some(terms) = Terms::lock(&question.kind, question.id)? else { return Ok(false) };
    if terms.claimed_by.is_none() || !question.is_open() {
        return Ok(false);
    }
    terms.refuse_if_claimed_by_other(&question, claimed_by)?;
    RELEASE.update(&[question.id.into(), question.kind.as_str().into()], |_| Ok(()))?;
    question.record("decision_released", claimed_by, json!({}))?;
    Ok(true)
}

/// Assigns a question to a person or role, for example while the one that was asked is away, and records
/// `decision_assigned`. An approval may then be decided for the role that it is assigned to, as for the role that
/// was asked; reviews and gates are decided by anyone who may. A claim ends.
///
/// `decision_id`: the review, gate or approval; `assignee`: the person or role, 500 characters at most;
/// `assigned_by`: who assigns it; `notes`: the reason.
/// Returns: the row of view `decisions`.
/// Errors: 22004, 22023 a blank or overlong name, P0002 no question has this id, 55000 it is decided, or somebody
/// else than `assigned_by` has claimed it. Since 0.8.0.
#[pg_extern(sql = false, volatile)]
fn assign_decision(
    decision_id: Option<Uuid>,
    assignee: Option<&str>,
    assigned_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.decisions"), ErrorReport> {
    static ASSIGN: Statement = Statement::new(
        "UPDATE orchestrator.decision_terms AS t SET assigned_to = $3, claimed_by = NULL, claimed_until = NULL \
         WHERE t.decision_id = $1 AND t.kind = $2",
    );
    let assignee = arguments::name("assignee", assignee)?;
    let assigned_by = arguments::name("assigned_by", assigned_by)?;
    let (question, terms) = locked(decision_id)?;
    terms.refuse_if_claimed_by_other(&question, assigned_by)?;
    let arguments = [question.id.into(), question.kind.as_str().into(), assignee.into()];
    ASSIGN.update(&arguments, |_| Ok(()))?;
    let facts = json!({ "assigned_to": assignee, "was": terms.assigned_to, "notes": notes });
    question.record("decision_assigned", assigned_by, facts)?;
    Ok(question.row()?)
}

/// An open question with its terms, which are locked.
fn locked(decision_id: Option<Uuid>) -> Result<(Question, Terms), Error> {
    let question = Question::find(required("decision_id", decision_id)?)?;
    lock_before(&question)?;
    let terms = Terms::lock_or_write(&question)?;
    // It may have been decided while this call waited.
    let question = Question::find(question.id)?;
    question.refuse_if_decided()?;
    Ok((question, terms))
}
