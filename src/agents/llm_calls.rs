//! Calls of language models with every kind of token. No token is in two columns: what a provider counts inclusively is
//! taken apart on the way in.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};

use crate::agents::amounts::{count, is_usd, moment, usd};
use crate::agents::budgets::charge::{charge, lock_tables};
use crate::agents::budgets::{self, Scope};
use crate::agents::pricing;
use crate::runs::Run;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::{self, Document};
use crate::server::numbers::decimal;
use crate::server::statements::Statement;
use crate::server::{arguments, packed, repeats, statements};

/// The most tokens of a kind besides input and output, so that the whole input of a call is a bigint.
const MOST_TOKENS: i64 = 1_000_000_000_000_000_000;

/// Records a call of a language model. If it names a run, adds its tokens and its cost to the run in the same
/// transaction: the cost that the provider reported, else that by the price in force. A call without a price adds tokens
/// alone.
///
/// `model`: its name, without spaces around it; `input_tokens` to `reasoning_tokens`: not negative, each token in one of
/// them; `units`: what else the provider charges for, numbers by name; `service_tier`: the tier that the price names;
/// `inclusive`: whether input_tokens also count those of the cache, and output_tokens those of reasoning: they are
/// subtracted; `call_id`: the caller's or the provider's id of the call, 500 characters at most: a second call with it and
/// the same content returns the first row, and the time is not compared; `project_id`, `agent_id`, `thread_id` (the run),
/// `task_id`, `prompt_id`, `subject` (who is charged): NULL for none; `at`: the time of the call; `reported_cost`: USD
/// that the provider says, NULL for none; `reservation_id`: the reservation that the call settles, NULL for none. Its cost is added to every budget that is about
/// the call; without a cost the reservation counts.
/// Returns: the id of the row.
/// Errors: 22004, 22023 blank or overlong name, a negative number, a rest below zero, units of another form, an infinite
/// time, or a sum that is too large for the run, 23505 the call_id was used with other content, P0002 the thread has no
/// run, or there is no such reservation. Since 0.9.0.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn record_llm_call(
    model: Option<&str>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cache_read_tokens: default!(Option<i64>, "0"),
    cache_write_tokens: default!(Option<i64>, "0"),
    cache_write_1h_tokens: default!(Option<i64>, "0"),
    reasoning_tokens: default!(Option<i64>, "0"),
    units: default!(Option<Document>, "'{}'"),
    service_tier: default!(Option<&str>, "'standard'"),
    inclusive: default!(Option<bool>, "false"),
    call_id: default!(Option<&str>, "NULL"),
    project_id: default!(Option<Uuid>, "NULL"),
    agent_id: default!(Option<&str>, "NULL"),
    thread_id: default!(Option<&str>, "NULL"),
    task_id: default!(Option<Uuid>, "NULL"),
    prompt_id: default!(Option<Uuid>, "NULL"),
    subject: default!(Option<&str>, "NULL"),
    at: default!(Option<TimestampWithTimeZone>, "now()"),
    reported_cost: default!(Option<AnyNumeric>, "NULL"),
    reservation_id: default!(Option<Uuid>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    let mut tokens = [
        count("input_tokens", input_tokens)?,
        count("output_tokens", output_tokens)?,
        part("cache_read_tokens", cache_read_tokens)?,
        part("cache_write_tokens", cache_write_tokens)?,
        part("cache_write_1h_tokens", cache_write_1h_tokens)?,
        part("reasoning_tokens", reasoning_tokens)?,
    ];
    if inclusive.unwrap_or(false) {
        let [input, output, cache_read, cache_write, cache_write_1h, reasoning] = tokens;
        tokens[0] = rest("input_tokens", input, cache_read + cache_write + cache_write_1h)?;
        tokens[1] = rest("output_tokens", output, reasoning)?;
    }
    let call = Call {
        model: arguments::trimmed("model", Some(required("model", model)?))?.unwrap_or_default(),
        tokens,
        units: numbers(units)?,
        service_tier: arguments::trimmed(
            "service_tier",
            Some(service_tier.unwrap_or(pricing::STANDARD)),
        )?
        .unwrap_or_default(),
        call_id: call_id.map(|id| arguments::name("call_id", Some(id))).transpose()?,
        project_id,
        agent_id: arguments::trimmed("agent_id", agent_id)?,
        thread_id: thread_id.map(|id| arguments::filled("thread_id", Some(id))).transpose()?,
        task_id,
        prompt_id,
        subject: arguments::trimmed("subject", subject)?,
        at: moment("at", at)?,
        reported_cost: reported_cost.map(|cost| usd("reported_cost", Some(cost))).transpose()?,
        reservation_id,
    };
    Ok(call.record()?)
}

