//! Configuration: values are stored as text and read with their type. No message contains the value
//! of a secret.

pub mod retention;
pub mod types;

use const_format::concatcp;
use pgrx::AllocatedByRust;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::schema::catalog;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, backend_state, rows, statements};
use types::{TYPES, looks_like, parses};

/// The number of attempts when another transaction inserts the key between two statements each
/// time.
const ATTEMPTS: usize = 100;

type Row = PgHeapTuple<'static, AllocatedByRust>;

/// A value to be written.
struct Change<'a> {
    key: &'a str,
    value: &'a str,
    value_type: Option<&'a str>,
    description: Option<&'a str>,
    is_secret: Option<bool>,
}

/// Sets the value of a configuration key, existing or new.
///
/// `value_type`: string, integer, float, boolean or json; NULL keeps the type of an existing key,
/// and means string for a new one; `description`, `is_secret`: NULL keeps the current value.
/// Returns: the row.
/// Errors: 22004, 22023 blank or overlong key, unknown type, or a value that does not fit its type.
/// Since 0.1.5.
#[pg_extern(sql = false, volatile)]
fn set_configuration(
    key: Option<&str>,
    value: Option<&str>,
    value_type: default!(Option<&str>, "NULL"),
    description: default!(Option<&str>, "NULL"),
    is_secret: default!(Option<bool>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.configurations"), ErrorReport> {
    let key = arguments::name("key", key)?;
    let value = required("value", value)?;
    let value_type =
        value_type.map(|named| arguments::one_of("value_type", named, &TYPES)).transpose()?;
    Ok(Change { key, value, value_type, description, is_secret }.make()?)
}

impl Change<'_> {
    /// Writes the row of the key. An existing row is locked before its type is read, so that the
    /// value fits the type that the row keeps.
    fn make(&self) -> Result<Row, Error> {
        static TYPE: Statement = Statement::new(
            "SELECT c.value_type FROM orchestrator.configurations AS c WHERE c.key = $1 FOR NO KEY UPDATE",
        );
        static UPDATE: Statement = Statement::new(
            "UPDATE orchestrator.configurations AS c SET value = $2, value_type = $3, \
                 description = coalesce($4, c.description), is_secret = coalesce($5, c.is_secret) \
             WHERE c.key = $1 RETURNING c",
        );
        static INSERT: Statement = Statement::new(
            "INSERT INTO orchestrator.configurations AS c (key, value, value_type, description, is_secret) \
             VALUES ($1, $2, $3, $4, coalesce($5, false)) ON CONFLICT (key) DO NOTHING RETURNING c",
        );
        for _ in 0..ATTEMPTS {
            let current = TYPE.update(&[self.key.into()], |rows| {
                rows::one::<String>(rows, "configurations.value_type")
            })?;
            let value_type = self.value_type.or(current.as_deref()).unwrap_or("string");
            self.check(value_type)?;
            let arguments = [
                self.key.into(),
                self.value.into(),
                value_type.into(),
                self.description.into(),
                self.is_secret.into(),
            ];
            let statement = if current.is_some() { &UPDATE } else { &INSERT };
            if let Some(row) = statement.update(&arguments, statements::one::<Row>)? {
                return Ok(row);
            }
            if current.is_some() {
                // The row is locked, so no other transaction hides it from the update.
                break;
            }
            // Another transaction inserted the key between the two statements.
        }
        let message = format!("configuration \"{}\" could not be set", self.key);
        Err(Error::no_row(message, "configurations"))
    }

    /// Errors: 22023 the value does not fit the type.
    fn check(&self, value_type: &str) -> Result<(), Error> {
        if parses(self.value, value_type) {
            return Ok(());
        }
        let message =
            format!("the value for configuration \"{}\" is not of type {value_type}", self.key);
        Err(Error::new(Kind::InvalidValue, message).hint(looks_like(value_type)))
    }
}

/// The value of row `c` as text.
const AS_TEXT: &str = "c.value";

/// The value of row `c` with its type.
const AS_TYPED: &str = "CASE c.value_type \
             WHEN 'integer' THEN to_jsonb(c.value::bigint) \
             WHEN 'float'   THEN to_jsonb(c.value::numeric) \
             WHEN 'boolean' THEN to_jsonb(c.value::boolean) \
             WHEN 'json'    THEN c.value::jsonb \
             ELSE to_jsonb(c.value) END";

/// Reads the value of a key with the caller's rights. One of the forms above stands between the two
/// halves.
const READ: [&str; 2] = ["SELECT ", " FROM orchestrator.configurations AS c WHERE c.key = $1"];

/// Reads whether the value of a key is a secret, and the value if it is not. One statement reads
/// both with one snapshot, so a key that becomes a secret at the same time is never read as plain.
const READ_UNLESS_SECRET: [&str; 2] = [
    "SELECT c.is_secret IS NOT FALSE, CASE WHEN c.is_secret IS FALSE THEN ",
    " END FROM orchestrator.configurations AS c WHERE c.key = $1",
];

static READ_TEXT: Statement = Statement::new(concatcp!(READ[0], AS_TEXT, READ[1]));
static READ_TYPED: Statement = Statement::new(concatcp!(READ[0], AS_TYPED, READ[1]));
static READ_TEXT_UNLESS_SECRET: Statement =
    Statement::new(concatcp!(READ_UNLESS_SECRET[0], AS_TEXT, READ_UNLESS_SECRET[1]));
static READ_TYPED_UNLESS_SECRET: Statement =
    Statement::new(concatcp!(READ_UNLESS_SECRET[0], AS_TYPED, READ_UNLESS_SECRET[1]));

