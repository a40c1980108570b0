//! Other names of models. Nobody guesses that two names mean one model: a human decides it.

use std::ffi::CStr;

use pgrx::AllocatedByRust;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::set;
use crate::audit::{self, Event};
use crate::server::arguments;
use crate::server::error::{Error, Kind};
use crate::server::ids::uuidv7;
use crate::server::jsonb::Document;
use crate::server::rows;
use crate::server::snapshot;
use crate::server::statements::{self, Statement};

/// The row of an alias.
type Row = PgHeapTuple<'static, AllocatedByRust>;

/// Lets calls by a name have the price of a model, also those that are recorded already, and records `model_alias_set`.
/// A price of the name itself goes first.
///
/// `alias`: the name that calls use; `model`: the name of the price, no alias itself; NULL ends the alias.
/// Returns: the row, also that of an alias that has ended.
/// Errors: 22004 a NULL alias, 22023 blank or overlong name, or the name itself, P0002 no price has the model's name, or
/// no such alias ends, 55000 the model is an alias, or the alias is the model of one. Since 0.9.0.
#[pg_extern(sql = false, volatile)]
fn set_model_alias(
    alias: Option<&str>,
    model: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.llm_model_aliases"), ErrorReport> {
    static ROW: Statement =
        Statement::new("SELECT a FROM orchestrator.llm_model_aliases AS a WHERE a.alias = $1");
    // A name may have spaces around it in calls that were recorded before 0.9.0.
    let alias = arguments::name("alias", alias)?;
    let model = model.map(|model| arguments::name("model", Some(model.trim()))).transpose()?;
    set::lock()?;
    let row = match model {
        Some(model) => {
            add(alias, model)?;
            ROW.update(&[alias.into()], statements::one::<Row>)?
        }
        None => Some(forget(alias)?),
    };
    let no_row =
        || Error::no_row(format!("alias \"{alias}\" could not be set"), "llm_model_aliases");
    Ok(row.ok_or_else(no_row)?)
}

/// Sets an alias, after `set::lock`. Returns whether anything changed.
pub fn add(alias: &str, model: &str) -> Result<bool, Error> {
    const FACTS: &CStr =
        c"SELECT EXISTS (SELECT FROM orchestrator.llm_pricing AS p WHERE p.model = $2 AND p.replaced_at IS NULL), \
                 EXISTS (SELECT FROM orchestrator.llm_model_aliases AS a WHERE a.alias = $2), \
                 EXISTS (SELECT FROM orchestrator.llm_model_aliases AS a WHERE a.model = $1)";
    static SET: Statement = Statement::new(
        "INSERT INTO orchestrator.llm_model_aliases AS a (alias, model) VALUES ($1, $2) \
         ON CONFLICT ON CONSTRAINT llm_model_aliases_pkey DO UPDATE SET model = excluded.model WHERE a.model <> excluded.model \
         RETURNING a.alias",
    );
    if alias == model {
        let message = format!("\"{alias}\" cannot be an alias of itself");
        return Err(Error::new(Kind::InvalidValue, message));
    }
    let names = [alias.into(), model.into()];
    // An older snapshot would not show what another transaction has set meanwhile.
    let facts = snapshot::newest(|| {
        snapshot::first(FACTS, &names, |row| {
            let fact = |position| rows::value::<bool>(row, position, "llm_model_aliases.alias");
            Ok((fact(1)?, fact(2)?, fact(3)?))
        })
    })?;
    let (priced, chained, model_of) = facts.unwrap_or_default();
    if chained || model_of {
        let name = if chained { model } else { alias };
        let message = format!("alias \"{alias}\" of \"{model}\" would be the second step of one");
        return Err(Error::new(Kind::NotReady, message)
            .detail(format!("\"{name}\" is in orchestrator.llm_model_aliases already."))
            .hint("Name the model that has the price."));
    }
    if !priced {
        return Err(Error::new(Kind::NotFound, format!("model \"{model}\" has no price")).hint(
            "Set it first: SELECT orchestrator.set_price(...); llm_pricing lists the models.",
        ));
    }
    let changed = SET.update(&names, statements::one::<String>)?.is_some();
    if changed {
        record(alias, Some(model))?;
    }
    Ok(changed)
}

fn forget(alias: &str) -> Result<Row, Error> {
    static FORGET: Statement = Statement::new(
        "DELETE FROM orchestrator.llm_model_aliases AS a WHERE a.alias = $1 RETURNING a",
    );
    let row = FORGET.update(&[alias.into()], statements::one::<Row>)?.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("alias \"{alias}\" does not exist"))
            .hint("SELECT * FROM orchestrator.llm_model_aliases; shows all.")
    })?;
    record(alias, None)?;
    Ok(row)
}

fn record(alias: &str, model: Option<&str>) -> Result<(), Error> {
    audit::record(Event {
        event_type: "model_alias_set",
        role: audit::SYSTEM,
        trace_id: uuidv7(),
        metadata: Document::composed(json!({"alias": alias, "model": model})),
    })?;
    Ok(())
}
