//! The types of values of configurations, and which texts are values of each.

use std::ffi::CString;
use std::panic::AssertUnwindSafe;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::server::error::required;

/// The types a value can have.
pub const TYPES: [&str; 5] = ["string", "integer", "float", "boolean", "json"];

/// The words for a boolean, as the server's own input reads them.
const BOOLEANS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "1", "0"];

/// Whether a text is a value of that type.
pub fn parses(value: &str, value_type: &str) -> bool {
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
pub fn looks_like(value_type: &str) -> &'static str {
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
