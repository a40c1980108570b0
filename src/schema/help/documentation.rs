//! What the comments in the sources say about each function beyond its COMMENT: details, result,
//! errors. `cargo xtask docs` writes them into `documentation.json`, by symbol, so that each version
//! shows what is true of the symbol that its script names.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::server::error::{Error, Kind};

const DOCUMENTATION: &str = include_str!("documentation.json");

/// The parts of a function's documentation; each may be empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Documentation {
    pub details: String,
    pub returns: String,
    pub errors: String,
}

/// The documentation of a symbol; empty for one that has none.
pub fn of(symbol: &str) -> Result<Documentation, Error> {
    let mut all: BTreeMap<String, Documentation> =
        serde_json::from_str(DOCUMENTATION).map_err(|error| {
            Error::new(Kind::Internal, format!("the documentation cannot be read: {error}"))
        })?;
    Ok(all.remove(symbol.trim_end_matches("_wrapper")).unwrap_or_default())
}
