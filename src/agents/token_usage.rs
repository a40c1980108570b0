//! Token usage: one row per call of a language model. `record_token_usage` records one call; many
//! calls are inserted into orchestrator.llm_token_usage in bulk.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};

use crate::agents::amounts::{count, moment};
use crate::agents::budgets::charge::{charge, lock_tables};
use crate::agents::budgets::{self, Scope};
use crate::agents::pricing;
use crate::runs::Run;
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, repeats, statements};

/// Records a call of a language model.
///
/// `model`: its name in orchestrator.llm_pricing; `input_tokens`, `output_tokens`: not negative;
/// `project_id`, `agent_id`: NULL for none; `at`: the time of the call.
/// Returns: the id of the row.
/// Errors: 22004, 22023 blank or overlong name, negative count, or an infinite time. Since 0.2.3;
/// replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
fn record_token_usage(
    model: Option<&str>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    project_id: default!(Option<Uuid>, "NULL"),
    agent_id: default!(Option<&str>, "NULL"),
    at: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<Uuid, ErrorReport> {
    static INSERT: Statement = Statement::new(
        "INSERT INTO orchestrator.llm_token_usage (model, input_tokens, output_tokens, project_id, agent_id, \"timestamp\") \
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
    );
    let call = Call::of(model, input_tokens, output_tokens, project_id, agent_id, at)?;
    let id = INSERT.update(&call.parameters(), statements::one::<Uuid>)?;
    Ok(id.ok_or_else(not_recorded)?)
}

/// Records a call of a language model. If it names a run, adds its tokens, and its cost by the price
/// in force on its UTC day, to the run in the same transaction: also to a run that is on hold or has
/// ended, because the money was spent. A model without a price adds tokens alone.
///
/// `model`: its name in orchestrator.llm_pricing; `input_tokens`, `output_tokens`: not negative;
/// `project_id`, `agent_id`: NULL for none; `at`: the time of the call; `thread_id`: the run, NULL
/// for none; `task_id`: the task, NULL for none, not checked; `call_id`: the caller's or the
/// provider's id of the call, 500 characters at most. A second call with the same id and the same
/// content returns the first row and adds nothing; the time is not compared.
/// Returns: the id of the row.
/// Errors: 22004, 22023 blank or overlong name, negative count, an infinite time, or a sum that is
/// too large for the run, 23505 the call_id was used with other content, P0002 the thread has no
/// run. Since 0.7.0; replaced in 0.9.0.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn record_token_usage_0_7_0(
    model: Option<&str>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    project_id: default!(Option<Uuid>, "NULL"),
    agent_id: default!(Option<&str>, "NULL"),
    at: default!(Option<TimestampWithTimeZone>, "now()"),
    thread_id: default!(Option<&str>, "NULL"),
    task_id: default!(Option<Uuid>, "NULL"),
    call_id: default!(Option<&str>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    let call = Call::of(model, input_tokens, output_tokens, project_id, agent_id, at)?;
    Ok(record_for_run(call, thread_id, task_id, call_id, |call| {
        pricing::cost(call.model, call.input_tokens, call.output_tokens, call.at)
    })?)
}

/// The same, with the cost by the price in force at the time of the call. `record_llm_call` also knows other kinds of
/// tokens.
///
/// The arguments, the result and the errors are those of the form before. Since 0.9.0.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn record_token_usage_0_9_0(
    model: Option<&str>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    project_id: default!(Option<Uuid>, "NULL"),
    agent_id: default!(Option<&str>, "NULL"),
    at: default!(Option<TimestampWithTimeZone>, "now()"),
    thread_id: default!(Option<&str>, "NULL"),
    task_id: default!(Option<Uuid>, "NULL"),
    call_id: default!(Option<&str>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    let call = Call::of(model, input_tokens, output_tokens, project_id, agent_id, at)?;
    Ok(record_for_run(call, thread_id, task_id, call_id, |call| {
        let priced = pricing::Call {
            model: call.model,
            service_tier: pricing::STANDARD,
            tokens: [call.input_tokens, call.output_tokens, 0, 0, 0, 0],
            units: &Document::empty_object(),
            at: call.at,
        };
        priced.cost()
    })?)
}

/// Records a call, and adds its tokens and its cost to its run.
fn record_for_run(
    call: Call<'_>,
    thread_id: Option<&str>,
    task_id: Option<Uuid>,
    call_id: Option<&str>,
    cost: impl FnOnce(&Call<'_>) -> Result<Option<AnyNumeric>, Error>,
) -> Result<Uuid, Error> {
    static INSERT: Statement = Statement::new(
        "INSERT INTO orchestrator.llm_token_usage \
             (model, input_tokens, output_tokens, project_id, agent_id, \"timestamp\", thread_id, task_id, call_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (call_id) WHERE call_id IS NOT NULL DO NOTHING RETURNING id",
    );
    let thread_id = thread_id.map(|id| arguments::filled("thread_id", Some(id))).transpose()?;
    let call_id = call_id.map(|id| arguments::name("call_id", Some(id))).transpose()?;
    let [model, input, output, project, agent, at] = call.parameters();
    let known = [
        call_id.into(),
        call.model.into(),
        call.input_tokens.into(),
        call.output_tokens.into(),
        call.project_id.into(),
        call.agent_id.into(),
        thread_id.into(),
        task_id.into(),
    ];
    lock_tables();
    // A report that is repeated is answered without the run, which may have another name by now.
    if let Some(call_id) = call_id
        && let Some(id) = recorded_before(call_id, &known)?
    {
        return Ok(id);
    }
    let run = thread_id.map(Run::lock).transpose()?;
    let parameters = [
        model,
        input,
        output,
        project,
        agent,
        at,
        thread_id.into(),
        task_id.into(),
        call_id.into(),
    ];
    let Some(id) = INSERT.update(&parameters, statements::one::<Uuid>)? else {
        let first = call_id.map(|call_id| recorded_before(call_id, &known)).transpose()?;
        return first.flatten().ok_or_else(not_recorded);
    };
    let is_charged = budgets::exist();
    if run.is_some() || is_charged {
        let cost = cost(&call)?;
        if let Some(run) = &run {
            call.add_to(run, cost.clone())?;
        }
        if is_charged {
            let Call { project_id, at, .. } = call;
            // Budgets have names without spaces around them.
            let agent_id = call.agent_id.map(str::trim);
            let scope = Scope { project_id, agent_id, thread_id, subject: None };
            charge(scope, run.as_ref(), at, cost, None)?;
        }
    }
    Ok(id)
}

/// The row of a call that was recorded before, if there is one.
///
/// Errors: 23505 its content differs.
fn recorded_before(call_id: &str, known: &[DatumWithOid<'_>; 8]) -> Result<Option<Uuid>, Error> {
    static FIRST: Statement = Statement::new(include_str!("recorded_before.sql"));
    repeats::first(&FIRST, known, |id, names| {
        Error::new(
            Kind::Duplicate,
            format!("call_id \"{call_id}\" was already recorded with other content"),
        )
        .detail(format!("The row {id} has this call_id and differs in {names}."))
        .hint("Repeat the first report unchanged, or give another call an id of its own.")
    })
}

fn not_recorded() -> Error {
    Error::no_row("the token usage could not be recorded", "llm_token_usage")
}

/// A checked call.
struct Call<'a> {
    model: &'a str,
    input_tokens: i64,
    output_tokens: i64,
    project_id: Option<Uuid>,
    agent_id: Option<&'a str>,
    at: TimestampWithTimeZone,
}

impl<'a> Call<'a> {
    fn of(
        model: Option<&'a str>,
        input_tokens: Option<i64>,
        output_tokens: Option<i64>,
        project_id: Option<Uuid>,
        agent_id: Option<&'a str>,
        at: Option<TimestampWithTimeZone>,
    ) -> Result<Self, Error> {
        Ok(Call {
            model: arguments::name("model", model)?,
            input_tokens: count("input_tokens", input_tokens)?,
            output_tokens: count("output_tokens", output_tokens)?,
            project_id,
            agent_id: agent_id.map(|agent| arguments::name("agent_id", Some(agent))).transpose()?,
            at: moment("at", at)?,
        })
    }

    /// The parameters $1 to $6 of the inserting statements.
    fn parameters(&self) -> [DatumWithOid<'a>; 6] {
        [
            self.model.into(),
            self.input_tokens.into(),
            self.output_tokens.into(),
            self.project_id.into(),
            self.agent_id.into(),
            self.at.into(),
        ]
    }

    /// Adds its tokens and its cost to a locked run.
    fn add_to(&self, run: &Run, cost: Option<AnyNumeric>) -> Result<(), Error> {
        let tokens = self.input_tokens.checked_add(self.output_tokens);
        let tokens = tokens.ok_or_else(|| run.too_much())?;
        run.add_usage(tokens, cost.unwrap_or_else(|| AnyNumeric::from(0)))
    }
}
