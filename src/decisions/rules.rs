//! The rules by which questions are decided. A rule counts for the questions that are asked while it
//! stands; `terms` keeps its words with each of them.

use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use crate::audit;
use crate::decisions::{gates, reviews};
use crate::runs::Row;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::{self, Statement};
use crate::server::{arguments, backend_state};

/// The kinds of questions that a rule may be about.
pub const KINDS: [&str; 3] = ["review", "gate", "approval"];

/// The acts at a deadline.
pub const TIMEOUTS: [&str; 3] = ["approve", "reject", "escalate"];

/// The greatest number of people who must agree.
const MOST: i32 = 1_000;

/// Sets the rule by which questions of a kind and type are decided that are asked from now on. A rule for a
/// type comes before the rule for every type (NULL). Questions that were asked before keep their terms.
/// Records `decision_rule_set`.
///
/// `kind`: review, gate or approval; `type`: the review_type, the gate_type or the approver_role, 500
/// characters at most; NULL for every type without a rule of its own; `respond_within`: the time for an
/// answer, longer than zero and at most 100 years; `on_timeout`: approve, reject or escalate, which need
/// respond_within; `escalate_to`: the person or role that is asked then, needed for escalate alone;
/// `approvals_needed`, `rejections_needed`: the numbers of different people, 1 to 1000;
/// `requester_may_decide`: whether the one who asked may answer; `assigned_to`: the person or role that is
/// asked first.
/// Returns: the row.
/// Errors: 22004, 22023 an unknown kind, type or act, a blank or overlong name, a number out of range, or
/// arguments that do not go together. Since 0.8.0; replaced in 0.9.1.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn set_decision_rule(
    kind: Option<&str>,
    r#type: default!(Option<&str>, "NULL"),
    respond_within: default!(Option<Interval>, "NULL"),
    on_timeout: default!(Option<&str>, "NULL"),
    escalate_to: default!(Option<&str>, "NULL"),
    approvals_needed: default!(Option<i32>, "1"),
    rejections_needed: default!(Option<i32>, "1"),
    requester_may_decide: default!(Option<bool>, "true"),
    assigned_to: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.decision_rules"), ErrorReport> {
    Ok(set(
        subject(kind, r#type, &gates::OPENED)?,
        respond_within,
        on_timeout,
        escalate_to,
        approvals_needed,
        rejections_needed,
        requester_may_decide,
        assigned_to,
    )?)
}

/// Sets the rule by which questions of a kind and type are decided that are asked from now on. A rule for a
/// type comes before the rule for every type (NULL). Questions that were asked before keep their terms.
/// Records `decision_rule_set`.
///
/// `kind`: review, gate or approval; `type`: the review_type, the gate_type or the approver_role, 500
/// characters at most; NULL for every type without a rule of its own; `respond_within`: the time for an
/// answer, longer than zero and at most 100 years; `on_timeout`: approve, reject or escalate, which need
/// respond_within; `escalate_to`: the person or role that is asked then, needed for escalate alone;
/// `approvals_needed`, `rejections_needed`: the numbers of different people, 1 to 1000;
/// `requester_may_decide`: whether the one who asked may answer; `assigned_to`: the person or role that is
/// asked first.
/// Returns: the row.
/// Errors: 22004, 22023 an unknown kind, type or act, a blank or overlong name, a number out of range, or
/// arguments that do not go together. Since 0.9.1.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn set_decision_rule_0_9_1(
    kind: Option<&str>,
    r#type: default!(Option<&str>, "NULL"),
    respond_within: default!(Option<Interval>, "NULL"),
    on_timeout: default!(Option<&str>, "NULL"),
    escalate_to: default!(Option<&str>, "NULL"),
    approvals_needed: default!(Option<i32>, "1"),
    rejections_needed: default!(Option<i32>, "1"),
    requester_may_decide: default!(Option<bool>, "true"),
    assigned_to: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.decision_rules"), ErrorReport> {
    Ok(set(
        subject(kind, r#type, &gates::TYPES)?,
        respond_within,
        on_timeout,
        escalate_to,
        approvals_needed,
        rejections_needed,
        requester_may_decide,
        assigned_to,
    )?)
}

