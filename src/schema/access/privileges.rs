//! The privileges that a role holds on the extension's objects, and the statements that lead from
//! them to others. Objects come from the catalog. The only name that reaches a statement is a role's,
//! quoted.

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
    "SELECT o.kind || ' ' || o.name, a.privilege_type, NULL::text, a.is_grantable OR a.grantor <> o.owner, a.grantor \
     FROM object AS o, aclexplode(o.acl) AS a WHERE a.grantee = $1 \
     UNION \
     SELECT r.kind || ' ' || r.name, a.privilege_type, c.attname::text, a.is_grantable OR a.grantor <> r.owner, a.grantor \
     FROM relation AS r JOIN pg_attribute AS c ON c.attrelid = r.oid AND NOT c.attisdropped, \
          aclexplode(c.attacl) AS a WHERE a.grantee = $1"
));

/// What a role holds.
#[derive(Default)]
struct Held {
    privileges: Privileges,
    /// For each object, who granted it something on that.
    grantors: BTreeMap<String, Vec<Oid>>,
}

/// The privileges that a role holds.
pub fn held(role: Oid) -> Result<Privileges, Error> {
    Ok(HELD.select(&[role.into()], read)?.privileges)
}

/// What a role holds, including changes that others committed while this transaction waited for
/// them.
fn held_now(role: Oid) -> Result<Held, Error> {
    HELD.update(&[role.into()], read)
}

fn read(found: SpiTupleTable<'_>) -> Result<Held, Error> {
    let mut held = Held::default();
    for row in found {
        interrupts::allow();
        let object = rows::value::<String>(&row, 1, "object.name")?;
        let grantor = rows::value::<Oid>(&row, 5, "object.grantor")?;
        let grantors = held.grantors.entry(object.clone()).or_default();
        if !grantors.contains(&grantor) {
            grantors.push(grantor);
        }
        held.privileges.insert(Privilege {
            object,
            privilege: rows::value(&row, 2, "object.privilege")?,
            column: rows::optional(&row, 3, "object.column")?,
            irregular: rows::value(&row, 4, "object.irregular")?,
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
    let held = held_now(role)?.privileges;
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
    let Held { privileges: held, grantors } = held_now(role)?;
    let changed = held.symmetric_difference(due).count();
    let (held, due) = (by_object(&held), by_object(due));
    let differs = |object: &str| held.get(object) != due.get(object);
    let mut gained = BTreeMap::<_, Vec<&str>>::new();
    for object in due.keys().filter(|object| differs(object)) {
        let (kind, bare) = object.split_once(' ').unwrap_or((*object, ""));
        let list: Vec<_> = due[*object].iter().map(|given| given.on_column()).collect();
        gained.entry((kind, list.join(", "))).or_default().push(bare);
    }
    backend_state::outside_the_script(|| {
        let role = quote(name);
        // Takes away everything, whoever granted it, and what the role passed on.
        for (object, grantors) in grantors.iter().filter(|(object, _)| differs(object)) {
            interrupts::allow();
            let revoke = format!("REVOKE ALL ON {object} FROM {role} CASCADE");
            for grantor in grantors {
                backend_state::with_rights_of(*grantor, || dynamic_sql::execute(&revoke))?;
            }
        }
        for ((kind, list), objects) in gained {
            interrupts::allow();
            let objects = objects.join(", ");
            dynamic_sql::execute(&format!("GRANT {list} ON {kind} {objects} TO {role}"))?;
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
