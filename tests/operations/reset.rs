//! `DROP SCHEMA public CASCADE` empties a development database, and the owner of the database may
//! do it. Nothing of the extension depends on that schema: no row, no version, no archive is lost.

use anyhow::{Context, Result};
use postgres::Client;
use support::Database;
use support::dump::{self, CUSTOM, PLAIN, dump};
use support::extension::{differences, filled_to, go_to, installed, newest, versions};
use support::roles;
use support::snapshot::{assert_same, assert_same_rows, rows, schema};
use xtask::address::quote_identifier;
use xtask::chain::Version;

use super::refusal;

const RESET: &str = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";

/// The contents of the archive: objects and numbers of rows.
fn archived(client: &mut Client) -> Result<Vec<(String, i64)>> {
    let rows = client.query("SELECT object, rows FROM orchestrator.archived() ORDER BY 1", &[])?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

#[test]
fn a_reset_of_schema_public_loses_nothing_at_any_version() -> Result<()> {
    for version in versions()? {
        let database = filled_to("reset", version)?;
        let mut client = database.client()?;
        let expected = rows(&mut client)?;
        client.batch_execute(RESET).with_context(|| format!("{version}"))?;
        let found = installed(&mut client)?;
        assert_eq!(found.as_deref(), Some(version.to_string().as_str()), "installed");
        assert_same_rows(&format!("{version}"), &expected, &rows(&mut client)?);
        assert_eq!(differences(&mut client)?, [""; 0], "verify() at {version}");
    }
    Ok(())
}

#[test]
fn a_reset_between_a_downgrade_and_an_upgrade_loses_nothing() -> Result<()> {
    let database = filled_to("reset_below", newest()?)?;
    let mut client = database.client()?;
    let (expected, definition) = (rows(&mut client)?, schema(&database)?);
    go_to(&mut client, Version::BASE)?;
    let kept = archived(&mut client)?;
    assert!(!kept.is_empty());
    client.batch_execute(RESET)?;
    assert_eq!(archived(&mut client)?, kept);
    go_to(&mut client, newest()?)?;
    assert_same_rows("up again", &expected, &rows(&mut client)?);
    assert_eq!(differences(&mut client)?, [""; 0]);
    assert_same("up again", &definition, &schema(&database)?);
    Ok(())
}

#[test]
fn the_owner_of_a_database_resets_it_and_its_dumps_restore_and_walk() -> Result<()> {
    let database = filled_to("reset_owner", newest()?)?;
    let role = roles::name(&database, "owner");
    let mut client = database.client()?;
    let expected = rows(&mut client)?;
    roles::make(&mut client, &role)?;
    let (name, quoted) = (quote_identifier(database.name()), quote_identifier(&role));
    client.batch_execute(&format!("ALTER DATABASE {name} OWNER TO {quoted}"))?;
    let mut owner = database.client_as(&role)?;
    owner.batch_execute("CREATE TABLE public.notes (a integer); DROP SCHEMA public CASCADE")?;
    owner.close()?;
    assert_same_rows("reset by the owner", &expected, &rows(&mut client)?);
    for format in [&PLAIN, &CUSTOM] {
        let folder = tempfile::tempdir()?;
        let target = folder.path().join("dump");
        dump(&database, database.name(), format, &target)?;
        let restored = Database::create("reset_restored")?;
        dump::restore(&restored, restored.name(), format, &target)?;
        let mut client = restored.client()?;
        client.batch_execute("DROP SCHEMA IF EXISTS public CASCADE")?;
        for version in [newest()?, Version::BASE, newest()?] {
            go_to(&mut client, version)?;
        }
        assert_same_rows(&format!("{format:?}"), &expected, &rows(&mut client)?);
        assert_eq!(differences(&mut client)?, [""; 0], "{format:?}");
    }
    client.batch_execute(&format!(
        "ALTER DATABASE {name} OWNER TO CURRENT_USER; DROP ROLE {quoted}"
    ))?;
    Ok(())
}

#[test]
fn another_schema_for_the_extension_is_refused_by_the_server() -> Result<()> {
    let database = Database::create("reset_schema")?;
    let mut client = database.client()?;
    let create = "CREATE EXTENSION orchestrator_schema SCHEMA public";
    let refused = "extension \"orchestrator_schema\" must be installed in schema \"pg_catalog\"";
    assert!(refusal(&mut client, create).contains(refused), "{}", refusal(&mut client, create));
    client.batch_execute("CREATE EXTENSION orchestrator_schema SCHEMA pg_catalog")?;
    let moved = refusal(&mut client, "ALTER EXTENSION orchestrator_schema SET SCHEMA public");
    assert!(moved.contains("does not support SET SCHEMA"), "{moved}");
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}
