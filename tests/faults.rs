//! Crashes: the server is killed in the middle of an operation. After recovery the database is at one
//! of the two versions, intact, and has every row once.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use postgres::Client;
use support::extension::{differences, fill, go_to, installed, newest, versions};
use support::server;
use support::snapshot::{Rows, assert_same_rows, rows};
use xtask::cluster::{Cluster, Settings};

/// The number of times that each operation is struck, each time at another moment.
const TIMES: u32 = 20;

const DATABASE: &str = "work";

fn cluster() -> Result<Cluster> {
    // A commit that the client has seen survives the death of the process.
    let parameters = vec![("synchronous_commit".to_owned(), "on".to_owned())];
    let settings = Settings { parameters, ..Settings::default() };
    let cluster = Cluster::start(server()?.pg_config(), &settings)?;
    cluster.create_database(DATABASE)?;
    Ok(cluster)
}

/// Tests run one at a time, because another one would slow down the operation that is struck.
static ALONE: Mutex<()> = Mutex::new(());

/// The time that a statement takes on a new connection without a fault.
fn duration(cluster: &Cluster, sql: &str) -> Result<Duration> {
    let mut client = cluster.connect(DATABASE)?;
    let start = Instant::now();
    client.batch_execute(sql)?;
    Ok(start.elapsed())
}

/// Runs a statement, kills the server after that time, and starts it again. Returns whether the client
/// saw the statement succeed.
fn struck(cluster: &Cluster, sql: &str, after: Duration) -> Result<bool> {
    let mut client = cluster.connect(DATABASE)?;
    let (begun, begins) = mpsc::channel();
    let statement = sql.to_owned();
    let work = thread::spawn(move || {
        // Fails only if the receiver has ended.
        let _ = begun.send(());
        client.batch_execute(&statement).is_ok()
    });
    begins.recv().context("the statement did not begin")?;
    thread::sleep(after);
    cluster.kill()?;
    let succeeded = work.join().expect("the thread ends");
    cluster.restart()?;
    Ok(succeeded)
}

/// The moment of the n-th fault. The moments are spread over twice the time that the operation
/// takes, because it takes longer on a server that has just recovered.
fn moment(number: u32, whole: Duration) -> Duration {
    whole.mul_f64(2.0) * number / TIMES
}

/// Walks to the newest version with the rows of every version, and adds many rows.
fn filled(cluster: &Cluster) -> Result<Client> {
    let mut client = cluster.connect(DATABASE)?;
    for version in versions()? {
        go_to(&mut client, version)?;
        fill(&mut client, version)?;
    }
    client.batch_execute(
        "INSERT INTO orchestrator.tasks (title, task_type) SELECT 'task ' || n, 'tool' FROM generate_series(1, 5000) AS n; \
         INSERT INTO orchestrator.sessions (role) SELECT 'role ' || n FROM generate_series(1, 5000) AS n; \
         INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) SELECT orchestrator.uuidv7(), 'agent ' || n, 'manual', 'r' FROM generate_series(1, 5000) AS n; \
         CHECKPOINT",
    )?;
    Ok(client)
}

/// The rows after a walk to the newest version and back; further walks do not change them.
fn settled(cluster: &Cluster) -> Result<Rows> {
    let mut client = cluster.connect(DATABASE)?;
    go_to(&mut client, newest()?)?;
    let rows = rows(&mut client)?;
    assert_eq!(differences(&mut client)?, [""; 0]);
    let archived: i64 =
        client.query_one("SELECT count(*) FROM orchestrator.archived()", &[])?.try_get(0)?;
    assert_eq!(archived, 0, "everything is restored");
    Ok(rows)
}

/// Strikes a walk from one version to another.
fn walk(from: &str, to: &str) -> Result<()> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = cluster()?;
    drop(filled(&cluster)?);
    let expected = settled(&cluster)?;
    let walk = format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{to}'");
    let mut client = cluster.connect(DATABASE)?;
    go_to(&mut client, from.parse()?)?;
    drop(client);
    let whole = duration(&cluster, &walk)?;
    let mut seen = [0; 2];
    for number in 0..TIMES {
        let mut client = cluster.connect(DATABASE)?;
        go_to(&mut client, from.parse()?)?;
        drop(client);
        let succeeded = struck(&cluster, &walk, moment(number, whole))?;
        let mut client = cluster.connect(DATABASE)?;
        let version = installed(&mut client)?.context("the extension is there")?;
        assert!([from, to].contains(&version.as_str()), "neither {from} nor {to}, but {version}");
        assert!(!succeeded || version == to, "the client saw the true outcome");
        assert_eq!(differences(&mut client)?, [""; 0], "at {version}");
        seen[usize::from(version == to)] += 1;
        drop(client);
        assert_same_rows(
            &format!("struck {number} from {from} to {to}"),
            &expected,
            &settled(&cluster)?,
        );
    }
    println!(
        "{from} to {to}: {} times at {from}, {} times at {to}, the walk takes {whole:?}",
        seen[0], seen[1]
    );
    assert!(seen[0] > 0, "some faults came in the middle");
    Ok(())
}

