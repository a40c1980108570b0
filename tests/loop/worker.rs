//! A worker process of the test `loop`. It claims tasks, calls a model for each, and completes, fails or
//! releases them. It prints a line after each of its steps. When no task waits, it prints `idle` and reads
//! a line; at the end of its input it ends.
//!
//! Environment: PGHOST, PGPORT, PGUSER and PGDATABASE; WORKER: its name; SEED: the seed of its choices, 0
//! for none, so that it completes each task; CALLS: the file to which the model appends a line for each
//! call.

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use postgres::error::SqlState;
use postgres::types::Type;
use postgres::{Client, Config, Error, NoTls};
use support::random::Random;

/// The statements have no names, so that the server connection may change between them.
const CLAIM: &str = "SELECT t.id::text FROM orchestrator.claim_tasks($1, batch => $2) AS t";
const BEGIN: &str = "SELECT s.execution_id::text, s.done FROM orchestrator.begin_step($1::text::uuid, 'ask', 'model') AS s";
const FINISH: &str =
    "SELECT FROM orchestrator.finish_tool_execution($1::text::uuid, 'completed', 'an answer')";
const RENEW: &str = "SELECT orchestrator.renew_claim($1::text::uuid, $2)";
const FAIL: &str =
    "SELECT FROM orchestrator.fail_task($1::text::uuid, $2, 'bad luck', retry_in => '0')";
const RELEASE: &str = "SELECT FROM orchestrator.release_task($1::text::uuid, $2)";
const COMPLETE: &str = "SELECT FROM orchestrator.complete_task($1::text::uuid, $2)";
const COMPLETE_ALL: &str = "SELECT orchestrator.complete_tasks($1::text[]::uuid[], $2)";
/// The effect of the work is in the same transaction as the completion.
const EFFECT: &str = "INSERT INTO effects (task_id, worker) SELECT unnest($1::text[])::uuid, $2";

fn main() -> Result<()> {
    let mut worker = Worker::connect()?;
    let mut order = String::new();
    loop {
        let tasks = worker.claim()?;
        if tasks.is_empty() {
            println!("idle");
            order.clear();
            if io::stdin().read_line(&mut order)? == 0 {
                return Ok(());
            }
        } else if worker.chance(3) {
            worker.do_together(&tasks)?;
        } else {
            for task in &tasks {
                worker.do_one(task)?;
            }
        }
    }
}

struct Worker {
    name: String,
    client: Client,
    calls: File,
    /// `None`: it completes each task.
    random: Option<Random>,
}

impl Worker {
    fn connect() -> Result<Self> {
        let value = |name| env::var(name).with_context(|| format!("{name} is not set"));
        let name = value("WORKER")?;
        let client = Config::new()
            .host_path(Path::new(&value("PGHOST")?))
            .port(value("PGPORT")?.parse()?)
            .user(&value("PGUSER")?)
            .dbname(&value("PGDATABASE")?)
            .application_name(&name)
            .connect(NoTls)?;
        let calls = File::options().append(true).create(true).open(value("CALLS")?)?;
        let seed = value("SEED")?.parse()?;
        Ok(Self { name, client, calls, random: (seed != 0).then(|| Random::new(seed)) })
    }

    /// True once in so many times; never without a seed.
    fn chance(&mut self, times: usize) -> bool {
        self.random.as_mut().is_some_and(|random| random.below(times) == 0)
    }

    fn claim(&mut self) -> Result<Vec<String>, Error> {
        let batch = self.random.as_mut().map_or(1, |random| 1 + random.below(5)) as i32;
        let arguments: [(&(dyn postgres::types::ToSql + Sync), Type); 2] =
            [(&self.name, Type::TEXT), (&batch, Type::INT4)];
        let rows = self.client.query_typed(CLAIM, &arguments)?;
        println!("claimed {}", rows.len());
        rows.iter().map(|row| row.try_get(0)).collect()
    }

    /// Works on a task. An error with the advice to stop means that the claim was lost, or that an earlier
    /// holder of the claim finished the step: the task is given back, if it is held.
    fn do_one(&mut self, task: &str) -> Result<()> {
        match again_if_advised(|| self.attempt(task)) {
            Err(error) if is_refused(&error) => self.give_back(task),
            outcome => Ok(outcome?),
        }
    }

    /// Works on tasks, and completes all of them at once; if one was lost, one by one.
    fn do_together(&mut self, tasks: &[String]) -> Result<()> {
        let done = again_if_advised(|| {
            for task in tasks {
                self.step(task)?;
            }
            self.complete(COMPLETE_ALL, tasks)
        });
        match done {
            Err(error) if is_refused(&error) => tasks.iter().try_for_each(|task| self.do_one(task)),
            outcome => Ok(outcome?),
        }
    }

    fn attempt(&mut self, task: &str) -> Result<(), Error> {
        self.step(task)?;
        if self.chance(4) {
            self.call("renewed", RENEW, task)?;
        }
        if self.chance(16) {
            self.call("failed", FAIL, task)
        } else if self.chance(16) {
            self.call("released", RELEASE, task)
        } else {
            self.complete(COMPLETE, &[task.to_owned()])
        }
    }

    /// The step that costs money.
    fn step(&mut self, task: &str) -> Result<(), Error> {
        let row = self.client.query_typed_one(BEGIN, &[(&task, Type::TEXT)])?;
        let (execution, done): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
        println!("begun");
        if !done {
            // One write, so that lines of several workers do not mix.
            let called = self.calls.write_all(format!("ask {task}\n").as_bytes());
            called.expect("the file of calls can be written");
            println!("called");
            self.client.query_typed(FINISH, &[(&execution, Type::TEXT)])?;
            println!("finished");
        }
        Ok(())
    }

    fn call(&mut self, line: &str, sql: &str, task: &str) -> Result<(), Error> {
        self.client.query_typed(sql, &[(&task, Type::TEXT), (&self.name, Type::TEXT)])?;
        println!("{line}");
        Ok(())
    }

    /// Writes the effects of tasks and completes them, in one transaction.
    fn complete(&mut self, sql: &str, tasks: &[String]) -> Result<(), Error> {
        let name = (&self.name as &(dyn postgres::types::ToSql + Sync), Type::TEXT);
        let mut transaction = self.client.transaction()?;
        transaction.query_typed(EFFECT, &[(&tasks, Type::TEXT_ARRAY), name.clone()])?;
        if sql == COMPLETE_ALL {
            transaction.query_typed(sql, &[(&tasks, Type::TEXT_ARRAY), name])?;
        } else {
            transaction.query_typed(sql, &[(&tasks[0], Type::TEXT), name])?;
        }
        transaction.commit()?;
        println!("completed {}", tasks.len());
        Ok(())
    }

    fn give_back(&mut self, task: &str) -> Result<()> {
        match again_if_advised(|| self.call("released", RELEASE, task)) {
            Err(error) if is_refused(&error) => println!("lost"),
            outcome => outcome?,
        }
        Ok(())
    }
}

/// Whether an error says that the state does not allow the call.
fn is_refused(error: &Error) -> bool {
    error.code() == Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE)
}

/// Repeats the work while an error advises it.
fn again_if_advised(mut work: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    loop {
        match work() {
            Err(error) if error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) => {}
            outcome => return outcome,
        }
    }
}
