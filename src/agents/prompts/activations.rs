//! The history of activations: which version of a prompt was live when, and who made it so.
//!
//! The history is the truth, and `prompts.is_active` follows it. A plain UPDATE of `is_active` enters the history, too.

use std::cell::Cell;
use std::ffi::CStr;

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use super::live::{self, PRODUCTION};
use super::{ACTIVATE_PROMPT, one_activation_at_a_time, overtaken};
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};
use crate::server::triggers::{by_key, of, takes_history};
use crate::server::{arguments, backend_state, latest, locks, relations};

thread_local! {
    /// Who writes the history and is_active at the moment.
    static WRITER: Cell<Writer> = const { Cell::new(Writer::Anybody) };
}

/// Who writes the history and is_active.
#[derive(Clone, Copy, PartialEq)]
enum Writer {
    /// A plain statement.
    Anybody,
    /// This module.
    Own,
    /// This module, for an activation that a human has approved.
    Decided,
}

impl Writer {
    /// Runs statements as this writer.
    fn run<T>(self, work: impl FnOnce() -> T) -> T {
        struct Before(Writer);
        impl Drop for Before {
            fn drop(&mut self) {
                WRITER.set(self.0);
            }
        }
        // Also if a statement raises an error.
        let _before = Before(WRITER.replace(self));
        work()
    }
}

/// An activation to be written.
pub struct Activation<'a> {
    pub agent_type: &'a str,
    pub label: &'a str,
    /// `None`: from then on no version is live.
    pub prompt: Option<Uuid>,
    pub activated_by: Option<&'a str>,
    /// Percent of those who ask.
    pub weight: i32,
}

impl Activation<'_> {
    /// Writes it. `is_decided`: a human has approved it, if a rule asks for that.
    pub fn write(&self, is_decided: bool) -> Result<(), Error> {
        // Later than every other one of the label, also within a microsecond.
        static INSERT: Statement = Statement::new(
            "INSERT INTO orchestrator.prompt_activations AS a (agent_type, label, prompt_id, activated_at, activated_by, weight) \
             SELECT $1, $2, $3, greatest(clock_timestamp(), max(o.activated_at) + interval '1 microsecond'), $4, $5 \
             FROM orchestrator.prompt_activations AS o WHERE o.agent_type = $1 AND o.label = $2 \
             RETURNING a.agent_type",
        );
        one_activation_at_a_time(self.agent_type)?;
        let arguments = [
            self.agent_type.into(),
            self.label.into(),
            self.prompt.into(),
            self.activated_by.into(),
            self.weight.into(),
        ];
        let writer = if is_decided { Writer::Decided } else { Writer::Own };
        // The newest activation can be newer than the snapshot of the transaction.
        let insert = || INSERT.update(&arguments, statements::one::<String>);
        let inserted = PgTryBuilder::new(|| writer.run(insert))
            .catch_when(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, |_| {
                Err(overtaken(self.agent_type))
            })
            .execute();
        inserted?
            .map(drop)
            .ok_or_else(|| Error::no_row("the prompt could not be activated", "prompt_activations"))
    }
}

/// A weight in percent.
///
/// Errors: 22023 not from 0 to 100.
pub fn weight(value: i32) -> Result<i32, Error> {
    if (0..=100).contains(&value) {
        return Ok(value);
    }
    Err(Error::new(Kind::InvalidValue, format!("weight {value} is not between 0 and 100"))
        .hint("It is the part of those whom no newer version takes, in percent."))
}

/// Whether a rule asks for a decision about activations, also one of a transaction that committed after the snapshot.
pub fn needs_a_decision() -> Result<bool, Error> {
    const HAS_RULE: &CStr =
        c"SELECT EXISTS (SELECT FROM orchestrator.decision_rules AS r WHERE r.kind = 'gate' AND r.type = 'prompt_activation')";
    // Most databases have no rules.
    if relations::has_no_blocks(c"decision_rules") {
        return Ok(false);
    }
    Ok(latest::value::<bool>(HAS_RULE, &[])? == Some(true))
}

/// BEFORE INSERT row trigger of prompt_activations: the prompt is one of the agent type, the time is not in the future, and
/// a human has approved the activation if a rule asks for that.
///
/// Errors: 22023, 55000. Since 0.9.1.
#[pg_trigger(sql = false)]
fn enforce_activations<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let Some(row) = trigger.new() else {
        lifecycle::misused("enforce_activations", "it must be fired BEFORE INSERT, FOR EACH ROW");
    };
    if !takes_history(trigger) {
        by_key(trigger, || check(&row));
    }
    Ok(Some(row))
}

fn check(row: &PgHeapTuple<'_, AllocatedByPostgres>) -> Result<(), Error> {
    static AGENT_TYPE: Statement =
        Statement::new("SELECT p.agent_type FROM orchestrator.prompts AS p WHERE p.id = $1");
    let agent_type = of::<String>(row, "agent_type")?.unwrap_or_default();
    if let Some(prompt) = of::<Uuid>(row, "prompt_id")? {
        let others = AGENT_TYPE.update(&[prompt.into()], statements::one::<String>)?;
        if let Some(other) = others.filter(|other| *other != agent_type) {
            let message = format!("prompt {prompt} is one of agent type \"{other}\"");
            return Err(Error::new(Kind::InvalidValue, message)
                .hint(format!("Activate a prompt of agent type \"{agent_type}\".")));
        }
    }
    // The clock can have gone back since the newest activation, which the next one follows.
    if WRITER.get() == Writer::Anybody
        && let Some(activated_at) = of::<TimestampWithTimeZone>(row, "activated_at")?
        && activated_at > pgrx::datum::clock_timestamp()
    {
        let message = format!("activated_at {activated_at} is in the future");
        return Err(Error::new(Kind::InvalidValue, message)
            .detail("The newest activation is live at once, whatever its time.")
            .hint("Insert the activation when the version is to go live."));
    }
    if WRITER.get() != Writer::Decided && needs_a_decision()? {
        return Err(Error::new(
            Kind::NotReady,
            format!("an activation of a prompt of agent type \"{agent_type}\" needs a decision"),
        )
        .detail("A rule of kind gate and type prompt_activation stands.")
        .hint("Ask for it: SELECT orchestrator.activate_prompt(...);"));
    }
    Ok(())
}

