//! The pause of a run: a role that may decide lifts every pause, any other role only those of roles that
//! may not decide.

use anyhow::Result;
use postgres::Client;
use support::Database;
use support::extension::{differences, go_to, newest, walked_to};
use support::roles::{self, LEVELS, grant, name};

use super::{assert_forbidden, text};

const RESUME: &str = "SELECT orchestrator.resume_run('t')";

/// A database with a run, roles of every level, and a second worker.
fn with_run(prefix: &str) -> Result<Database> {
    let database = walked_to(prefix, newest()?)?;
    roles::of_every_level(&database)?;
    let mut client = database.client()?;
    roles::make(&mut client, &name(&database, "other"))?;
    grant(&mut client, &name(&database, "other"), "worker")?;
    client.batch_execute("SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's')")?;
    Ok(database)
}

fn pause(client: &mut Client, reason: &str) -> Result<()> {
    Ok(client.batch_execute(&format!("SELECT orchestrator.pause_run('t', '{reason}')"))?)
}

/// Who paused the run, and why.
fn pause_of(database: &Database) -> Result<String> {
    let own = format!("{}_", database.name());
    let held = text(
        &mut database.client()?,
        "SELECT concat_ws(': ', held_by, hold_reason) FROM orchestrator.run_summary",
    )?;
    Ok(held.replace(&own, ""))
}

#[test]
fn a_pause_is_lifted_by_those_who_may() -> Result<()> {
    let database = with_run("lifting")?;
    for (by, lifted_by, may) in [
        ("worker", "worker", true),
        ("worker", "other", true),
        ("worker", "reviewer", true),
        ("worker", "admin", true),
        ("reviewer", "worker", false),
        ("reviewer", "reviewer", true),
        ("reviewer", "admin", true),
        ("admin", "worker", false),
        ("admin", "reviewer", true),
    ] {
        pause(&mut database.client_as(&name(&database, by))?, "stop")?;
        let mut theirs = database.client_as(&name(&database, lifted_by))?;
        if may {
            theirs.batch_execute(RESUME)?;
            assert_eq!(pause_of(&database)?, "", "{lifted_by} lifts the pause of {by}");
        } else {
            assert_forbidden(&mut theirs, lifted_by, RESUME);
            assert_eq!(pause_of(&database)?, format!("{by}: stop"));
            database.client_as(&name(&database, "reviewer"))?.batch_execute(RESUME)?;
        }
    }
    for level in ["nobody", "reader"] {
        let mut theirs = database.client_as(&name(&database, level))?;
        assert_forbidden(&mut theirs, level, RESUME);
        assert_forbidden(&mut theirs, level, "SELECT orchestrator.pause_run('t', 'x')");
    }
    Ok(())
}

/// A second pause records the new reason only if its role may lift the first one.
#[test]
fn a_second_pause_takes_over_what_its_role_may_lift() -> Result<()> {
    let database = with_run("second")?;
    let (worker, reviewer) = (name(&database, "worker"), name(&database, "reviewer"));
    pause(&mut database.client_as(&worker)?, "mine")?;
    pause(&mut database.client_as(&name(&database, "other"))?, "ours")?;
    assert_eq!(pause_of(&database)?, "other: ours");
    pause(&mut database.client_as(&reviewer)?, "stop")?;
    assert_eq!(pause_of(&database)?, "reviewer: stop");
    let mut theirs = database.client_as(&worker)?;
    pause(&mut theirs, "a trick")?;
    assert_eq!(pause_of(&database)?, "reviewer: stop");
    assert_forbidden(&mut theirs, "worker", RESUME);
    let events = "SELECT string_agg(metadata ->> 'reason', ', ' ORDER BY id) FROM orchestrator.audit_events WHERE event_type = 'run_paused'";
    assert_eq!(text(&mut database.client()?, events)?, "mine, ours, stop, a trick");
    Ok(())
}

