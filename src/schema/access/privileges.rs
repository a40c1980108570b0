//! The privileges that a role holds on the extension's objects, those that its level gives it, and
//! the statements that lead from the former to the latter. Objects come from the catalog. The only
//! name that reaches a statement is a role's, quoted.

use std::collections::{BTreeMap, BTreeSet};

use const_format::concatcp;
use pgrx::pg_sys::Oid;
use pgrx::spi::SpiTupleTable;

use super::levels;
use super::rights::{Level, Right};
use crate::schema::facts::Members;
use crate::server::dynamic_sql::{self, quote};
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{backend_state, interrupts, rows, statements};

/// A privilege on an object, or on one column of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Privilege {
    /// As GRANT names it, for example `TABLE orchestrator.tasks`.
    pub object: String,
    pub privilege: String,
    pub column: Option<String>,
    /// Whether it may be passed on, or came from another role than the object's owner. No level
    /// gives such a privilege.
    pub irregular: bool,
}

impl Privilege {
    /// In words: `INSERT (title) ON TABLE orchestrator.tasks`.
    pub fn in_words(&self) -> String {
        let how = if self.irregular { " (with grant option or from another grantor)" } else { "" };
        format!("{} ON {}{how}", self.on_column(), self.object)
    }

    fn on_column(&self) -> String {
        match &self.column {
            Some(column) => format!("{} ({})", self.privilege, quote(column)),
            None => self.privilege.clone(),
        }
    }
}

pub type Privileges = BTreeSet<Privilege>;

/// `lacks EXECUTE ON ..., EXECUTE ON ... and 7 more`; `None` for no privilege.
pub fn in_words<'a>(verb: &str, privileges: impl Iterator<Item = &'a Privilege>) -> Option<String> {
    const NAMED: usize = 5;
    let words: Vec<_> = privileges.map(Privilege::in_words).collect();
    let more = match words.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!words.is_empty())
        .then(|| format!("{verb} {}{more}", words[..words.len().min(NAMED)].join(", ")))
}

/// The members of the extension that privileges are on: kind and name as in GRANT, the bare name,
/// the owner, the privileges that were granted.
const WITH_OBJECTS: &str = include_str!("objects.sql");

/// An object that exists, with the columns that it has.
struct Object {
    kind: String,
    name: String,
    bare: String,
    columns: Vec<String>,
}

/// The objects that exist.
fn objects() -> Result<Vec<Object>, Error> {
    static OBJECTS: Statement = Statement::new(concatcp!(
        WITH_OBJECTS,
        "SELECT o.kind, o.name, o.bare, \
                ARRAY(SELECT c.attname::text FROM relation AS r JOIN pg_attribute AS c ON c.attrelid = r.oid \
                      WHERE r.name = o.name AND r.kind = o.kind AND c.attnum > 0 AND NOT c.attisdropped) \
         FROM object AS o"
    ));
    OBJECTS.select(&[], |found| {
        rows::each(found, |row| {
            Ok(Object {
                kind: rows::value(row, 1, "object.kind")?,
                name: rows::value(row, 2, "object.name")?,
                bare: rows::value(row, 3, "object.bare")?,
                columns: rows::value(row, 4, "object.columns")?,
            })
        })
    })
}

/// The privileges of a level on the objects and columns that exist.
pub fn due(level: Level) -> Result<Privileges, Error> {
    Ok(on(&objects()?, level))
}

/// The privileges of a level on those of the objects and columns that exist which a version has. A
/// function is known by its name alone.
pub fn due_at(level: Level, version: &Members) -> Result<Privileges, Error> {
    let names: BTreeSet<(&str, &str)> = version
        .keys()
        .map(|member| {
            let name = member.object.split('(').next().unwrap_or(&member.object);
            (member.kind.as_str(), name)
        })
        .collect();
    let has = |kinds: &[&str], name: &str| kinds.iter().any(|kind| names.contains(&(*kind, name)));
    let mut objects = objects()?;
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
    Ok(on(&objects, level))
}

