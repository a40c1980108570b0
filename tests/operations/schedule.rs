//! The schedule: a real job of pg_cron runs the maintenance. If pg_cron is not available for this
//! PostgreSQL, the tests print that and pass.

use anyhow::Result;
use support::deadline::wait_until;
use support::extension::{newest, walked_to};
use support::server;
use xtask::address::Address;
use xtask::cluster::{Cluster, Settings};

use super::{refusal, text, with};

/// A server with pg_cron preloaded for the database `work`; `None` if pg_cron is not available.
fn with_pg_cron() -> Result<Option<Cluster>> {
    let pg = server()?.pg_config();
    if !pg.extension_folder().join("pg_cron.control").is_file() {
        println!(
            "skipped: pg_cron for this PostgreSQL is missing in {}",
            pg.extension_folder().display()
        );
        return Ok(None);
    }
    let parameters = [
        ("shared_preload_libraries", "pg_cron"),
        ("cron.database_name", "work"),
        ("cron.use_background_workers", "on"),
        ("max_worker_processes", "20"),
    ];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let cluster = Cluster::start(pg, &Settings { parameters, ..Settings::default() })?;
    cluster.create_database("work")?;
    Ok(Some(cluster))
}

#[test]
fn without_pg_cron_the_error_names_the_statement_to_run() -> Result<()> {
    let database = walked_to("no_cron", newest()?)?;
    let mut client = database.client()?;
    for call in ["schedule_maintenance()", "unschedule_maintenance()"] {
        let refused = refusal(&mut client, &format!("SELECT orchestrator.{call}"));
        assert!(refused.contains("[55000]"), "{refused}");
        assert!(
            refused.contains(
                "run the maintenance by hand: SELECT * FROM orchestrator.run_maintenance();"
            ),
            "{refused}"
        );
    }
    Ok(())
}

const JOBS: &str = "SELECT string_agg(username || ' ' || schedule || ' ' || command, '; ' ORDER BY jobid) FROM cron.job";

