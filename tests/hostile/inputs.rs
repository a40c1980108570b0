//! 10,000 hostile inputs, or 2,500 of them, over all functions, by roles of every level.

use std::collections::BTreeMap;

use anyhow::Result;
use postgres::Client;
use support::Database;
use support::deadline;
use support::extension::{differences, newest, walked_to};
use support::random::Random;
use support::roles::{self, name};
use support::snapshot::{assert_same_rows, rows};
use xtask::checks::cases;

const CALLS: usize = 10_000;
const FEW_CALLS: usize = 2_500;

/// The SQLSTATEs that the documentation lists for callers.
const LISTED: [&str; 8] = ["P0002", "22023", "55000", "23505", "42501", "55006", "22004", "2BP01"];

const SECRET: &str = "hunter2-4711";

/// One function with its argument types, and how many of them have no default.
struct Function {
    name: String,
    types: Vec<String>,
    required: usize,
}

fn functions(client: &mut Client) -> Result<Vec<Function>> {
    let rows = client.query(
        "SELECT p.proname::text, coalesce((SELECT array_agg(format_type(t.oid, NULL) ORDER BY t.place) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (oid, place)), '{}'), \
                p.pronargs - p.pronargdefaults \
         FROM pg_proc AS p WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype ORDER BY p.oid::regprocedure::text COLLATE \"C\"",
        &[],
    )?;
    rows.iter()
        .map(|row| {
            let required: i16 = row.try_get(2)?;
            Ok(Function {
                name: row.try_get(0)?,
                types: row.try_get(1)?,
                required: required as usize,
            })
        })
        .collect()
}

/// Rows in every table, so that valid ids and names are among the inputs.
const ROWS: &str = "SELECT orchestrator.set_configuration('password', 'hunter2-4711', is_secret => true); \
    SELECT orchestrator.set_configuration('limit', '5', 'integer'); \
    SELECT orchestrator.start_run('t', '0198c5a0-0000-7000-8000-000000000001', 's'); \
    SELECT orchestrator.start_run('ended', '0198c5a0-0000-7000-8000-000000000001', 's'); \
    SELECT orchestrator.kill_run('ended', 'why'); \
    SELECT orchestrator.request_review('t', 'gate_override', 'r'); \
    SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000001', 'a', 'manual', 'r'); \
    SELECT orchestrator.resolve_gate(orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000001', 'a', 'manual', 'r'), 'approved', 'ada'); \
    SELECT orchestrator.request_approval(task_id, 'boss') FROM orchestrator.route_task('routing', 'd', 'a', 'boss', '{}', NULL, '0198c5a0-0000-7000-8000-000000000002'); \
    SELECT orchestrator.decide(orchestrator.request_approval(id, 'boss'), 'approve', 'ada', acting_as => 'boss') FROM orchestrator.tasks; \
    SELECT orchestrator.resolve_review(orchestrator.request_review('t', 'gate_override', 'r'), 'approved', 'ada'); \
    SELECT orchestrator.start_tool_execution(id, 'tool') FROM orchestrator.tasks; \
    INSERT INTO orchestrator.sessions (client_id, role) VALUES ('c', 'r'); \
    SELECT orchestrator.request_collaboration('requirements', 'a', 'b', 'what is it about?', '{}', 'low', '0198c5a0-0000-7000-8000-000000000003'); \
    SELECT orchestrator.stage_knowledge('collaboration', 'c'); \
    SELECT orchestrator.publish_prompt('coder', '1.0.0', 'x', activate => true); \
    SELECT orchestrator.set_price('m', 1, 2, components => '[{\"component\": \"cache_read\", \"per_million\": 0.1}]'); \
    SELECT orchestrator.set_model_alias('x', 'm'); \
    SELECT orchestrator.record_llm_call('m', 1, 1, call_id => 't', thread_id => 't')";

