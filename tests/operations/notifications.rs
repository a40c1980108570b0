//! A client that listens gets one notification for every statement that asks for decisions or makes
//! them, and no other.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use fallible_iterator::FallibleIterator;
use postgres::Client;
use support::Database;
use support::deadline::DEADLINE;
use support::extension::{newest, walked_to};
use support::roles::{self, name};

/// A client that listens.
struct Listener {
    client: Client,
    announcer: Client,
}

impl Listener {
    /// Any role that may connect may listen; the payload contains only kinds, numbers and ids.
    fn start(database: &Database) -> Result<Self> {
        let mut client = database.client()?;
        client.batch_execute("LISTEN orchestrator_decisions; LISTEN sent_last")?;
        Ok(Self { client, announcer: database.client()? })
    }

    /// The payloads that arrived since the last call, in order, without their ids. Each holds as many
    /// different ids as it counts, or as many as fit.
    fn heard(&mut self) -> Result<Vec<String>> {
        let mut heard = Vec::new();
        for payload in self.payloads()? {
            let ids = ids(&payload)?;
            let count = read(&payload)?["count"].as_u64().context("a count")? as usize;
            assert!(ids.len() == count || (ids.len() == MOST_IDS && count > MOST_IDS), "{payload}");
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{payload}");
            let (head, _) = payload.split_once(r#","ids""#).context("ids")?;
            heard.push(format!("{head}}}"));
        }
        Ok(heard)
    }

    /// The payloads that arrived since the last call, in order. A message on another channel, sent last,
    /// shows that no earlier one is still on its way.
    fn payloads(&mut self) -> Result<Vec<String>> {
        self.announcer.batch_execute("NOTIFY sent_last")?;
        let mut heard = Vec::new();
        let mut notifications = self.client.notifications();
        let mut arriving = notifications.timeout_iter(DEADLINE);
        loop {
            match arriving.next()? {
                Some(last) if last.channel() == "sent_last" => return Ok(heard),
                Some(notification) => heard.push(notification.payload().to_owned()),
                None => panic!("the last word did not come; heard {heard:?}"),
            }
        }
    }
}

/// The number of ids in a payload that has no room for more.
const MOST_IDS: usize = 203;

fn read(payload: &str) -> Result<serde_json::Value> {
    serde_json::from_str(payload).with_context(|| payload.to_owned())
}

/// The ids in a payload.
fn ids(payload: &str) -> Result<Vec<String>> {
    let read = read(payload)?;
    let ids = read["ids"].as_array().with_context(|| payload.to_owned())?;
    ids.iter().map(|id| Ok(id.as_str().context("an id")?.to_owned())).collect()
}

fn payload(kind: &str, change: &str, count: u32) -> String {
    format!(r#"{{"kind":"{kind}","change":"{change}","count":{count}}}"#)
}

const GATES: &str = "INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) \
     SELECT orchestrator.uuidv7(), 'a', 'manual', 'r' FROM generate_series(1, 1000)";

#[test]
fn each_statement_is_announced_once() -> Result<()> {
    let database = walked_to("announced", newest()?)?;
    roles::of_every_level(&database)?;
    let mut listener = Listener::start(&database)?;
    let mut worker = database.client_as(&name(&database, "worker"))?;
    let mut reviewer = database.client_as(&name(&database, "reviewer"))?;
    let mut owner = database.client()?;
    assert_eq!(listener.heard()?, [""; 0]);

    worker.batch_execute(
        "SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r')",
    )?;
    assert_eq!(listener.heard()?, [payload("gate", "requested", 1)]);
    reviewer.batch_execute(
        "SELECT orchestrator.decide(id, 'approve', 'ada') FROM orchestrator.pending_decisions",
    )?;
    assert_eq!(listener.heard()?, [payload("gate", "decided", 1)]);

    worker.batch_execute(
        "SELECT orchestrator.request_approval(task_id, 'boss') FROM orchestrator.route_task('routing', 'd', 'a', 'boss')",
    )?;
    assert_eq!(listener.heard()?, [payload("approval", "requested", 1)]);
    reviewer
        .batch_execute(
            "SELECT orchestrator.decide(id, 'no', 'boss') FROM orchestrator.pending_decisions",
        )
        .expect_err("no such word");
    assert_eq!(listener.heard()?, [""; 0], "a refused call is not announced");
    reviewer.batch_execute(
        "SELECT orchestrator.decide(id, 'reject', 'boss') FROM orchestrator.pending_decisions",
    )?;
    assert_eq!(listener.heard()?, [payload("approval", "decided", 1)]);

    worker.batch_execute("SELECT orchestrator.start_run('t' || n, orchestrator.uuidv7(), 's') FROM generate_series(1, 100) AS n")?;
    assert_eq!(listener.heard()?, [""; 0], "a run asks for nothing");
    worker.batch_execute("SELECT orchestrator.record_safety('t1', 0.2)")?;
    assert_eq!(listener.heard()?, [payload("review", "requested", 1)]);
    worker.batch_execute("SELECT orchestrator.request_review(thread_id, 'gate_override', 'r') FROM orchestrator.orchestrator_runs")?;
    assert_eq!(
        listener.heard()?,
        vec![payload("review", "requested", 1); 100],
        "each call is a statement with an id of its own"
    );
    reviewer.batch_execute(
        "SELECT orchestrator.resolve_reviews(array_agg(id), 'approved', 'ada') FROM orchestrator.human_review_queue WHERE status = 'pending'",
    )?;
    assert_eq!(listener.heard()?, [payload("review", "decided", 101)]);

    // A statement that writes the table without a function sends one notification, too.
    owner.batch_execute(GATES)?;
    assert_eq!(listener.heard()?, [payload("gate", "requested", 1000)]);
    owner
        .batch_execute("UPDATE orchestrator.gates SET reason = 'other' WHERE status = 'pending'")?;
    assert_eq!(listener.heard()?, [""; 0], "an edit decides nothing");
    owner.batch_execute(
        "UPDATE orchestrator.gates SET status = CASE WHEN hashtext(id::text) % 2 = 0 THEN 'approved' ELSE status END, resolved_by = CASE WHEN hashtext(id::text) % 2 = 0 THEN 'ada' END WHERE status = 'pending'",
    )?;
    let decided: i64 = owner
        .query_one("SELECT count(*) FROM orchestrator.gates WHERE status = 'approved'", &[])?
        .try_get(0)?;
    assert_eq!(listener.heard()?, [payload("gate", "decided", decided as u32 - 1)]);
    owner.batch_execute(
        "INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, status, resolved_at, resolved_by) \
         VALUES (orchestrator.uuidv7(), 'a', 'manual', 'r', 'approved', now(), 'ada')",
    )?;
    assert_eq!(listener.heard()?, [""; 0], "a row inserted as decided is not announced");
    owner.batch_execute("DELETE FROM orchestrator.gates")?;
    assert_eq!(listener.heard()?, [""; 0]);
    Ok(())
}

/// An agent that waits for a question looks only when its id is among those of a notification.
#[test]
fn a_notification_names_the_questions() -> Result<()> {
    let database = walked_to("named", newest()?)?;
    let mut listener = Listener::start(&database)?;
    let mut client = database.client()?;
    let mut asked = Vec::new();
    for ask in [
        "SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r')::text",
        "SELECT orchestrator.request_approval(task_id, 'boss')::text FROM orchestrator.route_task('routing', 'd', 'a', 'boss')",
        "SELECT orchestrator.request_review(thread_id, 'gate_override', 'r')::text FROM orchestrator.orchestrator_runs",
    ] {
        client.batch_execute(
            "SELECT orchestrator.ensure_run('t', '0198c5a0-0000-7000-8000-000000000001', 's')",
        )?;
        asked.push(client.query_one(ask, &[])?.try_get::<_, String>(0)?);
    }
    let named = |payloads: Vec<String>| -> Result<Vec<Vec<String>>> {
        payloads.iter().map(|payload| ids(payload)).collect()
    };
    let each: Vec<Vec<String>> = asked.iter().map(|id| vec![id.clone()]).collect();
    assert_eq!(named(listener.payloads()?)?, each);
    for id in &asked {
        let decide = format!("SELECT orchestrator.decide('{id}', 'approve', 'boss')");
        client.batch_execute(&decide)?;
        client.batch_execute(&decide)?;
    }
    assert_eq!(named(listener.payloads()?)?, each, "a repeated decision announces nothing");
    // Only the rows that the statement decides are named, in a statement that writes others, too.
    client.batch_execute(&format!(
        "{GATES}; UPDATE orchestrator.gates AS g SET status = CASE WHEN n <= 3 THEN 'approved' ELSE g.status END, \
             resolved_by = CASE WHEN n <= 3 THEN 'ada' END, feedback = 'so' \
         FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM orchestrator.gates WHERE status = 'pending') AS o WHERE o.id = g.id"
    ))?;
    let payloads = listener.payloads()?;
    let decided: Vec<String> = client
        .query(
            "SELECT id::text FROM orchestrator.gates WHERE status <> 'pending' AND feedback = 'so'",
            &[],
        )?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    let found = ids(payloads.last().context("a payload")?)?;
    assert_eq!(decided.iter().collect::<BTreeSet<_>>(), found.iter().collect::<BTreeSet<_>>());
    assert_eq!(found.len(), 3);
    Ok(())
}

#[test]
fn rolled_back_or_switched_off_decisions_are_not_announced() -> Result<()> {
    let database = walked_to("silent", newest()?)?;
    let mut listener = Listener::start(&database)?;
    let mut client = database.client()?;
    client.batch_execute(&format!("BEGIN; {GATES}; ROLLBACK"))?;
    assert_eq!(listener.heard()?, [""; 0]);
    client.batch_execute(&format!("SET orchestrator_schema.notify = off; {GATES}; UPDATE orchestrator.gates SET status = 'approved', resolved_by = 'ada'"))?;
    assert_eq!(listener.heard()?, [""; 0]);
    client.batch_execute(&format!("RESET orchestrator_schema.notify; {GATES}"))?;
    assert_eq!(listener.heard()?, [payload("gate", "requested", 1000)]);
    // The setting is changed within the transaction, as a pooler in transaction mode needs it.
    client.batch_execute(&format!(
        "BEGIN; SET LOCAL orchestrator_schema.notify = off; {GATES}; COMMIT"
    ))?;
    assert_eq!(listener.heard()?, [""; 0]);
    client.batch_execute(GATES)?;
    assert_eq!(listener.heard()?, [payload("gate", "requested", 1000)]);
    Ok(())
}

/// Two connections take turns with one client's transactions, as behind a pooler. The notifications do
/// not depend on the connection.
#[test]
fn it_works_when_every_transaction_has_another_connection() -> Result<()> {
    let database = walked_to("pooled", newest()?)?;
    let mut listener = Listener::start(&database)?;
    let mut pool = [database.client()?, database.client()?];
    for turn in 0..6 {
        pool[turn % 2].batch_execute(
            "SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r')",
        )?;
        assert_eq!(listener.heard()?, [payload("gate", "requested", 1)]);
        // A pooler runs this between two clients.
        pool[turn % 2].batch_execute("DISCARD ALL")?;
    }
    Ok(())
}

#[test]
fn a_restore_announces_nothing() -> Result<()> {
    let source = walked_to("announced_source", newest()?)?;
    let mut client = source.client()?;
    client.batch_execute(GATES)?;
    client.batch_execute(
        "SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's'); SELECT orchestrator.request_review('t', 'gate_override', 'r'); \
         SELECT orchestrator.request_approval(task_id, 'boss') FROM orchestrator.route_task('routing', 'd', 'a', 'boss')",
    )?;
    let formats: [&[&str]; 4] = [
        &["--format=plain"],
        &["--format=plain", "--inserts"],
        &["--format=custom"],
        &["--format=directory", "--jobs=2"],
    ];
    for options in formats {
        let folder = tempfile::tempdir()?;
        let dump = folder.path().join("dump");
        let done = source
            .command("pg_dump")
            .args(options)
            .arg("--file")
            .arg(&dump)
            .arg(source.name())
            .status()?;
        assert!(done.success(), "{options:?}");
        let target = Database::create("announced_target")?;
        let mut listener = Listener::start(&target)?;
        let mut restore = if options[0] == "--format=plain" {
            let mut psql = target.command("psql");
            psql.args([
                "--no-psqlrc",
                "--quiet",
                "--output=/dev/null",
                "--set=ON_ERROR_STOP=1",
                "--dbname",
                target.name(),
                "--file",
            ]);
            psql
        } else {
            let mut restore = target.command("pg_restore");
            restore.args(["--exit-on-error", "--dbname", target.name()]);
            restore
        };
        let output = restore.arg(&dump).output()?;
        assert!(
            output.status.success(),
            "{options:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(listener.heard()?, [""; 0], "{options:?}");
        let mut client = target.client()?;
        let waiting: i64 = client
            .query_one("SELECT count(*) FROM orchestrator.pending_decisions", &[])?
            .try_get(0)?;
        assert_eq!(waiting, 1002, "{options:?}");
        client.batch_execute(
            "SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r')",
        )?;
        assert_eq!(
            listener.heard()?,
            [payload("gate", "requested", 1)],
            "after the restore, decisions are announced again"
        );
    }
    // An upgrade that restores rows does not announce them either.
    let mut listener = Listener::start(&source)?;
    client.batch_execute(
        "ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0'; ALTER EXTENSION orchestrator_schema UPDATE",
    )?;
    assert_eq!(listener.heard()?, [""; 0]);
    Ok(())
}
