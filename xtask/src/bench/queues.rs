//! Queues of tasks: ours, and those that are installed from npm. Each runs the same work with the
//! statements that its own workers send.

use std::error::Error;
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use bytes::BytesMut;
use postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use postgres::{Client, Row, Statement};
use serde::Deserialize;

use super::database::{Bench, Database};
use super::measure::median;
use crate::address::{execute, explain};
use crate::machine::files::copy;
use crate::machine::process;
use crate::machine::setup::node_packages;

/// The number of calls of each connection that are not measured.
const WARM_UP: usize = 20;

/// The statements that add, claim and complete a number of tasks.
#[derive(Debug, Deserialize)]
pub struct Steps {
    add: Sent,
    claim: Sent,
    complete: Sent,
}

/// A statement and its values. `$ids` stands for the tasks that were claimed, `$worker` for the name of
/// the worker.
#[derive(Debug, Deserialize)]
struct Sent {
    text: String,
    values: Vec<Option<String>>,
}

/// A queue.
#[derive(Debug)]
pub struct Queue {
    pub one: Steps,
    pub fifty: Steps,
    /// Adds tasks at once; `{}` is their number. They are older than any that are added later.
    fill: &'static str,
    tables: &'static [&'static str],
}

/// Two queues that were installed from npm.
pub struct Installed {
    pub graphile_worker: Queue,
    pub pg_boss: Queue,
}

/// The extension as a queue, with claims of any type.
pub fn ours() -> Queue {
    claiming("")
}

/// The extension as a queue, with claims of the type of these tasks alone.
pub fn ours_of_one_type() -> Queue {
    claiming(", '{work}'")
}

fn claiming(types: &str) -> Queue {
    let steps = |add: &str, claim: &str, complete: &str| {
        let sent = |text: &str, values: &[&str]| Sent {
            text: text.to_owned(),
            values: values.iter().map(|value| Some((*value).to_owned())).collect(),
        };
        Steps {
            add: sent(add, &[]),
            claim: sent(claim, &["$worker"]),
            complete: sent(complete, &["$ids", "$worker"]),
        }
    };
    Queue {
        one: steps(
            "SELECT * FROM orchestrator.create_task('work', 'work')",
            &format!("SELECT * FROM orchestrator.claim_tasks($1{types})"),
            "SELECT orchestrator.complete_task($1, $2)",
        ),
        fifty: steps(
            "SELECT t.* FROM generate_series(1, 50) AS i, LATERAL orchestrator.create_task('work', 'work ' || i) AS t",
            &format!("SELECT * FROM orchestrator.claim_tasks($1{types}, batch => 50)"),
            "SELECT orchestrator.complete_tasks($1, $2)",
        ),
        fill: "INSERT INTO orchestrator.tasks (title, task_type, created_at) \
               SELECT 'work', 'work', now() - interval '1 day' + i * interval '1 millisecond' FROM generate_series(1, {}) AS i",
        tables: &["orchestrator.tasks", "orchestrator.queued_tasks", "orchestrator.task_attempts"],
    }
}

/// Installs the schemas of the other queues into a database, and returns their statements.
pub fn installed(bench: &Bench, database: &Database) -> Result<Installed> {
    #[derive(Deserialize)]
    struct Printed {
        graphile: Batches,
        boss: Batches,
    }
    #[derive(Deserialize)]
    struct Batches {
        #[serde(rename = "1")]
        one: Steps,
        #[serde(rename = "50")]
        fifty: Steps,
    }
    const PROGRAM: &str = "statements.mjs";
    let project = &bench.toolchain.project;
    let source = project.root().join("xtask/src/bench/baselines/queues");
    let folder = project.scratch().join("queues");
    node_packages::install(&source, &folder)?;
    copy(&source.join(PROGRAM), &folder.join(PROGRAM))?;
    let mut node = Command::new("node");
    bench.cluster.export(&mut node).env("PGDATABASE", &database.name);
    let printed = process::output(node.arg(PROGRAM).current_dir(&folder))?;
    let Printed { graphile, boss } = serde_json::from_str(&printed)
        .with_context(|| format!("{PROGRAM} printed something else than statements"))?;
    Ok(Installed {
        graphile_worker: Queue {
            one: graphile.one,
            fifty: graphile.fifty,
            fill: "INSERT INTO graphile_worker._private_jobs (task_id, run_at) \
                   SELECT (SELECT id FROM graphile_worker._private_tasks WHERE identifier = 'work'), \
                          now() - interval '1 day' + i * interval '1 millisecond' FROM generate_series(1, {}) AS i",
            tables: &["graphile_worker._private_jobs"],
        },
        pg_boss: Queue {
            one: boss.one,
            fifty: boss.fifty,
            fill: "INSERT INTO pgboss.job (name, data, created_on, start_after) \
                   SELECT 'work', '{}', now() - interval '1 day' + i * interval '1 millisecond', now() - interval '1 day' \
                   FROM generate_series(1, {}) AS i",
            tables: &["pgboss.job_common"],
        },
    })
}

/// The times of the work of several connections.
pub struct Times {
    /// From the beginning of the first to the end of the last.
    pub whole: Duration,
    /// The median time of a claim.
    pub claim: Duration,
}

impl Queue {
    /// Adds waiting tasks, and cleans up as autovacuum would.
    pub fn fill(&self, client: &mut Client, tasks: u64) -> Result<()> {
        self.insert(client, tasks)?;
        self.tables.iter().try_for_each(|table| execute(client, &format!("VACUUM ANALYZE {table}")))
    }