/// The ids of all rows, as text.
fn ids(client: &mut Client) -> Result<Vec<String>> {
    let rows = client.query(
        "SELECT id::text FROM orchestrator.gates UNION ALL SELECT id::text FROM orchestrator.approvals \
         UNION ALL SELECT id::text FROM orchestrator.human_review_queue UNION ALL SELECT id::text FROM orchestrator.sessions \
         UNION ALL SELECT id::text FROM orchestrator.tasks UNION ALL SELECT id::text FROM orchestrator.tool_executions \
         UNION ALL SELECT id::text FROM orchestrator.knowledge_staging UNION ALL SELECT collaboration_id::text FROM orchestrator.collaboration_requests",
        &[],
    )?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// The values that callers pass, by type, as text. `literal` quotes them.
fn pool(ids: &[String]) -> BTreeMap<&'static str, Vec<String>> {
    let owned =
        |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let mut texts = owned(&[
        "",
        " ",
        "\t\n",
        "\u{a0}\u{2003}",
        "x",
        "t",
        "ended",
        "password",
        "limit",
        "coder",
        "m",
        "boss",
        "ada",
        "0.0.0",
        "1.0.0",
        "1.0.1",
        "01.2.3",
        "1.2",
        "1.2.3.4",
        "99999999999999999999.0.0",
        "-1.0.0",
        "1.0.0-rc1",
        "١.٢.٣",
        "safety",
        "gate_override",
        "manual",
        "approved",
        "approve",
        "rejected",
        "denied",
        "deny",
        "pending",
        "routing",
        "activate",
        "completed",
        "failed",
        "integer",
        "json",
        "boolean",
        "float",
        "string",
        "reader",
        "admin",
        "task",
        "run_gate",
        "planning",
        "testing",
        "collaboration",
        "requirements",
        "low",
        "patch",
        "major",
        "gates",
        "orchestrator.gates",
        "*/15 * * * *",
        "'; DROP SCHEMA orchestrator CASCADE; --",
        "\"; DROP TABLE x; --",
        "$1",
        "$$",
        "%s%n%1$s",
        "\\x00",
        "\\",
        "NULL",
        "null",
        "{}",
        "{\"a\": [1, {\"b\": null}]}",
        "[1e999]",
        "\"\\u0000\"",
        "{\"a\":",
        "NaN",
        "Infinity",
        "1e308",
        "9223372036854775808",
        "-9223372036854775809",
        "0x10",
        "true",
        "日本語",
        "e\u{301}",
        "\u{202e}evil",
        "😀",
        "\u{feff}",
        "${jndi:ldap://x}",
        "../../etc/passwd",
        "WF1_V7_L1_1of2_Name.py",
        "before",
        "after",
    ]);
    texts.push("x".repeat(501));
    texts.push("字".repeat(3000));
    texts.push("x".repeat(1_100_000));
    texts.push(format!("{}{}", "[".repeat(5000), "]".repeat(5000)));
    let mut uuids = ids.to_vec();
    uuids.extend(owned(&[
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "0198c5a0-0000-7000-8000-000000000001",
        "0198c5a0-0000-7000-8000-000000000002",
    ]));
    let many = format!("{{{}}}", vec![ids[0].as_str(); 2000].join(","));
    let list = format!("{{{}}}", ids.join(","));
    let deep = format!("{}1{}", "{\"a\":".repeat(1000), "}".repeat(1000));
    BTreeMap::from([
        ("text", texts),
        ("uuid", uuids),
        ("boolean", owned(&["true", "false"])),
        ("smallint", owned(&["0", "1", "-1", "32767", "-32768"])),
        ("integer", owned(&["0", "1", "-1", "4", "7", "50", "2147483647", "-2147483648"])),
        ("bigint", owned(&["0", "1", "-1", "50", "9223372036854775807", "-9223372036854775808"])),
        ("double precision", owned(&["0", "-0", "0.5", "1", "-1", "1.0000001", "NaN", "Infinity", "-Infinity", "1e308", "5e-324"])),
        ("numeric", [
            owned(&["0", "0.5", "0.699999999999999999999", "1", "-1", "NaN", "Infinity", "-Infinity", "1e-16000", "1e131071", "-1e131071", "99999999.99", "100000000"]),
            vec!["9".repeat(5000), format!("0.{}1", "0".repeat(5000))],
        ].concat()),
        ("interval", owned(&["0", "1 second", "-1 second", "1 day", "7 days", "178000000 years", "-178000000 years", "5000 years 40000 days -3 hours", "1 mon -31 days", "9223372036854775807 microseconds"])),
        ("timestamp with time zone", owned(&["now", "infinity", "-infinity", "294276-12-31 23:59:59+00", "4714-11-24 00:00:00+00 BC", "2024-02-29 12:00+00"])),
        ("date", owned(&["today", "infinity", "-infinity", "5874897-12-31", "4714-11-24 BC", "2024-02-29"])),
        ("jsonb", [
            owned(&[
                "{}", "[]", "null", "1", "1e400", "-1e400", "[1e400, [[-1e131071]]]", "\"x\"", "true", "{\"project_id\": 5}", "{\"project_id\": \"0198c5a0-0000-7000-8000-000000000001\"}",
                "{\"success_verified\": \"yes\", \"task_type\": null}", "{\"n\": 1e400, \"m\": -1e-400}", "{\"trace_id\": \"zzzzzzzz-0000-0000-0000-000000000000\"}",
                "{\"trace_id\": \"0198c5a0-0000-7000-8000-000000000001\", \"thread_id\": {\"a\": 1}}", "{\"session_user\": \"postgres\"}", "{\"\": \"\"}", "{\"日本\": \"😀\"}",
                "[[[\"input\", \"standard\", 0, \"0.000003\"], [\"output\", \"x\", -5, null]]]", "[[[\"input\", \"standard\", 0, \"1e-16000\"], [\"a\", \"\", 9223372036854775807, \"NaN\"]], []]",
                "{\"web_search\": 1e131071, \"audio_input\": 1e19}", "{\"image\": 0, \"second\": 0.00000000000000000000000001}",
                "[{\"component\": \"cache_read\", \"per_million\": 0.3}]", "[{\"component\": \"input\", \"service_tier\": \"t\", \"above_input\": 1e30, \"per_unit\": 1e131071}]",
                "{\"m\": {\"input_cost_per_token\": 1e-6}, \"x\": {\"alias_of\": \"m\"}, \"t\": {\"input_cost_per_token_above_1k_tokens\": \"1e400\"}}",
            ]),
            vec![deep, format!("{}{}", "[".repeat(3000), "]".repeat(3000)), format!("{{\"thread_id\": \"{}\"}}", "x".repeat(20_000))],
        ].concat()),
        ("uuid[]", vec!["{}".to_owned(), "{NULL}".to_owned(), list, many, format!("{{{{{0}}},{{{0}}}}}", ids[0]), format!("{{{0},NULL,{0}}}", ids[0]), format!("[-3:-2]={{{0},{0}}}", ids[0]), format!("{{{{{{{0}}}}}}}", ids[0]), "{{NULL},{NULL}}".to_owned()]),
        ("jsonb[]", owned(&["{}", "{NULL}", "{\"1\",\"{}\"}", "{{\"1\"},{\"2\"}}", "[-3:-2]={\"[1e400]\",NULL}"])),
        ("text[]", owned(&["{}", "{NULL}", "{a,b}", "{a,NULL}", "{{a,b},{c,d}}", "{\"\",\" \"}", "[5:6]={x,y}", "[-2147483648:-2147483648]={x}", "{{{a},{NULL}}}", "{title,status}", "{'; DROP TABLE x}"])),
        ("bigint[]", owned(&["{}", "{NULL}", "{0,200000}", "{200000,1}", "{{1},{2}}", "[-3:-2]={9223372036854775807,NULL}"])),
        ("timestamp with time zone[]", owned(&["{}", "{NULL}", "{infinity,-infinity}", "{-infinity,2024-02-29 12:00+00}", "{{now},{now}}"])),
        ("integer[]", owned(&["{}", "{NULL}", "{1,2}", "{{1},{2}}", "[0:0]={1}"])),
        ("bytea", owned(&["", "\\x00", "x", "\\xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "\\x0000000000000000000000000000000000000000000000000000000000000000",
            // Sums of calls: whole, cut off, and with a length that is not theirs.
            "\\x51000000000000000000000000000000000000000000000000ffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7f", "\\x51000000000000000000000000000000000000000000000000ffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff", "\\xffffffff000000000000000000000000000000000000000000ffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7fffffffffffffff7f"])),
        ("regclass", owned(&["0", "4294967295", "pg_class", "orchestrator.gates", "orchestrator.configurations", "orchestrator.gates_pkey", "orchestrator.pending_decisions", "information_schema.tables"])),
        ("regrole", owned(&["0", "4294967295", "postgres", "pg_monitor", "pg_database_owner"])),
    ])
}