/// Nothing is known any more about a role that was dropped or renamed, so its pause counts as one of a
/// role that may decide.
#[test]
fn the_pause_of_a_missing_role_is_lifted_by_a_role_that_may_decide() -> Result<()> {
    let database = with_run("missing")?;
    let mut client = database.client()?;
    let other = name(&database, "other");
    let changes = [
        format!("ALTER ROLE {other} RENAME TO {other}_2"),
        format!("ALTER ROLE {other}_2 RENAME TO {other}"),
        format!("SELECT orchestrator.revoke_access('{other}'); DROP ROLE {other}"),
    ];
    for [change, undo] in [[&changes[0], &changes[1]], [&changes[2], &String::new()]] {
        pause(&mut database.client_as(&other)?, "stop")?;
        client.batch_execute(change)?;
        let mut worker = database.client_as(&name(&database, "worker"))?;
        assert_forbidden(&mut worker, "worker", RESUME);
        pause(&mut worker, "a trick")?;
        assert_eq!(pause_of(&database)?, "other: stop");
        database.client_as(&name(&database, "reviewer"))?.batch_execute(RESUME)?;
        client.batch_execute(undo)?;
    }
    Ok(())
}

/// The role in force counts, not the login role, nor the owner of a function on the way.
#[test]
fn the_role_in_force_pauses_and_resumes() -> Result<()> {
    let database = with_run("in_force")?;
    let (worker, reviewer) = (name(&database, "worker"), name(&database, "reviewer"));
    let mut client = database.client()?;
    client.batch_execute(&format!(
        "GRANT {worker} TO {reviewer}; \
         CREATE FUNCTION public.resume() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS \
             $$ SELECT (orchestrator.resume_run('t')).gate_status $$; \
         ALTER FUNCTION public.resume() OWNER TO {reviewer}"
    ))?;
    let (mut theirs, mut agents) = (database.client_as(&reviewer)?, database.client_as(&worker)?);
    theirs.batch_execute(&format!("SET ROLE {worker}"))?;
    pause(&mut theirs, "as an agent")?;
    assert_eq!(pause_of(&database)?, "worker: as an agent");
    agents.batch_execute(RESUME)?;
    theirs.batch_execute("RESET ROLE")?;
    pause(&mut theirs, "as a person")?;
    assert_eq!(pause_of(&database)?, "reviewer: as a person");
    assert_forbidden(&mut agents, "worker", "SELECT public.resume()");
    theirs.batch_execute(&format!("SET ROLE {worker}"))?;
    assert_forbidden(&mut theirs, "a reviewer as worker", RESUME);
    theirs.batch_execute("RESET ROLE; SELECT public.resume()")?;
    assert_eq!(pause_of(&database)?, "");
    // A member of a role that may decide may decide, and one that takes its role on pauses as it.
    pause(&mut theirs, "once more")?;
    client
        .batch_execute(&format!("REVOKE {worker} FROM {reviewer}; GRANT {reviewer} TO {worker}"))?;
    agents.batch_execute(RESUME)?;
    agents.batch_execute(&format!("SET ROLE {reviewer}"))?;
    pause(&mut agents, "for the reviewer")?;
    assert_eq!(pause_of(&database)?, "reviewer: for the reviewer");
    Ok(())
}

/// Before 0.7.0 a reviewer may not steer a run. An update and a downgrade change that for the roles that
/// exist.
#[test]
fn reviewers_steer_runs_since_0_7_0() -> Result<()> {
    const STEER: &str = "SELECT string_agg(p.proname, ', ' ORDER BY p.proname) FROM pg_proc AS p \
         WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname IN ('pause_run', 'resume_run', 'kill_run') \
           AND has_function_privilege('?', p.oid, 'EXECUTE')";
    let database = walked_to("steering", "0.6.0".parse()?)?;
    roles::of_every_level(&database)?;
    let mut client = database.client()?;
    client.batch_execute("SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's')")?;
    let steers = |client: &mut Client| -> Result<Vec<String>> {
        let asked = LEVELS.iter().map(|level| STEER.replace('?', &name(&database, level)));
        asked.map(|sql| text(client, &sql)).collect()
    };
    let all = "kill_run, pause_run, resume_run";
    for version in ["0.6.0", "0.7.0", "0.6.0", "0.7.0"] {
        go_to(&mut client, version.parse()?)?;
        assert_eq!(differences(&mut client)?, [""; 0], "{version}");
        let reviewers = if version == "0.6.0" { "" } else { all };
        assert_eq!(steers(&mut client)?, ["", all, reviewers, all], "{version}");
        let mut theirs = database.client_as(&name(&database, "reviewer"))?;
        if version == "0.6.0" {
            assert_forbidden(&mut theirs, "reviewer", "SELECT orchestrator.pause_run('t', 'x')");
        } else {
            pause(&mut theirs, "x")?;
            theirs.batch_execute(RESUME)?;
        }
    }
    Ok(())
}
