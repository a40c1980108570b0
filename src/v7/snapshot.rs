//! Snapshots of the schemas of a database, each kept under a label, and the difference between two.

use std::collections::BTreeSet;

use pgrx::Uuid;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::snapshot_difference::{Difference, differences, schema_of};
use crate::server::error::{Error, Kind, required, without_nulls};
use crate::server::statements::Statement;
use crate::server::{arguments, backend_state, concurrent_drop, rows, statements};

/// Kinds of a catalog, in the order in which differences are reported, and the word for one of each.
const KINDS: [(&str, &str); 9] = [
    ("tables", "table"),
    ("columns", "column"),
    ("constraints", "constraint"),
    ("indexes", "index"),
    ("types", "type"),
    ("enums", "enum"),
    ("views", "view"),
    ("triggers", "trigger"),
    ("functions", "function"),
];

/// Keeps definitions, sizes and use of user schemas under a label.
///
/// `label`: a name that no snapshot has, at most 500 characters; `schemas`: NULL means every schema
/// outside the system's own. Returns: the id of the snapshot. A NOTICE says how much was left out
/// because the caller may not see it.
/// Errors: 22004, 22023 blank or too long label, no schema, a system schema, P0002 unknown schema,
/// 23505 the label is taken. Since 0.4.0.
#[pg_extern(sql = false, volatile)]
fn capture_snapshot(
    label: Option<&str>,
    schemas: default!(Option<Vec<Option<String>>>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    static CAPTURE: Statement = Statement::new(concat!(
        "WITH catalog AS MATERIALIZED (",
        include_str!("snapshot_catalog.sql"),
        "), metrics AS MATERIALIZED (",
        include_str!("snapshot_metrics.sql"),
        ") INSERT INTO orchestrator.schema_snapshots (label, catalog, metrics, fingerprint) \
         SELECT $2, c.catalog, m.metrics || jsonb_build_object('scope', $1), \
                encode(sha256(convert_to(c.catalog::text, 'UTF8')), 'hex') \
         FROM catalog AS c, metrics AS m \
         ON CONFLICT (label) DO NOTHING RETURNING id, (catalog->'skipped')::text"
    ));
    let label = arguments::name("label", label)?;
    let schemas = schemas.map(named_schemas).transpose()?;
    let arguments = [schemas.into(), label.into()];
    // The server writes definitions in the session's style, and snapshots of two sessions are compared.
    let captured = concurrent_drop::while_others_drop(|| {
        backend_state::in_plain_style(|| {
            CAPTURE.update(&arguments, statements::two::<Uuid, String>)
        })
    })?;
    match captured {
        Some((Some(id), skipped)) => {
            if let Some(skipped) = skipped {
                tell_skipped(label, "you", &parsed("catalog", &skipped)?);
            }
            Ok(id)
        }
        _ => Err(taken(label)?.into()),
    }
}

/// The schemas of an argument, each checked to be a user schema.
fn named_schemas(schemas: Vec<Option<String>>) -> Result<Vec<String>, Error> {
    static UNKNOWN: Statement = Statement::new(
        "SELECT s.name, starts_with(s.name, 'pg_') OR s.name = 'information_schema' \
         FROM unnest($1) WITH ORDINALITY AS s (name, place) \
         WHERE NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = s.name) \
            OR starts_with(s.name, 'pg_') OR s.name = 'information_schema' ORDER BY s.place",
    );
    let schemas = without_nulls("schemas", schemas)?;
    if schemas.is_empty() {
        return Err(Error::new(Kind::InvalidValue, "argument \"schemas\" names no schema")
            .hint("NULL means all user schemas."));
    }
    let unknown = UNKNOWN.select(&[schemas.clone().into()], |rows| {
        rows::first(rows, |row| {
            Ok((rows::value::<String>(row, 1, "name")?, rows::value::<bool>(row, 2, "is_system")?))
        })
    })?;
    match unknown {
        None => Ok(schemas),
        Some((name, true)) => {
            Err(Error::new(Kind::InvalidValue, format!("schema \"{name}\" is the server's own"))
                .hint("Snapshots are of user schemas."))
        }
        Some((name, false)) => {
            Err(Error::new(Kind::NotFound, format!("schema \"{name}\" does not exist")))
        }
    }
}

/// Reports the objects that a snapshot leaves out because the caller may not see them.
fn tell_skipped(label: &str, maker: &str, skipped: &Value) {
    let schemas: Vec<_> =
        skipped["schemas"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let tables = skipped["tables"].as_i64().unwrap_or_default();
    if schemas.is_empty() && tables == 0 {
        return;
    }
    backend_state::notice(
        format!(
            "snapshot \"{label}\" leaves out {} and {} that {maker} may not see",
            arguments::counted(schemas.len() as i64, "schema"),
            arguments::counted(tables, "table")
        ),
        (!schemas.is_empty()).then(|| format!("Schemas: {}.", schemas.join(", "))),
    );
}

/// The error for a label that is taken.
fn taken(label: &str) -> Result<Error, Error> {
    static HOLDER: Statement = Statement::new(
        "SELECT s.taken_at::text, s.taken_by FROM orchestrator.schema_snapshots AS s WHERE s.label = $1",
    );
    let holder = HOLDER.update(&[label.into()], statements::two::<String, String>)?;
    let Some((taken_at, taken_by)) = holder else {
        let message = format!("snapshot \"{label}\" could not be taken");
        return Ok(Error::no_row(message, "schema_snapshots"));
    };
    Ok(Error::new(Kind::Duplicate, format!("snapshot \"{label}\" exists already"))
        .detail(format!(
            "It was taken at {} by {}.",
            taken_at.as_deref().unwrap_or("an unknown time"),
            taken_by.as_deref().unwrap_or("nobody known")
        ))
        .hint("Snapshots are never overwritten; give this one another label."))
}

/// What was added, removed or changed between two snapshots.
///
/// `before`, `after`: labels. Returns: the object with its kind before its name; added, removed or
/// changed; both definitions. No row when the schemas are equal. Of snapshots that were taken of
/// some schemas only, what both could hold is compared. A NOTICE says what a maker may not see.
/// Errors: 22004, P0002 unknown label. Since 0.4.0.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn compare_snapshots(
    before: Option<&str>,
    after: Option<&str>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(object, String),
            name!(change, String),
            name!(was, Option<String>),
            name!(now, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let (before, after) = (required("before", before)?, required("after", after)?);
    let (before, after) = (Snapshot::read(before)?, Snapshot::read(after)?);
    let in_both = |name: &str| before.covers(name) && after.covers(name);
    let mut rows = Vec::new();
    for (kind, noun) in KINDS {
        for Difference { name, was, now } in
            differences(&before.catalog[kind], &after.catalog[kind])
        {
            let change = match (&was, &now) {
                (None, _) => "added",
                (_, None) => "removed",
                _ => "changed",
            };
            if in_both(&name) {
                rows.push((format!("{noun} {name}"), change.to_owned(), was, now));
            }
        }
    }
    Ok(TableIterator::new(rows))
}

/// A snapshot, as its row has it.
struct Snapshot {
    catalog: Value,
    /// The schemas it was taken of; none means all.
    scope: Option<BTreeSet<String>>,
}

/// A column of a snapshot, as `capture_snapshot` writes it.
fn parsed<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(Kind::NotReady, format!("column schema_snapshots.{column} cannot be read"))
            .detail(format!("{error}."))
            .hint("Somebody has changed the snapshot; take another with orchestrator.capture_snapshot.")
    })
}

