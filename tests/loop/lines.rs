//! Workers in three languages are killed at every statement: before the server gets it, and after the server
//! has carried it out but before the worker hears the answer. The next worker goes on from there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;

use anyhow::{Context, Result, ensure};
use postgres::Client;
use support::deadline::wait_until;
use xtask::checks::cases;

use crate::place::Place;
use crate::program::Program;
use crate::wire::{Cut, KILL, Moment, Wire};

#[test]
fn a_worker_in_rust_may_die_at_any_line() -> Result<()> {
    at_every_line(Program::Rust)
}

#[test]
fn a_worker_in_python_may_die_at_any_line() -> Result<()> {
    at_every_line(Program::Python)
}

#[test]
fn a_worker_in_typescript_may_die_at_any_line() -> Result<()> {
    at_every_line(Program::TypeScript)
}

/// Kills a worker at every line. After the last answer before a statement, and before the statement, the
/// database is in the same state; so an answer goes unheard only if the worker would have called something
/// outside after it, if that is not known, and at the end.
fn at_every_line(program: Program) -> Result<()> {
    let mut stage = Stage::new(program)?;
    let statements = stage.play(None)?.statements;
    assert!(statements >= 7, "{program:?} makes only {statements} statements");
    let numbers = cases::chosen(1..=statements, 5);
    let mut calls = BTreeMap::new();
    for number in &numbers {
        let played = stage.play(Some(Death::At((*number, Moment::Before))))?;
        calls.insert(*number, played.calls);
    }
    let called_after = |number: &usize| calls.get(&(number + 1)) != calls.get(number);
    for number in numbers.into_iter().filter(called_after) {
        stage.play(Some(Death::At((number, Moment::Unheard))))?;
    }
    if program.has_run() {
        stage.play(Some(Death::WhileItWaits))?;
    }
    println!("{program:?}: {statements} statements, {} plays", stage.plays);
    stage.place.assert_intact()
}

/// The first worker of a play.
struct Part {
    statements: usize,
    /// Its calls of steps before it was killed, or in all.
    calls: usize,
}

/// When a worker is killed.
#[derive(Clone, Copy, Debug)]
enum Death {
    At(Cut),
    /// It has asked a human, and no statement of it runs.
    WhileItWaits,
}

/// The end of watching a worker.
enum Seen {
    Ended,
    Cut,
    Asked,
}

struct Stage {
    program: Program,
    place: Place,
    reviewer: Client,
    plays: usize,
}

impl Stage {
    fn new(program: Program) -> Result<Self> {
        let place = Place::new("lines")?;
        let reviewer = place.reviewer()?;
        Ok(Self { program, place, reviewer, plays: 0 })
    }

    /// One piece of work from its beginning to its end; a worker dies in the middle of it, if that is
    /// wanted.
    fn play(&mut self, death: Option<Death>) -> Result<Part> {
        // Shown if an assertion fails.
        println!("{:?}, killed: {death:?}", self.program);
        self.perform(death).with_context(|| format!("{:?}, killed: {death:?}", self.program))
    }

    fn perform(&mut self, death: Option<Death>) -> Result<Part> {
        self.plays += 1;
        let _ = fs::remove_file(self.place.calls());
        if !self.program.has_run() {
            const CREATE: &str = "INSERT INTO orchestrator.tasks (title, task_type, max_attempts) VALUES ($1, 'x', 3)";
            self.place.client.execute(CREATE, &[&self.title()])?;
        }
        let cut = match death {
            Some(Death::At(cut)) => Some(cut),
            _ => None,
        };
        let (mut calls, mut expected) = (1, 1);
        let wire = Wire::new(&self.place.database, cut)?;
        let mut worker = self.start(&wire, "first")?;
        let answers = !matches!(death, Some(Death::WhileItWaits));
        match (self.watch(&mut worker, &wire, answers)?, death) {
            (Seen::Ended, None) => {}
            (Seen::Cut, Some(Death::At(_))) | (Seen::Asked, Some(Death::WhileItWaits)) => {
                worker.kill()?;
                let status = worker.wait()?;
                ensure!(status.signal() == Some(KILL), "the first worker ended with {status}");
                self.place.until_gone(&self.place.worker())?;
                calls = self.place.count_calls();
                expected = self.expected_calls()?;
                self.end_leases()?;
                let wire = Wire::new(&self.place.database, None)?;
                let mut worker = self.start(&wire, "second")?;
                self.watch(&mut worker, &wire, true)?;
            }
            _ => anyhow::bail!("the first worker was not killed"),
        }
        self.assert_done(expected)?;
        Ok(Part { statements: wire.statements(), calls })
    }