    /// Adds waiting tasks.
    pub fn insert(&self, client: &mut Client, tasks: u64) -> Result<()> {
        let (before, after) = self.fill.rsplit_once("{}").context("nowhere to put the number")?;
        execute(client, &format!("{before}{tasks}{after}"))
    }

    /// The time in which several connections add tasks, `batch` with each call.
    pub fn add(
        &self,
        database: &Database,
        connections: usize,
        calls: usize,
        batch: usize,
    ) -> Result<Duration> {
        let steps = self.steps(batch)?;
        let mut callers = Vec::new();
        for _ in 0..connections {
            let mut client = database.connect()?;
            let add = Prepared::of(&mut client, &steps.add)?;
            callers.push(move || add.run(&mut client, &[], "").map(drop));
        }
        at_once(callers, calls, |add| add()).map(|(whole, _)| whole)
    }

    /// The times in which several connections claim and complete tasks, `batch` with each call.
    pub fn work(
        &self,
        database: &Database,
        connections: usize,
        calls: usize,
        batch: usize,
    ) -> Result<Times> {
        let steps = self.steps(batch)?;
        let mut callers = Vec::new();
        for number in 1..=connections {
            let mut client = database.connect()?;
            let claim = Prepared::of(&mut client, &steps.claim)?;
            let complete = Prepared::of(&mut client, &steps.complete)?;
            let worker = format!("worker {number}");
            callers.push(move || -> Result<Duration> {
                let start = Instant::now();
                let tasks = claim.run(&mut client, &[], &worker)?;
                let claimed = start.elapsed();
                let ids =
                    tasks.iter().map(|task| task.try_get("id")).collect::<Result<Vec<Id>, _>>()?;
                if ids.len() != batch {
                    bail!("{} tasks were claimed instead of {batch}", ids.len());
                }
                complete.run(&mut client, &ids, &worker)?;
                Ok(claimed)
            });
        }
        let (whole, claims) = at_once(callers, calls, |work| work())?;
        Ok(Times { whole, claim: median(claims) })
    }

    /// The number of tasks that `work` takes.
    pub fn taken(connections: usize, calls: usize, batch: usize) -> u64 {
        (connections * (WARM_UP + calls) * batch) as u64
    }

    fn steps(&self, batch: usize) -> Result<&Steps> {
        match batch {
            1 => Ok(&self.one),
            50 => Ok(&self.fifty),
            _ => bail!("there are no statements for {batch} tasks"),
        }
    }
}

/// Runs `call` that many times for each of the callers, all at once. Returns the time of the whole, and
/// the results. The first calls are not measured.
fn at_once<C: Send, R: Send>(
    callers: Vec<C>,
    calls: usize,
    call: impl Fn(&mut C) -> Result<R> + Sync,
) -> Result<(Duration, Vec<R>)> {
    let barrier = Barrier::new(callers.len() + 1);
    thread::scope(|scope| {
        let (barrier, call) = (&barrier, &call);
        let threads: Vec<_> = callers
            .into_iter()
            .map(|mut caller| {
                scope.spawn(move || -> Result<Vec<R>> {
                    let warm_up = (0..WARM_UP).try_for_each(|_| call(&mut caller).map(drop));
                    barrier.wait();
                    warm_up?;
                    (0..calls).map(|_| call(&mut caller)).collect()
                })
            })
            .collect();
        barrier.wait();
        let start = Instant::now();
        let mut results = Vec::new();
        for thread in threads {
            results.extend(thread.join().map_err(|_| anyhow!("a connection's thread panicked"))??);
        }
        Ok((start.elapsed(), results))
    })
}

/// A prepared statement with its values.
struct Prepared {
    statement: Statement,
    values: Vec<Option<String>>,
}

impl Prepared {
    fn of(client: &mut Client, sent: &Sent) -> Result<Prepared> {
        let statement = client
            .prepare(&sent.text)
            .map_err(|error| anyhow!("{}", explain(&error)))
            .with_context(|| format!("this failed:\n{}", sent.text))?;
        Ok(Prepared { statement, values: sent.values.clone() })
    }

    fn run(&self, client: &mut Client, ids: &[Id], worker: &str) -> Result<Vec<Row>> {
        let values: Vec<Value<'_>> = self
            .values
            .iter()
            .map(|value| match value.as_deref() {
                Some("$ids") => Value::Ids(ids),
                Some("$worker") => Value::Text(worker),
                Some(text) => Value::Text(text),
                None => Value::Null,
            })
            .collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        client.query(&self.statement, &values).map_err(|error| anyhow!("{}", explain(&error)))
    }
}

/// The id of a task, a number or a UUID, as the server sent it.
#[derive(Clone, Debug)]
struct Id(Vec<u8>);

impl FromSql<'_> for Id {
    fn from_sql(_: &Type, bytes: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Id(bytes.to_vec()))
    }

    fn accepts(kind: &Type) -> bool {
        [Type::UUID, Type::INT8].contains(kind)
    }
}

impl ToSql for Id {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        [Type::UUID, Type::INT8].contains(kind)
    }

    to_sql_checked!();
}

/// A value of a statement: a text that the server reads as the type of the parameter, or ids.
#[derive(Debug)]
enum Value<'a> {
    Null,
    Text(&'a str),
    Ids(&'a [Id]),
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
            Value::Ids(ids) => match (kind.kind(), ids) {
                (Kind::Array(_), ids) => ids.to_sql(kind, out),
                (_, [id]) => id.to_sql(kind, out),
                _ => Err("one id is needed".into()),
            },
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self {
            Value::Ids(_) => Format::Binary,
            _ => Format::Text,
        }
    }

    to_sql_checked!();
}