impl Snapshot {
    fn read(label: &str) -> Result<Self, Error> {
        static KEPT: Statement = Statement::new(
            "SELECT s.catalog::text, (s.metrics->'scope')::text \
             FROM orchestrator.schema_snapshots AS s WHERE s.label = $1",
        );
        let kept = KEPT.select(&[label.into()], |rows| {
            rows::first(rows, |row| {
                let catalog = rows::value::<String>(row, 1, "schema_snapshots.catalog")?;
                Ok((catalog, rows::optional::<String>(row, 2, "schema_snapshots.metrics")?))
            })
        })?;
        let Some((catalog, scope)) = kept else {
            return Err(Error::new(
                Kind::NotFound,
                format!("snapshot \"{label}\" does not exist"),
            )
            .hint("SELECT label, taken_at FROM orchestrator.schema_snapshots shows all; orchestrator.capture_snapshot takes one."));
        };
        let catalog: Value = parsed("catalog", &catalog)?;
        let scope = scope.map(|scope| parsed("metrics", &scope)).transpose()?.flatten();
        tell_skipped(label, "whoever took it", &catalog["skipped"]);
        Ok(Snapshot { catalog, scope })
    }

    /// Whether what has that name would be in the snapshot.
    fn covers(&self, name: &str) -> bool {
        let schema = schema_of(name);
        self.scope.as_ref().is_none_or(|scope| scope.contains(&schema))
    }
}
