//! Access: four levels, each a set of privileges on the extension's objects that is granted to a
//! role as a whole (`levels`). Work that a level may do only by the rules is done by functions that
//! run with the owner's rights.

pub mod levels;
mod objects;
mod privileges;
pub mod rights;
#[cfg(test)]
mod tests;
mod v7;

use pgrx::iter::TableIterator;
use pgrx::pg_sys::Oid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::schema::manifest;
use crate::server::dynamic_sql::{self, quote};
use crate::server::error::{Error, Kind, required};
use crate::server::reg_types::RegRole;
use crate::server::statements::Statement;
use crate::server::{arguments, backend_state, interrupts, locks, rows};
use objects::Objects;
use privileges::Privileges;
use rights::Level;

/// A role that holds something on the extension's objects.
struct Holder {
    role: Oid,
    name: String,
    /// The level whose mark it has; `None` if it has privileges and no level's mark.
    level: Option<Level>,
}

/// The word for the privileges of a role that has no level.
const CUSTOM: &str = "custom";

/// Gives a role a level, in place of the one it has. On the extension's objects the role then holds
/// the privileges of the level and no others. Privileges that it holds as a member of other roles
/// stay. Another call after an update adds the privileges that the update brought.
///
/// `grantee`: a role; `level`: reader, worker, reviewer or admin.
/// Returns: how many privileges were granted or revoked.
/// Errors: 22004, 22023 no such level, or a role that has its rights without one, P0002 unknown
/// role, 55000 in a transaction that does not see grants made meanwhile. Since 0.6.0; replaced in 0.8.1.
#[pg_extern(sql = false, volatile)]
fn grant_access(grantee: Option<RegRole>, level: Option<&str>) -> Result<i64, ErrorReport> {
    Ok(grant(grantee, level)?.1)
}

/// Gives a role a level. Returns the name of the role, and how many privileges were granted or revoked.
pub fn grant(grantee: Option<RegRole>, level: Option<&str>) -> Result<(String, i64), Error> {
    let (role, name) = grantee_of(grantee)?;
    let name_of_level = required("level", level)?;
    let level = Level::ALL.into_iter().find(|known| known.name() == name_of_level);
    let level = level
        .ok_or_else(|| arguments::none_of("level", name_of_level, &Level::ALL.map(Level::name)))?;
    one_change_at_a_time()?;
    let changed = privileges::set(role, &name, &Objects::existing()?.due(level))?;
    if backend_state::in_script() {
        let given = format!("role \"{name}\" has level {} again", level.name());
        backend_state::notice(
            given,
            Some("The role had this level before a downgrade.".to_owned()),
        );
    }
    Ok((name, changed))
}

/// For version scripts: gives every role that has a level what its level may do in `target` and
/// could not in `origin`, and takes away what it may not do any more. A privilege that somebody
/// revoked from the role by hand stays revoked. The up script calls it at its end, the down script
/// before it drops anything.
///
/// `origin`, `target`: the versions from which and to which the script leads. Returns: the number of
/// roles. Errors: 22004, P0002 unknown version, 42501 not the extension's owner, 55000 as
/// `grant_access`. Since 0.6.0.
#[pg_extern(sql = false, volatile)]
fn renew_access(origin: Option<&str>, target: Option<&str>) -> Result<i64, ErrorReport> {
    let origin = manifest::position(required("origin", origin)?)?;
    let target = manifest::position(required("target", target)?)?;
    one_change_at_a_time()?;
    let mut holders = at_a_level()?.peekable();
    if holders.peek().is_none() {
        return Ok(0);
    }
    let existing = Objects::existing()?;
    let earlier = existing.of_version(&manifest::members_at(origin)?);
    let later = existing.of_version(&manifest::members_at(target)?);
    let mut renewed = 0;
    for Holder { role, name, level } in holders {
        let Some(level) = level else { continue };
        privileges::renew(role, &name, &earlier.due(level), &later.due(level))?;
        renewed += 1;
    }
    Ok(renewed)
}

/// Revokes every privilege that a role holds on the extension's objects, and every one that it
/// passed on.
///
/// Returns: how many privileges were revoked; 0 for a role that has none.
/// Errors: 22004, 22023 a role that has its rights without a level, P0002 unknown role, 55000 in a
/// transaction that does not see grants made meanwhile. Since 0.6.0; replaced in 0.8.1.
#[pg_extern(sql = false, volatile)]
fn revoke_access(grantee: Option<RegRole>) -> Result<i64, ErrorReport> {
    Ok(revoke(grantee)?.1)
}

/// Revokes every privilege of a role. Returns the name of the role, and their number.
pub fn revoke(grantee: Option<RegRole>) -> Result<(String, i64), Error> {
    let (role, name) = grantee_of(grantee)?;
    one_change_at_a_time()?;
    let changed = privileges::set(role, &name, &Privileges::new())?;
    Ok((name, changed))
}