/// A value as an SQL literal of its type; now and then NULL.
fn literal(random: &mut Random, pool: &BTreeMap<&str, Vec<String>>, kind: &str) -> String {
    let values = pool.get(kind).unwrap_or_else(|| panic!("no hostile values of type {kind}"));
    if random.below(8) == 0 {
        return format!("NULL::{kind}");
    }
    format!("'{}'::{kind}", random.one_of(values).replace('\'', "''"))
}

/// The outcome of a call.
enum Outcome {
    Answer(String),
    Error { code: String, text: String },
}

/// Calls in a transaction that is rolled back.
fn call(client: &mut Client, sql: &str) -> Result<Outcome> {
    let mut transaction = client.transaction()?;
    let outcome =
        match transaction.query(&format!("SELECT left(r::text, 100000) FROM {sql} AS r"), &[]) {
            Ok(rows) => {
                let answers: Vec<Option<String>> =
                    rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
                Outcome::Answer(answers.into_iter().flatten().collect::<Vec<_>>().join("\n"))
            }
            Err(error) => match error.code() {
                Some(code) => Outcome::Error {
                    code: code.code().to_owned(),
                    text: xtask::address::explain(&error),
                },
                None => panic!("the connection broke: {error}: {}", shortened(sql)),
            },
        };
    transaction.rollback()?;
    Ok(outcome)
}