    /// The thread of the run of this play.
    fn thread(&self) -> String {
        format!("play-{}", self.plays)
    }

    /// The title of its task.
    fn title(&self) -> String {
        format!("Notes of {}", self.thread())
    }

    fn start(&self, wire: &Wire, name: &str) -> Result<Child> {
        let name = format!("{name}-{}", self.plays);
        self.program.start(&self.place, wire.socket_folder(), &self.thread(), &name)
    }

    /// Waits until a worker ends, or its wire is cut. A human answers its question, or this is the end.
    fn watch(&mut self, worker: &mut Child, wire: &Wire, answers: bool) -> Result<Seen> {
        let mut seen = None;
        wait_until("the end of a worker", || {
            if wire.is_cut() {
                seen = Some(Seen::Cut);
            } else if let Some(status) = worker.try_wait()? {
                ensure!(status.success(), "a worker ended with {status}");
                seen = Some(Seen::Ended);
            } else if let Some(gate) = self.question_of_a_waiting_worker()? {
                if answers {
                    const ANSWER: &str =
                        "SELECT FROM orchestrator.decide($1::text::uuid, 'approve', 'ada')";
                    self.reviewer.execute(ANSWER, &[&gate])?;
                } else {
                    seen = Some(Seen::Asked);
                }
            }
            Ok(seen.is_some())
        })?;
        seen.context("nothing was seen")
    }

    /// The open question, if a worker waits for its answer: it has claimed since, and found nothing.
    fn question_of_a_waiting_worker(&mut self) -> Result<Option<String>> {
        const QUESTION: &str = "SELECT g.id::text FROM orchestrator.gates AS g WHERE g.status = 'pending' \
            AND EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.datname = current_database() AND a.usename = $1 \
                        AND a.state = 'idle' AND a.query LIKE '%claim_tasks%')";
        if !self.program.has_run() {
            return Ok(None);
        }
        let worker = self.place.worker();
        let row = self.place.client.query_opt(QUESTION, &[&worker])?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// The number of calls that there will be in the end: the calls so far, and one more unless an answer
    /// was recorded.
    fn expected_calls(&mut self) -> Result<usize> {
        const RECORDED: &str = "SELECT count(*) FROM orchestrator.tool_executions AS e JOIN orchestrator.tasks AS t ON t.id = e.task_id \
            WHERE t.title = $1 AND e.status = 'completed'";
        let row = self.place.client.query_one(RECORDED, &[&self.title()])?;
        let is_recorded = row.try_get::<_, i64>(0)? > 0;
        Ok(self.place.count_calls() + usize::from(!is_recorded))
    }

    fn end_leases(&mut self) -> Result<()> {
        const EXPIRE: &str = "UPDATE orchestrator.task_attempts SET lease_expires_at = '-infinity' WHERE ended_at IS NULL";
        self.place.client.execute(EXPIRE, &[])?;
        Ok(())
    }

    /// Fails unless the work was done once, with as many calls of the model as expected.
    fn assert_done(&mut self, calls: usize) -> Result<()> {
        const RUN: &str = "SELECT r.phase, r.tokens_used, (SELECT count(*) FROM orchestrator.gates AS g WHERE g.thread_id = r.thread_id), \
            (SELECT count(*) FROM orchestrator.llm_token_usage AS u WHERE u.thread_id = r.thread_id), \
            (SELECT string_agg(t.result::text, ' ') FROM orchestrator.tasks AS t WHERE t.thread_id = r.thread_id) \
            FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = $1";
        assert_eq!(self.place.count_calls(), calls, "calls of the model");
        self.place.assert_nothing_wrong()?;
        if !self.program.has_run() {
            let effects = self.place.number("SELECT count(*) FROM effects")?;
            assert_eq!(effects, self.plays as i64, "each task has its effect");
            return Ok(());
        }
        let row = self.place.client.query_one(RUN, &[&self.thread()])?;
        let facts: (String, i64, i64, i64, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        let result = r#"{"notes": "Write the release notes. Done."}"#.to_owned();
        assert_eq!(
            facts,
            ("complete".to_owned(), 25, 1, 1, result),
            "the run, its one question, its one paid call"
        );
        Ok(())
    }
}
