//! Progress of a run: tokens, cost and files are added up, and the phase follows its state machine.

use pgrx::AnyNumeric;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::waiting::Work;
use super::{Row, Run, amounts};
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{arguments, numbers, rows};

/// Adds tokens, cost and files to a run, sets its phase, agent or error if given, and records
/// `run_progressed`.
///
/// `phase`, `current_agent`, `error`: NULL keeps the current value; `tokens`, `cost` (USD, rounded
/// to ten decimals) and `files` are added to those of the run. Returns: the row.
/// Errors: 22004, 22023 unknown phase, blank agent, a negative or too large number, P0002 unknown
/// thread, 55000 the run has ended, or its phase does not allow the step. Since 0.5.0;
/// replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
fn record_run_progress(
    thread_id: Option<&str>,
    phase: default!(Option<&str>, "NULL"),
    current_agent: default!(Option<&str>, "NULL"),
    tokens: default!(Option<i64>, "0"),
    cost: default!(Option<AnyNumeric>, "0"),
    files: default!(Option<Vec<Option<String>>>, "'{}'"),
    error: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    let progress = Progress::of(phase, current_agent, tokens, cost, files, error)?;
    let run = Run::lock_open(arguments::filled("thread_id", thread_id)?)?;
    Ok(progress.add_to(run)?)
}

/// Adds tokens, cost and files to a run, sets its phase, agent or error if given, and records
/// `run_progressed`. A run on hold takes reports, but no phase except failed: nothing of it is done
/// meanwhile. It cannot become complete while a question about it is open.
///
/// `phase`, `current_agent`, `error`: NULL keeps the current value; `tokens`, `cost` (USD, rounded
/// to ten decimals) and `files` are added to those of the run. Returns: the row.
/// Errors: 22004, 22023 unknown phase, blank agent, a negative or too large number, P0002 unknown
/// thread, 55000 the run has ended, its phase does not allow the step, or it is on hold, or
/// a question about it is open. Since 0.7.0.
#[pg_extern(sql = false, volatile)]
fn record_run_progress_0_7_0(
    thread_id: Option<&str>,
    phase: default!(Option<&str>, "NULL"),
    current_agent: default!(Option<&str>, "NULL"),
    tokens: default!(Option<i64>, "0"),
    cost: default!(Option<AnyNumeric>, "0"),
    files: default!(Option<Vec<Option<String>>>, "'{}'"),
    error: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    let progress = Progress::of(phase, current_agent, tokens, cost, files, error)?;
    Ok(progress.report(arguments::filled("thread_id", thread_id)?)?)
}

/// The form of `record_run_progress` for a float, which is taken as the shortest decimal that reads
/// back the same. Its arguments are given by name.
///
/// `phase`, `current_agent`, `error`: NULL keeps the current value; `tokens`, `cost` (USD, rounded
/// to ten decimals) and `files` are added to those of the run; `unused`: no value. Returns: the row.
/// Errors: 22004, 22023 unknown phase, blank agent, a negative or too large number, or a value for
/// `unused`, P0002 unknown thread, 55000 the run has ended, its phase does not allow the step, or it is
/// on hold, or a question about it is open. Since 0.7.3.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn record_run_progress_0_7_3_float(
    thread_id: Option<&str>,
    cost: Option<f64>,
    phase: default!(Option<&str>, "NULL"),
    tokens: default!(Option<i64>, "0"),
    unused: default!(Option<AnyNumeric>, "NULL"),
    files: default!(Option<Vec<Option<String>>>, "'{}'"),
    current_agent: default!(Option<&str>, "NULL"),
    error: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    // Each argument except cost has the type of the argument at its place in the form for numeric, so
    // that the server can tell the two apart in every call by place whose values have no types.
    if unused.is_some() {
        return Err(Error::new(Kind::InvalidValue, "argument \"unused\" takes no value")
            .hint("Give the arguments by name, such as cost => 0.5.")
            .into());
    }
    let cost = cost.map(numbers::decimal).transpose()?;
    let progress = Progress::of(phase, current_agent, tokens, cost, files, error)?;
    Ok(progress.report(arguments::filled("thread_id", thread_id)?)?)
}

/// The form of `record_run_progress` for a float in a call by place, which is taken as the shortest
/// decimal that reads back the same.
///
/// `phase`, `current_agent`, `error`: NULL keeps the current value; `tokens`, `cost_usd` (rounded to
/// ten decimals) and `files` are added to those of the run. Returns: the row.
/// Errors: 22004, 22023 unknown phase, blank agent, a negative or too large number, P0002 unknown
/// thread, 55000 the run has ended, its phase does not allow the step, or it is on hold, or
/// a question about it is open. Since 0.7.3.
#[pg_extern(sql = false, volatile)]
fn record_run_progress_0_7_3_float_by_place(
    thread_id: Option<&str>,
    phase: Option<&str>,
    current_agent: Option<&str>,
    tokens: Option<i64>,
    cost_usd: Option<f64>,
    files: default!(Option<Vec<Option<String>>>, "'{}'"),
    error: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    let cost = cost_usd.map(numbers::decimal).transpose()?;
    let progress = Progress::of(phase, current_agent, tokens, cost, files, error)?;
    Ok(progress.report(arguments::filled("thread_id", thread_id)?)?)
}

/// A checked report.
struct Progress<'a> {
    phase: Option<&'a str>,
    current_agent: Option<&'a str>,
    tokens: i64,
    cost: AnyNumeric,
    files: Vec<String>,
    error: Option<&'a str>,
}