/// AFTER INSERT row trigger of prompt_activations: lets is_active mark the version that callers without a key get.
///
/// Errors: 40001 another transaction has activated a version since this one began to read. Since 0.9.1.
#[pg_trigger(sql = false)]
fn follow_activations<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let Some(row) = trigger.new() else {
        lifecycle::misused("follow_activations", "it must be fired AFTER INSERT, FOR EACH ROW");
    };
    if !takes_history(trigger) {
        by_key(trigger, || {
            let label = of::<String>(&row, "label")?.unwrap_or_default();
            match of::<String>(&row, "agent_type")? {
                Some(agent_type) if label == PRODUCTION => mark(&agent_type),
                _ => Ok(()),
            }
        });
    }
    Ok(None)
}

/// Two statements, because the unique index checks each row as it is written: the old version has to be inactive first.
/// Other transactions see both changes or none.
fn mark(agent_type: &str) -> Result<(), Error> {
    static DEACTIVATE: Statement = Statement::new(
        "UPDATE orchestrator.prompts AS p SET is_active = false \
         WHERE p.agent_type = $1 AND p.is_active AND p.id IS DISTINCT FROM $2",
    );
    static ACTIVATE: Statement = Statement::new(
        "UPDATE orchestrator.prompts AS p SET is_active = true WHERE p.id = $1 RETURNING p.id",
    );
    one_activation_at_a_time(agent_type)?;
    // SAFETY: makes the activation that fired the trigger visible to the snapshot that `newest` takes.
    unsafe { pg_sys::CommandCounterIncrement() };
    let prompt = live::newest(agent_type, PRODUCTION)?;
    Writer::Own.run(|| DEACTIVATE.update(&[agent_type.into(), prompt.into()], |_| Ok(())))?;
    let Some(prompt) = prompt else { return Ok(()) };
    let activate = || ACTIVATE.update(&[prompt.into()], statements::one::<Uuid>);
    // The unique index can see an active version that is newer than the transaction's snapshot.
    let marked = PgTryBuilder::new(|| Writer::Own.run(activate))
        .catch_when(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, |_| Err(overtaken(agent_type)))
        .execute();
    marked?.map(drop).ok_or_else(|| Error::no_row("the prompt could not be activated", "prompts"))
}

/// BEFORE UPDATE OF is_active statement trigger and BEFORE INSERT row trigger of prompts: a plain statement that changes
/// is_active runs alone among all that activate versions. It takes its lock before any row: the functions lock the agent
/// type first and then its rows.
///
/// Since 0.9.1.
#[pg_trigger(sql = false)]
fn wait_for_activations<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    if WRITER.get() == Writer::Anybody && !takes_history(trigger) {
        by_key(trigger, || locks::one_at_a_time(ACTIVATE_PROMPT));
    }
    Ok(trigger.new())
}

/// AFTER INSERT OR UPDATE OF is_active row trigger of prompts: a version that is made active or inactive by a plain
/// statement enters the history, with the role that did it.
///
/// Errors: 55000 a rule asks for a decision about activations. Since 0.9.1.
#[pg_trigger(sql = false)]
fn record_activation<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let Some(new) = trigger.new() else {
        lifecycle::misused(
            "record_activation",
            "it must be fired AFTER INSERT OR UPDATE OF is_active, FOR EACH ROW",
        );
    };
    if takes_history(trigger) {
        return Ok(None);
    }
    let role = backend_state::caller();
    by_key(trigger, || {
        let was_active = match trigger.old() {
            Some(old) => of::<bool>(&old, "is_active")?.unwrap_or(false),
            None => false,
        };
        let is_active = of::<bool>(&new, "is_active")?.unwrap_or(false);
        if is_active == was_active {
            return Ok(());
        }
        let (id, agent_type) = (of::<Uuid>(&new, "id")?, of::<String>(&new, "agent_type")?);
        let agent_type = agent_type.unwrap_or_default();
        one_activation_at_a_time(&agent_type)?;
        let live = live::newest(&agent_type, PRODUCTION)?;
        let activated_by = Some(role.as_str()).filter(|role| !arguments::is_blank(role));
        let enter = |prompt: Option<Uuid>| Activation {
            agent_type: &agent_type,
            label: PRODUCTION,
            prompt,
            activated_by,
            weight: 100,
        };
        if is_active && live != id {
            enter(id).write(false)
        } else if !is_active && live.is_some() && live == id {
            // To take a version out of use needs no decision.
            enter(None).write(true)
        } else {
            Ok(())
        }
    });
    Ok(None)
}

/// BEFORE UPDATE, DELETE or TRUNCATE statement trigger of prompts and prompt_activations: refuses the statement, for
/// every role; scripts of the extension pass.
///
/// Errors: 55000. Since 0.9.1.
#[pg_trigger(sql = false)]
fn enforce_published<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    if !backend_state::in_script() {
        let table = trigger.table_name()?;
        let error = Error::new(
            Kind::NotReady,
            format!("rows of orchestrator.{table} are kept as they are"),
        )
        .detail("They say which prompt was used when.")
        .hint("Activate another version: SELECT orchestrator.activate_prompt(...);");
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
    Ok(None)
}
