//! Checks of the inventory of files: all rows and the twelve columns of V7 exist, and the older values
//! are unchanged.

use super::check::Check;
use super::installed::Installed;
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{rows, statements};

/// The older columns in their order, without updated_at, which every change sets.
const BASE_COLUMNS: [&str; 16] = [
    "id",
    "file_number",
    "file_path",
    "file_name",
    "layer_number",
    "layer_name",
    "status",
    "workflows",
    "has_technical_debt",
    "technical_debt",
    "jira_tickets",
    "audit_status",
    "audit_date",
    "audited_by",
    "notes",
    "created_at",
];

/// The checks of `v7_verify_file_audit`.
pub fn checks(installed: &Installed) -> Result<Vec<Check>, Error> {
    Ok(vec![installed.v7_columns(), status_of_rows(installed)?, base_values(installed)?])
}

fn status_of_rows(installed: &Installed) -> Result<Check, Error> {
    const NAME: &str = "file_audit rows with a V7 status";
    static COUNTS: Statement = Statement::new(
        "SELECT count(*), count(*) FILTER (WHERE f.v7_workflow_status IN \
             ('pending_assessment', 'assessed', 'designed', 'approved', 'implementing', 'testing', 'migrated', 'retired')) \
         FROM orchestrator.file_audit AS f",
    );
    if !installed.has("column", "orchestrator.file_audit.v7_workflow_status") {
        // The check of the columns says so.
        return Ok(Check::unreadable(NAME, "every row", "column v7_workflow_status is missing"));
    }
    let (all, with) = COUNTS.select(&[], |rows| {
        let row = rows.first();
        Ok((rows::value::<i64>(&row, 1, "count")?, rows::value::<i64>(&row, 2, "count")?))
    })?;
    Ok(Check::count(NAME, all as usize, with as usize).hint(
        "SELECT id, file_path, v7_workflow_status FROM orchestrator.file_audit ORDER BY v7_workflow_status;",
    ))
}

/// Compares the old values with the baseline that the upgrade took.
fn base_values(installed: &Installed) -> Result<Check, Error> {
    const NAME: &str = "file_audit base values changed since the upgrade";
    static CHANGED: Statement = Statement::new(
        "SELECT format('id %s %s', b.id, \
             CASE WHEN f.id IS NULL THEN 'is gone' ELSE 'changed: ' || ( \
                 SELECT string_agg(o.key, ', ' ORDER BY array_position($1, o.key)) \
                 FROM jsonb_each(to_jsonb(b)) AS o (key, value) \
                 WHERE o.value IS DISTINCT FROM to_jsonb(f) -> o.key) END) \
         FROM orchestrator.file_audit_baseline AS b LEFT JOIN orchestrator.file_audit AS f ON f.id = b.id \
         WHERE f.id IS NULL OR EXISTS ( \
             SELECT FROM jsonb_each(to_jsonb(b)) AS o (key, value) WHERE o.value IS DISTINCT FROM to_jsonb(f) -> o.key) \
         ORDER BY b.id",
    );
    if let Some(why) = installed.missing_table("file_audit_baseline") {
        return Ok(Check::unreadable(NAME, "0", &why));
    }
    if let Some(column) = BASE_COLUMNS
        .iter()
        .find(|column| !installed.has("column", &format!("orchestrator.file_audit.{column}")))
    {
        return Ok(Check::unreadable(NAME, "0", &format!("column {column} is missing")));
    }
    let columns: Vec<String> = BASE_COLUMNS.iter().map(|column| (*column).to_owned()).collect();
    let changed = CHANGED.select(&[columns.into()], statements::column::<String>)?;
    Ok(Check::none(NAME, &changed).hint(
        "Put the values back from orchestrator.file_audit_baseline; or, when a change is wanted, DELETE FROM orchestrator.file_audit_baseline WHERE id = ...;",
    ))
}
