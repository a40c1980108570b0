//! Configuration: values that are text in the table and typed for who reads them. The value of a
//! secret stands in no message of ours.

use std::ffi::CString;
use std::panic::AssertUnwindSafe;

use pgrx::AllocatedByRust;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::document::Document;
use crate::error::{Error, Kind, required};
use crate::{catalog, plans, rows, session, text};

/// The types a value can have.
const TYPES: [&str; 5] = ["string", "integer", "float", "boolean", "json"];

/// The words of a boolean, as the server's own input reads them.
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

/// The same, as far as it can be told without the server.
fn reads_as(value: &str, value_type: &str) -> bool {
    match value_type {
        "string" | "json" => true,
        "integer" => value.parse::<i64>().is_ok(),
        "float" => value.parse::<f64>().is_ok_and(f64::is_finite),
        "boolean" => BOOLEANS.iter().any(|word| value.eq_ignore_ascii_case(word)),
        _ => false,
    }
}

/// Whether the server's own input function of a type takes a text: only it knows what it can hold.
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
        // SAFETY: the text is NUL-terminated and outlives the call. The function allocates memory and
        // does nothing else, so that its error may be caught without a subtransaction.
        unsafe { pgrx::direct_function_call_as_datum(input, &arguments) }.is_some()
    }));
    REFUSALS.into_iter().fold(read, |read, code| read.catch_when(code, |_| false)).execute()
}

/// What a value of a type looks like.
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

/// Whether a text is a value of a type. Used by the CHECK of the table.
///
/// `value_type`: string, integer, float, boolean or json. Returns: false also for another type.
/// Errors: 22004. Since 0.1.5.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn is_valid_configuration(
    value: Option<&str>,
    value_type: Option<&str>,
) -> Result<bool, ErrorReport> {
    Ok(parses(required("value", value)?, required("value_type", value_type)?))
}

/// Sets a configuration value, new or not.
///
/// `value_type`: NULL keeps the type it has, or means string; `description`, `is_secret`: NULL
/// keeps what was. Returns: the row.
/// Errors: 22004, 22023 blank or overlong key, unknown type, or a value that is none of its type. Since 0.1.5.
#[pg_extern(sql = false, volatile)]
fn set_configuration(
    key: Option<&str>,
    value: Option<&str>,
    value_type: default!(Option<&str>, "'string'"),
    description: default!(Option<&str>, "NULL"),
    is_secret: default!(Option<bool>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.configurations"), ErrorReport> {
    const SET: &str = "INSERT INTO orchestrator.configurations AS c (key, value, value_type, description, is_secret) \
         VALUES ($1, $2, $3, $4, coalesce($5, false)) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, value_type = excluded.value_type, \
             description = coalesce($4, c.description), is_secret = coalesce($5, c.is_secret) \
         RETURNING c";
    let key = text::name("key", key)?;
    let value = required("value", value)?;
    let value_type = match value_type {
        Some(value_type) => text::one_of("value_type", value_type, &TYPES)?.to_owned(),
        None => current_type(key)?.unwrap_or_else(|| "string".to_owned()),
    };
    if !parses(value, &value_type) {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("the value for configuration \"{key}\" is not of type {value_type}"),
        )
        .hint(looks_like(&value_type))
        .into());
    }
    let arguments = [
        key.into(),
        value.into(),
        value_type.as_str().into(),
        description.into(),
        is_secret.into(),
    ];
    let row = plans::update(SET, &arguments, plans::one::<PgHeapTuple<'static, AllocatedByRust>>)?;
    Ok(row.ok_or_else(|| {
        Error::no_row(format!("configuration \"{key}\" could not be set"), "configurations")
    })?)
}

fn current_type(key: &str) -> Result<Option<String>, Error> {
    const TYPE: &str = "SELECT c.value_type FROM orchestrator.configurations AS c WHERE c.key = $1";
    plans::select(TYPE, &[key.into()], |rows| rows::one(rows, "configurations.value_type"))
}

