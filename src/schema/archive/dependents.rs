//! The objects that users built on a member of the extension, or on an archive. They stop a
//! downgrade, or an upgrade, before anything has changed: without the member or the archive they
//! would break or be dropped.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;

use super::table::Table;
use crate::schema::difference::Additions;
use crate::schema::facts::{Member, split};
use crate::schema::manifest::{self, Change};
use crate::server::backend_state;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{plans, rows, statements};

/// The objects that need object $2 of catalog $1; of a table, those that need its columns $3 if
/// these are given. For each: its description; whether it is a member of the extension, or a part
/// of one; the statement that frees the object of it without loss, if there is one; kind and name of
/// the part, if it is one of a relation.
///
/// Parts of the object itself are left out: those of a table are dropped with it, defaults with
/// their columns. An object that needs an index of the table, a sequence that the table owns, or
/// one of their types, counts as needing the table.
static DEPENDENTS: Statement = Statement::new(include_str!("dependents.sql"));

/// The objects that store rows of table $1, each with the statement that frees the table of it
/// without loss. These are columns of its row type, whether plain, in an array, a domain, a range,
/// a composite type or the row of a view, and indexes on expressions of them. They would lose the
/// values of columns that are dropped, and the server refuses to add columns with a default.
static STORED_ROWS: Statement = Statement::new(include_str!("stored_rows.sql"));

/// The objects tied to table $1, or to its columns $2 if these are given, in another way than by
/// needing it, each with the statement that unties it without loss. A table that inherits from it
/// loses columns with it.
static TIES: Statement = Statement::new(include_str!("ties.sql"));

/// An object outside a member that depends on it.
pub struct Dependent {
    pub description: String,
    /// Whether it is a member of the extension, or a part of one.
    pub ours: bool,
    /// The statement that frees the member of it without loss, if there is one.
    pub undo: Option<String>,
}

/// An object of a catalog that others may need: the whole of it, or only some of its columns.
struct Needed<'a> {
    catalog: pg_sys::Oid,
    oid: pg_sys::Oid,
    columns: Option<&'a [String]>,
}

impl Needed<'_> {
    fn by(&self, additions: &Additions) -> Result<Vec<Dependent>, Error> {
        let columns = self.columns.map(<[String]>::to_vec);
        let arguments = [self.catalog.into(), self.oid.into(), columns.clone().into()];
        let found = plans::by_index(|| {
            let mut found = BTreeMap::new();
            let all = backend_state::in_plain_style(|| DEPENDENTS.update(&arguments, with_part))?;
            for (mut dependent, part) in all {
                if let Some(part) = part
                    && dependent.ours
                {
                    dependent.ours = !additions.include(&part)?;
                }
                found.insert(dependent.description.clone(), dependent);
            }
            if self.catalog == pg_sys::RelationRelationId {
                let ties = [self.oid.into(), columns.into()];
                for dependent in TIES
                    .update(&ties, theirs)?
                    .into_iter()
                    .chain(STORED_ROWS.update(&[self.oid.into()], theirs)?)
                {
                    found.insert(dependent.description.clone(), dependent);
                }
            }
            Ok::<_, Error>(found)
        })?;
        Ok(found.into_values().collect())
    }
}

/// The objects that `DEPENDENTS` found, each with the part of a relation that it is.
fn with_part(found: SpiTupleTable<'_>) -> Result<Vec<(Dependent, Option<Member>)>, Error> {
    rows::each(found, |row| {
        let description = rows::value(row, 1, "dependent.description")?;
        let ours = rows::value(row, 2, "dependent.ours")?;
        let undo = rows::optional(row, 3, "dependent.undo")?;
        let part = match rows::optional::<String>(row, 4, "part.kind")? {
            Some(kind) => Some(Member { kind, object: rows::value(row, 5, "part.object")? }),
            None => None,
        };
        Ok((Dependent { description, ours, undo }, part))
    })
}

/// The objects that a statement found and that belong to no member, each with its description and
/// the statement that unties it.
fn theirs(found: SpiTupleTable<'_>) -> Result<Vec<Dependent>, Error> {
    rows::each(found, |row| {
        let description = rows::value(row, 1, "tie.description")?;
        let undo = rows::optional(row, 2, "tie.undo")?;
        Ok(Dependent { description, ours: false, undo })
    })
}

/// Everything that depends on a table or a view and would be lost or broken without it: other
/// objects, and the parts that users added to it.
pub fn of(table: &Table, additions: &Additions) -> Result<Vec<Dependent>, Error> {
    let needed = Needed { catalog: pg_sys::RelationRelationId, oid: table.oid, columns: None };
    let mut dependents = needed.by(additions)?;
    for Member { kind, object } in additions.to(table.oid, &table.to_string())? {
        let description = format!("{kind} {object}");
        dependents.push(Dependent { description, ours: false, undo: None });
    }
    Ok(dependents)
}

/// Everything that depends on an archive and would be lost or broken when its rows are restored.
pub fn of_archive(archive: &Table) -> Result<Vec<Dependent>, Error> {
    Needed { catalog: pg_sys::RelationRelationId, oid: archive.oid, columns: None }
        .by(&Additions::none())
}

