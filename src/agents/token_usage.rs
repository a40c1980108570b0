//! Token usage: one row per call of a language model. `record_token_usage` records one call; many
//! calls are inserted into orchestrator.llm_token_usage in bulk.

use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::server::error::{Error, Kind, required};
use crate::server::statements::Statement;
use crate::server::{arguments, statements};

/// Records a call of a language model.
///
/// `model`: its name in orchestrator.llm_pricing; `input_tokens`, `output_tokens`: not negative;
/// `project_id`, `agent_id`: NULL for none; `at`: the time of the call.
/// Returns: the id of the row.
/// Errors: 22004, 22023 blank or overlong name, negative count, or an infinite time. Since 0.2.3.
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
    let model = arguments::name("model", model)?;
    let input_tokens = count("input_tokens", input_tokens)?;
    let output_tokens = count("output_tokens", output_tokens)?;
    let agent_id =
        agent_id.map(|agent_id| arguments::name("agent_id", Some(agent_id))).transpose()?;
    let at = moment("at", at)?;
    let arguments = [
        model.into(),
        input_tokens.into(),
        output_tokens.into(),
        project_id.into(),
        agent_id.into(),
        at.into(),
    ];
    let id = INSERT.update(&arguments, statements::one::<Uuid>)?;
    Ok(id
        .ok_or_else(|| Error::no_row("the token usage could not be recorded", "llm_token_usage"))?)
}

/// A number of tokens.
///
/// Errors: 22004, 22023 negative.
pub fn count(argument: &str, value: Option<i64>) -> Result<i64, Error> {
    let value = required(argument, value)?;
    if value < 0 {
        return Err(Error::new(Kind::InvalidValue, format!("{argument} {value} is negative")));
    }
    Ok(value)
}

/// A finite point in time.
///
/// Errors: 22004, 22023 infinity.
pub fn moment(
    argument: &str,
    value: Option<TimestampWithTimeZone>,
) -> Result<TimestampWithTimeZone, Error> {
    let value = required(argument, value)?;
    if value.is_infinity() || value.is_neg_infinity() {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("argument \"{argument}\" must be a finite time"),
        ));
    }
    Ok(value)
}
