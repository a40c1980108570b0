//! Votes about questions with terms. A person votes once, and may change the vote while the question is
//! open. The vote that reaches the number decides.

use std::cell::RefCell;

use const_format::concatcp;
use pgrx::AllocatedByPostgres;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{PgTriggerOperation, Uuid};
use serde_json::json;

use super::row::{Terms, asked_by_voter, claimed_by_other};
use crate::audit::identity::{Identity, PERSON};
use crate::decisions::question::Question;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::{self, Statement};
use crate::server::triggers::{by_key, of, takes_history};
use crate::server::{backend_state, plans, rows, trigger_depth};

/// A vote, in the words of table `decision_votes`.
pub struct Vote<'a> {
    /// approved, rejected or changes_requested.
    pub vote: &'static str,
    pub voter: &'a str,
    pub notes: Option<&'a str>,
}

/// The consequence of a vote.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The question is decided already, so that nothing was cast.
    Late,
    /// More votes are needed.
    Open,
    /// The number is reached.
    Decides,
}

/// The answer of a review or approval, and the vote, that asks for changes.
pub const CHANGES_REQUESTED: &str = "changes_requested";

impl<'a> Vote<'a> {
    /// The vote for a status that a question gets.
    pub fn of(status: &str, voter: &'a str, notes: Option<&'a str>) -> Self {
        let vote = match status {
            "approved" => "approved",
            CHANGES_REQUESTED => CHANGES_REQUESTED,
            _ => "rejected",
        };
        Vote { vote, voter, notes }
    }

    /// Casts the vote under the terms, which are locked.
    ///
    /// Errors: 42501 the one who asked may not decide, 55000 somebody else has claimed the question.
    pub fn cast(&self, kind: &str, id: Uuid, terms: &Terms) -> Result<Outcome, Error> {
        match Question::of_kind(kind, id)? {
            Some(question) if question.is_open() => {
                terms.refuse_own_question(&question)?;
                if let Err(claimed) = terms.refuse_if_claimed_by_other(&question, self.voter) {
                    // A vote that was cast before changes nothing, whoever works on the answer.
                    return if was_cast(id, self)? { Ok(Outcome::Open) } else { Err(claimed) };
                }
                plans::by_index(|| self.count(&question, terms))
            }
            _ => Ok(Outcome::Late),
        }
    }

    /// Writes the vote, and counts it. The own vote is not among those that the statement reads.
    fn count(&self, question: &Question, terms: &Terms) -> Result<Outcome, Error> {
        static CAST: Statement = Statement::new(include_str!("cast.sql"));
        let Vote { vote, voter, notes } = *self;
        let voted_as = terms.caller.as_str();
        let arguments =
            [question.id.into(), voted_as.into(), voter.into(), vote.into(), notes.into()];
        let cast = casting(question.id, voted_as, vote, || {
            CAST.update(&arguments, |rows| {
                rows::first(rows, |row| {
                    let is_new = rows::optional::<bool>(row, 1, "decision_votes.vote")?;
                    let before = rows::optional::<String>(row, 2, "decision_votes.vote")?;
                    let votes = rows::value::<i64>(row, 3, "count")?;
                    let needed = rows::value::<i64>(row, 4, "decision_terms.approvals_needed")?;
                    Ok((is_new.is_some(), before, votes, needed))
                })
            })
        })?;
        let Some((is_new, before, votes, needed)) = cast else {
            return Err(Error::no_row("the vote could not be counted", "decision_terms"));
        };
        if is_new {
            let mut facts = json!({
                "vote": vote, "voter": voter, "voted_as": voted_as, "votes": votes, "votes_needed": needed,
            });
            if let Some(before) = before {
                facts["was"] = json!(before);
            }
            if let Some(notes) = notes {
                facts["notes"] = json!(notes);
            }
            question.record("decision_voted", voter, facts)?;
        }
        Ok(if votes >= needed { Outcome::Decides } else { Outcome::Open })
    }
}

/// A vote that a function casts as the terms allow.
struct Casting {
    transaction: pg_sys::TransactionId,
    /// The number of triggers around the statement.
    depth: i32,
    id: Uuid,
    voted_as: String,
    vote: &'static str,
}

thread_local! {
    static CASTING: RefCell<Option<Casting>> = const { RefCell::new(None) };
}

/// Whether a row is the vote that a function casts. A trigger of a user may have changed it on the way.
fn is_casting(ballot: &Ballot) -> bool {
    CASTING.with_borrow(|casting| {
        casting.as_ref().is_some_and(|casting| {
            backend_state::transaction() == casting.transaction
                && trigger_depth::now() == casting.depth + 1
                && ballot.id == casting.id
                && ballot.voted_as.as_deref() == Some(casting.voted_as.as_str())
                && ballot.vote.as_deref() == Some(casting.vote)
        })
    })
}

/// Runs `work`, the statement that casts a vote. An error ends it, and the next vote replaces what is left here.
fn casting<R>(id: Uuid, voted_as: &str, vote: &'static str, work: impl FnOnce() -> R) -> R {
    let casting = Casting {
        transaction: backend_state::transaction(),
        depth: trigger_depth::now(),
        id,
        voted_as: voted_as.to_owned(),
        vote,
    };
    CASTING.set(Some(casting));
    let done = work();
    CASTING.set(None);
    done
}