/// The privileges of a level on these objects.
fn on(objects: &[Object], level: Level) -> Privileges {
    let reviewers_steer = objects.iter().any(|object| object.bare == levels::REVIEWERS_STEER);
    let mut due = Privileges::new();
    for object in objects {
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

/// Every role that holds anything on the objects by a grant of its own, with those of the functions
/// `marks` that it may call. The owner has its rights without a grant.
pub fn holding(marks: Vec<&str>) -> Result<Vec<(Oid, String, Vec<String>)>, Error> {
    static HOLDING: Statement =
        Statement::new(concatcp!(WITH_OBJECTS, include_str!("holding.sql")));
    HOLDING.select(&[marks.into()], |found| {
        rows::each(found, |row| {
            let role = rows::value(row, 1, "pg_roles.oid")?;
            let name = rows::value(row, 2, "pg_roles.rolname")?;
            Ok((role, name, rows::value(row, 3, "marks")?))
        })
    })
}

/// The privileges on objects and on columns that were granted to the role itself, not to another
/// role that it is a member of.
static HELD: Statement = Statement::new(concatcp!(
    WITH_OBJECTS,
    "SELECT o.kind || ' ' || o.name, a.privilege_type, NULL::text, a.is_grantable OR a.grantor <> o.owner \
     FROM object AS o, aclexplode(o.acl) AS a WHERE a.grantee = $1 \
     UNION \
     SELECT r.kind || ' ' || r.name, a.privilege_type, c.attname::text, a.is_grantable OR a.grantor <> r.owner \
     FROM relation AS r JOIN pg_attribute AS c ON c.attrelid = r.oid AND NOT c.attisdropped, \
          aclexplode(c.attacl) AS a WHERE a.grantee = $1"
));

/// The privileges that a role holds.
pub fn held(role: Oid) -> Result<Privileges, Error> {
    HELD.select(&[role.into()], read)
}

/// The privileges that a role holds, including changes that others committed while this transaction
/// waited for them.
fn held_now(role: Oid) -> Result<Privileges, Error> {
    HELD.update(&[role.into()], read)
}

fn read(found: SpiTupleTable<'_>) -> Result<Privileges, Error> {
    let mut held = Privileges::new();
    for row in found {
        interrupts::allow();
        held.insert(Privilege {
            object: rows::value(&row, 1, "object.name")?,
            privilege: rows::value(&row, 2, "object.privilege")?,
            column: rows::optional(&row, 3, "object.column")?,
            irregular: rows::value(&row, 4, "object.grantor")?,
        });
    }
    Ok(held)
}

/// Grants a role the privileges that only the later of two versions gives its level, and revokes
/// those that only the earlier gives. Other privileges stay as they are, also those that a user has
/// granted or revoked by hand.
pub fn renew(role: Oid, name: &str, earlier: &Privileges, later: &Privileges) -> Result<(), Error> {
    let held = held_now(role)?;
    let role = quote(name);
    let mut statements = Vec::new();
    for privilege in later.difference(earlier).filter(|privilege| !held.contains(privilege)) {
        statements.push(format!(
            "GRANT {} ON {} TO {role}",
            privilege.on_column(),
            privilege.object
        ));
    }
    for privilege in earlier.difference(later).filter(|privilege| held.contains(privilege)) {
        statements.push(format!(
            "REVOKE {} ON {} FROM {role}",
            privilege.on_column(),
            privilege.object
        ));
    }
    backend_state::outside_the_script(|| {
        for statement in statements {
            interrupts::allow();
            dynamic_sql::execute(&statement)?;
        }
        Ok(())
    })
}

/// Makes a role hold exactly these privileges. Returns the number of privileges granted or revoked.
///
/// A grant made inside an extension script would count as the extension's own.
pub fn set(role: Oid, name: &str, due: &Privileges) -> Result<i64, Error> {
    let held = held_now(role)?;
    let changed = held.symmetric_difference(due).count();
    let (held, due) = (by_object(&held), by_object(due));
    let objects: BTreeSet<&str> = held.keys().chain(due.keys()).copied().collect();
    backend_state::outside_the_script(|| {
        for object in objects {
            let (has, should) = (held.get(object), due.get(object));
            if has == should {
                continue;
            }
            if has.is_some() {
                take_away(role, name, object)?;
            }
            if let Some(privileges) = should {
                let list: Vec<_> = privileges.iter().map(|given| given.on_column()).collect();
                let to = quote(name);
                dynamic_sql::execute(&format!("GRANT {} ON {object} TO {to}", list.join(", ")))?;
            }
        }
        Ok::<_, Error>(())
    })?;
    Ok(changed as i64)
}

fn by_object(privileges: &Privileges) -> BTreeMap<&str, Vec<&Privilege>> {
    let mut objects: BTreeMap<&str, Vec<&Privilege>> = BTreeMap::new();
    for privilege in privileges {
        objects.entry(&privilege.object).or_default().push(privilege);
    }
    objects
}

/// Revokes all privileges of a role on an object, whoever granted them, and those that the role
/// passed on.
fn take_away(role: Oid, name: &str, object: &str) -> Result<(), Error> {
    static GRANTORS: Statement = Statement::new(concatcp!(
        WITH_OBJECTS,
        "SELECT DISTINCT a.grantor FROM object AS o, aclexplode(o.acl) AS a \
         WHERE o.kind || ' ' || o.name = $2 AND a.grantee = $1 \
         UNION \
         SELECT a.grantor FROM relation AS r JOIN pg_attribute AS c ON c.attrelid = r.oid AND NOT c.attisdropped, \
              aclexplode(c.attacl) AS a WHERE r.kind || ' ' || r.name = $2 AND a.grantee = $1"
    ));
    let revoke = format!("REVOKE ALL ON {object} FROM {} CASCADE", quote(name));
    let grantors = GRANTORS.update(&[role.into(), object.into()], statements::column::<Oid>)?;
    for grantor in grantors {
        backend_state::with_rights_of(grantor, || dynamic_sql::execute(&revoke))?;
    }
    Ok(())
}
