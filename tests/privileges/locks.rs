//! A role that may not call a function cannot block its callers: such roles take every lock that
//! they can get and keep it, and all functions still run.

use anyhow::Result;
use postgres::Client;
use postgres::error::SqlState;
use support::deadline;
use support::extension::{filled_to, newest, versions};
use support::roles::{self, name};

use super::text;

/// The modes of LOCK TABLE, the weakest first.
const MODES: [&str; 8] = [
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
];

/// Advisory locks of keys that anybody can guess, or read in the sources of any version.
const ADVISORY: &str = "\
    SELECT pg_advisory_xact_lock(hashtextextended(k, 0)), pg_advisory_lock(hashtext(k)), pg_advisory_lock(0, hashtext(k)) \
    FROM unnest(ARRAY['orchestrator.access', 'orchestrator.maintenance', 'orchestrator.prompts coder', 'orchestrator']) AS k; \
    SELECT pg_advisory_lock(p.oid::bigint), pg_advisory_lock(1255, p.oid::integer) \
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'orchestrator'";

/// Statements about a function that take its lock, if only for a moment. A GRANT is not among them: in
/// PostgreSQL, a role that holds any privilege on an object can write its entry in the catalog without
/// effect, and grants of others wait for that. SECURITY.md describes it.
const ON_FUNCTIONS: [&str; 5] = [
    "COMMENT ON FUNCTION {} IS 'mine'",
    "ALTER FUNCTION {} COST 1",
    "ALTER FUNCTION {} OWNER TO CURRENT_USER",
    "DROP FUNCTION {}",
    "ALTER EXTENSION orchestrator_schema DROP FUNCTION {}",
];

fn texts(client: &mut Client, sql: &str) -> Result<Vec<String>> {
    let rows = client.query(sql, &[])?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// Whether a statement within the open transaction succeeds, and so keeps its locks.
fn kept(client: &mut Client, sql: &str) -> Result<bool> {
    client.batch_execute("SAVEPOINT attempt")?;
    let succeeds = client.batch_execute(sql).is_ok();
    if !succeeds {
        client.batch_execute("ROLLBACK TO SAVEPOINT attempt")?;
    }
    client.batch_execute("RELEASE SAVEPOINT attempt")?;
    Ok(succeeds)
}

/// The modes that do not make a GRANT on the table wait. From PostgreSQL 18 on, GRANT locks the table
/// itself, and waits for any role that has locked it. A role with the privilege to delete from a table
/// may lock it in any mode; of ours, a worker has that on the links of workflows, which SECURITY.md says.
fn harmless_modes(client: &mut Client, relation: &str) -> Result<&'static [&'static str]> {
    let version = text(client, "SELECT current_setting('server_version_num')")?.parse::<u32>()?;
    let all = version < 180_000 && relation != "orchestrator.workflow_tasks";
    Ok(if all { &MODES } else { &MODES[..3] })
}

/// Takes every lock that the role can get, in a transaction that stays open. Returns how many
/// statements succeeded.
fn take_everything(
    client: &mut Client,
    relations: &[String],
    functions: &[String],
) -> Result<usize> {
    client.batch_execute(&format!("{}; BEGIN; {ADVISORY}", deadline::set("lock_timeout")))?;
    let mut taken = 0;
    for relation in relations {
        let modes = harmless_modes(client, relation)?;
        for mode in modes {
            taken += usize::from(kept(client, &format!("LOCK TABLE {relation} IN {mode} MODE"))?);
        }
        for strength in ["KEY SHARE", "UPDATE"] {
            taken += usize::from(kept(client, &format!("SELECT FROM {relation} FOR {strength}"))?);
        }
    }
    for function in functions {
        for statement in ON_FUNCTIONS {
            taken += usize::from(kept(client, &statement.replace("{}", function))?);
        }
    }
    Ok(taken)
}

