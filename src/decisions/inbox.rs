//! One inbox over everything that waits for a human: reviews, gates and approvals. One function
//! decides any of them by the rules of its kind, another one finds the answer.

use pgrx::Uuid;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::decisions::approvals::answer::{self, For};
use crate::decisions::question;
use crate::decisions::{approvals, gates, reviews};
use crate::runs::Row;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::Statement;
use crate::server::triggers::of;
use crate::server::{arguments, statements};

/// The kinds of decisions, each with its status for a rejection.
pub const KINDS: [(&str, &str); 3] =
    [("review", "rejected"), ("gate", "denied"), ("approval", "rejected")];

/// The words for approval and for rejection.
const YES: [&str; 2] = ["approve", "approved"];
const NO: [&str; 4] = ["reject", "rejected", "deny", "denied"];

/// The words for a request to change something and to ask again.
const CHANGES: [&str; 2] = ["request_changes", "changes_requested"];

/// Decides the review, gate or approval with this id by the rules of its kind: rejecting a review
/// and denying a gate need notes, and an approval is decided by the role that was asked.
///
/// `decision`: approve or approved; reject, rejected, deny or denied; `decided_by`: the name of the
/// human, for an approval the role that was asked; `notes`: the reason.
/// Returns: the kind, the id, and the new status.
/// Errors: 22004, 22023 unknown word, blank name, or missing notes, P0002 no review, gate or
/// approval has this id, 42501 another role was asked, 55000 it is already decided. Since 0.6.0;
/// replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
fn decide(
    decision_id: Option<Uuid>,
    decision: Option<&str>,
    decided_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<'static, (name!(kind, String), name!(id, Uuid), name!(status, String))>,
    ErrorReport,
> {
    let decision = Decision::of(decision_id, decision, decided_by, notes)?;
    let (id, status, decided_by) = decision.arguments();
    match decision.kind.as_str() {
        "review" => drop(reviews::resolve::resolve_review(id, status, decided_by, notes)?),
        "gate" => drop(gates::resolve::resolve_gate_0_3_0(id, status, decided_by, notes)?),
        _ => drop(approvals::resolve_approval(id, status, decided_by, notes)?),
    }
    Ok(TableIterator::once(decision.into_row()))
}

/// Decides the review, gate or approval with this id by the rules of its kind: rejecting a review
/// and denying a gate need notes, and an approval is decided by the role that was asked. The run
/// that waits for it goes on, is done again, or ends, as the function of the kind says.
///
/// `decision`: approve or approved; reject, rejected, deny or denied; `decided_by`: the name of the
/// human, for an approval the role that was asked; `notes`: the reason.
/// Returns: the kind, the id, and the new status.
/// Errors: 22004, 22023 unknown word, blank name, or missing notes, P0002 no review, gate or
/// approval has this id, 42501 another role was asked, 55000 it is already decided. Since 0.7.0;
/// replaced in 0.7.3.
#[pg_extern(sql = false, volatile)]
fn decide_0_7_0(
    decision_id: Option<Uuid>,
    decision: Option<&str>,
    decided_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<'static, (name!(kind, String), name!(id, Uuid), name!(status, String))>,
    ErrorReport,
> {
    let decision = Decision::of(decision_id, decision, decided_by, notes)?;
    let (id, status, decided_by) = decision.arguments();
    match decision.kind.as_str() {
        "review" => drop(reviews::resolve::resolve_review_0_7_0(id, status, decided_by, notes)?),
        "gate" => drop(gates::resolve::resolve_gate_0_7_0(id, status, decided_by, notes)?),
        _ => drop(approvals::resolve_approval_0_7_0(id, status, decided_by, notes)?),
    }
    Ok(TableIterator::once(decision.into_row()))
}

/// Decides the review, gate or approval with this id by the rules of its kind: rejecting a review
/// and denying a gate need notes, and an approval is decided by a person for the role that was asked.
/// The run that waits for it goes on, is done again, or ends, as the function of the kind says. The
/// same decision again by the same person, logged in as the same role, returns the row and changes
/// nothing.
///
/// `decision`: approve or approved; reject, rejected, deny or denied; `decided_by`: the name of the
/// human; `notes`: the reason; a repeated call may leave it out, except for a no that needs notes;
/// `acting_as`: the role for which the human decides an approval. Without it the human decides if
/// `decided_by` is the name of the role that was asked, or if the caller's role is a member of a
/// database role with that name. Reviews and gates ask no role and ignore it.
/// Returns: the kind, the id, and the new status.
/// Errors: 22004, 22023 unknown word, blank name or role, or missing notes, P0002 no review, gate or
/// approval has this id, 42501 another role was asked, 55000 it is already decided otherwise. Since
/// 0.7.3; replaced in 0.8.0.
#[pg_extern(sql = false, volatile)]
fn decide_0_7_3(
    decision_id: Option<Uuid>,
    decision: Option<&str>,
    decided_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
    acting_as: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<'static, (name!(kind, String), name!(id, Uuid), name!(status, String))>,
    ErrorReport,
> {
    let decision = Decision::of(decision_id, decision, decided_by, notes)?;
    let (id, status, decided_by) = decision.arguments();
    match decision.kind.as_str() {
        "review" => drop(reviews::resolve::resolve_review_0_7_3(id, status, decided_by, notes)?),
        "gate" => drop(gates::resolve::resolve_gate_0_7_3(id, status, decided_by, notes)?),
        _ => {
            let resolution = approvals::Resolution::of(id, status, decided_by, notes)?;
            drop(answer::decide(&resolution, role_of(acting_as)?)?);
        }
    }
    Ok(TableIterator::once(decision.into_row()))
}

/// Decides the review, gate or approval with this id by the rules of its kind: rejecting a review
/// and denying a gate need notes, and an approval is decided by a person for the role that was asked, or to which
/// it was assigned. The run that waits for it goes on, is done again, or ends, as the function of the kind says.
/// request_changes needs notes: the run is done again as they say, a gate is denied, an approval becomes
/// changes_requested, and the agent asks again when it has changed something. The same decision again by the same
/// person, logged in as the same role, returns the row and changes nothing.
///
/// If the question has terms, because a rule stood when it was asked, the call is a vote, recorded as
/// `decision_voted`; the question stays pending until enough people agree. The person is the role that is logged
/// in; behind a login that configuration `shared_logins` names, the subject of `request.jwt.claims`, else the role
/// in force. A person may change the vote while the question is open.
///
/// `decision`: approve or approved; reject, rejected, deny or denied; request_changes or changes_requested;
/// `decided_by`: the name of the human; `notes`: the reason; a repeated call may leave it out, except for a no that
/// needs notes; `acting_as`: the role for which the human decides an approval. Without it the human decides if
/// `decided_by` is the name of the role that was asked, or if the caller's role is a member of a database role with
/// that name. Reviews and gates ask no role and ignore it.
/// Returns: the kind, the id, and the new status, which is pending while more votes are needed.
/// Errors: 22004, 22023 unknown word, blank name or role, or missing notes, P0002 no review, gate or
/// approval has this id, 42501 another role was asked, or the caller asked and may not decide, 55000 it is already
/// decided otherwise, or somebody else has claimed it. Since 0.8.0.
#[pg_extern(sql = false, volatile)]
fn decide_0_8_0(
    decision_id: Option<Uuid>,
    decision: Option<&str>,
    decided_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
    acting_as: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<'static, (name!(kind, String), name!(id, Uuid), name!(status, String))>,
    ErrorReport,
> {
    let row = if decision.is_some_and(|word| CHANGES.contains(&word)) {
        request_changes(decision_id, decided_by, notes, acting_as)?
    } else {
        let decision = Decision::of_0_8_0(decision_id, decision, decided_by, notes)?;
        let (id, status, decided_by) = decision.arguments();
        let row = match decision.kind.as_str() {
            "review" => reviews::resolve::resolve_review_0_8_0(id, status, decided_by, notes)?,
            "gate" => gates::resolve::resolve_gate_0_8_0(id, status, decided_by, notes)?,
            _ => answer::decide_by_vote(
                &approvals::Resolution::of(id, status, decided_by, notes)?,
                role_of(acting_as)?,
            )?,
        };
        (decision.kind, row)
    };
    Ok(TableIterator::once(in_short(row)?))
}

/// The way in which the person who decides an approval stands for the role that was asked.
fn role_of(acting_as: Option<&str>) -> Result<For<'_>, Error> {
    match acting_as {
        None => Ok(For::Member),
        Some(role) => Ok(For::Role(arguments::filled("acting_as", Some(role))?)),
    }
}

/// Asks for changes to what a question is about. Returns its kind and its row.
fn request_changes(
    decision_id: Option<Uuid>,
    decided_by: Option<&str>,
    notes: Option<&str>,
    acting_as: Option<&str>,
) -> Result<(String, Row), Error> {
    let id = required("decision_id", decision_id)?;
    let decided_by = arguments::filled("decided_by", decided_by)?;
    let kind = kind_of(id)?;
    if notes.is_none_or(arguments::is_blank) {
        let message = format!("changes to {kind} {id} cannot be requested without notes");
        return Err(Error::new(Kind::InvalidValue, message)
            .hint("Say in argument \"notes\" what should be changed."));
    }
    let row = match kind.as_str() {
        "review" => reviews::resolve::request_changes(id, decided_by, notes)?,
        "gate" => gates::resolve::request_changes(id, decided_by, notes)?,
        _ => {
            let resolution = approvals::Resolution::requesting_changes(id, decided_by, notes);
            answer::decide_by_vote(&resolution, role_of(acting_as)?)?
        }
    };
    Ok((kind, row))
}

/// The kind, the id and the status of a question in a row of its table.
fn in_short((kind, row): (String, Row)) -> Result<(String, Uuid, String), Error> {
    let id = of::<Uuid>(&row, "id")?;
    let status = of::<String>(&row, "status")?;
    Ok((kind, required("id", id)?, required("status", status)?))
}

/// The question with this id, open or decided: the row of view `decisions`.
///
/// Returns: the row; of two questions with the same id, the open one.
/// Errors: 22004, P0002 no review, gate or approval has this id. Since 0.7.3.
#[pg_extern(sql = false, stable, parallel_restricted)]
fn decision(
    decision_id: Option<Uuid>,
) -> Result<pgrx::composite_type!('static, "orchestrator.decisions"), ErrorReport> {
    let id = required("decision_id", decision_id)?;
    Ok(question::row(id)?.ok_or_else(|| question::unknown(id))?)
}

/// A checked decision, in the words of its kind.
struct Decision<'a> {
    kind: String,
    id: Uuid,
    status: &'static str,
    decided_by: &'a str,
}

impl<'a> Decision<'a> {
    fn of(
        decision_id: Option<Uuid>,
        decision: Option<&str>,
        decided_by: Option<&'a str>,
        notes: Option<&str>,
    ) -> Result<Self, Error> {
        let id = required("decision_id", decision_id)?;
        let yes = is_yes(required("decision", decision)?, &[])?;
        Self::checked(id, yes, decided_by, notes)
    }

    /// The same for a function that takes the words for changes, too.
    fn of_0_8_0(
        decision_id: Option<Uuid>,
        decision: Option<&str>,
        decided_by: Option<&'a str>,
        notes: Option<&str>,
    ) -> Result<Self, Error> {
        let id = required("decision_id", decision_id)?;
        let yes = is_yes(required("decision", decision)?, &CHANGES)?;
        Self::checked(id, yes, decided_by, notes)
    }

    fn checked(
        id: Uuid,
        yes: bool,
        decided_by: Option<&'a str>,
        notes: Option<&str>,
    ) -> Result<Self, Error> {
        let decided_by = arguments::filled("decided_by", decided_by)?;
        let kind = kind_of(id)?;
        let no = KINDS.iter().find(|(known, _)| *known == kind).map_or("rejected", |(_, no)| no);
        if !yes && kind != "approval" && notes.is_none_or(arguments::is_blank) {
            return Err(Error::new(
                Kind::InvalidValue,
                format!("{kind} {id} cannot be {no} without notes"),
            )
            .hint("Say in argument \"notes\" what should be done instead."));
        }
        Ok(Decision { kind, id, status: if yes { "approved" } else { no }, decided_by })
    }

    /// The first arguments of the function of its kind.
    fn arguments(&self) -> (Option<Uuid>, Option<&'static str>, Option<&'a str>) {
        (Some(self.id), Some(self.status), Some(self.decided_by))
    }

    fn into_row(self) -> (String, Uuid, String) {
        (self.kind, self.id, self.status.to_owned())
    }
}

/// Whether a word approves. `others`: further words that the caller may use.
fn is_yes(decision: &str, others: &[&str]) -> Result<bool, Error> {
    let words: Vec<_> = YES.iter().chain(&NO).chain(others).copied().collect();
    let word = arguments::one_of("decision", decision, &words)?;
    Ok(YES.contains(&word))
}

/// The kind of decision with this id. Callers may choose ids; of two decisions with the same id,
/// the pending one.
fn kind_of(id: Uuid) -> Result<String, Error> {
    static KIND: Statement = Statement::new(
        "SELECT d.kind FROM ( \
             SELECT 'review' AS kind, q.status FROM orchestrator.human_review_queue AS q WHERE q.id = $1 \
             UNION ALL \
             SELECT 'gate', g.status FROM orchestrator.gates AS g WHERE g.id = $1 \
             UNION ALL \
             SELECT 'approval', a.status FROM orchestrator.approvals AS a WHERE a.id = $1 \
         ) AS d ORDER BY d.status = 'pending' DESC LIMIT 1",
    );
    KIND.update(&[id.into()], statements::one::<String>)?.ok_or_else(|| question::unknown(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_word_has_one_meaning() {
        assert!(YES.iter().all(|word| is_yes(word, &[]).is_ok_and(|yes| yes)));
        assert!(NO.iter().all(|word| is_yes(word, &[]).is_ok_and(|yes| !yes)));
    }

    proptest! {
        #[test]
        fn no_other_word_decides(word in any::<String>()) {
            prop_assume!(!YES.contains(&word.as_str()) && !NO.contains(&word.as_str()));
            prop_assert!(is_yes(&word, &CHANGES).is_err());
        }
    }
}
