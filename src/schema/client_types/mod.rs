//! The schema for applications: TypeScript, and JSON Schema for every other language. Both are read
//! from the catalog, so they agree with the installed objects.

pub mod catalog;
mod json_schema;
mod typescript;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::server::arguments;
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;

/// The schema as TypeScript: `Database["orchestrator"]` with Tables, Views and Functions, in the shape
/// that generators for PostgreSQL write, and short names for the most used types. A column whose
/// CHECK lists its values becomes a union of literals. `types/orchestrator.ts` is its output.
///
/// Since 0.5.0. Source: the names of WAVE's orchestrator types.
#[pg_extern(sql = false, stable)]
fn typescript_types() -> Result<String, ErrorReport> {
    Ok(typescript::module(&catalog::relations()?, &catalog::functions()?))
}

/// JSON Schema, 2020-12, of a row of a table or view as `to_jsonb` returns it.
///
/// `table_name`: with or without the schema's name before it. Returns: the schema. Its properties
/// are the columns; all are required, and a column that may be null also has type null.
/// Errors: 22004, 22023 blank, P0002 no such table or view. Since 0.5.0.
#[pg_extern(sql = false, stable)]
fn json_schema(table_name: Option<&str>) -> Result<Document, ErrorReport> {
    let given = arguments::filled("table_name", table_name)?;
    let name = given.strip_prefix("orchestrator.").unwrap_or(given);
    let relations = catalog::relations()?;
    let Some(relation) = relations.iter().find(|relation| relation.name == name) else {
        let known: Vec<_> = relations.iter().map(|relation| relation.name.as_str()).collect();
        return Err(Error::new(
            Kind::NotFound,
            format!("the extension has no table or view \"{given}\""),
        )
        .hint(format!("Tables and views: {}.", known.join(", ")))
        .into());
    };
    Ok(Document::composed(json_schema::of_row(relation)))
}
