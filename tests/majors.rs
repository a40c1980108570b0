//! Upgrades from one PostgreSQL major to a newer one: dumps and pg_upgrade, with rows in every
//! table.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use postgres::Client;
use support::dump::{CUSTOM, PLAIN, dump, restore};
use support::extension::{differences, go_to, newest, versions, walk_filling};
use support::snapshot::{Rows, assert_same_rows, rows, rows_in_columns_of};
use xtask::address::{PG_CONFIGS_VARIABLE, SUPERUSER};
use xtask::chain::Version;
use xtask::cluster::{Cluster, Settings, data_folder};
use xtask::machine::files::files_below;
use xtask::machine::pg_config::PgConfig;
use xtask::machine::process;
use xtask::machine::server_user::ServerUser;

/// The installations of PostgreSQL, oldest first.
fn installations() -> Result<Vec<PgConfig>> {
    let paths = env::var_os(PG_CONFIGS_VARIABLE)
        .context("these tests need several majors: run them with `cargo xtask check majors`")?;
    env::split_paths(&paths).map(|path| PgConfig::read(&path)).collect()
}

/// A version well below the newest.
fn old_version() -> Result<Version> {
    let versions = versions()?;
    versions.get(versions.len() / 2).copied().context("the chain has no version")
}

fn start(pg: &PgConfig) -> Result<Cluster> {
    Cluster::start(pg, &Settings::default())
}

/// A new database, walked up to a version with the rows of every version on the way.
fn filled(cluster: &Cluster, name: &str, version: Version) -> Result<Client> {
    cluster.create_database(name)?;
    let mut client = cluster.connect(name)?;
    walk_filling(&mut client, version)?;
    Ok(client)
}

/// Fails unless a new row can be inserted and `verify()` finds no difference.
fn assert_lives(client: &mut Client, what: &str) -> Result<()> {
    client.batch_execute(
        "INSERT INTO orchestrator.tasks (title, task_type) VALUES ('after', 'tool')",
    )?;
    assert_eq!(differences(client)?, [""; 0], "verify() {what}");
    Ok(())
}

/// The same at the newest version, where the seals of the trail must hold, too.
fn assert_lives_at_newest(client: &mut Client, what: &str) -> Result<()> {
    const ALARMS: &str = "SELECT count(*) FROM orchestrator.verify_audit_seals()";
    let alarms: i64 = client.query_one(ALARMS, &[])?.try_get(0)?;
    assert_eq!(alarms, 0, "differences from seals {what}");
    assert_lives(client, what)
}

