//! The activation of prompts, at once, or by a gate if a rule of kind gate and type prompt_activation stands.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};
use serde_json::json;

use super::{Opening, PROMPT_ACTIVATION};
use crate::agents::prompts::activations::{self, Activation};
use crate::agents::prompts::live::PRODUCTION;
use crate::agents::prompts::{Publication, Version, one_activation_at_a_time, published};
use crate::runs::Row;
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::{self, Statement};
use crate::server::triggers::{by_key, of};
use crate::server::{arguments, backend_state, ids, locks, rows};

/// The bytes of the project of such gates: prompts belong to none.
const NO_PROJECT: [u8; 16] = [0; 16];

/// Publishes a version of a prompt. If another version of the agent type has the same text, a notice names it.
///
/// `version`: major.minor.patch, not yet published for the agent type; `activate`: whether the version becomes active
/// in production, as `activate_prompt` does. Returns: the id of the prompt.
/// Errors: 22004, 22023 blank text, overlong name, malformed version, 55000 the version is already published, 40001 as
/// `activate_prompt`. Since 0.9.1.
#[pg_extern(sql = false, volatile)]
fn publish_prompt_0_9_1(
    agent_type: Option<&str>,
    version: Option<&str>,
    prompt_text: Option<&str>,
    created_by: default!(Option<&str>, "NULL"),
    notes: default!(Option<&str>, "NULL"),
    activate: default!(Option<bool>, "false"),
) -> Result<Uuid, ErrorReport> {
    let publication = Publication::of(agent_type, version, prompt_text, created_by, notes)?;
    let activate = activate.unwrap_or(false);
    let needs_a_decision = activate && needs_a_decision()?;
    if activate {
        one_activation_at_a_time(publication.agent_type)?;
    }
    let id = publication.publish()?;
    if let Some(equal) = publication.equal()? {
        let message = format!(
            "version {equal} of agent type \"{}\" has the same text",
            publication.agent_type
        );
        backend_state::notice(message, None);
    }
    if activate {
        let activation = Activation {
            agent_type: publication.agent_type,
            label: PRODUCTION,
            prompt: Some(id),
            activated_by: created_by.filter(|name| !arguments::is_blank(name)),
            weight: 100,
        };
        activate_or_ask(&activation, &publication.version, needs_a_decision)?;
    }
    Ok(id)
}

/// Makes a published version live under a label, for all who ask or a part of them, and enters it into the history
/// (prompt_activations). Other transactions see the state before until this transaction commits and the new one
/// afterwards, never none or both. An older version goes live again in the same way. If a decision rule of kind gate and
/// type prompt_activation stands, a gate is opened instead, which a notice names; its approval makes the version live.
///
/// `label`: production, or a name of the caller's choice, such as staging or canary, 500 characters at most; `weight`:
/// percent of those whom no newer version takes, 0 to 100; the oldest version takes the rest. 100
/// ends all older ones, and 0 takes this version out. `activated_by`: who makes it live, NULL for unknown.
/// Returns: the row of the version. is_active marks the version of production with the greatest share, of equal ones the
/// newest.
/// Errors: 22004, 22023 blank or overlong name, malformed version, a weight that is not from 0 to 100, P0002 unknown
/// version, 40001 another transaction has activated a version since this one began to read. Since 0.9.1.
#[pg_extern(sql = false, volatile)]
fn activate_prompt_0_9_1(
    agent_type: Option<&str>,
    version: Option<&str>,
    label: default!(Option<&str>, "'production'"),
    weight: default!(Option<i32>, "100"),
    activated_by: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.prompts"), ErrorReport> {
    static ROW: Statement =
        Statement::new("SELECT p FROM orchestrator.prompts AS p WHERE p.id = $1");
    let agent_type = arguments::name("agent_type", agent_type)?;
    let version = Version::parse(required("version", version)?)?.to_string();
    let label = arguments::name("label", Some(label.unwrap_or(PRODUCTION)))?;
    let weight = activations::weight(weight.unwrap_or(100))?;
    let activated_by =
        activated_by.map(|name| arguments::name("activated_by", Some(name))).transpose()?;
    let needs_a_decision = needs_a_decision()?;
    one_activation_at_a_time(agent_type)?;
    let prompt = published(agent_type, &version)?;
    let activation = Activation { agent_type, label, prompt: Some(prompt), activated_by, weight };
    activate_or_ask(&activation, &version, needs_a_decision)?;
    let row = ROW.update(&[prompt.into()], statements::one::<Row>)?;
    Ok(row.ok_or_else(|| Error::no_row("the prompt could not be activated", "prompts"))?)
}

