//! Seals over the audit trail: an honest history raises no alarm, whatever runs beside, and a change is found, also one
//! of the file of a stopped server.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result};
use postgres::Client;
use support::deadline::wait_until;
use support::random::Random;
use support::server;
use xtask::cluster::{Cluster, Settings};

use super::{refusal, text};

const WRITERS: usize = 50;

/// The number of transactions of each writer.
const ROUNDS: usize = 30;

const RECORD: &str = "SELECT orchestrator.record_event('e', 'r', '0198c5a0-0000-7000-8000-000000000001', '{\"n\": 1.50, \"of\": [\"dev\", {\"z\": null}]}')";
const SEAL: &str = "SELECT coalesce(sum(events), 0)::text FROM orchestrator.seal_audit_events()";
const FOUND: &str = "SELECT coalesce(string_agg(concat_ws(' ', sequence, problem, expected, actual), '; '), '') FROM orchestrator.verify_audit_seals()";
const UNSEALED: &str = "SELECT count(*)::text FROM orchestrator.audit_events WHERE \"timestamp\" >= (SELECT max(sealed_until) FROM orchestrator.audit_seals)";

/// A server that keeps prepared transactions, with the extension in database `work`.
fn cluster() -> Result<Cluster> {
    let parameters = [("max_prepared_transactions", "100"), ("ignore_checksum_failure", "on")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let settings = Settings { parameters, ..Settings::default() };
    let cluster = Cluster::start(server()?.pg_config(), &settings)?;
    cluster.create_database("work")?;
    cluster.connect("work")?.batch_execute("CREATE EXTENSION orchestrator_schema")?;
    Ok(cluster)
}

/// One transaction of a writer, of a kind by chance.
fn write(client: &mut Client, random: &mut Random, name: &str) -> Result<()> {
    let pause = format!("SELECT pg_sleep(0.00{})", random.below(5));
    match random.below(6) {
        0 | 1 => client.batch_execute(RECORD)?,
        2 => {
            client.batch_execute(&format!("BEGIN; {pause}"))?;
            client.batch_execute(&format!("{RECORD}; {RECORD}; {pause}"))?;
            client.batch_execute("COMMIT")?;
        }
        3 => {
            let end = ["COMMIT", "ROLLBACK"][random.below(2)];
            client.batch_execute(&format!("BEGIN; {RECORD}; PREPARE TRANSACTION '{name}'"))?;
            client.batch_execute(&format!("{pause}; {pause}; {pause}"))?;
            client.batch_execute(&format!("{end} PREPARED '{name}'"))?;
        }
        4 => client.batch_execute(&format!(
            "BEGIN; SAVEPOINT a; {RECORD}; ROLLBACK TO a; {RECORD}; COMMIT"
        ))?,
        _ => client.batch_execute(&format!("BEGIN; {RECORD}; ROLLBACK"))?,
    }
    Ok(())
}

#[test]
fn an_honest_history_raises_no_alarm() -> Result<()> {
    let cluster = cluster()?;
    let (barrier, left) = (Barrier::new(WRITERS + 1), AtomicUsize::new(WRITERS));
    let mut long = cluster.connect("work")?;
    long.batch_execute("BEGIN; SELECT 1")?;
    let seals = thread::scope(|scope| -> Result<usize> {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (cluster, barrier, left) = (&cluster, &barrier, &left);
                scope.spawn(move || -> Result<()> {
                    let client = cluster.connect("work");
                    barrier.wait();
                    let mut client = client?;
                    let mut random = Random::new(writer as u64);
                    let written = (0..ROUNDS).try_for_each(|round| {
                        write(&mut client, &mut random, &format!("{writer} {round}"))
                    });
                    left.fetch_sub(1, Ordering::SeqCst);
                    written
                })
            })
            .collect();
        let mut client = cluster.connect("work")?;
        barrier.wait();
        let mut seals = 0;
        while left.load(Ordering::SeqCst) > 0 {
            if left.load(Ordering::SeqCst) < WRITERS / 2 {
                // The oldest of all ends last but these.
                long.batch_execute(&format!("{RECORD}; COMMIT; BEGIN; SELECT 1"))?;
            }
            seals += usize::from(text(&mut client, SEAL)? != "0");
            assert_eq!(text(&mut client, FOUND)?, "");
        }
        for writer in writers {
            writer.join().expect("the writer ends")?;
        }
        Ok(seals)
    })?;
    long.batch_execute(&format!("{RECORD}; COMMIT"))?;
    let mut client = cluster.connect("work")?;
    text(&mut client, SEAL)?;
    assert_eq!(text(&mut client, FOUND)?, "");
    assert_eq!(text(&mut client, UNSEALED)?, "0", "every event is sealed");
    let all = "SELECT (sum(s.events) = (SELECT count(*) FROM orchestrator.audit_events))::text FROM orchestrator.audit_seals AS s";
    assert_eq!(text(&mut client, all)?, "true");
    println!("{seals} seals beside the writers");
    Ok(())
}

