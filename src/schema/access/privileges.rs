//! The privileges that a role holds on the extension's objects, those that its level gives it, and
//! the statements that lead from the former to the latter. Objects come from the catalog. The only
//! name that reaches a statement is a role's, quoted.

use std::collections::{BTreeMap, BTreeSet};

use const_format::concatcp;
use pgrx::pg_sys::Oid;
use pgrx::spi::SpiTupleTable;

use crate::server::dynamic_sql::{self, quote};
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{backend_state, interrupts, rows};

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
/// the owner, the privileges that were granted, and of a relation its identifier.
pub const WITH_OBJECTS: &str = include_str!("objects.sql");

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
    if earlier == later {
        return Ok(());
    }
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
    let differs = |object: &&&str| held.get(**object) != due.get(**object);
    let lost: BTreeSet<&str> = held.keys().filter(differs).copied().collect();
    let mut gained = BTreeMap::<_, Vec<&str>>::new();
    for object in due.keys().filter(differs) {
        let (kind, bare) = object.split_once(' ').unwrap_or((*object, ""));
        let list: Vec<_> = due[*object].iter().map(|given| given.on_column()).collect();
        gained.entry((kind, list.join(", "))).or_default().push(bare);
    }
    backend_state::outside_the_script(|| {
        if !lost.is_empty() {
            take_away(role, name, &lost)?;
        }
        for ((kind, list), objects) in gained {
            interrupts::allow();
            let (objects, to) = (objects.join(", "), quote(name));
            dynamic_sql::execute(&format!("GRANT {list} ON {kind} {objects} TO {to}"))?;
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

/// Revokes all privileges of a role on these objects, whoever granted them, and those that the role
/// passed on.
fn take_away(role: Oid, name: &str, objects: &BTreeSet<&str>) -> Result<(), Error> {
    static GRANTORS: Statement = Statement::new(concatcp!(
        WITH_OBJECTS,
        "SELECT o.kind || ' ' || o.name, a.grantor FROM object AS o, aclexplode(o.acl) AS a WHERE a.grantee = $1 \
         UNION \
         SELECT r.kind || ' ' || r.name, a.grantor \
         FROM relation AS r JOIN pg_attribute AS c ON c.attrelid = r.oid AND NOT c.attisdropped, \
              aclexplode(c.attacl) AS a WHERE a.grantee = $1 \
         ORDER BY 1, 2"
    ));
    let grants = GRANTORS.update(&[role.into()], |found| {
        rows::each(found, |row| {
            let object = rows::value::<String>(row, 1, "object.name")?;
            Ok((object, rows::value::<Oid>(row, 2, "object.grantor")?))
        })
    })?;
    for (object, grantor) in grants {
        if objects.contains(object.as_str()) {
            let revoke = format!("REVOKE ALL ON {object} FROM {} CASCADE", quote(name));
            backend_state::with_rights_of(grantor, || dynamic_sql::execute(&revoke))?;
        }
    }
    Ok(())
}
