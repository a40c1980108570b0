//! The error type of the library: message, facts, next step, and the SQLSTATE for programs.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::server::{excerpt, interrupts};

/// The kinds of failure that a caller can distinguish, each with its SQLSTATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 22004: a required argument is NULL.
    NullArgument,
    /// P0002: an unknown id, thread, key, version or label.
    NotFound,
    /// 22023: a value outside its set, malformed text, a missing reason or note.
    InvalidValue,
    /// 55000: a step that the state machine does not allow, or a prerequisite is missing.
    NotReady,
    /// 23505: the same key with other content.
    Duplicate,
    /// 42501: not allowed for this role.
    Forbidden,
    /// 55006: a downgrade that would archive rows while that is refused.
    InUse,
    /// 25006: the server is a standby.
    Standby,
    /// 55P03: an update could not lock a table in time.
    LockNotAvailable,
    /// 2BP01: an object of a user depends on something that a step would remove.
    Dependents,
    /// 40001: another transaction was faster; a new transaction can try again.
    Serialization,
    /// XX000: the server's own interface failed.
    Internal,
}

impl Kind {
    fn sqlstate(self) -> PgSqlErrorCode {
        match self {
            Kind::NullArgument => PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            Kind::NotFound => PgSqlErrorCode::ERRCODE_NO_DATA_FOUND,
            Kind::InvalidValue => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            Kind::NotReady => PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            Kind::Duplicate => PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION,
            Kind::Forbidden => PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            Kind::InUse => PgSqlErrorCode::ERRCODE_OBJECT_IN_USE,
            Kind::Standby => PgSqlErrorCode::ERRCODE_READ_ONLY_SQL_TRANSACTION,
            Kind::LockNotAvailable => PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE,
            Kind::Dependents => PgSqlErrorCode::ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
            Kind::Serialization => PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
            Kind::Internal => PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
        }
    }
}

/// The five characters of an SQLSTATE. The server packs each into six bits, counted from '0'.
pub fn in_characters(sqlstate: PgSqlErrorCode) -> String {
    let bits = sqlstate as isize;
    (0..5).map(|place| char::from(b'0' + ((bits >> (6 * place)) & 0x3F) as u8)).collect()
}

/// A failure on its way to the caller.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
}

impl Error {
    /// `message` names the value and the fault.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), detail: None, hint: None }
    }

    pub fn sqlstate(&self) -> PgSqlErrorCode {
        self.kind.sqlstate()
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn facts(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }

    /// Reports the failure as a WARNING. The caller goes on without what failed.
    pub fn warn(self) {
        ErrorReport::from(self).report(PgLogLevel::WARNING);
    }

    /// The facts behind the message.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The next step for the caller.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Error {
    /// A statement that writes a row returned none. `message` names the failed action, `table` our
    /// table.
    pub fn no_row(message: impl Into<String>, table: &str) -> Self {
        Error::new(Kind::NotReady, message)
            .detail(format!("Table orchestrator.{table} returned no row."))
            .hint(format!(
                "Look for a trigger, a rule or a policy of your own on orchestrator.{table}."
            ))
    }
}

/// The value of a required argument; a null is an error that names the argument.
pub fn required<T>(argument: &str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| {
        Error::new(Kind::NullArgument, format!("argument \"{argument}\" must not be null"))
    })
}

/// The values of a list argument; a null among them is an error that names the argument.
pub fn without_nulls<T>(argument: &str, values: Vec<Option<T>>) -> Result<Vec<T>, Error> {
    let value = |value: Option<T>| {
        interrupts::allow();
        value.ok_or_else(|| {
            let message = format!("argument \"{argument}\" must not contain null");
            Error::new(Kind::NullArgument, message)
        })
    };
    values.into_iter().map(value).collect()
}

impl From<pgrx::spi::Error> for Error {
    fn from(error: pgrx::spi::Error) -> Self {
        match error {
            // The column has a type that it has in no version.
            pgrx::spi::Error::DatumError(error) => Error::new(
                Kind::NotReady,
                "a column cannot be read",
            )
            .detail(format!("{error}."))
            .hint(
                "See what differs from the installed version: SELECT * FROM orchestrator.verify();",
            ),
            error => {
                Error::new(Kind::Internal, format!("the server's query interface failed: {error}"))
            }
        }
    }
}

/// The longest MESSAGE and DETAIL, in characters: both repeat values, and a value may have any size.
const LONGEST_MESSAGE: usize = 2_000;
const LONGEST_DETAIL: usize = 20_000;

impl From<Error> for ErrorReport {
    fn from(error: Error) -> Self {
        let message = excerpt::of(&error.message, LONGEST_MESSAGE).into_owned();
        let mut report = ErrorReport::new(error.kind.sqlstate(), message, "");
        if let Some(detail) = error.detail {
            report = report.set_detail(excerpt::of(&detail, LONGEST_DETAIL).into_owned());
        }
        if let Some(hint) = error.hint {
            report = report.set_hint(hint);
        }
        report
    }
}