#[test]
fn what_may_still_be_added_is_not_sealed() -> Result<()> {
    let cluster = cluster()?;
    let mut client = cluster.connect("work")?;
    let mut other = cluster.connect("work")?;
    client.batch_execute(RECORD)?;
    other.batch_execute(&format!("BEGIN; {RECORD}"))?;
    client.batch_execute(RECORD)?;
    assert_eq!(text(&mut client, SEAL)?, "1", "the other transaction runs");
    other.batch_execute("PREPARE TRANSACTION 'other'")?;
    assert_eq!(text(&mut client, SEAL)?, "0", "it is prepared");
    other.batch_execute("COMMIT PREPARED 'other'")?;
    assert_eq!(text(&mut client, SEAL)?, "2");
    // A prepared transaction that has written no event adds none.
    client.batch_execute(RECORD)?;
    other.batch_execute("BEGIN; CREATE TABLE public.t (); PREPARE TRANSACTION 'without'")?;
    assert_eq!(text(&mut client, SEAL)?, "1");
    other.batch_execute("ROLLBACK PREPARED 'without'")?;
    // A session that shows nothing could be in a transaction.
    client.batch_execute(RECORD)?;
    other.batch_execute("SET track_activities = off; BEGIN; SELECT 1")?;
    let refused = refusal(&mut client, SEAL);
    assert!(refused.contains("[55000]") && refused.contains("track_activities"), "{refused}");
    other.batch_execute("COMMIT; SET track_activities = on")?;
    assert_eq!(text(&mut client, SEAL)?, "1");
    // A transaction that keeps its snapshot seals what was committed since.
    other.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pg_class")?;
    assert_eq!(text(&mut other, SEAL)?, "0");
    other.batch_execute("COMMIT")?;
    assert_eq!(text(&mut client, FOUND)?, "");
    // A role without a view of other sessions sees them all here.
    client
        .batch_execute("CREATE ROLE ops LOGIN; SELECT orchestrator.grant_access('ops', 'admin')")?;
    let mut ops = cluster.connect_as("work", "ops")?;
    other.batch_execute("BEGIN; SELECT 1")?;
    client.batch_execute(RECORD)?;
    assert_eq!(
        text(&mut ops, SEAL)?,
        "1",
        "the grant, and not the event after the other's beginning"
    );
    Ok(())
}

/// A letter of an event changes in the file of the table.
#[test]
fn a_changed_byte_in_the_file_is_found() -> Result<()> {
    let cluster = cluster()?;
    let mut client = cluster.connect("work")?;
    client.batch_execute(RECORD)?;
    text(&mut client, SEAL)?;
    client.batch_execute(&RECORD.replace("dev", "approved by ada"))?;
    text(&mut client, SEAL)?;
    let path = text(&mut client, "SELECT pg_relation_filepath('orchestrator.audit_events')")?;
    client.batch_execute("CHECKPOINT")?;
    drop(client);
    cluster.stop()?;
    let file = xtask::cluster::data_folder(&cluster.folder()).join(path);
    let mut bytes = fs::read(&file).with_context(|| file.display().to_string())?;
    let words = b"approved by ada";
    let place = bytes.windows(words.len()).position(|found| found == words).context("the event")?;
    bytes[place + words.len() - 1] = b'm';
    fs::write(&file, bytes)?;
    cluster.restart()?;
    let mut client = cluster.connect("work")?;
    let found = text(
        &mut client,
        "SELECT string_agg(sequence || ' ' || problem, '; ') FROM orchestrator.verify_audit_seals()",
    )?;
    assert_eq!(found, "2 changed events");
    Ok(())
}