/// Whether a rule asks for a decision. Locks the tables in the order of updates.
fn needs_a_decision() -> Result<bool, Error> {
    locks::in_order(&[c"prompts", c"prompt_activations", c"gates", c"decision_rules"]);
    activations::needs_a_decision()
}

fn activate_or_ask(
    activation: &Activation<'_>,
    version: &str,
    needs_a_decision: bool,
) -> Result<(), Error> {
    if !needs_a_decision {
        return activation.write(false);
    }
    // A gate of its own for each request: another one has other terms, and may be asked by somebody else.
    let gate = ask(activation, version)?;
    backend_state::notice(
        format!(
            "version {version} of agent type \"{}\" waits for a decision",
            activation.agent_type
        ),
        Some(format!("It goes live when gate {gate} is approved.")),
    );
    Ok(())
}

fn ask(activation: &Activation<'_>, version: &str) -> Result<Uuid, Error> {
    let Activation { agent_type, label, prompt, activated_by, weight } = activation;
    let part =
        if *weight == 100 { String::new() } else { format!(" for {weight} % of those who ask") };
    let reason = format!(
        "Version {version} of the prompt of {agent_type} is to go live under label {label}{part}."
    );
    let opening = Opening {
        project_id: Uuid::from_bytes(NO_PROJECT),
        agent_id: agent_type,
        gate_type: PROMPT_ACTIVATION,
        reason: &reason,
        context: Document::composed(json!({
            "agent_type": agent_type, "version": version, "prompt_id": prompt.map(|id| id.to_string()), "label": label,
            "weight": weight, "activated_by": activated_by,
        })),
    };
    opening.ask()
}

/// AFTER UPDATE row trigger of gates: an approved gate of type prompt_activation makes its version live.
///
/// Errors: 22023 the context of the gate describes no activation. Since 0.9.1.
#[pg_trigger(sql = false)]
fn activate_approved<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let Some(new) = trigger.new() else {
        lifecycle::misused("activate_approved", "it must be fired AFTER UPDATE, FOR EACH ROW");
    };
    if backend_state::in_script() {
        return Ok(None);
    }
    by_key(trigger, || match of::<Uuid>(&new, "id")? {
        Some(gate) => activate_by(gate),
        None => Ok(()),
    });
    Ok(None)
}

fn activate_by(gate: Uuid) -> Result<(), Error> {
    static CONTEXT: Statement = Statement::new(
        "SELECT g.context ->> 'agent_type', g.context ->> 'prompt_id', g.context ->> 'label', g.context ->> 'weight', \
             coalesce(g.context ->> 'activated_by', g.resolved_by) \
         FROM orchestrator.gates AS g WHERE g.id = $1",
    );
    let context = CONTEXT.update(&[gate.into()], |found| {
        rows::first(found, |row| {
            let text = |position| rows::optional::<String>(row, position, "gates.context");
            Ok((text(1)?, text(2)?, text(3)?, text(4)?, text(5)?))
        })
    })?;
    let Some((Some(agent_type), Some(prompt), Some(label), Some(weight), activated_by)) = context
    else {
        return Err(describes_none(gate));
    };
    let prompt = ids::parsed(&prompt).ok_or_else(|| describes_none(gate))?;
    let weight = weight.parse().map_err(|_| describes_none(gate))?;
    let activation = Activation {
        agent_type: &agent_type,
        label: &label,
        prompt: Some(prompt),
        activated_by: activated_by.as_deref(),
        weight: activations::weight(weight)?,
    };
    activation.write(true)
}

fn describes_none(gate: Uuid) -> Error {
    Error::new(Kind::InvalidValue, format!("the context of gate {gate} describes no activation"))
        .detail("It needs agent_type, prompt_id, label and weight.")
        .hint("Deny the gate, and ask again with orchestrator.activate_prompt.")
}
