//! The preview of a downgrade: the difference between the manifests of the versions that it passes,
//! with the present number of rows.

use std::collections::{BTreeMap, BTreeSet};

use super::archives;
use super::dependents::{self, Dependent};
use super::table::Table;
use crate::schema::difference::Additions;
use crate::schema::facts::split;
use crate::schema::manifest::{self, Change};
use crate::schema::{access, catalog};
use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};
use crate::server::{backend_state, rows};

/// One row: the step, the object, the action, the rows it concerns.
type Line = (String, String, String, Option<i64>);

/// Kinds that are removed with their table and have no line of their own then.
const PARTS: [&str; 7] = [
    "column",
    "constraint",
    "index",
    "trigger",
    "dump configuration",
    "sequence",
    "grant to PUBLIC",
];

/// Tables whose rows follow from those of others: a downgrade keeps none of them.
const DERIVED: [&str; 1] = ["orchestrator.queued_tasks"];

/// Every line of the plan, step by step from the installed version down to `target`.
pub fn downgrade(target: &str) -> Result<Vec<Line>, Error> {
    let installed = catalog::installed_version()?;
    let (top, bottom) = (manifest::position(&installed)?, manifest::position(target)?);
    if bottom >= top {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("version {target} is not below the installed version {installed}"),
        )
        .hint("A downgrade leads to an older version."));
    }
    let versions = manifest::versions()?;
    let additions = Additions::find()?;
    let mut lines = Vec::new();
    for newer in (bottom + 1..=top).rev() {
        let name = format!("{} -> {}", versions[newer], versions[newer - 1]);
        lines.extend(Step::down_from(newer)?.lines(&name, &additions)?);
    }
    Ok(lines)
}

/// Refuses the upgrade step to `target` if an object of a user depends on a function that the step
/// replaces by one with other arguments.
pub fn refuse_over_replaced(target: &str) -> Result<(), Error> {
    let step = Step(manifest::changes(manifest::position(target)?)?);
    if step.going("function").next().is_none() {
        return Ok(());
    }
    step.refuse_over_blockers(&format!("upgrade to {target}"), dependents::REPLACED)
}

/// Refuses the step down to `target` if a user's object depends on something that the step removes.
/// Reports the grants that are lost with removed functions and views.
pub fn refuse_over_dependents(target: &str) -> Result<(), Error> {
    let left = manifest::version_left()?;
    let step = Step::down_from(manifest::position(target)? + 1)?;
    step.refuse_over_blockers(&format!("downgrade from {left} to {target}"), dependents::DOWN)?;
    let grants: Vec<_> =
        step.grants_lost()?.into_iter().map(|Grants { statement, .. }| statement).collect();
    if !grants.is_empty() {
        backend_state::notice(
            format!(
                "the downgrade from {left} to {target} drops functions and views with grants to users"
            ),
            Some(format!("To restore the grants after the next upgrade: {}", grants.join(" "))),
        );
    }
    Ok(())
}

/// The step from one version to the next, or to the one before it: what it changes, before and after it.
struct Step(Vec<Change>);

/// The grants of one role on a function or a view that the step removes.
struct Grants {
    object: String,
    role: String,
    statement: String,
}

impl Step {
    /// The step down from the version at `position` of the chain.
    fn down_from(position: usize) -> Result<Step, Error> {
        let changes = manifest::changes(position)?.into_iter();
        let reverse = |Change { kind, object, before, after }| Change {
            kind,
            object,
            before: after,
            after: before,
        };
        Ok(Step(changes.map(reverse).collect()))
    }

    /// The names of the members of a kind that the step removes.
    fn removed(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        let removed = move |change: &&Change| change.kind == kind && change.after.is_none();
        self.0.iter().filter(removed).map(|change| change.object)
    }

    /// The same, without the columns of removed tables.
    fn going(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        let goes_with_its_table = |column: &str| {
            let table = split(column).0;
            self.removed("table").any(|removed| removed == table)
        };
        self.removed(kind).filter(move |object| kind != "column" || !goes_with_its_table(object))
    }

    /// The columns that the step removes from tables that stay: full name, table and own name.
    fn going_columns(&self) -> Result<Vec<(&str, Table, String)>, Error> {
        static LAST: Statement = Statement::new("SELECT (parse_ident($1))[3]");
        let mut columns = Vec::new();
        for object in self.going("column") {
            let name = LAST.update(&[object.into()], statements::one::<String>)?;
            if let (Some(table), Some(name)) = (Table::named(split(object).0)?, name) {
                columns.push((object, table, name));
            }
        }
        Ok(columns)
    }

    fn refuse_over_blockers(&self, step: &str, hint: &str) -> Result<(), Error> {
        let mut blockers = BTreeMap::new();
        for (_, dependent) in self.blockers(&Additions::find()?)? {
            // A publication may have several of the tables, each with a statement of its own.
            blockers.insert((dependent.description.clone(), dependent.undo.clone()), dependent);
        }
        dependents::refuse_over(step, hint, blockers.into_values().collect())
    }

