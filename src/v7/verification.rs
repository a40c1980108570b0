//! The verification functions of V7: tables, columns, views and records, each with the expected and the
//! actual value, and the next command.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::check::Check;
use super::installed::{Installed, other_v7_tables};
use super::{file_audit, records};

/// Checks the five tables: base tables of the extension, with all their columns, and no other
/// table named v7_ in any schema. A view never makes up for a missing table. Since 0.4.1.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn v7_verify_tables() -> Result<
    TableIterator<
        'static,
        (
            name!(check_name, String),
            name!(expected, String),
            name!(actual, String),
            name!(passed, bool),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let installed = Installed::read()?;
    let checks = [installed.v7_tables(), installed.columns_of_v7_tables(), other_v7_tables()?];
    Ok(TableIterator::new(checks.into_iter().map(Check::row)))
}

/// Checks the inventory of files: its twelve columns, a V7 status on every row, and no old value
/// changed or row gone since the newest snapshot from before the upgrade. Since 0.4.2.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn v7_verify_file_audit() -> Result<
    TableIterator<
        'static,
        (
            name!(check_name, String),
            name!(expected, String),
            name!(actual, String),
            name!(passed, bool),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let checks = file_audit::checks(&Installed::read()?)?;
    Ok(TableIterator::new(checks.into_iter().map(Check::row)))
}

/// Checks everything that the V7 versions built: tables, columns, views, indexes and triggers, each
/// as the manifest defines it. Parts of a missing table are not counted. Since 0.4.3.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn v7_verify_infrastructure() -> Result<
    TableIterator<
        'static,
        (
            name!(check_name, String),
            name!(expected, String),
            name!(actual, String),
            name!(passed, bool),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let installed = Installed::read()?;
    let checks = [
        installed.v7_tables(),
        installed.v7_columns(),
        installed.monitoring_views(),
        installed.indexes(),
        installed.triggers(),
    ];
    Ok(TableIterator::new(checks.into_iter().map(Check::row)))
}

/// Checks what the tables hold: seven phases with their names, enum mappings, owners, approvals
/// and sign-offs of whatever has started or completed, dependencies. Since 0.4.3.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn v7_verify_data() -> Result<
    TableIterator<
        'static,
        (
            name!(check_name, String),
            name!(expected, String),
            name!(actual, String),
            name!(passed, bool),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let checks = records::checks(&Installed::read()?)?;
    Ok(TableIterator::new(checks.into_iter().map(Check::row)))
}

/// Every check of the other verification functions, each once. Since 0.4.3.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn v7_verify() -> Result<
    TableIterator<
        'static,
        (
            name!(check_name, String),
            name!(expected, String),
            name!(actual, String),
            name!(passed, bool),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let installed = Installed::read()?;
    let mut checks =
        vec![installed.v7_tables(), installed.columns_of_v7_tables(), other_v7_tables()?];
    checks.extend(file_audit::checks(&installed)?);
    checks.extend([installed.monitoring_views(), installed.indexes(), installed.triggers()]);
    checks.extend(records::checks(&installed)?);
    Ok(TableIterator::new(checks.into_iter().map(Check::row)))
}
