//! Who records an event, as the server knows it: the role that is logged in, the role in force, and
//! the subject of the token that a gateway checked. A trail behind one shared login thus names the
//! person. Decision `three-names-in-an-event`.

use std::cell::RefCell;
use std::ffi::{CStr, CString};

use const_format::concatcp;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use serde::Deserialize;

use crate::server::{arguments, backend_state, encoding, excerpt};

/// The longest subject in an event, in characters. OpenID Connect allows 255.
const LONGEST_SUBJECT: usize = 500;

/// The keys of the identity with their values, as an array of texts for `jsonb_object`. Every statement
/// that writes events begins with its two parameters: the role in force, and the subject or NULL.
pub const IDENTITY: &str = "(CASE WHEN $2 IS NOT NULL THEN ARRAY['subject', $2] END || \
    ARRAY['session_user', session_user::text, 'role', pg_catalog.pg_get_userbyid($1)::text])";

/// The person behind a login: the login itself; behind one that configuration `shared_logins` names, the subject
/// of the token, else the role in force. The value of the configuration is a list of names between commas, or a
/// JSON array of names.
macro_rules! person {
    ($login:expr, $subject:expr, $role:expr) => {
        concatcp!(
            "(CASE WHEN EXISTS ( \
                SELECT FROM orchestrator.configurations AS c \
                WHERE c.key = 'shared_logins' \
                  AND CASE c.value_type WHEN 'json' THEN c.value::jsonb @> to_jsonb(ARRAY[",
            $login,
            "]) ELSE ",
            $login,
            " = ANY (regexp_split_to_array(btrim(c.value), '\\s*,\\s*')) END) \
            THEN coalesce(",
            $subject,
            ", ",
            $role,
            ") ELSE ",
            $login,
            " END)"
        )
    };
}

/// The person who calls, as the server knows it, by the same two parameters as `IDENTITY`. No caller can choose
/// a login.
pub const PERSON: &str =
    person!("session_user::text", "$2", "pg_catalog.pg_get_userbyid($1)::text");

/// The person who recorded event `e`, as the server knew it.
pub const PERSON_OF_EVENT: &str = person!(
    "(e.metadata ->> 'session_user')",
    "(e.metadata ->> 'subject')",
    "(e.metadata ->> 'role')"
);

/// The two parameters of `IDENTITY` and `PERSON`.
pub struct Identity {
    pub role: pg_sys::Oid,
    pub subject: Option<String>,
}

impl Identity {
    pub fn of_the_caller() -> Identity {
        Identity { role: backend_state::callers_role(), subject: subject() }
    }

    /// The arguments of a statement whose first two parameters are those of the identity.
    pub fn before<'a, const COUNT: usize>(
        self,
        arguments: [DatumWithOid<'a>; COUNT],
    ) -> Vec<DatumWithOid<'a>> {
        [self.role.into(), self.subject.into()].into_iter().chain(arguments).collect()
    }
}

thread_local! {
    /// The claims that were read last, with their subject: a session records many events between two
    /// changes of the setting.
    static LAST: RefCell<(CString, Option<String>)> = RefCell::default();
}

/// The `sub` of `request.jwt.claims`, a setting of PostgREST and Supabase. Any session may set it to
/// anything, so a text that is no token's never stops an event.
fn subject() -> Option<String> {
    // SAFETY: the name is NUL-terminated; a missing setting gives NULL; the text is NUL-terminated, and
    // stays until the setting changes.
    let claims = unsafe {
        let value = pg_sys::GetConfigOption(c"request.jwt.claims".as_ptr(), true, false);
        if value.is_null() {
            return None;
        }
        CStr::from_ptr(value)
    };
    LAST.with_borrow_mut(|(last, subject)| {
        if last.as_c_str() != claims {
            *subject =
                subject_of(&claims.to_string_lossy()).filter(|subject| encoding::holds(subject));
            *last = claims.to_owned();
        }
        subject.clone()
    })
}

/// The claim that an event records; the others are not read.
#[derive(Deserialize)]
struct Claims {
    sub: String,
}

fn subject_of(claims: &str) -> Option<String> {
    // A list would be taken for the fields in order.
    if !claims.trim_start().starts_with('{') {
        return None;
    }
    let Claims { sub } = serde_json::from_str(claims).ok()?;
    let is_text = !arguments::is_blank(&sub) && !sub.contains('\0');
    is_text.then(|| excerpt::of(&sub, LONGEST_SUBJECT).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn claims_without_a_subject_record_none() {
        for claims in [
            "",
            " ",
            "null",
            "\"ada\"",
            "[{\"sub\": \"ada\"}]",
            "[\"ada\"]",
            "{}",
            "{\"role\": \"web\"}",
            "{\"sub\": null}",
            "{\"sub\": 7}",
            "{\"sub\": [\"ada\"]}",
            "{\"sub\": {\"sub\": \"ada\"}}",
            "{\"sub\": \"\"}",
            "{\"sub\": \" \\n\"}",
            "{\"sub\": \"a\\u0000b\"}",
            "{\"sub\": \"\\ud800\"}",
            "{\"sub\": \"ada\"",
            "{'sub': 'ada'}",
            "{\"sub\": \"ada\"} {}",
            "{\"sub\": \"ada\", \"sub\": \"eve\"}",
        ] {
            assert_eq!(subject_of(claims), None, "{claims}");
        }
        assert_eq!(subject_of(&format!("{}1{}", "[".repeat(5000), "]".repeat(5000))), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_an_error(claims in any::<String>()) {
            let _ = subject_of(&claims);
        }

        #[test]
        fn a_subject_is_recorded_as_it_is(subject in "[^\0\\s]{1,500}") {
            let claims = json!({ "role": "web", "sub": subject, "exp": [1, [2]] }).to_string().replace("[2]", "1e999");
            prop_assert_eq!(subject_of(&claims), Some(subject));
        }

        #[test]
        fn a_long_subject_is_cut(subject in "\\w{501,600}") {
            let recorded = subject_of(&json!({ "sub": subject }).to_string()).unwrap_or_default();
            prop_assert_eq!(recorded.chars().count(), LONGEST_SUBJECT + 3);
        }
    }
}