/// The text of a configuration value.
///
/// Errors: 22004, P0002 unknown key. Since 0.1.5.
#[pg_extern(sql = false, stable)]
fn get_configuration(key: Option<&str>) -> Result<String, ErrorReport> {
    let key = required("key", key)?;
    Ok(text_of(key)?.ok_or_else(|| unknown(key))?)
}

/// A configuration value as what it is: a number, true or false, text, or a document.
///
/// `fallback`: the answer for an unknown key.
/// Errors: 22004, P0002 unknown key without a fallback. Since 0.1.5.
#[pg_extern(sql = false, stable)]
fn configuration_value(
    key: Option<&str>,
    fallback: default!(Option<Document>, "NULL"),
) -> Result<Document, ErrorReport> {
    let key = required("key", key)?;
    Ok(typed::<Document>(key)?.or(fallback).ok_or_else(|| unknown(key))?)
}

/// The typed value of a key, when it is there.
pub fn typed<T: FromDatum + IntoDatum>(key: &str) -> Result<Option<T>, Error> {
    const TYPED: &str = "SELECT CASE c.value_type \
             WHEN 'integer' THEN to_jsonb(c.value::bigint) \
             WHEN 'float'   THEN to_jsonb(c.value::numeric) \
             WHEN 'boolean' THEN to_jsonb(c.value::boolean) \
             WHEN 'json'    THEN c.value::jsonb \
             ELSE to_jsonb(c.value) END \
         FROM orchestrator.configurations AS c WHERE c.key = $1";
    plans::select(TYPED, &[key.into()], |rows| rows::one(rows, "configurations.value"))
}

/// The text of a configuration value. The value of a secret is for who may read the table; of
/// everything else it is read with the owner's rights.
///
/// Errors: 22004, P0002 unknown key, 42501 a secret. Since 0.6.0.
#[pg_extern(sql = false, stable)]
fn get_configuration_unless_secret(key: Option<&str>) -> Result<String, ErrorReport> {
    let key = required("key", key)?;
    Ok(unless_secret(key, text_of)?.ok_or_else(|| unknown(key))?)
}

/// A configuration value as what it is: a number, true or false, text, or a document. The value of
/// a secret is for who may read the table.
///
/// `fallback`: the answer for an unknown key.
/// Errors: 22004, P0002 unknown key without a fallback, 42501 a secret. Since 0.6.0.
#[pg_extern(sql = false, stable)]
fn configuration_value_unless_secret(
    key: Option<&str>,
    fallback: default!(Option<Document>, "NULL"),
) -> Result<Document, ErrorReport> {
    let key = required("key", key)?;
    Ok(unless_secret(key, typed::<Document>)?.or(fallback).ok_or_else(|| unknown(key))?)
}

/// Reads a value with the caller's rights where they suffice, else with the owner's unless it is a
/// secret.
fn unless_secret<T>(
    key: &str,
    read: fn(&str) -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    const MAY_READ: &str = "SELECT has_table_privilege('orchestrator.configurations', 'SELECT')";
    const IS_SECRET: &str =
        "SELECT c.is_secret FROM orchestrator.configurations AS c WHERE c.key = $1";
    if plans::select(MAY_READ, &[], plans::one::<bool>)? == Some(true) {
        return read(key);
    }
    session::with_rights_of(catalog::owner()?, || {
        match plans::select(IS_SECRET, &[key.into()], plans::one::<bool>)? {
            Some(true) => {
                Err(Error::new(Kind::Forbidden, format!("configuration \"{key}\" is a secret"))
                    .hint("Its value is for roles of level admin."))
            }
            _ => read(key),
        }
    })
}

fn text_of(key: &str) -> Result<Option<String>, Error> {
    const VALUE: &str = "SELECT c.value FROM orchestrator.configurations AS c WHERE c.key = $1";
    plans::select(VALUE, &[key.into()], |rows| rows::one(rows, "configurations.value"))
}

fn unknown(key: &str) -> Error {
    Error::new(Kind::NotFound, format!("configuration \"{key}\" does not exist"))
        .hint("SELECT * FROM orchestrator.configuration_listing shows all; orchestrator.set_configuration adds one.")
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