#[test]
fn a_dump_of_an_older_major_restores_into_a_newer_one() -> Result<()> {
    let mut copies = 0;
    let clusters: Vec<Cluster> = installations()?.iter().map(start).collect::<Result<_>>()?;
    for (at, older) in clusters.iter().enumerate() {
        for version in [old_version()?, newest()?] {
            let name = format!("at {version}");
            let mut source = filled(older, &name, version)?;
            let mut second = older.connect(&name)?;
            let expected = rows_in_columns_of(&mut source, &mut second)?;
            for format in [&PLAIN, &CUSTOM] {
                let folder = tempfile::tempdir()?;
                let target = folder.path().join("dump");
                dump(older, &name, format, &target)?;
                for newer in clusters.iter().skip(at + 1) {
                    let (from, to) =
                        (older.pg_config().release.major, newer.pg_config().release.major);
                    let what = format!("{version}, {from} to {to}, {format:?}");
                    copies += 1;
                    let copy = format!("copy {copies}");
                    newer.create_database(&copy)?;
                    restore(newer, &copy, format, &target)?;
                    let mut restored = newer.connect(&copy)?;
                    let found = rows_in_columns_of(&mut source, &mut restored)?;
                    assert_same_rows(&what, &expected, &found);
                    if version == newest()? {
                        assert_lives_at_newest(&mut restored, &what)?;
                    } else {
                        assert_lives(&mut restored, &what)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// The rows of a database before pg_upgrade, and those expected after the update to the newest version.
struct Kept {
    database: &'static str,
    version: Version,
    before: Rows,
    at_newest: Rows,
}

/// The database with levels in the archive. Their role was renamed later, and a new role has its old
/// name.
const GONE_DOWN: &str = "gone down";

/// The database that an update raises to versions that it never had.
const OLD: &str = "at an old version";

/// Rows without the times at which an update to 0.9.1 enters versions of prompts into the history that were active before.
fn undated(mut rows: Rows) -> Rows {
    for row in rows.get_mut("orchestrator.prompt_activations").into_iter().flatten() {
        row.truncate(row.find('"').unwrap_or(row.len()));
    }
    rows
}

/// A database at the newest version, one at an old version, one with rows in the archive.
fn databases_to_keep(cluster: &Cluster) -> Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for (database, top, rests_at) in [
        ("at newest", newest()?, newest()?),
        (OLD, old_version()?, old_version()?),
        (GONE_DOWN, newest()?, old_version()?),
    ] {
        let mut client = filled(cluster, database, top)?;
        if database == GONE_DOWN {
            client.batch_execute(
                "CREATE ROLE ops; SELECT orchestrator.grant_access('ops', 'admin')",
            )?;
        }
        let top_rows = rows(&mut client)?;
        go_to(&mut client, rests_at)?;
        if database == GONE_DOWN {
            client.batch_execute("ALTER ROLE ops RENAME TO former_ops; CREATE ROLE ops")?;
        }
        let before = rows(&mut client)?;
        // The same update within the older major shows the rows to expect at the newest version.
        let at_newest = if top == newest()? {
            top_rows
        } else {
            let copy = format!("{database} raised");
            let template = format!("CREATE DATABASE \"{copy}\" TEMPLATE \"{database}\"");
            drop(client);
            cluster.connect("postgres")?.batch_execute(&template)?;
            let mut raised = cluster.connect(&copy)?;
            go_to(&mut raised, newest()?)?;
            let raised_rows = rows(&mut raised)?;
            drop(raised);
            cluster.drop_database(&copy)?;
            raised_rows
        };
        kept.push(Kept { database, version: rests_at, before, at_newest });
    }
    Ok(kept)
}

/// Removes options of columns that the newer major does not know. The minor release of the older major
/// may be more recent than that of the newer one, and its internal options would stop pg_upgrade.
fn forget_unknown_options(old: &Cluster, new: &Cluster) -> Result<()> {
    const OPTIONS: &str = "SELECT DISTINCT split_part(option, '=', 1), split_part(option, '=', 2) \
         FROM pg_attribute, unnest(attoptions) AS option";
    let mut newer = new.connect("postgres")?;
    newer.batch_execute("CREATE TABLE probe (a integer)")?;
    for database in old.connect("postgres")?.query(DATABASES, &[])? {
        let mut client = old.connect(database.try_get(0)?)?;
        for option in client.query(OPTIONS, &[])? {
            let (name, value): (&str, &str) = (option.try_get(0)?, option.try_get(1)?);
            let statement = format!("ALTER TABLE probe ALTER a SET ({name} = {value})");
            let unknown = newer.batch_execute(&statement).is_err_and(|error| {
                error.as_db_error().is_some_and(|error| error.message().starts_with("unrecognized"))
            });
            if unknown {
                client.batch_execute(&format!(
                    "SET allow_system_table_mods = on; \
                     UPDATE pg_attribute SET attoptions = \
                         (SELECT nullif(array_agg(o), '{{}}') FROM unnest(attoptions) AS o WHERE split_part(o, '=', 1) <> '{name}') \
                     WHERE attoptions::text LIKE '%{name}=%'"
                ))?;
            }
        }
    }
    newer.batch_execute("DROP TABLE probe")?;
    Ok(())
}

const DATABASES: &str = "SELECT datname::text FROM pg_database WHERE datallowconn";

/// Runs pg_upgrade from one stopped cluster into another.
fn upgrade(old: &Cluster, new: &Cluster) -> Result<()> {
    let user = ServerUser::current()?;
    let data = data_folder(&new.folder());
    let run = |command: &mut Command| -> Result<()> {
        process::without_postgres_settings(user.run(command)).current_dir(new.folder());
        let output = command.output()?;
        if !output.status.success() {
            // Both programs report errors on standard output; pg_upgrade reports more in its logs.
            let said = String::from_utf8_lossy(&output.stdout);
            bail!("{command:?}: {said}\n{}", complaints(&data)?);
        }
        Ok(())
    };
    if new.pg_config().release.major >= 18 {
        // From PostgreSQL 18 on, initdb enables checksums, and both clusters must agree.
        run(Command::new(new.pg_config().program("pg_checksums")).arg("--disable").arg(&data))?;
    }
    let mut upgrade = Command::new(new.pg_config().program("pg_upgrade"));
    upgrade
        .arg("--old-bindir")
        .arg(&old.pg_config().bindir)
        .arg("--new-bindir")
        .arg(&new.pg_config().bindir)
        .arg("--old-datadir")
        .arg(data_folder(&old.folder()))
        .arg("--new-datadir")
        .arg(&data)
        .args(["--username", SUPERUSER, "--socketdir"])
        .arg(new.folder());
    run(&mut upgrade)
}

/// The lines of pg_upgrade's logs that report errors.
fn complaints(data: &Path) -> Result<String> {
    let folder = data.join("pg_upgrade_output.d");
    let mut found = String::new();
    for file in if folder.exists() { files_below(&folder)? } else { Vec::new() } {
        let text = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
        for line in text.lines().filter(|line| line.contains("error") || line.contains("ERROR")) {
            found.push_str(line);
            found.push('\n');
        }
    }
    Ok(found)
}

/// Every role with its level.
const LEVELS: &str = "SELECT string_agg(grantee || ' ' || level, ', ') FROM orchestrator.access()";

#[test]
fn pg_upgrade_carries_every_row_at_the_newest_and_at_an_old_version() -> Result<()> {
    let installations = installations()?;
    let (oldest, newer) = installations.split_first().context("no installation is named")?;
    for newer in newer {
        let old = start(oldest)?;
        let kept = databases_to_keep(&old)?;
        let new = start(newer)?;
        forget_unknown_options(&old, &new)?;
        old.stop()?;
        new.stop()?;
        upgrade(&old, &new)?;
        new.restart()?;
        for Kept { database, version, before, at_newest } in kept {
            let what = format!("{database}, upgraded to {}", newer.release);
            let mut client = new.connect(database)?;
            assert_same_rows(&what, &before, &rows(&mut client)?);
            assert_eq!(differences(&mut client)?, [""; 0], "verify() of {version}, {what}");
            go_to(&mut client, newest()?)?;
            let (mut expected, mut found) = (at_newest, rows(&mut client)?);
            if database == OLD {
                (expected, found) = (undated(expected), undated(found));
            }
            assert_same_rows(&format!("{what}, then up"), &expected, &found);
            assert_lives_at_newest(&mut client, &what)?;
            if database == GONE_DOWN {
                let levels = client.query_one(LEVELS, &[])?.try_get::<_, Option<String>>(0)?;
                assert_eq!(levels.as_deref(), Some("former_ops admin"), "{what}");
            }
            go_to(&mut client, Version::BASE)?;
            go_to(&mut client, newest()?)?;
            assert_lives_at_newest(&mut client, &format!("{what}, down and up"))?;
        }
    }
    Ok(())
}
