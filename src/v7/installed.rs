//! The members of V7 by the manifest of the installed version, and those that exist. Only base tables
//! count as tables, and only members of the extension count at all.

use super::check::Check;
use crate::schema::facts::{Member, Members};
use crate::schema::{catalog, manifest};
use crate::server::error::Error;
use crate::server::statements;
use crate::server::statements::Statement;

/// The versions that build V7.
pub const VERSIONS: [&str; 3] = ["0.4.1", "0.4.2", "0.4.3"];

/// The five tables.
pub const TABLES: [&str; 5] = [
    "v7_enum_migrations",
    "v7_global_impacts",
    "v7_migration_workflow",
    "v7_subworkflow_tasks",
    "v7_test_results",
];

/// The three views that show how far the migration is.
const MONITORING_VIEWS: [&str; 3] =
    ["v7_enum_consolidation_status", "v7_file_migration_readiness", "v7_migration_dashboard"];

/// The next command for anything that is missing or changed.
const LOOK: &str = "SELECT object, problem, hint FROM orchestrator.verify();";

/// Expected and present members.
pub struct Installed {
    expected: Members,
    actual: Members,
}

impl Installed {
    /// Reads both.
    pub fn read() -> Result<Self, Error> {
        let expected = manifest::members_at(manifest::position(&catalog::installed_version()?)?)?;
        Ok(Installed { expected, actual: catalog::members()? })
    }

    /// Whether a member is there at all.
    pub fn has(&self, kind: &str, object: &str) -> bool {
        self.actual.contains_key(&Member { kind: kind.to_owned(), object: object.to_owned() })
    }

    /// The table of that name, when it cannot be read: missing, or something else in its place.
    pub fn missing_table(&self, name: &str) -> Option<String> {
        let missing = !self.has("table", &format!("orchestrator.{name}"));
        missing.then(|| format!("table {name} is missing"))
    }

    /// The five tables are base tables of the extension.
    pub fn v7_tables(&self) -> Check {
        let missing: Vec<_> =
            TABLES.iter().filter_map(|name| self.missing_table(name).map(|_| name)).collect();
        Check::count("V7 tables", TABLES.len(), TABLES.len() - missing.len())
            .naming(&missing.iter().map(|name| format!("{name} is missing")).collect::<Vec<_>>())
            .hint(LOOK)
    }

    /// Every column of the tables that are there.
    pub fn columns_of_v7_tables(&self) -> Check {
        let of_table = |member: &Member| {
            TABLES.iter().any(|name| {
                let table = format!("orchestrator.{name}");
                self.has("table", &table) && member.split().0 == table
            })
        };
        self.compared("columns of V7 tables", "column", of_table)
    }

    /// The twelve columns of file_audit.
    pub fn v7_columns(&self) -> Check {
        self.compared("V7 columns of file_audit", "column", |member| {
            member.object.starts_with("orchestrator.file_audit.v7_")
        })
    }

    /// The three monitoring views.
    pub fn monitoring_views(&self) -> Check {
        self.compared("monitoring views", "view", |member| {
            MONITORING_VIEWS.iter().any(|name| member.object == format!("orchestrator.{name}"))
        })
    }

    /// The indexes that the V7 versions brought, on tables that are there.
    pub fn indexes(&self) -> Check {
        self.compared("V7 indexes", "index", |member| of_v7(member) && self.on_table(member))
    }

    /// The triggers that the V7 versions brought, on tables that are there.
    pub fn triggers(&self) -> Check {
        self.compared("V7 triggers", "trigger", |member| of_v7(member) && self.on_table(member))
    }

    /// Whether the table that a member is a part of is there.
    fn on_table(&self, member: &Member) -> bool {
        let table = self.expected.get(member).and_then(|facts| facts.part_of.as_deref());
        table.is_some_and(|table| self.has("table", table))
    }

    /// Counts members that are there as the manifest defines them.
    fn compared(&self, name: &'static str, kind: &str, wanted: impl Fn(&Member) -> bool) -> Check {
        let expected: Vec<_> = self
            .expected
            .iter()
            .filter(|(member, _)| member.kind == kind && wanted(member))
            .collect();
        let wrong: Vec<String> = expected
            .iter()
            .filter_map(|(member, facts)| match self.actual.get(*member) {
                None => Some(format!("{} is missing", member.object)),
                Some(actual) if !facts.is_met_by(actual) => {
                    Some(format!("{} is changed", member.object))
                }
                Some(_) => None,
            })
            .collect();
        Check::count(name, expected.len(), expected.len() - wrong.len()).naming(&wrong).hint(LOOK)
    }
}

/// Whether one of the V7 versions brought a member.
fn of_v7(member: &Member) -> bool {
    let place = manifest::introduced(&member.kind, &member.object).ok();
    let versions = manifest::versions().unwrap_or_default();
    place.and_then(|place| versions.get(place)).is_some_and(|found| VERSIONS.contains(found))
}

/// Tables named v7_ beside the five, in any schema but the archive. In a LIKE pattern the
/// underscore would stand for any character.
pub fn other_v7_tables() -> Result<Check, Error> {
    static OTHERS: Statement = Statement::new(
        "SELECT format('%I.%I', n.nspname, c.relname) \
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND starts_with(c.relname::text, 'v7_') \
           AND n.nspname <> 'orchestrator_archive' \
           AND NOT (n.nspname = 'orchestrator' AND c.relname::text = ANY ($1)) \
         ORDER BY 1",
    );
    let known: Vec<String> = TABLES.iter().map(|name| (*name).to_owned()).collect();
    let others = OTHERS.select(&[known.into()], statements::column::<String>)?;
    let hint = others
        .first()
        .map(|first| format!("Drop or rename it: ALTER TABLE {first} RENAME TO another_name;"));
    Ok(Check::none("other V7 tables", &others).hint(hint.unwrap_or_default()))
}
