//! One inbox over everything that waits for a human: reviews, gates and approvals. One function
//! decides any of them by the rules of its kind, and a trigger announces requests and decisions.

use std::ffi::CStr;

use pgrx::Uuid;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, heap_tuple::PgHeapTuple};

use crate::decisions::{approvals, gates, reviews};
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::Statement;
use crate::server::transition_tables::Column;
use crate::server::{arguments, notifications, statements};

/// The kinds of decisions, each with its status for a rejection.
pub const KINDS: [(&str, &str); 3] =
    [("review", "rejected"), ("gate", "denied"), ("approval", "rejected")];

/// The status of a decision that waits.
const PENDING: &str = "pending";

/// The words for approval and for rejection.
const YES: [&str; 2] = ["approve", "approved"];
const NO: [&str; 4] = ["reject", "rejected", "deny", "denied"];

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
/// approval has this id, 42501 another role was asked, 55000 it is already decided. Since 0.7.0.
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
        let yes = is_yes(required("decision", decision)?)?;
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

/// Whether a word approves.
fn is_yes(decision: &str) -> Result<bool, Error> {
    let words: Vec<_> = YES.iter().chain(&NO).copied().collect();
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
    KIND.update(&[id.into()], statements::one::<String>)?.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("decision {id} does not exist"))
            .hint("List pending decisions: SELECT * FROM orchestrator.pending_decisions;")
    })
}

/// AFTER INSERT or UPDATE statement trigger `announce_decisions(kind)`, with the transition tables
/// `added`, or `was` and `became`. Announces on channel orchestrator_decisions how many decisions
/// the statement requested or made. It announces nothing if there are none, if
/// `orchestrator_schema.notify` is off, in an extension script, or while a dump is restored. The
/// server delivers equal announcements of one transaction only once, so listeners cannot add up the
/// counts; they read `pending_decisions`.
///
/// Since 0.6.0.
#[pg_trigger(sql = false)]
fn announce_decisions<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let asked = trigger.event().fired_by_insert();
    let data = trigger.trigger_data();
    if data.tg_newtable.is_null() || (!asked && data.tg_oldtable.is_null()) {
        const RULE: &str = "it must be fired AFTER INSERT or AFTER UPDATE, FOR EACH STATEMENT, with transition tables";
        lifecycle::misused("announce_decisions", RULE);
    }
    if notifications::are_on() {
        let kind = trigger.extra_args()?.into_iter().next().unwrap_or_default();
        if let Err(error) = announce(trigger, &kind, asked) {
            ErrorReport::from(error).report(PgLogLevel::ERROR);
        }
    }
    Ok(None)
}

/// The number of pending rows that the statement inserted, or of rows that it updated from pending
/// to another status.
fn count(trigger: &PgTrigger<'_>, asked: bool) -> Result<i64, Error> {
    const STATUS: &CStr = c"status";
    let mut now = Column::after(trigger, STATUS)?;
    let mut count = 0;
    if asked {
        while let Some(waits) = now.next(|status| status == PENDING) {
            count += i64::from(waits);
        }
    } else {
        let mut was = Column::before(trigger, STATUS)?;
        while let (Some(waited), Some(is_decided)) =
            (was.next(|status| status == PENDING), now.next(|status| status != PENDING))
        {
            count += i64::from(waited && is_decided);
        }
    }
    Ok(count)
}

fn announce(trigger: &PgTrigger<'_>, kind: &str, asked: bool) -> Result<(), Error> {
    const CHANNEL: &str = "orchestrator_decisions";
    let count = count(trigger, asked)?;
    if count > 0 {
        let change = if asked { "requested" } else { "decided" };
        let payload = format!(r#"{{"kind":"{kind}","change":"{change}","count":{count}}}"#);
        notifications::send(CHANNEL, &payload);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_word_has_one_meaning() {
        assert!(YES.iter().all(|word| is_yes(word).is_ok_and(|yes| yes)));
        assert!(NO.iter().all(|word| is_yes(word).is_ok_and(|yes| !yes)));
    }

    proptest! {
        #[test]
        fn no_other_word_decides(word in any::<String>()) {
            prop_assume!(!YES.contains(&word.as_str()) && !NO.contains(&word.as_str()));
            prop_assert!(is_yes(&word).is_err());
        }
    }
}
