//! The row of the terms of a question, and who asked it.

use const_format::concatcp;
use pgrx::Uuid;

use crate::audit::identity::{Identity, PERSON, PERSON_OF_EVENT};
use crate::decisions::question::Question;
use crate::server::error::{Error, Kind};
use crate::server::plans;
use crate::server::rows;
use crate::server::statements::{self, Statement};

/// Who decides at a deadline.
pub const TIMEOUT: &str = "timeout";

/// The condition that the question with id $1 has no terms, up to its kind. A function that has locked what comes before
/// them decides such a question in one statement.
pub const HAS_NO_TERMS_AS: &str = "NOT EXISTS (SELECT FROM orchestrator.decision_terms AS o WHERE o.decision_id = $1 AND o.kind = ";

/// The terms of a question, which are locked until the transaction ends.
pub struct Terms {
    /// The person who calls.
    pub caller: String,
    /// Whether the caller asked the question and may not decide it.
    is_own: bool,
    pub assigned_to: Option<String>,
    /// Who claims the question at this time.
    pub claimed_by: Option<String>,
    claimed_until: Option<String>,
}

impl Terms {
    /// Locks the terms of a question; `None` if it has none.
    pub fn lock(kind: &str, id: Uuid) -> Result<Option<Terms>, Error> {
        static LOCK: Statement = Statement::new(concatcp!(
            "SELECT p.person, NOT t.requester_may_decide AND t.requested_as = p.person, t.assigned_to, \
                    CASE WHEN t.claimed_until > clock_timestamp() THEN t.claimed_by END, t.claimed_until::text \
             FROM orchestrator.decision_terms AS t, (SELECT ",
            PERSON,
            " AS person) AS p WHERE t.decision_id = $3 AND t.kind = $4 FOR UPDATE OF t"
        ));
        let arguments = Identity::of_the_caller().before([id.into(), kind.into()]);
        plans::by_index(|| {
            LOCK.update(&arguments, |rows| {
                rows::first(rows, |row| {
                    Ok(Terms {
                        caller: rows::value(row, 1, "session_user")?,
                        is_own: rows::value(row, 2, "decision_terms.requester_may_decide")?,
                        assigned_to: rows::optional(row, 3, "decision_terms.assigned_to")?,
                        claimed_by: rows::optional(row, 4, "decision_terms.claimed_by")?,
                        claimed_until: rows::optional(row, 5, "decision_terms.claimed_until")?,
                    })
                })
            })
        })
    }

    /// Errors: 42501 the caller asked the question and may not decide it.
    pub fn refuse_own_question(&self, question: &Question) -> Result<(), Error> {
        match self.is_own {
            true => Err(asked_by_voter(&self.caller, &question.kind, question.id)),
            false => Ok(()),
        }
    }

    /// Errors: 55000 somebody else has claimed the question.
    pub fn refuse_if_claimed_by_other(&self, question: &Question, name: &str) -> Result<(), Error> {
        match (&self.claimed_by, &self.claimed_until) {
            (Some(holder), Some(until)) if holder != name => {
                Err(claimed_by_other(&question.kind, question.id, holder, until))
            }
            _ => Ok(()),
        }
    }

    /// Locks the terms of a question, and writes some first that change nothing if it has none.
    pub fn lock_or_write(question: &Question) -> Result<Terms, Error> {
        static WRITE: Statement = Statement::new(
            "INSERT INTO orchestrator.decision_terms (decision_id, kind, approvals_needed, rejections_needed, requester_may_decide, requested_as) \
             VALUES ($1, $2, 1, 1, true, $3) ON CONFLICT (decision_id) DO NOTHING",
        );
        let (kind, id) = (question.kind.as_str(), question.id);
        if let Some(terms) = Terms::lock(kind, id)? {
            return Ok(terms);
        }
        let asked_as = asked_as(question)?.unwrap_or_default();
        WRITE.update(&[id.into(), kind.into(), asked_as.into()], |_| Ok(()))?;
        Terms::lock(kind, id)?.ok_or_else(|| {
            Error::no_row(format!("{kind} {id} could not be given terms"), "decision_terms")
        })
    }
}

/// The person who asked a question, as the server knows it; `None` if no event tells. The event has the time of the
/// question, which no event has that a caller records later.
pub fn asked_as(question: &Question) -> Result<Option<String>, Error> {
    static TERMS: Statement = Statement::new(
        "SELECT t.requested_as FROM orchestrator.decision_terms AS t WHERE t.decision_id = $1 AND t.kind = $2",
    );
    static EVENT: Statement = Statement::new(concatcp!(
        "SELECT ",
        PERSON_OF_EVENT,
        " FROM orchestrator.audit_events AS e \
          WHERE e.trace_id = $1 AND e.event_type = CASE $2 WHEN 'gate' THEN 'gate_opened' ELSE $2 || '_requested' END \
            AND e.metadata ->> ($2 || '_id') = $3::text \
            AND e.\"timestamp\" = CASE $2 WHEN 'gate' THEN (SELECT g.created_at FROM orchestrator.gates AS g WHERE g.id = $3) \
                WHEN 'review' THEN (SELECT q.created_at FROM orchestrator.human_review_queue AS q WHERE q.id = $3) \
                ELSE (SELECT a.created_at FROM orchestrator.approvals AS a WHERE a.id = $3) END \
          ORDER BY e.id LIMIT 1"
    ));
    let (kind, id) = (question.kind.as_str(), question.id);
    plans::by_index(|| {
        // Terms that a claim wrote name nobody if no event does. No person has an empty name.
        if let Some(known) = TERMS.update(&[id.into(), kind.into()], statements::one::<String>)? {
            return Ok(Some(known).filter(|known| !known.is_empty()));
        }
        let arguments = [question.trace_id().into(), kind.into(), id.into()];
        EVENT.update(&arguments, statements::one::<String>)
    })
}

/// Ends the claim of a question that is answered, if there is one.
pub fn end_claim(question: &Question) -> Result<(), Error> {
    static END: Statement = Statement::new(
        "UPDATE orchestrator.decision_terms AS t SET claimed_by = NULL, claimed_until = NULL \
         WHERE t.decision_id = $1 AND t.kind = $2 AND t.claimed_by IS NOT NULL",
    );
    let arguments = [question.id.into(), question.kind.as_str().into()];
    plans::by_index(|| END.update(&arguments, |_| Ok(())))
}

/// The person who calls, as the server knows it.
pub fn caller() -> Result<String, Error> {
    static CALLER: Statement = Statement::new(concatcp!("SELECT ", PERSON));
    let arguments = Identity::of_the_caller().before([]);
    CALLER.update(&arguments, |rows| rows::only(rows, "session_user"))
}

/// The error for a question that somebody else has claimed.
pub fn claimed_by_other(kind: &str, id: Uuid, holder: &str, until: &str) -> Error {
    Error::new(Kind::NotReady, format!("{kind} {id} is claimed by {holder} until {until}"))
        .hint("Wait for the answer, or for the end of the claim; its holder may call orchestrator.release_decision.")
}

/// The error for a vote of the one who asked.
pub fn asked_by_voter(person: &str, kind: &str, id: Uuid) -> Error {
    Error::new(Kind::Forbidden, format!("{person} asked {kind} {id} and may not decide it"))
        .detail("Its rule says so (requester_may_decide).")
        .hint("Somebody else decides; the one who asked may withdraw it with orchestrator.withdraw_decision.")
}