/// Calls of admins and of the owner.
fn go_on(admin: &mut Client, role: &str) -> Result<()> {
    for call in [
        &format!("grant_access('{role}', 'reviewer')"),
        &format!("revoke_access('{role}')"),
        "run_maintenance()",
        "publish_prompt('coder', orchestrator.next_prompt_version('coder'), 'You code.', activate => true)",
        "activate_prompt('coder', (SELECT version FROM orchestrator.prompts WHERE agent_type = 'coder' ORDER BY id DESC LIMIT 1))",
    ] {
        if let Err(error) = admin.batch_execute(&format!("SELECT orchestrator.{call}")) {
            panic!("{call}: {}", xtask::address::explain(&error));
        }
    }
    Ok(())
}

#[test]
fn a_role_that_may_not_call_a_function_blocks_no_caller() -> Result<()> {
    let database = filled_to("locks", newest()?)?;
    roles::of_every_level(&database)?;
    let mut superuser = database.client()?;
    let other = name(&database, "other");
    roles::make(&mut superuser, &other)?;
    let members = |kinds: &str| {
        format!(
            "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind IN ({kinds}) ORDER BY 1"
        )
    };
    let relations = texts(&mut superuser, &members("'r', 'v'"))?;
    let functions = texts(
        &mut superuser,
        "SELECT p.oid::regprocedure::text FROM pg_proc AS p WHERE p.pronamespace = 'orchestrator'::regnamespace ORDER BY 1",
    )?;
    let mut admin = database.client_as(&name(&database, "admin"))?;
    admin.batch_execute(&deadline::set("lock_timeout"))?;
    for level in ["nobody", "reader", "worker", "reviewer"] {
        let mut holder = database.client_as(&name(&database, level))?;
        let taken = take_everything(&mut holder, &relations, &functions)?;
        assert_eq!(taken == 0, level == "nobody", "{level} took {taken} locks");
        go_on(&mut admin, &other)?;
        if level == "nobody" {
            // A role that may read holds locks on the tables that it reads. A role that may only connect does
            // not block an upgrade either.
            superuser.batch_execute(&deadline::set("lock_timeout"))?;
            for version in [versions()?[0], newest()?] {
                superuser.batch_execute(&format!(
                    "ALTER EXTENSION orchestrator_schema UPDATE TO '{version}'"
                ))?;
            }
        }
        holder.batch_execute("ROLLBACK")?;
    }
    Ok(())
}

/// A timeout or a cancellation ends the wait for this lock, as for any other.
#[test]
fn a_waiting_call_can_be_cancelled() -> Result<()> {
    let database = filled_to("waiting", newest()?)?;
    let (mut first, mut second) = (database.client()?, database.client()?);
    let other = name(&database, "other");
    roles::make(&mut first, &other)?;
    first.batch_execute("SELECT orchestrator.drop_decision_rule('gate', 'prompt_activation')")?;
    first.batch_execute("SELECT orchestrator.publish_prompt('coder', '90.0.0', 'x'), orchestrator.publish_prompt('writer', '90.0.0', 'x')")?;
    for call in [
        format!("grant_access('{other}', 'reader')"),
        "run_maintenance()".to_owned(),
        "activate_prompt('coder', '90.0.0')".to_owned(),
    ] {
        let sql = format!("SELECT orchestrator.{call}");
        first.batch_execute(&format!("BEGIN; {sql}"))?;
        for (setting, code) in [
            ("lock_timeout", SqlState::LOCK_NOT_AVAILABLE),
            ("statement_timeout", SqlState::QUERY_CANCELED),
        ] {
            second.batch_execute(&format!("SET {setting} = '20ms'"))?;
            let stopped = second.batch_execute(&sql).expect_err("it waits");
            assert_eq!(stopped.code(), Some(&code), "{call} under {setting}");
            second.batch_execute(&format!("RESET {setting}"))?;
        }
        // Another agent type does not wait.
        if call.starts_with("activate_prompt") {
            second.batch_execute(&deadline::set("lock_timeout"))?;
            second.batch_execute("SELECT orchestrator.activate_prompt('writer', '90.0.0')")?;
        }
        first.batch_execute("COMMIT")?;
    }
    assert_eq!(text(&mut second, "SELECT orchestrator.active_prompt('coder')")?, "x");
    Ok(())
}