/// A dump holds the seals, and they hold in a database with another encoding.
#[test]
fn seals_hold_after_a_restore() -> Result<()> {
    let cluster = cluster()?;
    let mut client = cluster.connect("work")?;
    for facts in ["{\"é\": \"ü\", \"zz\": \"ß\", \"a\": 1.10}", "{\"n\": 12345678901234567890.000}"]
    {
        client.execute(
            "SELECT orchestrator.record_event('e', 'r', orchestrator.uuidv7(), $1::text::jsonb)",
            &[&facts],
        )?;
    }
    text(&mut client, SEAL)?;
    let head = text(&mut client, "SELECT encode(digest, 'hex') FROM orchestrator.audit_head()")?;
    client.batch_execute("CREATE DATABASE same")?;
    client.batch_execute(
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    )?;
    let folder = tempfile::tempdir()?;
    let dump = folder.path().join("dump.sql");
    assert!(cluster.command("pg_dump").arg("--file").arg(&dump).arg("work").status()?.success());
    for database in ["same", "latin"] {
        let mut command = cluster.command("psql");
        command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file"]).arg(&dump);
        assert!(command.arg(database).status()?.success(), "{database}");
        let mut client = cluster.connect(database)?;
        let found =
            FOUND.replace("seals()", &format!("seals(expected_head => decode('{head}', 'hex'))"));
        assert_eq!(text(&mut client, &found)?, "", "{database}");
    }
    Ok(())
}

