//! Configuration: values are stored as text and read with their type. No message contains the value
//! of a secret.

pub mod retention;

use std::ffi::CString;
use std::panic::AssertUnwindSafe;

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

/// The types a value can have.
pub const TYPES: [&str; 5] = ["string", "integer", "float", "boolean", "json"];

/// The words for a boolean, as the server's own input reads them.
const BOOLEANS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "1", "0"];

/// Whether a text is a value of that type.
fn parses(value: &str, value_type: &str) -> bool {
    let read = |input| server_reads(input, value);
    reads_as(value, value_type)
        && match value_type {
            "float" => read(pg_sys::numeric_in),
            "json" => read(pg_sys::jsonb_in),
            _ => true,
        }
}

/// The part of the same check that needs no server.
fn reads_as(value: &str, value_type: &str) -> bool {
    match value_type {
        "string" | "json" => true,
        "integer" => value.parse::<i64>().is_ok(),
        "float" => value.parse::<f64>().is_ok_and(f64::is_finite),
        "boolean" => BOOLEANS.iter().any(|word| value.eq_ignore_ascii_case(word)),
        _ => false,
    }
}

/// Whether the server's input function of a type accepts a text. Only the server knows its limits.
fn server_reads(input: unsafe fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum, value: &str) -> bool {
    const REFUSALS: [PgSqlErrorCode; 6] = [
        PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
        PgSqlErrorCode::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
        PgSqlErrorCode::ERRCODE_UNTRANSLATABLE_CHARACTER,
        PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
        PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        PgSqlErrorCode::ERRCODE_STATEMENT_TOO_COMPLEX,
    ];
    let Ok(text) = CString::new(value) else { return false };
    // Input functions take the text, the type of elements, and the type's modifier; -1 is none.
    let arguments = [Some(text.as_ptr().into()), Some(0.into()), (-1).into_datum()];
    let read = PgTryBuilder::new(AssertUnwindSafe(|| {
        // SAFETY: the text is NUL-terminated and outlives the call. The function allocates memory
        // and does nothing else, so that its error may be caught without a subtransaction.
        unsafe { pgrx::direct_function_call_as_datum(input, &arguments) }.is_some()
    }));
    REFUSALS.into_iter().fold(read, |read, code| read.catch_when(code, |_| false)).execute()
}

/// The form of a value of each type, in words.
fn looks_like(value_type: &str) -> &'static str {
    match value_type {
        "integer" => {
            "An integer is digits with an optional sign, from -9223372036854775808 to 9223372036854775807, for example 3."
        }
        "float" => "A float is a finite decimal number, for example 0.85 or 1e-3.",
        "boolean" => "A boolean is true, false, yes, no, on, off, 1 or 0.",
        _ => "A json value is one JSON document, for example {\"retries\": 3}.",
    }
}

/// Whether a text is a valid value of a type. The CHECK of the table uses it.
///
/// `value_type`: string, integer, float, boolean or json. Returns: false also for an unknown type.
/// Errors: 22004. Since 0.1.5.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn is_valid_configuration(
    value: Option<&str>,
    value_type: Option<&str>,
) -> Result<bool, ErrorReport> {
    Ok(parses(required("value", value)?, required("value_type", value_type)?))
}

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
    use proptest::prelude::*;

    #[test]
    fn each_type_accepts_its_own_words() {
        for (value, value_type) in
            [("", "string"), ("-7", "integer"), ("+7", "integer"), ("YES", "boolean")]
        {
            assert!(reads_as(value, value_type), "{value} {value_type}");
        }
        for (value, value_type) in [
            ("three", "integer"),
            ("", "integer"),
            ("1.5", "integer"),
            ("9223372036854775808", "integer"),
            ("NaN", "float"),
            ("inf", "float"),
            ("1e999", "float"),
            ("ja", "boolean"),
            ("", "boolean"),
            ("x", "text"),
        ] {
            assert!(!reads_as(value, value_type), "{value} {value_type}");
        }
    }

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

    proptest! {
        #[test]
        fn every_number_is_its_type(number in any::<i64>()) {
            prop_assert!(reads_as(&number.to_string(), "integer"));
            prop_assert!(reads_as(&number.to_string(), "float"));
        }

        #[test]
        fn no_text_makes_it_panic(value in any::<String>(), value_type in any::<String>()) {
            for known in TYPES {
                reads_as(&value, known);
            }
            prop_assert!(TYPES.contains(&value_type.as_str()) || !reads_as(&value, &value_type));
        }
    }
}