/// The form of `record_llm_call` for a reported cost that is a float, for calls by name. It is taken as the shortest
/// decimal that reads back the same.
///
/// The arguments, the result and the errors are those of the form for numeric. Since 0.9.0.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn record_llm_call_0_9_0_float(
    reported_cost: Option<f64>,
    model: Option<&str>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cache_read_tokens: default!(Option<i64>, "0"),
    cache_write_tokens: default!(Option<i64>, "0"),
    cache_write_1h_tokens: default!(Option<i64>, "0"),
    reasoning_tokens: default!(Option<i64>, "0"),
    units: default!(Option<Document>, "'{}'"),
    service_tier: default!(Option<&str>, "'standard'"),
    inclusive: default!(Option<bool>, "false"),
    call_id: default!(Option<&str>, "NULL"),
    project_id: default!(Option<Uuid>, "NULL"),
    agent_id: default!(Option<&str>, "NULL"),
    thread_id: default!(Option<&str>, "NULL"),
    task_id: default!(Option<Uuid>, "NULL"),
    prompt_id: default!(Option<Uuid>, "NULL"),
    subject: default!(Option<&str>, "NULL"),
    at: default!(Option<TimestampWithTimeZone>, "now()"),
    reservation_id: default!(Option<Uuid>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    let reported_cost = reported_cost.map(decimal).transpose()?;
    record_llm_call(
        model,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        cache_write_1h_tokens,
        reasoning_tokens,
        units,
        service_tier,
        inclusive,
        call_id,
        project_id,
        agent_id,
        thread_id,
        task_id,
        prompt_id,
        subject,
        at,
        reported_cost,
        reservation_id,
    )
}

/// Whether a row of orchestrator.llm_token_usage may hold these values. It is the check of the table, which is made for every
/// recorded call: the server would read the text of a check for each column again every time.
///
/// Tokens: of each kind; `units`: an object of numbers; `service_tier`, `subject`: names; `reported_cost`: USD; NULL is in
/// order. Returns: whether tokens and quantities are from 0 to 10^18, the cost is from 0 to below 10^12, and no name is
/// blank. Errors: none. Since 0.9.0.
#[pg_extern(sql = false, immutable, parallel_safe)]
#[allow(clippy::too_many_arguments)]
fn is_valid_llm_call(
    cache_read_tokens: Option<i64>,
    cache_write_tokens: Option<i64>,
    cache_write_1h_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    units: Option<packed::Jsonb>,
    service_tier: Option<packed::Text>,
    reported_cost: Option<AnyNumeric>,
    subject: Option<packed::Text>,
) -> bool {
    let tokens = [cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens];
    let is_filled = |name: packed::Text| name.0.iter().any(|byte| *byte != b' ');
    tokens.into_iter().flatten().all(|tokens| (0..=MOST_TOKENS).contains(&tokens))
        && [service_tier, subject].into_iter().flatten().all(is_filled)
        && units
            .is_none_or(|units| units.is_empty_object() || pricing::are_units(&Document::of(units)))
        && reported_cost.is_none_or(|cost| is_usd(&cost))
}

/// A checked call.
struct Call<'a> {
    model: &'a str,
    /// In the order of `pricing::Call::tokens`.
    tokens: [i64; 6],
    units: Document,
    service_tier: &'a str,
    call_id: Option<&'a str>,
    project_id: Option<Uuid>,
    agent_id: Option<&'a str>,
    thread_id: Option<&'a str>,
    task_id: Option<Uuid>,
    prompt_id: Option<Uuid>,
    subject: Option<&'a str>,
    at: TimestampWithTimeZone,
    reported_cost: Option<AnyNumeric>,
    reservation_id: Option<Uuid>,
}