    /// The views that lose columns. The script drops such a view and creates it again.
    fn shrinking_views(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter_map(|Change { kind, object, before, after }| {
            let left = (*after)?.list("columns");
            let shrinks = (*before)?.list("columns").iter().any(|column| !left.contains(column));
            (*kind == "view" && shrinks).then_some(*object)
        })
    }

    /// Whether the script creates a function of this name with other arguments in place of this one,
    /// and copies the grants.
    fn is_replaced(&self, function: &str) -> bool {
        let name = |signature: &str| signature.split('(').next().map(str::to_owned);
        let comes = |change: &&Change| change.kind == "function" && change.before.is_none();
        self.0.iter().filter(comes).any(|change| name(change.object) == name(function))
    }

    /// The objects of users that stop the step, each with the removed member that it depends on.
    fn blockers(&self, additions: &Additions) -> Result<Vec<(String, Dependent)>, Error> {
        let mut found = Vec::new();
        for object in self.going("table").chain(self.going("view")).chain(self.shrinking_views()) {
            if let Some(relation) = Table::named(object)? {
                found.push((object, dependents::of(&relation, additions)?));
            }
        }
        for (object, table, column) in self.going_columns()? {
            found.push((object, dependents::of_columns(&table, &[column], additions)?));
        }
        let depended_on =
            dependents::depended_on(self.going("function").map(str::to_owned).collect())?;
        for object in self.going("function").filter(|name| depended_on.iter().any(|on| on == name))
        {
            found.push((object, dependents::of_function(object, additions)?));
        }
        let theirs = found.into_iter().flat_map(|(object, dependents)| {
            let theirs = dependents.into_iter().filter(|dependent| !dependent.ours);
            theirs.map(move |dependent| (object.to_owned(), dependent))
        });
        Ok(theirs.collect())
    }

    /// The grants that users made on functions and views that the step removes, without those of a
    /// level: an upgrade restores the level with all its grants.
    fn grants_lost(&self) -> Result<Vec<Grants>, Error> {
        static GRANTS: Statement = Statement::new(include_str!("grants_that_go.sql"));
        let lost = self.going("function").filter(|function| !self.is_replaced(function));
        let objects: Vec<_> = self.going("view").chain(lost).collect();
        let mut grants = GRANTS.update(&[objects.into()], |granted| {
            rows::each(granted, |row| {
                Ok(Grants {
                    object: rows::value(row, 1, "going.object")?,
                    role: rows::value(row, 2, "pg_roles.rolname")?,
                    statement: rows::value(row, 3, "statement")?,
                })
            })
        })?;
        if !grants.is_empty() {
            let with_level = roles_with_level()?;
            grants.retain(|Grants { role, .. }| !with_level.contains(role));
        }
        Ok(grants)
    }

    fn lines(&self, name: &str, additions: &Additions) -> Result<Vec<Line>, Error> {
        let mut lines = Vec::new();
        let mut add = |object: &str, action: &str, rows| {
            lines.push((name.to_owned(), object.to_owned(), action.to_owned(), rows));
        };
        for (object, dependent) in self.blockers(additions)? {
            add(&object, &format!("blocked by {}", dependent.description), None);
        }
        for object in self.going("table") {
            if let Some(table) = Table::named(object)? {
                let rows = if DERIVED.contains(&object) { 0 } else { table.count()? };
                add(object, if rows > 0 { "archive rows" } else { "drop" }, Some(rows));
            }
        }
        for (object, table, _) in self.going_columns()? {
            let rows = table.count()?;
            add(object, if rows > 0 { "archive column" } else { "drop" }, Some(rows));
        }
        if self.going("function").any(|function| function == access::ACCESS) {
            let roles = access::count()?;
            if roles > 0 {
                let kept = format!("orchestrator.{}", access::KEPT_LEVELS);
                add(&kept, "archive rows", Some(roles));
            }
        }
        for Grants { object, role, .. } in self.grants_lost()? {
            add(&object, &format!("lose the grants to {role}"), None);
        }
        let tables: BTreeSet<&str> = self.going("table").collect();
        for Change { kind, object, before, after } in &self.0 {
            let Some(facts) = before else { continue };
            let goes_with_it = PARTS.contains(kind)
                && facts.part_of.as_deref().is_some_and(|table| tables.contains(table));
            if *kind == "table" || goes_with_it {
                continue;
            }
            match after {
                None if *kind == "column" => {}
                None => add(object, &format!("drop {kind}"), None),
                Some(older) if older != facts => add(object, &format!("replace {kind}"), None),
                Some(_) => {}
            }
        }
        Ok(lines)
    }
}

/// The roles that have a level, or whose level a downgrade has kept.
fn roles_with_level() -> Result<Vec<String>, Error> {
    let mut roles = access::roles()?;
    for archive in archives::of(access::KEPT_LEVELS)? {
        roles.extend(access::roles_in(&archive.table.to_string())?);
    }
    Ok(roles)
}