impl<'a> Progress<'a> {
    fn of(
        phase: Option<&'a str>,
        current_agent: Option<&'a str>,
        tokens: Option<i64>,
        cost: Option<AnyNumeric>,
        files: Option<Vec<Option<String>>>,
        error: Option<&'a str>,
    ) -> Result<Self, Error> {
        let phase = phase
            .map(|phase| arguments::one_of("phase", phase, &lifecycle::states("run_phase")))
            .transpose()?;
        let current_agent = current_agent
            .map(|agent| arguments::filled("current_agent", Some(agent)))
            .transpose()?;
        let tokens = amounts::tokens(tokens)?;
        let cost = amounts::cost(cost)?;
        let files = amounts::texts("files", files)?;
        Ok(Progress { phase, current_agent, tokens, cost, files, error })
    }

    /// Adds the report to the run of a thread. A run that waits takes no phase but failed.
    fn report(self, thread_id: &str) -> Result<Row, Error> {
        let run = Run::lock_open(thread_id)?;
        match self.phase {
            None | Some("failed") => {}
            Some(phase) => {
                let work = Work(format!("phase {phase} cannot be reported"));
                if run.is_waiting()? {
                    return Err(run.waits(&work)?);
                }
                if phase == "complete" {
                    run.refuse_while_asked(&work)?;
                }
            }
        }
        self.add_to(run)
    }

    /// Adds the report to a locked run, and records it.
    fn add_to(self, run: Run) -> Result<Row, Error> {
        static ADD: Statement = Statement::new(
            "UPDATE orchestrator.orchestrator_runs AS r \
             SET phase = coalesce($2, r.phase), current_agent = coalesce($3, r.current_agent), \
                 tokens_used = r.tokens_used + $4, cost_usd = r.cost_usd + round($5, 10), \
                 files_created = r.files_created || $6, error = coalesce($7, r.error) \
             WHERE r.id = $1 AND r.tokens_used <= 9223372036854775807 - $4 \
               AND r.cost_usd + round($5, 10) < 100000000 \
             RETURNING r, coalesce(r.current_agent, 'system'), \
                 jsonb_strip_nulls(jsonb_build_object('thread_id', r.thread_id, 'phase', r.phase, \
                     'tokens', $4, 'cost', $5, 'files', to_jsonb($6), 'error', $7))",
        );
        if let (Some(phase), Some(state)) = (self.phase, lifecycle::state("run_phase", &run.phase))
            && !state.allows(phase)
        {
            return Err(Error::new(
                Kind::NotReady,
                format!(
                    "the run of thread \"{}\" cannot go from \"{}\" to \"{phase}\"",
                    run.thread_id, run.phase
                ),
            )
            .hint(state.allowed_in_words()));
        }
        let arguments = [
            run.id.into(),
            self.phase.into(),
            self.current_agent.into(),
            self.tokens.into(),
            self.cost.into(),
            self.files.into(),
            self.error.into(),
        ];
        let added = ADD.update(&arguments, |rows| {
            rows::first(rows, |row| {
                let run = rows::value::<Row>(row, 1, "orchestrator_runs.id")?;
                let agent = rows::value::<String>(row, 2, "orchestrator_runs.current_agent")?;
                Ok((run, agent, rows::value(row, 3, "orchestrator_runs.id")?))
            })
        })?;
        let Some((row, agent, metadata)) = added else {
            let [id, _, _, tokens, cost, ..] = arguments;
            return Err(not_added(&run, &[id, tokens, cost])?);
        };
        run.record_as(&agent, "run_progressed", metadata)?;
        Ok(row)
    }
}

impl Run {
    /// Adds the tokens and the cost of a call to the locked run, whatever its state.
    ///
    /// Errors: 22023 a sum would be too large, 55000 the run could not be changed.
    pub fn add_usage(&self, tokens: i64, cost: AnyNumeric) -> Result<(), Error> {
        static ADD: Statement = Statement::new(
            "UPDATE orchestrator.orchestrator_runs AS r \
             SET tokens_used = r.tokens_used + $2, cost_usd = r.cost_usd + round($3, 10) \
             WHERE r.id = $1 AND r.tokens_used <= 9223372036854775807 - $2 \
               AND r.cost_usd + round($3, 10) < 100000000 RETURNING r.id",
        );
        let sum = [self.id.into(), tokens.into(), cost.into()];
        match ADD.update(&sum, |rows| Ok(rows.is_empty()))? {
            false => Ok(()),
            true => Err(not_added(self, &sum)?),
        }
    }

    /// The error for tokens or a cost that the run cannot hold.
    pub fn too_much(&self) -> Error {
        let message =
            format!("the tokens or the cost of thread \"{}\" would be too large", self.thread_id);
        Error::new(Kind::InvalidValue, message)
            .detail("A run holds up to 9223372036854775807 tokens and less than 100000000 USD.")
    }
}

/// The reason why nothing was added to a locked run; `sum`: its id, and the tokens and the cost to add.
fn not_added(run: &Run, sum: &[DatumWithOid<'_>; 3]) -> Result<Error, Error> {
    static FITS: Statement = Statement::new(
        "SELECT r.tokens_used <= 9223372036854775807 - $2 AND r.cost_usd + round($3, 10) < 100000000 \
         FROM orchestrator.orchestrator_runs AS r WHERE r.id = $1",
    );
    let fits = FITS.update(sum, |rows| {
        rows::only::<bool>(rows, "orchestrator_runs.tokens_used or cost_usd")
    })?;
    Ok(if fits { run.not_written() } else { run.too_much() })
}