#[test]
fn a_job_runs_is_listed_and_is_removed() -> Result<()> {
    let Some(cluster) = with_pg_cron()? else { return Ok(()) };
    let mut client = cluster.connect("work")?;
    client.batch_execute(
        "CREATE EXTENSION orchestrator_schema; CREATE EXTENSION pg_cron; \
         CREATE ROLE ops LOGIN; CREATE ROLE other LOGIN; CREATE ROLE worker LOGIN; \
         SELECT orchestrator.grant_access(r::regrole, l) FROM (VALUES ('ops', 'admin'), ('other', 'admin'), ('worker', 'worker')) AS v (r, l)",
    )?;
    let mut ops = cluster.connect_as("work", "ops")?;
    let refused = refusal(&mut ops, "SELECT orchestrator.schedule_maintenance()");
    assert!(refused.contains("[42501]"), "the owner of pg_cron decides who may use it: {refused}");
    assert!(refused.contains("GRANT USAGE ON SCHEMA cron TO ops;"), "{refused}");
    assert!(
        refused
            .contains("run the maintenance by hand: SELECT * FROM orchestrator.run_maintenance();"),
        "{refused}"
    );
    client.batch_execute("GRANT USAGE ON SCHEMA cron TO ops, other, worker")?;
    let refused = refusal(
        &mut cluster.connect_as("work", "worker")?,
        "SELECT orchestrator.schedule_maintenance()",
    );
    assert!(refused.contains("[42501]"), "{refused}");
    for wrong in ["every quarter", "", "* * *", "61 * * * *"] {
        let refused =
            refusal(&mut ops, &format!("SELECT orchestrator.schedule_maintenance('{wrong}')"));
        assert!(refused.contains("[22023]"), "{wrong}: {refused}");
    }

    let job = text(&mut ops, "SELECT orchestrator.schedule_maintenance()")?;
    assert_eq!(
        text(&mut client, JOBS)?,
        "ops */15 * * * * SELECT * FROM orchestrator.run_maintenance()"
    );
    let given = "SELECT orchestrator.schedule_maintenance(NULL)";
    assert_eq!(text(&mut ops, given)?, job, "NULL means the default");
    assert_eq!(
        text(&mut client, JOBS)?,
        "ops */15 * * * * SELECT * FROM orchestrator.run_maintenance()"
    );
    assert_eq!(
        text(&mut ops, "SELECT orchestrator.schedule_maintenance('* * * * *')")?,
        job,
        "the same job"
    );
    assert_eq!(
        text(&mut client, JOBS)?,
        "ops * * * * * SELECT * FROM orchestrator.run_maintenance()"
    );
    let mut other = cluster.connect_as("work", "other")?;
    let refused = refusal(&mut other, "SELECT orchestrator.schedule_maintenance()");
    assert!(
        refused.contains("[55000]") && refused.contains("Role \"ops\" scheduled it."),
        "{refused}"
    );
    assert_eq!(
        text(&mut other, "SELECT orchestrator.unschedule_maintenance()")?,
        "false",
        "another's job stays"
    );

    client.batch_execute(
        "INSERT INTO orchestrator.sessions (client_id, last_heartbeat) VALUES ('silent', now() - interval '1 hour')",
    )?;
    // Nobody answers, so the job decides when the time is over.
    client.batch_execute(
        "SELECT orchestrator.set_decision_rule('gate', respond_within => '2 seconds', on_timeout => 'reject'); \
         SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000001', 'dev', 'manual', 'may I?')",
    )?;
    wait_until("the job decides", || {
        Ok(text(&mut client, "SELECT status FROM orchestrator.decisions")? != "pending")
    })?;
    let decided = "SELECT concat_ws(' ', d.status, d.decided_by, d.decided_at >= t.due_at, t.due_at - d.requested_at) \
         FROM orchestrator.decisions AS d JOIN orchestrator.decision_terms AS t ON t.decision_id = d.id";
    assert_eq!(text(&mut client, decided)?, "rejected timeout t 00:00:02");
    wait_for_a_run(&cluster, &job)?;
    assert_eq!(
        text(&mut client, "SELECT is_active FROM orchestrator.sessions")?,
        "false",
        "the job did its work"
    );

    // A dump contains the job once. Scheduling again after the restore does not add a second one.
    let folder = tempfile::tempdir()?;
    let dump = folder.path().join("dump");
    let done = cluster
        .command("pg_dump")
        .args(["--format=custom", "--file"])
        .arg(&dump)
        .arg("work")
        .status()?;
    assert!(done.success());
    client.batch_execute("DROP EXTENSION pg_cron; DROP EXTENSION orchestrator_schema")?;
    let done = cluster
        .command("pg_restore")
        .args(["--exit-on-error", "--dbname", "work"])
        .arg(&dump)
        .status()?;
    assert!(done.success());
    // pg_cron caches the identity of its table in each session, so a new session is needed.
    let mut client = cluster.connect("work")?;
    let mut ops = cluster.connect_as("work", "ops")?;
    assert_eq!(
        text(&mut client, JOBS)?,
        "ops * * * * * SELECT * FROM orchestrator.run_maintenance()"
    );
    // The dump may come from another server, with another port and another database.
    const PLACE: &str = "SELECT string_agg((nodeport = current_setting('port')::integer) || ' ' || nodename || ' ' || database, '; ') FROM cron.job";
    client
        .batch_execute("UPDATE cron.job SET nodeport = 1234, nodename = '', database = 'older'")?;
    let job = text(&mut client, "SELECT jobid FROM cron.job")?;
    assert_eq!(text(&mut ops, "SELECT orchestrator.schedule_maintenance()")?, job, "the same job");
    assert_eq!(text(&mut client, PLACE)?, "true  work", "the host that a user chose is kept");
    assert_eq!(
        text(&mut client, JOBS)?,
        "ops */15 * * * * SELECT * FROM orchestrator.run_maintenance()"
    );

    assert_eq!(text(&mut ops, "SELECT orchestrator.unschedule_maintenance()")?, "true");
    assert_eq!(text(&mut ops, "SELECT orchestrator.unschedule_maintenance()")?, "false");
    assert_eq!(text(&mut client, "SELECT count(*) FROM cron.job")?, "0");
    Ok(())
}

fn wait_for_a_run(cluster: &Address, job: &str) -> Result<()> {
    const STATUS: &str = "SELECT status || ' ' || coalesce(return_message, '') FROM cron.job_run_details WHERE jobid::text = $1 AND status IN ('succeeded', 'failed') ORDER BY runid LIMIT 1";
    let mut client = cluster.connect("work")?;
    // pg_cron starts jobs at the full minute.
    wait_until("the job runs", || {
        let status = with(&mut client, STATUS, &[&job])?;
        assert!(status.is_empty() || status.starts_with("succeeded"), "{status}");
        Ok(!status.is_empty())
    })
}
