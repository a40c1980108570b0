//! The objects that privileges are on, as far as they exist, and what each level may do on them.

use std::collections::BTreeSet;

use const_format::concatcp;

use super::levels;
use super::privileges::{Privilege, Privileges, WITH_OBJECTS};
use super::rights::{Level, Right};
use crate::schema::facts::Members;
use crate::server::dynamic_sql::quote;
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{interrupts, rows};

/// An object that exists, with the columns that it has.
#[derive(Clone)]
struct Object {
    kind: String,
    name: String,
    bare: String,
    columns: Vec<String>,
}

/// Objects that exist.
pub struct Objects(Vec<Object>);

impl Objects {
    /// All of the extension.
    pub fn existing() -> Result<Objects, Error> {
        static OBJECTS: Statement = Statement::new(concatcp!(
            WITH_OBJECTS,
            "SELECT o.kind, o.name, o.bare, \
                    ARRAY(SELECT c.attname::text FROM pg_attribute AS c \
                          WHERE c.attrelid = o.relation AND c.attnum > 0 AND NOT c.attisdropped) \
             FROM object AS o"
        ));
        let objects = OBJECTS.select(&[], |found| {
            rows::each(found, |row| {
                Ok(Object {
                    kind: rows::value(row, 1, "object.kind")?,
                    name: rows::value(row, 2, "object.name")?,
                    bare: rows::value(row, 3, "object.bare")?,
                    columns: rows::value(row, 4, "object.columns")?,
                })
            })
        })?;
        Ok(Objects(objects))
    }

    /// Those that a version has, each with the columns that it has there. A function is known by its
    /// name alone.
    pub fn of_version(&self, version: &Members) -> Objects {
        let names: BTreeSet<(&str, &str)> = version
            .keys()
            .map(|member| {
                let name = member.object.split('(').next().unwrap_or(&member.object);
                (member.kind.as_str(), name)
            })
            .collect();
        let has =
            |kinds: &[&str], name: &str| kinds.iter().any(|kind| names.contains(&(*kind, name)));
        let mut objects = self.0.clone();
        objects.retain_mut(|object| {
            let name = object.name.split('(').next().unwrap_or(&object.name).to_owned();
            let in_schema = format!("orchestrator.{}", object.bare);
            match object.kind.as_str() {
                "SCHEMA" => true,
                "FUNCTION" => has(&["function"], &in_schema),
                _ => {
                    object
                        .columns
                        .retain(|column| has(&["column"], &format!("{name}.{}", quote(column))));
                    has(&["table", "view", "sequence"], &name)
                }
            }
        });
        Objects(objects)
    }

    /// The privileges of a level on them.
    pub fn due(&self, level: Level) -> Privileges {
        let reviewers_steer = self.0.iter().any(|object| object.bare == levels::REVIEWERS_STEER);
        let mut due = Privileges::new();
        for object in &self.0 {
            interrupts::allow();
            for (privilege, column) in of_level(level, object, reviewers_steer) {
                due.insert(Privilege {
                    object: format!("{} {}", object.kind, object.name),
                    privilege: privilege.to_owned(),
                    column: column.map(str::to_owned),
                    irregular: false,
                });
            }
        }
        due
    }
}

/// The privileges of a level on one object, each with its column. Older versions lack some columns.
fn of_level(
    level: Level,
    object: &Object,
    reviewers_steer: bool,
) -> Vec<(&'static str, Option<&'static str>)> {
    match object.kind.as_str() {
        "SCHEMA" => vec![("USAGE", None)],
        "FUNCTION" => match levels::function(&object.bare, reviewers_steer) {
            Some(callers) if callers.contains(&level) => vec![("EXECUTE", None)],
            _ => Vec::new(),
        },
        _ => {
            let rights = levels::relation(&object.bare).unwrap_or_default();
            let mut given = Vec::new();
            let exists = |column: &str| object.columns.iter().any(|has| has == column);
            let has =
                |right: &&Right| right.levels.contains(&level) && right.with.is_none_or(exists);
            for right in rights.iter().filter(has) {
                if right.columns.is_empty() {
                    given.push((right.privilege, None));
                }
                let columns = right.columns.iter().filter(|column| exists(column));
                given.extend(columns.map(|column| (right.privilege, Some(*column))));
            }
            given
        }
    }
}