fn shortened(sql: &str) -> String {
    sql.chars().take(1000).collect()
}

/// State of the session that no call may change, whether it succeeds or fails.
const SESSION: &str = "SELECT concat_ws(' ', current_user, session_user, current_setting('session_replication_role'), \
    current_setting('client_min_messages'), current_setting('search_path'), current_setting('intervalstyle'), current_setting('timezone'))";

fn session(client: &mut Client) -> Result<String> {
    Ok(client.query_one(SESSION, &[])?.try_get(0)?)
}

/// Tries hostile calls. Returns how often each function succeeded and failed.
fn run(database: &Database) -> Result<BTreeMap<String, (usize, usize)>> {
    let mut owner = database.client()?;
    let functions = functions(&mut owner)?;
    let pool = pool(&ids(&mut owner)?);
    let mut clients = vec![("owner", owner)];
    for level in ["admin", "worker", "reviewer", "reader", "nobody"] {
        clients.push((level, database.client_as(&name(database, level))?));
    }
    let mut sessions = Vec::new();
    for (_, client) in &mut clients {
        client.batch_execute(&deadline::set("statement_timeout"))?;
        sessions.push(session(client)?);
    }
    let mut random = Random::new(20_260_117);
    let mut outcomes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut unlisted: BTreeMap<String, String> = BTreeMap::new();
    for number in 0..cases::number(CALLS, FEW_CALLS) {
        let function = &functions[number % functions.len()];
        // Half of the calls have all rights; the others are made by roles of each level.
        let place = if number % 2 == 0 { 0 } else { random.below(clients.len()) };
        let count = function.required + random.below(function.types.len() - function.required + 1);
        let arguments: Vec<String> =
            function.types[..count].iter().map(|kind| literal(&mut random, &pool, kind)).collect();
        let sql = format!("orchestrator.{}({})", function.name, arguments.join(", "));
        let (level, client) = &mut clients[place];
        let (answered, refused) = outcomes.entry(function.name.clone()).or_default();
        match call(client, &sql)? {
            Outcome::Answer(answer) => {
                *answered += 1;
                let may_see = ["owner", "admin"].contains(level);
                assert!(may_see || !answer.contains(SECRET), "{level}: {}", shortened(&sql));
            }
            Outcome::Error { code, text } => {
                *refused += 1;
                if !LISTED.contains(&code.as_str()) {
                    let place = format!("{} {code}", function.name);
                    unlisted
                        .entry(place)
                        .or_insert(format!("{level}: {text}\n{}", shortened(&sql)));
                }
                assert!(!text.contains(SECRET), "{level}: {text}\n{}", shortened(&sql));
            }
        }
        assert_eq!(session(client)?, sessions[place], "{level}: after {}", shortened(&sql));
    }
    let unlisted: Vec<String> = unlisted.into_values().collect();
    assert!(unlisted.is_empty(), "not of the list:\n{}", unlisted.join("\n\n"));
    Ok(outcomes)
}