/// The text of a configuration value.
///
/// Errors: 22004, P0002 unknown key. Since 0.1.5.
#[pg_extern(sql = false, stable)]
fn get_configuration(key: Option<&str>) -> Result<String, ErrorReport> {
    let key = required("key", key)?;
    Ok(value_of(&READ_TEXT, key)?.ok_or_else(|| unknown(key))?)
}

/// A configuration value with its type: a number, true or false, a text, or a document.
///
/// `fallback`: the result for an unknown key.
/// Errors: 22004, P0002 unknown key without a fallback. Since 0.1.5.
#[pg_extern(sql = false, stable)]
fn configuration_value(
    key: Option<&str>,
    fallback: default!(Option<Document>, "NULL"),
) -> Result<Document, ErrorReport> {
    let key = required("key", key)?;
    let value = value_of(&READ_TYPED, key)?;
    Ok(value.or(fallback).ok_or_else(|| unknown(key))?)
}

/// The value of a key by one of these statements; `None` for an unknown key.
fn value_of<T: FromDatum + IntoDatum>(
    statement: &'static Statement,
    key: &str,
) -> Result<Option<T>, Error> {
    statement.select(&[key.into()], |rows| rows::one(rows, "configurations.value"))
}

/// A configuration that should be a number.
pub struct Number {
    /// `None` if it is not a number.
    pub value: Option<f64>,
    /// Whether only admins may see its value.
    pub is_secret: bool,
}

/// The value of a key as a number: a number, or a text that is one. A number that is too large for
/// a float is infinite. `None` for an unknown key.
pub fn number(key: &str) -> Result<Option<Number>, Error> {
    // The server finds the number in a document of any depth and size; this library does not parse
    // it.
    static NUMBER: Statement = Statement::new(
        "SELECT CASE c.value_type \
             WHEN 'boolean' THEN NULL \
             WHEN 'json' THEN CASE WHEN jsonb_typeof(c.value::jsonb) IN ('number', 'string') THEN c.value::jsonb #>> '{}' END \
             ELSE c.value END, c.is_secret IS NOT FALSE \
         FROM orchestrator.configurations AS c WHERE c.key = $1",
    );
    NUMBER.select(&[key.into()], |rows| {
        rows::first(rows, |row| {
            let text = rows::optional::<String>(row, 1, "configurations.value")?;
            Ok(Number {
                value: text.as_deref().and_then(number_in),
                is_secret: rows::value(row, 2, "configurations.is_secret")?,
            })
        })
    })
}

/// The number that a text contains.
fn number_in(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// The text of a configuration value. Only roles that may read the table see the value of a secret;
/// any other value is read with the owner's rights.
///
/// Errors: 22004, P0002 unknown key, 42501 the value is a secret. Since 0.6.0.
#[pg_extern(sql = false, stable)]
fn get_configuration_0_6_0(key: Option<&str>) -> Result<String, ErrorReport> {
    let key = required("key", key)?;
    let value = unless_secret(key, &READ_TEXT, &READ_TEXT_UNLESS_SECRET)?;
    Ok(value.ok_or_else(|| unknown(key))?)
}

/// A configuration value with its type: a number, true or false, a text, or a document. Only roles
/// that may read the table see the value of a secret.
///
/// `fallback`: the result for an unknown key.
/// Errors: 22004, P0002 unknown key without a fallback, 42501 the value is a secret. Since 0.6.0.
#[pg_extern(sql = false, stable)]
fn configuration_value_0_6_0(
    key: Option<&str>,
    fallback: default!(Option<Document>, "NULL"),
) -> Result<Document, ErrorReport> {
    let key = required("key", key)?;
    let value = unless_secret(key, &READ_TYPED, &READ_TYPED_UNLESS_SECRET)?;
    Ok(value.or(fallback).ok_or_else(|| unknown(key))?)
}

/// Reads a value with the caller's rights if they suffice, else with the owner's rights, unless the
/// value is a secret. If the caller loses the right at the same time, the caller's statement fails.
fn unless_secret<T: FromDatum + IntoDatum>(
    key: &str,
    with_own_rights: &'static Statement,
    with_the_owners: &'static Statement,
) -> Result<Option<T>, Error> {
    static MAY_READ: Statement =
        Statement::new("SELECT has_table_privilege('orchestrator.configurations', 'SELECT')");
    if MAY_READ.select(&[], statements::one::<bool>)? == Some(true) {
        return value_of(with_own_rights, key);
    }
    let found = backend_state::with_rights_of(catalog::owner()?, || {
        with_the_owners.select(&[key.into()], |rows| {
            rows::first(rows, |row| {
                let is_secret = rows::value::<bool>(row, 1, "configurations.is_secret")?;
                Ok((is_secret, rows::optional::<T>(row, 2, "configurations.value")?))
            })
        })
    })?;
    match found {
        None => Ok(None),
        Some((true, _)) => {
            Err(Error::new(Kind::Forbidden, format!("configuration \"{key}\" is a secret"))
                .hint("Only a role with level admin may read it."))
        }
        Some((false, None)) => Err(rows::null("configurations.value")),
        Some((false, value)) => Ok(value),
    }
}

fn unknown(key: &str) -> Error {
    Error::new(Kind::NotFound, format!("configuration \"{key}\" does not exist"))
        .hint("List all keys: SELECT * FROM orchestrator.configuration_listing; add one with orchestrator.set_configuration.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_however_they_were_set() {
        for (text, number) in [("14", 14.0), (" 0.85 ", 0.85), ("+7", 7.0), ("1e-3", 0.001)] {
            assert_eq!(number_in(text), Some(number), "{text}");
        }
        for text in ["", "a week", "1,5", "0x10"] {
            assert_eq!(number_in(text), None, "{text}");
        }
        assert_eq!(number_in("1e400"), Some(f64::INFINITY));
    }
}