/// Whether the caller has cast this vote before, with the same notes or none.
pub fn was_cast(id: Uuid, vote: &Vote<'_>) -> Result<bool, Error> {
    static CAST: Statement = Statement::new(concatcp!(
        "SELECT true FROM orchestrator.decision_votes AS v WHERE v.decision_id = $3 AND v.voted_as = ",
        PERSON,
        " AND v.vote = $4 AND v.voter = $5 AND ($6 IS NULL OR v.notes = $6)"
    ));
    let arguments = Identity::of_the_caller().before([
        id.into(),
        vote.vote.into(),
        vote.voter.into(),
        vote.notes.into(),
    ]);
    let cast = plans::by_index(|| CAST.update(&arguments, statements::one::<bool>))?;
    Ok(cast.is_some())
}

/// BEFORE INSERT, UPDATE or DELETE row trigger of decision_votes: each person votes as itself, while the question
/// is open and nobody else has claimed it, unless the person asked and may not decide. No vote is deleted. It does
/// nothing in an extension script, and no dump is checked while it is restored.
///
/// Errors: 42501 the vote of somebody else, a deletion, or the one who asked may not decide, 55000 there are no
/// terms, the question is decided, or somebody else has claimed it. Since 0.8.0.
#[pg_trigger(sql = false)]
fn enforce_votes<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let operation = trigger.op()?;
    if matches!(operation, PgTriggerOperation::Delete | PgTriggerOperation::Truncate) {
        ErrorReport::from(kept("decision_votes")).report(PgLogLevel::ERROR);
    }
    let new = trigger.new();
    if let Some(new) = &new
        && !takes_history(trigger)
    {
        by_key(trigger, || {
            let ballot = Ballot::of(new)?;
            if is_casting(&ballot) {
                return Ok(());
            }
            if let Some(old) = trigger.old() {
                let before = Ballot::of(&old)?;
                if before.id.as_bytes() != ballot.id.as_bytes()
                    || before.voted_as != ballot.voted_as
                {
                    return Err(kept("decision_votes"));
                }
            }
            ballot.check()
        });
    }
    Ok(new)
}

/// BEFORE DELETE or TRUNCATE statement trigger of decision_terms and decision_votes: refuses the statement, for
/// every role.
///
/// Errors: 42501. Since 0.8.0.
#[pg_trigger(sql = false)]
fn enforce_frozen_terms<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    if !backend_state::in_script() {
        ErrorReport::from(kept(&trigger.table_name()?)).report(PgLogLevel::ERROR);
    }
    Ok(None)
}

/// The error for a change of rows that are kept.
fn kept(table: &str) -> Error {
    Error::new(Kind::Forbidden, format!("rows of orchestrator.{table} are kept as they are"))
        .detail("They prove by whom and on which terms a question was decided.")
        .hint("A voter changes the vote with orchestrator.decide while the question is open.")
}

/// A row of the table.
struct Ballot {
    id: Uuid,
    voter: String,
    voted_as: Option<String>,
    vote: Option<String>,
}

impl Ballot {
    fn of(row: &PgHeapTuple<'_, impl pgrx::WhoAllocated>) -> Result<Ballot, Error> {
        Ok(Ballot {
            id: required("decision_id", of::<Uuid>(row, "decision_id")?)?,
            voter: required("voter", of::<String>(row, "voter")?)?,
            voted_as: of::<String>(row, "voted_as")?,
            vote: of::<String>(row, "vote")?,
        })
    }

    fn check(&self) -> Result<(), Error> {
        static TERMS: Statement = Statement::new(concatcp!(
            "SELECT p.person, t.kind, NOT t.requester_may_decide AND t.requested_as = p.person, \
                    CASE WHEN t.claimed_until > clock_timestamp() AND t.claimed_by <> $4 THEN t.claimed_by END, t.claimed_until::text \
             FROM (SELECT ",
            PERSON,
            " AS person) AS p LEFT JOIN LATERAL ( \
                 SELECT o.* FROM orchestrator.decision_terms AS o WHERE o.decision_id = $3 FOR UPDATE) AS t ON true"
        ));
        let id = self.id;
        let arguments = Identity::of_the_caller().before([id.into(), self.voter.as_str().into()]);
        let found = TERMS.update(&arguments, |rows| {
            rows::first(rows, |row| {
                let person = rows::value::<String>(row, 1, "session_user")?;
                let kind = rows::optional::<String>(row, 2, "decision_terms.kind")?;
                let is_own = rows::optional::<bool>(row, 3, "decision_terms.requested_as")?;
                let claimed = rows::optional::<String>(row, 4, "decision_terms.claimed_by")?;
                let until = rows::optional::<String>(row, 5, "decision_terms.claimed_until")?;
                Ok((person, kind, is_own == Some(true), claimed.zip(until)))
            })
        })?;
        let Some((person, Some(kind), is_own, claimed)) = found else {
            return Err(Error::new(Kind::NotReady, format!("decision {id} takes no votes"))
                .detail("No rule stood when it was asked, so one answer decides it.")
                .hint("Call orchestrator.decide."));
        };
        if self.voted_as.as_deref() != Some(person.as_str()) {
            return Err(Error::new(
                Kind::Forbidden,
                format!("a vote of {person} cannot be cast as somebody else"),
            )
            .hint("Call orchestrator.decide, which records who votes."));
        }
        let question = Question::of_kind(&kind, id)?
            .ok_or_else(|| Error::new(Kind::NotReady, format!("{kind} {id} no longer exists")))?;
        question.refuse_if_decided()?;
        if is_own {
            return Err(asked_by_voter(&person, &kind, id));
        }
        match claimed {
            Some((holder, until)) => Err(claimed_by_other(&kind, id, &holder, &until)),
            None => Ok(()),
        }
    }
}
