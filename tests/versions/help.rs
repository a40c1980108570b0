//! Every example that help gives, run at every version with the newest library: a newcomer copies
//! them, and a library that is newer than the installed version is what an upgrade of the package leaves.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::{Context, Result, ensure};
use postgres::{Client, Error};
use support::Database;
use support::extension::{versions, walked_to};
use support::roles;
use xtask::chain::Version;
use xtask::checks::cases;

/// Examples that are refused here, with the SQLSTATE and the first and the last version that refuse:
/// the base has no table and nothing below it, some need a running version script, and this server
/// has no pg_cron (`tests/operations` has it).
const REFUSED: &[(&str, &str, &str, Option<&str>)] = &[
    ("downgrade_plan", "22023", "0.0.0", Some("0.0.0")),
    ("schedule_maintenance", "55000", "0.6.0", None),
    ("unschedule_maintenance", "55000", "0.6.0", None),
    ("begin_upgrade", "55000", "0.0.0", None),
    ("begin_downgrade", "55000", "0.0.0", None),
    ("restore_table", "42P01", "0.0.0", Some("0.0.0")),
    ("restore_columns", "42P01", "0.0.0", Some("0.0.0")),
    ("archive_table", "42P01", "0.0.0", Some("0.0.0")),
    // Tables that need it: their down scripts run first.
    ("archive_table", "2BP01", "0.1.2", None),
    ("archive_columns", "42P01", "0.0.0", Some("0.0.0")),
    ("note_filled_in", "42P01", "0.0.0", Some("0.0.0")),
    ("note_filled_in", "55000", "0.1.0", None),
];

/// The SQLSTATE with which an example is refused.
fn refusal(member: &str, version: Version) -> Result<Option<&'static str>> {
    for (name, code, first, last) in REFUSED {
        let last = last.map(str::parse::<Version>).transpose()?;
        let within = version >= first.parse()? && last.is_none_or(|last| version <= last);
        if *name == member && within {
            return Ok(Some(code));
        }
    }
    Ok(None)
}

/// The lines of `help`.
fn help(client: &mut Client, topic: Option<&str>) -> Result<Vec<String>> {
    let rows = client.query("SELECT orchestrator.help($1)", &[&topic])?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// The members in the order in which help shows them.
fn members(client: &mut Client) -> Result<Vec<String>> {
    let lines = help(client, None)?;
    let entries = lines.iter().filter_map(|line| line.strip_prefix("  "));
    let names = entries
        .filter(|entry| !entry.starts_with(' '))
        .map(|entry| entry.split(['(', ' ']).next().unwrap_or_default().to_owned());
    Ok(names.collect())
}

/// A statement of help and who may run it, where help names anybody.
struct Example {
    statement: String,
    levels: Option<Vec<String>>,
}

fn example(client: &mut Client, member: &str) -> Result<Example> {
    let lines = help(client, Some(member))?;
    let at = lines.iter().position(|line| line == "Example:");
    let at = at.with_context(|| format!("{member} has no example"))?;
    let statement = lines[at + 1..].join("\n");
    let privilege = statement.split_whitespace().next().unwrap_or_default();
    let of_function = lines.iter().find_map(|line| line.strip_prefix("May be called by: "));
    let of_relation = lines.iter().find_map(|line| line.strip_prefix(&format!("  {privilege}: ")));
    let levels = of_function.or(of_relation).map(|levels| {
        let levels = levels.split(" (").next().unwrap_or_default();
        levels.split(", ").map(str::to_owned).collect()
    });
    Ok(Example { statement, levels })
}

/// The first level that may run an example; none of what version scripts call.
fn level_of(example: &Example) -> Option<&str> {
    let mut levels = example.levels.iter().flatten().map(String::as_str);
    levels.find(|level| roles::LEVELS.contains(level))
}

/// One connection of each level to a database, and one of the superuser.
struct Connections<'a> {
    database: &'a Database,
    levels: BTreeMap<String, Client>,
    superuser: Client,
}

impl Connections<'_> {
    /// Runs an example as a level that may, at a version without levels as the superuser. What a version
    /// script calls is taken back. Returns how it ended.
    fn run(&mut self, example: &Example) -> Result<Result<(), Error>> {
        match (level_of(example), &example.levels) {
            (Some(level), _) => {
                let client = match self.levels.entry(level.to_owned()) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        new.insert(self.database.client_as(&roles::name(self.database, level))?)
                    }
                };
                Ok(client.batch_execute(&example.statement))
            }
            (None, None) => Ok(self.superuser.batch_execute(&example.statement)),
            (None, Some(_)) => {
                let mut transaction = self.superuser.transaction()?;
                let outcome = transaction.batch_execute(&example.statement);
                transaction.rollback()?;
                Ok(outcome)
            }
        }
    }
}

/// Runs the examples of one version in the order of help, in a database that begins empty; what
/// went otherwise than expected.
fn surprises(version: Version) -> Result<Vec<String>> {
    let database = walked_to("help", version)?;
    let mut client = database.client()?;
    let members = members(&mut client)?;
    let has_levels = members.iter().any(|member| member == "grant_access");
    if has_levels {
        roles::of_every_level(&database)?;
    }
    let superuser = database.client()?;
    let mut connections = Connections { database: &database, levels: BTreeMap::new(), superuser };
    let mut surprises = Vec::new();
    for member in members {
        let example = example(&mut client, &member)?;
        ensure!(example.levels.is_some() || !has_levels, "{member} at {version}: which level?");
        let found = connections.run(&example)?.err();
        let code = found.as_ref().and_then(Error::code).map(|code| code.code().to_owned());
        if code.as_deref() != refusal(&member, version)? {
            surprises.push(format!("{version} {member}: {}\n{found:?}", example.statement));
        }
    }
    Ok(surprises)
}

#[test]
fn every_example_of_help_runs_at_every_version() -> Result<()> {
    let mut found = Vec::new();
    for version in cases::chosen(versions()?, 4) {
        found.extend(surprises(version)?);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

/// The statements below "Start here" are one story: each needs what those before it did.
#[test]
fn the_first_calls_run_one_after_the_other() -> Result<()> {
    for version in cases::chosen(versions()?, 8) {
        let database = walked_to("start", version)?;
        let mut client = database.client()?;
        let lines = help(&mut client, None)?;
        let start: Vec<&str> = lines
            .iter()
            .skip(1)
            .map(String::as_str)
            .take_while(|line| line.starts_with(' '))
            .collect();
        let statements: Vec<&str> =
            start.iter().filter_map(|line| line.strip_prefix("          ")).collect();
        assert!(
            lines[0].starts_with("Start here") && !statements.is_empty(),
            "{version}: {lines:?}"
        );
        let script = statements.join("\n");
        client.batch_execute(&script).with_context(|| format!("{version}\n{script}"))?;
    }
    Ok(())
}
