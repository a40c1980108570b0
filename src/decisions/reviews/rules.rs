//! The consequence of a resolved review for its run. The rules differ by version: until 0.6.0 only
//! reviews are questions about a run, and an approval may lift a pause. Since 0.7.3 the caller who made
//! a decision may repeat it. Since 0.8.0 reviews may have terms.

use std::collections::HashSet;

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::spi::SpiTupleTable;

use super::resolution::Resolution;
use crate::runs::{self, Run, waiting};
use crate::server::arguments;
use crate::server::error::Error;
use crate::server::rows;
use crate::server::statements::Statement;

/// The rules of a version, with the statements by which an approval lets runs go on.
pub struct Rules {
    /// Lets the runs with the ids $1 go on that wait for nothing else, and returns them.
    free: Statement,
    /// The number of the runs with the ids $1 that wait for nothing else.
    count_free: Statement,
    /// Whether the caller who made a decision may repeat it.
    pub repeats: bool,
    /// Whether reviews may have terms.
    pub has_terms: bool,
}

const HAS_NO_REVIEW: &str = "NOT EXISTS (SELECT FROM orchestrator.human_review_queue AS o \
     WHERE o.thread_id = r.thread_id AND o.status IS NOT DISTINCT FROM 'pending')";

const RETURNED: &str = concatcp!(" RETURNING ", runs::COLUMNS);

const COUNT: &str =
    "SELECT count(*) FROM orchestrator.orchestrator_runs AS r WHERE r.id = ANY ($1) AND ";

/// A run on hold resumes, unless it was paused and no review was requested since: the approved
/// reviews are older than the pause and do not concern it. The order of events is that of their ids,
/// which grow, because each was recorded under a lock of the run.
pub static SINCE_0_5_0: Rules = Rules {
    free: Statement::new(concatcp!(
        "UPDATE orchestrator.orchestrator_runs AS r SET requires_human_review = false, \
             gate_status = CASE WHEN r.gate_status IS DISTINCT FROM 'hold' \
                 OR (SELECT (array_agg(e.event_type ORDER BY e.id DESC))[1] FROM orchestrator.audit_events AS e \
                     WHERE e.trace_id = r.id \
                       AND array_position(ARRAY['run_paused', 'run_resumed', 'review_requested'], e.event_type) IS NOT NULL) \
                    IS NOT DISTINCT FROM 'run_paused' \
                 THEN r.gate_status ELSE 'go' END WHERE r.id = ANY ($1) AND ",
        HAS_NO_REVIEW,
        RETURNED
    )),
    count_free: Statement::new(concatcp!(COUNT, HAS_NO_REVIEW)),
    repeats: false,
    has_terms: false,
};

pub static SINCE_0_7_0: Rules = Rules::of_all_questions(false, false);

pub static SINCE_0_7_3: Rules = Rules::of_all_questions(true, false);

pub static SINCE_0_8_0: Rules = Rules::of_all_questions(true, true);

impl Rules {
    /// A run on hold resumes when its last question is decided, unless it is paused.
    const fn of_all_questions(repeats: bool, has_terms: bool) -> Rules {
        Rules {
            free: Statement::new(concatcp!(
                "UPDATE orchestrator.orchestrator_runs AS r SET requires_human_review = false, gate_status = ",
                waiting::RELEASED,
                " WHERE r.id = ANY ($1) AND ",
                waiting::HAS_NO_QUESTION,
                RETURNED
            )),
            count_free: Statement::new(concatcp!(COUNT, waiting::HAS_NO_QUESTION)),
            repeats,
            has_terms,
        }
    }

    /// Lets runs go on after an approval, or kills them after a rejection, and returns those that
    /// have changed. The rows of the others are written without a change. The caller has locked them
    /// all; none of them has ended.
    ///
    /// Errors: 55000 a run could not be changed.
    pub fn conclude(
        &'static self,
        runs: &[&Run],
        resolution: &Resolution<'_>,
    ) -> Result<Vec<Run>, Error> {
        static KILL: Statement = Statement::new(concatcp!(
            "UPDATE orchestrator.orchestrator_runs AS r \
             SET gate_status = 'kill', phase = 'failed', error = $2 WHERE r.id = ANY ($1)",
            RETURNED
        ));
        let ids: Vec<Uuid> = runs.iter().map(|run| run.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let changed = if resolution.approves() {
            self.free.update(&[ids.into()], read)?
        } else {
            KILL.update(&[ids.into(), resolution.error().into()], read)?
        };
        let changed: Vec<_> = changed.into_iter().flatten().collect();
        let concluded: HashSet<_> = changed.iter().map(|run| *run.id.as_bytes()).collect();
        let is_waiting = |run: &&&Run| !concluded.contains(run.id.as_bytes());
        let waiting: Vec<&Run> = runs.iter().filter(is_waiting).copied().collect();
        if !waiting.is_empty() {
            let ids: Vec<Uuid> = waiting.iter().map(|run| run.id).collect();
            if !resolution.approves() || self.is_any_free(ids.clone())? {
                return Err(not_changed(&waiting));
            }
            Run::write(ids)?;
        }
        Ok(changed)
    }

    /// Whether any of these runs waits for nothing. An approval has not changed them, so each should
    /// wait for another question.
    fn is_any_free(&'static self, ids: Vec<Uuid>) -> Result<bool, Error> {
        Ok(self.count_free.update(&[ids.into()], |rows| rows::only::<i64>(rows, "count"))? > 0)
    }
}

fn not_changed(runs: &[&Run]) -> Error {
    match runs {
        [run] => run.not_written(),
        runs => {
            let runs = arguments::counted(runs.len() as i64, "run");
            Error::no_row(format!("{runs} could not be changed"), "orchestrator_runs")
        }
    }
}

fn read(rows: SpiTupleTable<'_>) -> Result<Vec<Option<Run>>, Error> {
    rows::each(rows, Run::read)
}