impl Call<'_> {
    fn record(&self) -> Result<Uuid, Error> {
        static INSERT: Statement = Statement::new(
            "INSERT INTO orchestrator.llm_token_usage \
                 (model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, \
                  units, service_tier, call_id, project_id, agent_id, thread_id, task_id, prompt_id, subject, reported_cost, \"timestamp\") \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
             ON CONFLICT (call_id) WHERE call_id IS NOT NULL DO NOTHING RETURNING id",
        );
        lock_tables();
        // A report that is repeated is answered without the run, which may have another name by now.
        if let Some(id) = self.recorded_before()? {
            return Ok(id);
        }
        let run = self.thread_id.map(Run::lock).transpose()?;
        let Some(id) = INSERT.update(&self.parameters(), statements::one::<Uuid>)? else {
            return self.recorded_before()?.ok_or_else(not_recorded);
        };
        let is_charged = self.reservation_id.is_some() || budgets::exist();
        if run.is_none() && !is_charged {
            return Ok(id);
        }
        let cost = match &self.reported_cost {
            Some(cost) => Some(cost.clone()),
            None => self.priced().cost()?,
        };
        if let Some(run) = &run {
            let tokens = self.tokens.iter().try_fold(0_i64, |sum, tokens| sum.checked_add(*tokens));
            run.add_usage(
                tokens.ok_or_else(|| run.too_much())?,
                cost.clone().unwrap_or_else(|| AnyNumeric::from(0)),
            )?;
        }
        if is_charged {
            charge(self.scope(), run.as_ref(), self.at, cost, self.reservation_id)?;
        }
        Ok(id)
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            project_id: self.project_id,
            agent_id: self.agent_id,
            thread_id: self.thread_id,
            subject: self.subject,
        }
    }

    fn priced(&self) -> pricing::Call<'_> {
        pricing::Call {
            model: self.model,
            service_tier: self.service_tier,
            tokens: self.tokens,
            units: &self.units,
            at: self.at,
        }
    }

    fn parameters(&self) -> [DatumWithOid<'_>; 18] {
        let [input, output, cache_read, cache_write, cache_write_1h, reasoning] = self.tokens;
        [
            self.model.into(),
            input.into(),
            output.into(),
            cache_read.into(),
            cache_write.into(),
            cache_write_1h.into(),
            reasoning.into(),
            self.units.clone().into(),
            self.service_tier.into(),
            self.call_id.into(),
            self.project_id.into(),
            self.agent_id.into(),
            self.thread_id.into(),
            self.task_id.into(),
            self.prompt_id.into(),
            self.subject.into(),
            self.reported_cost.clone().into(),
            self.at.into(),
        ]
    }

    /// The row of a call with the same id, if there is one.
    ///
    /// Errors: 23505 its content differs.
    fn recorded_before(&self) -> Result<Option<Uuid>, Error> {
        static FIRST: Statement = Statement::new(include_str!("llm_call_recorded_before.sql"));
        let Some(call_id) = self.call_id else { return Ok(None) };
        let [known @ .., _at] = &self.parameters();
        repeats::first(&FIRST, known, |id, names| {
            Error::new(
                Kind::Duplicate,
                format!("call_id \"{call_id}\" was already recorded with other content"),
            )
            .detail(format!("The row {id} has this call_id and differs in {names}."))
            .hint("Repeat the first report unchanged, or give another call an id of its own.")
        })
    }
}

fn not_recorded() -> Error {
    Error::no_row("the call could not be recorded", "llm_token_usage")
}

/// A number of tokens besides input and output; NULL means none.
///
/// Errors: 22023 negative, or more than the table holds.
fn part(argument: &str, value: Option<i64>) -> Result<i64, Error> {
    let tokens = count(argument, Some(value.unwrap_or(0)))?;
    if tokens > MOST_TOKENS {
        let message = format!("{argument} {tokens} is more than {MOST_TOKENS}");
        return Err(Error::new(Kind::InvalidValue, message));
    }
    Ok(tokens)
}

/// What is left of an inclusive count.
///
/// Errors: 22023 less than nothing.
fn rest(argument: &str, all: i64, parts: i64) -> Result<i64, Error> {
    if all < parts {
        let message = format!("{argument} {all} is less than its parts, which are {parts}");
        return Err(Error::new(Kind::InvalidValue, message)
            .detail("With inclusive, input_tokens count the tokens of the cache too, and output_tokens those of reasoning.")
            .hint("Leave out inclusive if the provider counts them apart."));
    }
    Ok(all - parts)
}

/// Units with a number for each, as the table holds them.
///
/// Errors: 22023 of another form.
fn numbers(units: Option<Document>) -> Result<Document, Error> {
    let units = jsonb::object_or_empty("units", units)?;
    if pricing::are_units(&units) {
        return Ok(units);
    }
    Err(Error::new(
        Kind::InvalidValue,
        "argument \"units\" holds something else than numbers from 0 to 10^18",
    )
    .hint("Write the units as {\"web_search\": 2}, with a number for each."))
}