#[test]
fn an_upgrade_is_done_or_not_begun() -> Result<()> {
    walk("0.0.0", &newest()?.to_string())
}

#[test]
fn a_downgrade_is_done_or_not_begun() -> Result<()> {
    walk(&newest()?.to_string(), "0.0.0")
}

const REVIEWS: i64 = 10_000;

/// Reviews resolved with their runs concluded and one event each, as counts.
const STATE: &str = "SELECT count(*) FILTER (WHERE q.status = 'approved'), count(*) FILTER (WHERE q.status = 'pending'), \
        count(*) FILTER (WHERE q.status = 'approved' AND (r.requires_human_review OR r.gate_status = 'hold' \
            OR (SELECT count(*) FROM orchestrator.audit_events AS e WHERE left(e.metadata ->> 'thread_id', 500) = q.thread_id \
                AND e.event_type = 'review_approved') <> 1)), \
        count(*) FILTER (WHERE q.status = 'pending' AND (NOT r.requires_human_review \
            OR EXISTS (SELECT FROM orchestrator.audit_events AS e WHERE left(e.metadata ->> 'thread_id', 500) = q.thread_id \
                AND e.event_type = 'review_approved'))) \
     FROM orchestrator.human_review_queue AS q JOIN orchestrator.orchestrator_runs AS r USING (thread_id)";

#[test]
fn bulk_resolution_is_done_or_not_begun() -> Result<()> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = cluster()?;
    let mut client = cluster.connect(DATABASE)?;
    client.batch_execute(&format!(
        "CREATE EXTENSION orchestrator_schema; SET orchestrator_schema.notify = off; \
         INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id, gate_status, requires_human_review) \
         SELECT 'thread ' || n, orchestrator.uuidv7(), 's', 'hold', true FROM generate_series(1, {REVIEWS}) AS n; \
         INSERT INTO orchestrator.human_review_queue (thread_id, review_type, reason) SELECT 'thread ' || n, 'safety', 'r' FROM generate_series(1, {REVIEWS}) AS n; \
         ANALYZE; CHECKPOINT"
    ))?;
    let all = "SELECT count(*) FROM orchestrator.resolve_reviews((SELECT array_agg(id ORDER BY id) FROM orchestrator.human_review_queue), 'approved', 'ada')";
    drop(client);
    let whole = duration(&cluster, &format!("BEGIN; {all}; ROLLBACK"))?;
    let mut begun = 0;
    for number in 0..TIMES {
        let succeeded = struck(&cluster, all, moment(number, whole))?;
        let mut client = cluster.connect(DATABASE)?;
        let row = client.query_one(STATE, &[])?;
        let counts: Vec<i64> = (0..4).map(|place| row.try_get(place)).collect::<Result<_, _>>()?;
        let done = counts[0] == REVIEWS;
        assert!(done || counts[1] == REVIEWS, "struck {number}: {counts:?}");
        assert_eq!(counts[2..], [0, 0], "struck {number}: reviews, runs and events agree");
        assert!(!succeeded || done, "the client saw the true outcome");
        assert_eq!(differences(&mut client)?, [""; 0]);
        if done {
            // Once more from the beginning.
            client.batch_execute(
                "SET session_replication_role = replica; UPDATE orchestrator.human_review_queue SET status = 'pending', resolved_by = NULL, resolved_at = NULL; \
                 UPDATE orchestrator.orchestrator_runs SET gate_status = 'hold', requires_human_review = true; \
                 ALTER TABLE orchestrator.audit_events DISABLE TRIGGER USER; TRUNCATE orchestrator.audit_events; \
                 ALTER TABLE orchestrator.audit_events ENABLE ALWAYS TRIGGER audit_events_append_only, ENABLE ALWAYS TRIGGER audit_events_append_only_rows",
            )?;
        } else {
            begun += 1;
        }
    }
    println!(
        "{REVIEWS} reviews: {begun} of {TIMES} times struck before the end, it takes {whole:?}"
    );
    assert!(begun > 0, "some faults came in the middle");
    Ok(())
}