#[allow(clippy::too_many_arguments)]
fn set(
    (kind, subtype): (&str, Option<&str>),
    respond_within: Option<Interval>,
    on_timeout: Option<&str>,
    escalate_to: Option<&str>,
    approvals_needed: Option<i32>,
    rejections_needed: Option<i32>,
    requester_may_decide: Option<bool>,
    assigned_to: Option<&str>,
) -> Result<Row, Error> {
    static SET: Statement = Statement::new(
        "INSERT INTO orchestrator.decision_rules AS r (kind, type, respond_within, on_timeout, escalate_to, \
             approvals_needed, rejections_needed, requester_may_decide, assigned_to, updated_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT ON CONSTRAINT decision_rules_kind_type_key DO UPDATE SET \
             respond_within = excluded.respond_within, on_timeout = excluded.on_timeout, escalate_to = excluded.escalate_to, \
             approvals_needed = excluded.approvals_needed, rejections_needed = excluded.rejections_needed, \
             requester_may_decide = excluded.requester_may_decide, assigned_to = excluded.assigned_to, \
             updated_by = excluded.updated_by \
         RETURNING r",
    );
    let respond_within = respond_within
        .map(|time| arguments::positive_length("respond_within", time))
        .transpose()?;
    let on_timeout =
        on_timeout.map(|act| arguments::one_of("on_timeout", act, &TIMEOUTS)).transpose()?;
    let escalate_to = optional_name("escalate_to", escalate_to)?;
    let assigned_to = optional_name("assigned_to", assigned_to)?;
    let approvals_needed = people("approvals_needed", approvals_needed)?;
    let rejections_needed = people("rejections_needed", rejections_needed)?;
    let together =
        |message: &str, hint: &str| Err(Error::new(Kind::InvalidValue, message).hint(hint));
    match (on_timeout, respond_within, escalate_to) {
        (Some(_), None, _) => together(
            "argument \"on_timeout\" needs argument \"respond_within\"",
            "Say after which time it happens, for example respond_within => '4 hours'.",
        )?,
        (Some("escalate"), _, None) => together(
            "on_timeout escalate needs argument \"escalate_to\"",
            "Name the person or role that is asked then.",
        )?,
        (Some("approve" | "reject") | None, _, Some(_)) => together(
            "argument \"escalate_to\" needs on_timeout escalate",
            "Leave it out, or say on_timeout => 'escalate'.",
        )?,
        _ => {}
    }
    let updated_by = backend_state::caller();
    let requester_may_decide = requester_may_decide.unwrap_or(true);
    let arguments = [
        kind.into(),
        subtype.into(),
        respond_within.into(),
        on_timeout.into(),
        escalate_to.into(),
        approvals_needed.into(),
        rejections_needed.into(),
        requester_may_decide.into(),
        assigned_to.into(),
        updated_by.as_str().into(),
    ];
    let row = SET
        .update(&arguments, statements::one::<Row>)?
        .ok_or_else(|| Error::no_row("the rule could not be set", "decision_rules"))?;
    audit::record_fact(
        "decision_rule_set",
        audit::SYSTEM,
        json!({
            "kind": kind, "type": subtype, "respond_within": respond_within.map(|time| time.to_string()),
            "on_timeout": on_timeout, "escalate_to": escalate_to, "approvals_needed": approvals_needed,
            "rejections_needed": rejections_needed, "requester_may_decide": requester_may_decide,
            "assigned_to": assigned_to,
        }),
    )?;
    Ok(row)
}

/// Removes a rule, and records `decision_rule_dropped`. Questions that were asked before keep their terms.
///
/// `kind`: review, gate or approval; `type`: as it was set. Returns: whether there was such a rule.
/// Errors: 22004, 22023 an unknown kind or type, or a blank one. Since 0.8.0; replaced in 0.9.1.
#[pg_extern(sql = false, volatile)]
fn drop_decision_rule(
    kind: Option<&str>,
    r#type: default!(Option<&str>, "NULL"),
) -> Result<bool, ErrorReport> {
    Ok(drop_rule(subject(kind, r#type, &gates::OPENED)?)?)
}

/// Removes a rule, and records `decision_rule_dropped`. Questions that were asked before keep their terms.
///
/// `kind`: review, gate or approval; `type`: as it was set. Returns: whether there was such a rule.
/// Errors: 22004, 22023 an unknown kind or type, or a blank one. Since 0.9.1.
#[pg_extern(sql = false, volatile)]
fn drop_decision_rule_0_9_1(
    kind: Option<&str>,
    r#type: default!(Option<&str>, "NULL"),
) -> Result<bool, ErrorReport> {
    Ok(drop_rule(subject(kind, r#type, &gates::TYPES)?)?)
}

fn drop_rule((kind, subtype): (&str, Option<&str>)) -> Result<bool, Error> {
    static DROP: Statement = Statement::new(
        "DELETE FROM orchestrator.decision_rules AS r WHERE r.kind = $1 AND r.type IS NOT DISTINCT FROM $2 RETURNING r.id",
    );
    let was_there = DROP.update(&[kind.into(), subtype.into()], |rows| Ok(!rows.is_empty()))?;
    if was_there {
        let facts = json!({ "kind": kind, "type": subtype });
        audit::record_fact("decision_rule_dropped", audit::SYSTEM, facts)?;
    }
    Ok(was_there)
}

/// The kind and the type of a rule. `gate_types`: the types of gates that the installed version has.
fn subject<'a>(
    kind: Option<&'a str>,
    subtype: Option<&'a str>,
    gate_types: &[&str],
) -> Result<(&'a str, Option<&'a str>), Error> {
    let kind = arguments::one_of("kind", required("kind", kind)?, &KINDS)?;
    let known = |subtype| match kind {
        "review" => arguments::one_of("type", subtype, &reviews::TYPES),
        "gate" => arguments::one_of("type", subtype, gate_types),
        _ => arguments::name("type", Some(subtype)),
    };
    Ok((kind, subtype.map(known).transpose()?))
}

fn optional_name<'a>(argument: &str, name: Option<&'a str>) -> Result<Option<&'a str>, Error> {
    name.map(|name| arguments::name(argument, Some(name))).transpose()
}

/// A number of people; NULL means one.
fn people(argument: &str, number: Option<i32>) -> Result<i32, Error> {
    let number = number.unwrap_or(1);
    if (1..=MOST).contains(&number) {
        return Ok(number);
    }
    let message = format!("argument \"{argument}\" is {number}, not between 1 and {MOST}");
    Err(Error::new(Kind::InvalidValue, message))
}