#[test]
fn ten_thousand_hostile_inputs_change_nothing_and_are_answered_by_the_list() -> Result<()> {
    let database = walked_to("inputs", newest()?)?;
    roles::of_every_level(&database)?;
    let mut client = database.client()?;
    client.batch_execute(ROWS)?;
    let before = rows(&mut client)?;
    let outcomes = run(&database)?;
    for (function, (answered, refused)) in &outcomes {
        println!("{function}: {answered} answered, {refused} refused");
    }
    assert_same_rows("after all of them", &before, &rows(&mut client)?);
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

/// Every setting that the library reads, and the call that reads it.
const SETTINGS: [(&str, &str); 7] = [
    ("session_retention_days", "run_maintenance()"),
    ("session_silence_seconds", "run_maintenance()"),
    ("idempotency_ttl_seconds", "run_maintenance()"),
    ("knowledge_retention_days", "run_maintenance()"),
    ("audit_retention_days", "run_maintenance()"),
    ("safety_block_below", "record_safety('t', 0.5)"),
    ("safety_review_below", "record_safety('t', 0.5)"),
];

/// Settings of every type with values that are neither a score nor an age.
fn settings() -> Vec<(&'static str, String)> {
    let owned = |kind, values: &[&str]| {
        values.iter().map(|value| (kind, (*value).to_owned())).collect::<Vec<_>>()
    };
    let texts = [
        "",
        " ",
        "NaN",
        "Infinity",
        "-Infinity",
        "-1",
        "1e400",
        "1e-400",
        "0x10",
        "1_0",
        "\u{661}",
        "\u{feff}1",
    ];
    let documents = [
        "1e400",
        "-1e400",
        "[1e400]",
        "\"1e400\"",
        "\"NaN\"",
        "null",
        "true",
        "{}",
        "[]",
        "[[0.5]]",
        "\"\"",
    ];
    [
        owned("string", &texts),
        owned("integer", &["-9223372036854775808", "9223372036854775807", "-1"]),
        owned("float", &["-1e-300", "1e308", "-1e308"]),
        owned("boolean", &["true", "off"]),
        owned("json", &documents),
        vec![
            ("string", "9".repeat(100_000)),
            ("json", "9".repeat(100_000)),
            ("json", format!("{}{}", "[".repeat(2000), "]".repeat(2000))),
            ("json", format!("{}1{}", "{\"a\":".repeat(500), "}".repeat(500))),
            ("json", format!("\"{}\"", "x".repeat(1_000_000))),
        ],
    ]
    .concat()
}

#[test]
fn a_setting_that_is_not_a_number_is_refused_by_every_reader() -> Result<()> {
    let database = walked_to("settings", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(ROWS)?;
    let set = client.prepare("SELECT orchestrator.set_configuration($1, $2, $3)")?;
    for (key, reader) in SETTINGS {
        for (kind, value) in settings() {
            client.execute(&set, &[&key, &value, &kind])?;
            let what = format!("{key} as {kind} {}", shortened(&value));
            match call(&mut client, &format!("orchestrator.{reader}"))? {
                Outcome::Error { code, text } => assert_eq!(code, "22023", "{what}: {text}"),
                // So small that it is rounded to zero.
                Outcome::Answer(_) => {
                    assert!(value == "1e-400" && !key.starts_with("audit"), "{what}")
                }
            }
            for function in ["configuration_value", "get_configuration"] {
                if let Outcome::Error { code, text } =
                    call(&mut client, &format!("orchestrator.{function}('{key}')"))?
                {
                    panic!("{what}: {function}: {code} {text}");
                }
            }
        }
        client.execute("DELETE FROM orchestrator.configurations WHERE key = $1", &[&key])?;
    }
    Ok(())
}

/// Documents in tables, changed by the owner of the table to another form.
#[test]
fn a_document_of_another_form_is_refused_by_every_reader() -> Result<()> {
    let database = walked_to("documents", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "SELECT orchestrator.capture_snapshot('a', '{orchestrator}'); SELECT orchestrator.capture_snapshot('b', '{orchestrator}')",
    )?;
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    for (column, document) in [
        ("catalog", "{\"tables\": {\"a.b\": 1e400}}"),
        ("catalog", deep.as_str()),
        ("metrics", "{\"scope\": [1e400]}"),
        ("metrics", "{\"scope\": {\"a\": 1}}"),
    ] {
        client.batch_execute(&format!(
            "BEGIN; ALTER TABLE orchestrator.schema_snapshots DISABLE TRIGGER ALL; \
             DO $$ DECLARE c text; BEGIN \
                 FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = 'orchestrator.schema_snapshots'::regclass AND contype = 'c' \
                 LOOP EXECUTE format('ALTER TABLE orchestrator.schema_snapshots DROP CONSTRAINT %I', c); END LOOP; END $$; \
             UPDATE orchestrator.schema_snapshots SET {column} = '{document}' WHERE label = 'b'",
        ))?;
        let error = client
            .batch_execute("SELECT orchestrator.compare_snapshots('a', 'b')")
            .expect_err("it cannot be read");
        let code = error.code().map(postgres::error::SqlState::code);
        assert_eq!(code, Some("55000"), "{column} {}: {error:?}", shortened(document));
        client.batch_execute("ROLLBACK")?;
    }
    Ok(())
}
