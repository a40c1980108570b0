//! The statements that add an object to the extension or take it out.

use crate::schema::facts::Member;
use crate::server::dynamic_sql;
use crate::server::error::Error;

/// The statement that adds an object to the extension, or takes it out.
pub fn alter_extension(action: &str, member: &Member) -> String {
    let Member { kind, object } = member;
    let object = match kind.as_str() {
        // The name of any other object begins with its kind.
        "other" => object.clone(),
        "schema" => format!("SCHEMA {}", dynamic_sql::quote(object)),
        "function" => format!("ROUTINE {object}"),
        kind => format!("{} {object}", kind.to_uppercase()),
    };
    format!("ALTER EXTENSION orchestrator_schema {action} {object};")
}

/// Whether an object of that name exists, a member or not.
pub fn exists(member: &Member) -> Result<bool, Error> {
    let sql = match member.kind.as_str() {
        "function" => "SELECT CASE WHEN $1 LIKE '%)' THEN to_regprocedure($1) END IS NOT NULL",
        _ => "SELECT to_regclass($1) IS NOT NULL",
    };
    dynamic_sql::known(sql, &[member.object.as_str().into()], "to_regclass")
}