/// Every role that holds anything on the extension's objects by a grant of its own. Members of such
/// a role may do the same.
///
/// Returns: role and level; `custom` for a role that holds privileges without a level. Since 0.6.0.
#[pg_extern(sql = false, stable, parallel_restricted)]
fn access()
-> Result<TableIterator<'static, (name!(grantee, String), name!(level, String))>, ErrorReport> {
    let holders = holders()?.into_iter();
    let rows: Vec<_> = holders
        .map(|Holder { name, level, .. }| (name, level.map_or(CUSTOM, Level::name).to_owned()))
        .collect();
    Ok(TableIterator::new(rows))
}

/// A role that can be given a level, with its name.
fn grantee_of(grantee: Option<RegRole>) -> Result<(Oid, String), Error> {
    static ROLE: Statement = Statement::new(
        "SELECT r.rolname::text, \
                CASE WHEN r.oid IN (SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'orchestrator') \
                     THEN 'It owns the extension, and may do everything.' \
                     WHEN r.rolname = 'pg_database_owner' THEN 'It represents the owner of the database, who may grant levels.' END \
         FROM pg_roles AS r WHERE r.oid = $1",
    );
    let role = required("grantee", grantee)?.0;
    let found = ROLE.update(&[role.into()], |rows| {
        rows::first(rows, |row| {
            let name = rows::value::<String>(row, 1, "pg_roles.rolname")?;
            Ok((name, rows::optional::<String>(row, 2, "fact")?))
        })
    })?;
    match found {
        Some((name, None)) => Ok((role, name)),
        Some((name, Some(fact))) => Err(Error::new(
            Kind::InvalidValue,
            format!("role \"{name}\" cannot be given an access level"),
        )
        .detail(fact)
        .hint("Give the level to the role that does the work.")),
        None => Err(Error::new(
            Kind::NotFound,
            format!("role with identifier {} does not exist", role.to_u32()),
        )
        .hint("PUBLIC cannot be given a level; CREATE ROLE creates a role that can.")),
    }
}

/// Lets one transaction at a time change levels, and refuses isolation levels with one snapshot.
/// Two grants on one object at once would fail with an error of the server. The privileges of a
/// role must be read after the transaction before has committed: a transaction that keeps to one
/// snapshot would find nothing to revoke. Within an upgrade nobody else can grant levels.
fn one_change_at_a_time() -> Result<(), Error> {
    // SAFETY: a plain variable of the backend, read on its only thread.
    let level = unsafe { pg_sys::XactIsoLevel };
    if backend_state::keeps_its_snapshot() && !backend_state::in_script() {
        let level = if level == pg_sys::XACT_REPEATABLE_READ as i32 {
            "repeatable read"
        } else {
            "serializable"
        };
        return Err(Error::new(
            Kind::NotReady,
            format!("levels cannot be changed in a transaction of isolation level {level}"),
        )
        .detail("Its snapshot lacks the grants that others have changed since it began.")
        .hint("Begin another transaction: BEGIN ISOLATION LEVEL READ COMMITTED;"));
    }
    locks::one_at_a_time("grant_access")
}

fn holders() -> Result<Vec<Holder>, Error> {
    let marks = Level::ALL.iter().map(|level| level.mark()).collect();
    let holding = privileges::holding(marks)?.into_iter();
    Ok(holding.map(|(role, name, marks)| Holder { role, name, level: level_of(&marks) }).collect())
}

/// The level that these marks identify; `None` without the mark that all levels have.
fn level_of(marks: &[String]) -> Option<Level> {
    let has = |level: &Level| marks.iter().any(|mark| mark == level.mark());
    Level::ALL.first().filter(|first| has(first))?;
    Level::ALL.into_iter().rev().find(|level| has(level))
}

/// A role whose privileges are not those of its level, as `verify()` reports it.
pub struct Deviation {
    pub role: String,
    pub level: &'static str,
    pub actual: String,
    pub hint: String,
}

/// Every role whose privileges are not those of its level, because an update brought objects, or
/// somebody granted or revoked by hand.
///
/// A role that lost the mark of its level is compared with the level that it has most of: restoring
/// the level of its remaining marks would revoke the rest. A role without any mark that has more
/// than half of a level has lost the mark. One that has less holds privileges that somebody granted
/// by hand. While levels wait in the archive (`levels_wait`), they explain the roles without a
/// mark.
pub fn deviations(levels_wait: bool) -> Result<Vec<Deviation>, Error> {
    let (holders, mut deviations) = (holders()?, Vec::new());
    if holders.is_empty() {
        return Ok(deviations);
    }
    let objects = Objects::existing()?;
    let levels = Level::ALL.map(|level| (level, objects.due(level)));
    for Holder { role, name, level: marked } in holders {
        let held = privileges::held(role)?;
        let is_near = |(_, due): &&(Level, Privileges)| {
            marked.is_some() || !levels_wait && due.intersection(&held).count() * 2 > due.len()
        };
        let distance = |(level, due): &&(Level, Privileges)| {
            (due.symmetric_difference(&held).count(), Some(*level) != marked)
        };
        let nearest = levels.iter().filter(is_near).min_by_key(distance);
        let Some((level, due)) = nearest.filter(|(_, due)| *due != held) else { continue };
        let lacks = privileges::in_words("lacks", due.difference(&held));
        let holds = privileges::in_words("also holds", held.difference(due));
        deviations.push(Deviation {
            role: quote(&name),
            level: level.name(),
            actual: [lacks, holds].into_iter().flatten().collect::<Vec<_>>().join("; "),
            hint: way_back(role, *level, marked)?,
        });
    }
    Ok(deviations)
}

