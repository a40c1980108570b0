//! A function in full: arguments, results, errors, and who may call it.

use pgrx::pg_sys::Oid;

use super::documentation;
use super::paragraph::wrapped;
use super::relation::without_casts;
use super::topic::{Topic, Version};
use crate::schema::access::{levels, rights};
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{backend_state, concurrent_drop, rows};

/// An argument or a column of the result: name, type and default.
struct Parameter {
    is_result: bool,
    definition: String,
}

/// The lines about a function.
pub fn lines(topic: &Topic, version: &Version) -> Result<Vec<String>, Error> {
    let documentation = documentation::of(&topic.symbol)?;
    let parameters = parameters(topic.oid)?;
    let (results, arguments): (Vec<_>, Vec<_>) =
        parameters.iter().partition(|parameter| parameter.is_result);
    let mut lines = Vec::new();
    let parts = [
        ("Arguments:", arguments, documentation.details),
        ("Returns:", results, documentation.returns),
        ("Errors (SQLSTATE):", Vec::new(), documentation.errors),
    ];
    for (heading, parameters, text) in parts {
        if !parameters.is_empty() || !text.is_empty() {
            lines.push(heading.to_owned());
            lines.extend(
                parameters
                    .iter()
                    .map(|parameter| format!("  {}", without_casts(&parameter.definition))),
            );
            lines.extend(wrapped(&text.replace('`', ""), "  "));
        }
    }
    lines.extend(callers(&topic.name, version));
    Ok(lines)
}

fn parameters(function: Oid) -> Result<Vec<Parameter>, Error> {
    static ARGUMENTS: Statement = Statement::new(include_str!("arguments.sql"));
    backend_state::in_plain_style(|| {
        concurrent_drop::while_others_drop(|| {
            ARGUMENTS.select(&[function.into()], |found| {
                rows::each(found, |row| {
                    Ok(Parameter {
                        is_result: rows::value(row, 1, "argument.mode")?,
                        definition: rows::value(row, 2, "argument.definition")?,
                    })
                })
            })
        })
    })
}

/// The levels that may call a function, lowest first.
fn callers(function: &str, version: &Version) -> Option<String> {
    match levels::function(function, version.reviewers_steer).unwrap_or_default() {
        [] => Some("May be called by: version scripts, run by the extension's owner".to_owned()),
        callers => {
            version.has_levels.then(|| format!("May be called by: {}", rights::names(callers)))
        }
    }
}
