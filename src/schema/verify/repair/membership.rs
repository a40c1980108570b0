//! Whether something is a member of the extension: the statements that change it.

use crate::schema::facts::Member;
use crate::server::dynamic_sql;
use crate::server::error::Error;

/// A statement that takes a member into the extension, or out of it.
pub fn alter_extension(action: &str, member: &Member) -> String {
    let Member { kind, object } = member;
    let object = match kind.as_str() {
        // The object of another kind begins with what it is.
        "other" => object.clone(),
        "schema" => format!("SCHEMA {}", dynamic_sql::quote(object)),
        "function" => format!("ROUTINE {object}"),
        kind => format!("{} {object}", kind.to_uppercase()),
    };
    format!("ALTER EXTENSION orchestrator_schema {action} {object};")
}

/// Whether there is an object of that name, a member or not.
pub fn exists(member: &Member) -> Result<bool, Error> {
    let sql = match member.kind.as_str() {
        "function" => "SELECT to_regprocedure($1) IS NOT NULL",
        _ => "SELECT to_regclass($1) IS NOT NULL",
    };
    dynamic_sql::known(sql, &[member.object.as_str().into()], "to_regclass")
}