/// The call that gives a role the level that it has most of. If its marks identify another level,
/// the call for that level follows. If they identify none, the call that revokes everything
/// follows.
fn way_back(role: Oid, level: Level, marked: Option<Level>) -> Result<String, Error> {
    static GRANT: Statement = Statement::new(
        "SELECT format('SELECT orchestrator.grant_access(%L, %L);', $1::oid::regrole, $2) AS call",
    );
    static REVOKE: Statement = Statement::new(
        "SELECT format('SELECT orchestrator.revoke_access(%L);', $1::oid::regrole) AS call",
    );
    let call = |level: Level| {
        let arguments = [role.into(), level.name().into()];
        GRANT.select(&arguments, |rows| rows::only::<String>(rows, "call"))
    };
    let nearest = call(level)?;
    match marked {
        Some(marked) if marked == level => Ok(nearest),
        Some(marked) => {
            Ok(format!("{nearest} -- or, to reduce it to a {}: {}", marked.name(), call(marked)?))
        }
        None => {
            let revoke =
                REVOKE.select(&[role.into()], |rows| rows::only::<String>(rows, "call"))?;
            Ok(format!("{nearest} -- or, to revoke everything: {revoke}"))
        }
    }
}

/// The function that every version with levels has.
pub const ACCESS: &str = "orchestrator.access()";

/// The table in which a downgrade keeps the levels of roles.
pub const KEPT_LEVELS: &str = "access_levels";

/// The condition that a kept level `l` belongs to role `r`. In the cluster that kept it the role's
/// identifier decides, whatever its present name; in another cluster only the name can. Levels that
/// pg_upgrade brought are recognised before, by `kept_levels::recognise`.
const IS_OF_ROLE: &str = "CASE WHEN l.system_identifier = (pg_catalog.pg_control_system()).system_identifier \
              THEN r.oid = l.role ELSE r.rolname = l.grantee END";

/// The roles that hold a level.
fn at_a_level() -> Result<impl Iterator<Item = Holder>, Error> {
    Ok(holders()?.into_iter().filter(|holder| holder.level.is_some()))
}

/// How many roles hold a level.
pub fn count() -> Result<i64, Error> {
    Ok(at_a_level()?.count() as i64)
}

/// The names of the roles that hold a level, quoted.
pub fn roles() -> Result<Vec<String>, Error> {
    Ok(at_a_level()?.map(|holder| quote(&holder.name)).collect())
}

/// The names, quoted, of the roles that a table of levels has a level for.
pub fn roles_in(table: &str) -> Result<Vec<String>, Error> {
    let sql = format!(
        "SELECT quote_ident(r.rolname) FROM {table} AS l JOIN pg_roles AS r ON {IS_OF_ROLE}"
    );
    dynamic_sql::column::<String>(&sql, &[])
}

/// Restores the levels of the roles in a table of levels, and deletes them from it. Of several
/// levels of a role, the one that was kept last counts. A row stays in the table if its role does
/// not exist, has a level or needs none, or if its level does not exist.
pub fn give_back(table: &str) -> Result<(i64, i64), Error> {
    one_change_at_a_time()?;
    let holders: Vec<Oid> = at_a_level()?.map(|holder| holder.role).collect();
    let names: Vec<&str> = Level::ALL.iter().map(|level| level.name()).collect();
    let kept = Spi::connect_mut(|client| {
        let levels = format!(
            "WITH kept AS (DELETE FROM {table} AS l USING pg_roles AS r WHERE {IS_OF_ROLE} \
                 AND r.oid <> ALL ($1) AND l.level = ANY ($2) AND r.rolname <> 'pg_database_owner' \
                 AND r.oid NOT IN (SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'orchestrator') \
                 RETURNING r.oid, r.rolname::text, l.level, l.kept_at) \
                 SELECT DISTINCT ON (kept.oid) kept.oid, kept.rolname, kept.level FROM kept ORDER BY kept.oid, kept.kept_at DESC"
        );
        let mut kept = Vec::new();
        for row in client.update(levels.as_str(), None, &[holders.into(), names.into()])? {
            interrupts::allow();
            kept.push((row.get::<Oid>(1)?, row.get::<String>(2)?, row.get::<String>(3)?));
        }
        Ok::<_, Error>(kept)
    })?;
    let (objects, mut given) = (Objects::existing()?, 0);
    for (role, name, level) in kept {
        let level = Level::ALL.into_iter().find(|known| Some(known.name()) == level.as_deref());
        if let (Some(role), Some(name), Some(level)) = (role, name, level) {
            privileges::set(role, &name, &objects.due(level))?;
            given += 1;
        }
    }
    let left = dynamic_sql::known(&format!("SELECT count(*) FROM {table}"), &[], "count")?;
    Ok((given, left))
}