/// Bytes that have no form in UTF-8 are sealed as they are.
#[test]
fn bytes_of_other_encodings_are_sealed() -> Result<()> {
    let cluster = cluster()?;
    let mut admin = cluster.connect("work")?;
    for encoding in ["SQL_ASCII", "WIN1252"] {
        admin.batch_execute(&format!(
            "CREATE DATABASE {encoding} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        ))?;
        let mut client = cluster.connect(&encoding.to_lowercase())?;
        client.batch_execute(
            "CREATE EXTENSION orchestrator_schema; \
             INSERT INTO orchestrator.audit_events (event_type, role, trace_id) \
             SELECT convert_from(byte, current_setting('server_encoding')), 'r', orchestrator.uuidv7() FROM (VALUES ('\\x81'::bytea), ('\\xe9')) AS v (byte)",
        )?;
        assert_eq!(text(&mut client, SEAL)?, "2", "{encoding}");
        assert_eq!(text(&mut client, FOUND)?, "", "{encoding}");
        client.batch_execute(
            "ALTER TABLE orchestrator.audit_events DISABLE TRIGGER USER; \
             UPDATE orchestrator.audit_events SET event_type = convert_from('\\x8d', current_setting('server_encoding')) \
             WHERE event_type = convert_from('\\x81', current_setting('server_encoding'))",
        )?;
        assert!(text(&mut client, FOUND)?.contains("changed events"), "{encoding}");
    }
    Ok(())
}

/// A connection for replication to a database runs statements, too.
#[test]
fn a_connection_for_replication_is_seen() -> Result<()> {
    let cluster = cluster()?;
    let mut client = cluster.connect("work")?;
    client.batch_execute(RECORD)?;
    assert_eq!(text(&mut client, SEAL)?, "1");
    let mut psql = cluster
        .command("psql")
        .args(["--no-psqlrc", "--quiet", "dbname=work replication=database"])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut statements = psql.stdin.take().context("the input of psql")?;
    writeln!(statements, "BEGIN; {RECORD} \\g /dev/null")?;
    const IN_TRANSACTION: &str = "SELECT count(*)::text FROM pg_stat_activity WHERE backend_type = 'walsender' AND state = 'idle in transaction'";
    wait_until("the transaction runs", || Ok(text(&mut client, IN_TRANSACTION)? == "1"))?;
    client.batch_execute(RECORD)?;
    assert_eq!(text(&mut client, SEAL)?, "0", "the other transaction may write earlier events");
    writeln!(statements, "COMMIT;")?;
    drop(statements);
    assert!(psql.wait()?.success());
    // The server's process ends after its client, and holds the seal back until then.
    const CONNECTED: &str =
        "SELECT count(*)::text FROM pg_stat_activity WHERE backend_type = 'walsender'";
    wait_until("the connection ends", || Ok(text(&mut client, CONNECTED)? == "0"))?;
    assert_eq!(text(&mut client, SEAL)?, "2");
    assert_eq!(text(&mut client, FOUND)?, "");
    Ok(())
}

/// A transaction that keeps its snapshot seals and verifies the same events.
#[test]
fn a_kept_snapshot_raises_no_alarm() -> Result<()> {
    let cluster = cluster()?;
    let (mut client, mut other) = (cluster.connect("work")?, cluster.connect("work")?);
    other.batch_execute(&format!("BEGIN; {RECORD}"))?;
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pg_class")?;
    other.batch_execute("COMMIT")?;
    assert_eq!(text(&mut client, SEAL)?, "1");
    assert_eq!(text(&mut client, FOUND)?, "");
    client.batch_execute("COMMIT")?;
    assert_eq!(text(&mut client, FOUND)?, "");
    Ok(())
}

/// A transaction that keeps a snapshot from before the last seal, and has written, verifies with one snapshot.
#[test]
fn a_kept_snapshot_older_than_a_seal_raises_no_alarm() -> Result<()> {
    let cluster = cluster()?;
    let (mut client, mut other) = (cluster.connect("work")?, cluster.connect("work")?);
    assert_eq!(text(&mut other, &format!("{RECORD}::text"))?.len(), 36);
    let mut third = cluster.connect("work")?;
    other.batch_execute(&format!("BEGIN; {RECORD}"))?;
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pg_class")?;
    assert_eq!(text(&mut third, SEAL)?, "1");
    other.batch_execute("COMMIT")?;
    assert_eq!(text(&mut client, SEAL)?, "1");
    assert_eq!(text(&mut client, FOUND)?, "");
    client.batch_execute("COMMIT")?;
    assert_eq!(text(&mut client, FOUND)?, "");
    Ok(())
}

/// Whoever seals may go on with maintenance beside maintenance by others.
#[test]
fn seals_and_maintenance_do_not_block_one_another() -> Result<()> {
    let cluster = cluster()?;
    let (mut client, mut other) = (cluster.connect("work")?, cluster.connect("work")?);
    client.batch_execute(&format!("BEGIN; {SEAL}"))?;
    thread::scope(|scope| -> Result<()> {
        let maintenance =
            scope.spawn(move || other.batch_execute("SELECT orchestrator.run_maintenance()"));
        const WAITS: &str = "SELECT count(*)::text FROM pg_locks WHERE NOT granted";
        wait_until("maintenance waits", || Ok(text(&mut client, WAITS)? == "1"))?;
        client.batch_execute("SELECT orchestrator.run_maintenance(); COMMIT")?;
        Ok(maintenance.join().expect("maintenance ends")?)
    })
}

/// A session that reads no answer is idle. One that hides keeps nothing but seals from maintenance.
#[test]
fn maintenance_goes_on_beside_sessions_that_do_not_answer() -> Result<()> {
    let cluster = cluster()?;
    let mut client = cluster.connect("work")?;
    client.batch_execute(RECORD)?;
    let mut deaf =
        UnixStream::connect(cluster.socket_folder().join(format!(".s.PGSQL.{}", cluster.port())))?;
    let mut start = Vec::new();
    start.extend(196_608_i32.to_be_bytes());
    start.extend(b"user\0postgres\0database\0work\0\0");
    deaf.write_all(&[&(start.len() as i32 + 4).to_be_bytes()[..], &start].concat())?;
    let query = b"Q\0\0\0\x0dSELECT 1\0";
    deaf.set_nonblocking(true)?;
    // Until its answers fill the buffers.
    const WRITES: &str = "SELECT count(*)::text FROM pg_stat_activity WHERE state = 'idle' AND wait_event = 'ClientWrite'";
    wait_until("it waits until somebody reads", || {
        let sent = deaf.write_all(&query.repeat(1_000));
        let is_full = sent.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        Ok(is_full && text(&mut client, WRITES)? == "1")
    })?;
    assert_eq!(text(&mut client, SEAL)?, "1");
    let mut hidden = cluster.connect("work")?;
    hidden.batch_execute("SET track_activities = off; BEGIN; SELECT 1")?;
    client.batch_execute("INSERT INTO orchestrator.sessions (client_id, last_heartbeat) VALUES ('silent', now() - interval '1 hour')")?;
    let done =
        "SELECT string_agg(task, ' ') FROM orchestrator.run_maintenance() WHERE affected > 0";
    assert_eq!(text(&mut client, done)?, "deactivate_stale_sessions");
    hidden.batch_execute("COMMIT; SET track_activities = on")?;
    client.batch_execute(RECORD)?;
    assert_eq!(text(&mut client, done)?, "seal_audit_events");
    Ok(())
}

/// Transactions of one message have one time. The session is in none between them.
#[test]
fn transactions_of_one_message_share_a_time() -> Result<()> {
    let cluster = cluster()?;
    let (mut client, mut other) = (cluster.connect("work")?, cluster.connect("work")?);
    let message = format!("BEGIN; {RECORD}; SELECT pg_sleep(0.001); COMMIT;").repeat(200);
    thread::scope(|scope| -> Result<()> {
        let writer = scope.spawn(move || other.batch_execute(&message));
        while !writer.is_finished() {
            text(&mut client, SEAL)?;
            assert_eq!(text(&mut client, FOUND)?, "");
        }
        Ok(writer.join().expect("the writer ends")?)
    })?;
    text(&mut client, SEAL)?;
    assert_eq!(text(&mut client, FOUND)?, "");
    assert_eq!(text(&mut client, UNSEALED)?, "0");
    Ok(())
}
