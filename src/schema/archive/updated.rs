//! Tables that stay and whose rows a script updates. If a publication publishes updates of a table,
//! and nothing in its rows identifies them to subscribers, the server refuses every UPDATE of it.

use super::locks::Way;
use super::table::Table;
use super::transfer::without_triggers;
use crate::schema::manifest;
use crate::server::backend_state;
use crate::server::dynamic_sql::{self, quote};
use crate::server::error::{Error, Kind};

/// The steps whose script updates tables that stay: way, newer version, and these tables. A server
/// test fails if one is missing.
const UPDATED: [(Way, &str, &[&str]); 6] = [
    (Way::Down, "0.3.0", &["orchestrator.sessions", "orchestrator.tasks"]),
    (Way::Up, "0.3.0", &["orchestrator.sessions"]),
    (Way::Up, "0.7.0", &["orchestrator.orchestrator_runs"]),
    (
        Way::Down,
        "0.8.0",
        &["orchestrator.human_review_queue", "orchestrator.gates", "orchestrator.approvals"],
    ),
    (Way::Down, "0.9.0", &["orchestrator.llm_pricing"]),
    (Way::Down, "0.9.1", &["orchestrator.gates", "orchestrator.decision_rules"]),
];

/// A table whose rows the server refuses to update, the reason, and the statement that helps.
struct Refused {
    table: Table,
    reason: String,
    helps: String,
}

/// Refuses the step to `target` if the server would refuse an UPDATE of a table that the script
/// updates.
pub fn refuse_over_identity(way: Way, target: &str) -> Result<(), Error> {
    let (newer, step) = match way {
        Way::Up => (target.to_owned(), format!("upgrade to {target}")),
        Way::Down => {
            let left = manifest::version_left()?;
            let step = format!("downgrade from {left} to {target}");
            (left, step)
        }
    };
    let mut refused = Vec::new();
    let of_step = UPDATED.iter().filter(|(known, version, _)| *known == way && *version == newer);
    for name in of_step.flat_map(|(_, _, tables)| tables.iter()) {
        if let Some(table) = Table::named(name)? {
            refused.extend(refusal(table)?);
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let tables: Vec<_> = refused.iter().map(|each| each.table.to_string()).collect();
    let reasons: Vec<_> =
        refused.iter().map(|each| format!("{}: {}", each.table, each.reason)).collect();
    let helps: Vec<_> = refused.iter().map(|each| each.helps.as_str()).collect();
    Err(Error::new(
        Kind::NotReady,
        format!("cannot {step} because rows of {} cannot be updated", tables.join(" and ")),
    )
    .detail(reasons.join("; "))
    .hint(helps.join(" ")))
}

/// The server's refusal of an UPDATE of no row; `None` if it accepts one.
fn refusal(table: Table) -> Result<Option<Refused>, Error> {
    let Some(column) = table.columns()?.into_iter().next() else { return Ok(None) };
    let name = quote(&column.name);
    let update = format!("UPDATE ONLY {table} SET {name} = {name} WHERE false");
    let outcome = backend_state::attempt(|| without_triggers(|| dynamic_sql::execute(&update)))?;
    let Err(setback) = outcome else { return Ok(None) };
    Ok(Some(Refused { helps: remedy(&table)?, reason: setback.0, table }))
}

/// The statement after which the server accepts updates of the table. A publication of some
/// columns, or of rows by a condition, may leave out the columns that identify a row: then the
/// statement takes the table out of the publication.
fn remedy(table: &Table) -> Result<String, Error> {
    const PUBLICATIONS: &str = "SELECT format('ALTER PUBLICATION %I DROP TABLE %s;', p.pubname, $2) \
         FROM pg_publication_rel AS r JOIN pg_publication AS p ON p.oid = r.prpubid \
         WHERE r.prrelid = $1 AND (p.pubupdate OR p.pubdelete) AND (r.prqual IS NOT NULL OR r.prattrs IS NOT NULL) \
         ORDER BY p.pubname";
    if table.missing_identity()?.is_some() {
        let has_key = !table.key()?.is_empty();
        let identity = if has_key { "DEFAULT" } else { "FULL" };
        return Ok(format!("ALTER TABLE {table} REPLICA IDENTITY {identity};"));
    }
    let name = table.to_string();
    let arguments = [table.oid.into(), name.as_str().into()];
    Ok(dynamic_sql::column::<String>(PUBLICATIONS, &arguments)?.join(" "))
}