/// Everything that depends on columns of a table and would be lost or broken without them. Objects
/// of the version itself on these columns are removed and created together with them.
pub fn of_columns(
    table: &Table,
    columns: &[String],
    additions: &Additions,
) -> Result<Vec<Dependent>, Error> {
    Needed { catalog: pg_sys::RelationRelationId, oid: table.oid, columns: Some(columns) }
        .by(additions)
}

/// Of these functions, given by their signatures, those on which anything depends at all.
pub fn depended_on(functions: Vec<String>) -> Result<Vec<String>, Error> {
    static DEPENDED_ON: Statement = Statement::new(
        "SELECT f.signature FROM unnest($1) AS f (signature) \
         WHERE EXISTS (SELECT FROM pg_depend AS d WHERE d.refclassid = 'pg_proc'::regclass \
                       AND d.refobjid = to_regprocedure(f.signature)) ORDER BY 1",
    );
    DEPENDED_ON.update(&[functions.into()], statements::column::<String>)
}

/// Everything that depends on a function, given by its signature.
pub fn of_function(signature: &str, additions: &Additions) -> Result<Vec<Dependent>, Error> {
    static FUNCTION: Statement = Statement::new("SELECT to_regprocedure($1)::oid");
    match FUNCTION.update(&[signature.into()], statements::one::<pg_sys::Oid>)? {
        Some(oid) => {
            Needed { catalog: pg_sys::ProcedureRelationId, oid, columns: None }.by(additions)
        }
        None => Ok(Vec::new()),
    }
}

/// Refuses to archive a table that something else depends on. If no version has the table, a user
/// made it, and all its parts are its own. Within a down script there is nothing to check: it has
/// checked all its tables at its beginning, and has held locks on them since.
pub fn refuse(table: &Table) -> Result<(), Error> {
    if backend_state::in_script() {
        return Ok(());
    }
    let version = manifest::position(&manifest::version_left()?)?;
    let is_of_the_version = manifest::introduced("table", &table.to_string())? <= version;
    let additions = if is_of_the_version { Additions::find()? } else { Additions::none() };
    let dependents = of(table, &additions)?;
    refuse_over(&format!("archive {table}"), DOWN, dependents)
}

/// Refuses to archive columns that a user's object depends on. Within a down script there is
/// nothing to check: it has checked all its columns at its beginning, and has held locks on their
/// tables since.
pub fn refuse_columns(table: &Table, columns: &[String]) -> Result<(), Error> {
    if backend_state::in_script() {
        return Ok(());
    }
    let mut theirs = of_columns(table, columns, &Additions::find()?)?;
    theirs.retain(|dependent| !dependent.ours);
    refuse_over(&format!("archive {table} ({})", columns.join(", ")), DOWN, theirs)
}

/// Refuses the upgrade step to `target` while a user's object stores rows of a table to which the
/// step adds columns, or from which it drops some.
pub fn refuse_over_stored_rows(target: &str) -> Result<(), Error> {
    let place = manifest::position(target)?;
    let mut tables = BTreeSet::new();
    for Change { kind, object, before, after } in manifest::changes(place)? {
        let table = split(object).0;
        let comes_or_goes = kind == "column" && before.is_some() != after.is_some();
        if comes_or_goes && manifest::introduced("table", table)? < place {
            tables.insert(table);
        }
    }
    let mut found = BTreeMap::new();
    for name in tables {
        let Some(table) = Table::named(name)? else { continue };
        for dependent in plans::by_index(|| STORED_ROWS.update(&[table.oid.into()], theirs))? {
            found.insert(dependent.description.clone(), dependent);
        }
    }
    refuse_over(&format!("upgrade to {target}"), COLUMNS, found.into_values().collect())
}

/// The hint if something is in the way of a downgrade.
pub const DOWN: &str =
    "Drop or change them before the downgrade, and create them again after the next upgrade.";

/// The hint if something on an archive is in the way of an upgrade.
pub const UP: &str = "Drop or change them before the upgrade. After it, create them again on the tables of schema orchestrator.";

/// The hint if something depends on a function that an upgrade replaces.
pub const REPLACED: &str = "The function gets other arguments. Drop or change what is named before the upgrade, and create it again after it.";

/// The hint if a user's column keeps an upgrade from adding or dropping columns of a table.
pub const COLUMNS: &str =
    "Before the upgrade, drop these objects or give the columns another type.";

/// Raises an error that names the dependent objects, if there are any.
pub fn refuse_over(step: &str, hint: &str, dependents: Vec<Dependent>) -> Result<(), Error> {
    if dependents.is_empty() {
        return Ok(());
    }
    let mut hint = hint.to_owned();
    let undo: Vec<_> = dependents.iter().filter_map(|each| each.undo.as_deref()).collect();
    if !undo.is_empty() {
        hint.push_str(&format!(
            " These statements remove the dependencies without loss of rows: {}",
            undo.join(" ")
        ));
    }
    let mut names: Vec<_> = dependents.iter().map(|each| each.description.as_str()).collect();
    names.dedup();
    Err(Error::new(Kind::Dependents, format!("cannot {step} because other objects depend on it"))
        .detail(format!("They are: {}.", names.join("; ")))
        .hint(hint))
}
