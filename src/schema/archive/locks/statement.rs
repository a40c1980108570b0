//! The statement that runs the running script: only the statement shows the version at which the
//! update ends.

use std::ffi::CStr;

use pgrx::PgList;
use pgrx::prelude::*;

use crate::server::dynamic_sql;
use crate::server::error::Error;

/// The statement that runs the running script.
pub enum Statement {
    /// CREATE EXTENSION. None of the extension's tables is older than this transaction; archives
    /// may be.
    Create,
    /// ALTER EXTENSION UPDATE, to that version.
    Update(String),
    /// A block or a function that runs one of these statements.
    Unknown,
}

/// The statement that the client sent.
pub fn running() -> Result<Statement, Error> {
    let Some(statement) = sent() else { return Ok(Statement::Unknown) };
    // SAFETY: the tag of a node identifies its type. The node belongs to the running statement, and
    // everything read from it is copied.
    unsafe {
        match (*statement).type_ {
            pg_sys::NodeTag::T_CreateExtensionStmt => Ok(Statement::Create),
            pg_sys::NodeTag::T_AlterExtensionStmt => {
                match new_version(statement.cast::<pg_sys::AlterExtensionStmt>()) {
                    Some(version) => Ok(Statement::Update(version)),
                    None => Ok(default_version()?.map_or(Statement::Unknown, Statement::Update)),
                }
            }
            _ => Ok(Statement::Unknown),
        }
    }
}

/// The utility statement that the client sent, if it sent nothing else.
fn sent() -> Option<*mut pg_sys::Node> {
    // SAFETY: while a function runs, the portal of the statement that called it exists, and with it
    // its list of planned statements.
    unsafe {
        let portal = pg_sys::ActivePortal.as_ref()?;
        let statements = PgList::<pg_sys::PlannedStmt>::from_pg(portal.stmts);
        let mut utilities = statements.iter_ptr().filter_map(|planned| planned.as_ref());
        let utility = utilities.next()?.utilityStmt;
        (!utility.is_null()).then_some(utility)
    }
}

/// The version that ALTER EXTENSION UPDATE TO names.
///
/// # Safety
/// `statement` points to a statement that lives as long as the call.
unsafe fn new_version(statement: *mut pg_sys::AlterExtensionStmt) -> Option<String> {
    // SAFETY: the options are a list of definitions; the value of this one is a text.
    unsafe {
        let options = PgList::<pg_sys::DefElem>::from_pg((*statement).options);
        let named =
            |option: &*mut pg_sys::DefElem| CStr::from_ptr((**option).defname) == c"new_version";
        let option = options.iter_ptr().find(named)?;
        let version = CStr::from_ptr(pg_sys::defGetString(option));
        Some(version.to_string_lossy().into_owned())
    }
}

/// The version that ALTER EXTENSION UPDATE leads to when it names none.
fn default_version() -> Result<Option<String>, Error> {
    const DEFAULT: &str =
        "SELECT default_version FROM pg_available_extensions WHERE name = 'orchestrator_schema'";
    dynamic_sql::value(DEFAULT, &[])
}
