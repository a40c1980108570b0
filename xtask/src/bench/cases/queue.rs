//! Adding, claiming and completing tasks, beside queues from npm.

use std::cell::RefCell;

use anyhow::Result;
use postgres::Client;

use crate::bench::case::{self, Case, Outcome, Target};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, median};
use crate::bench::queues::{self, Installed, Queue, Times};

pub const GRAPHILE_WORKER: Case = Case {
    name: "queue",
    title: "Tasks, beside graphile-worker",
    about: "`create_task()`, `claim_tasks()` and `complete_task()`, or `complete_tasks()` for batches, beside graphile-worker 0.18.0 from npm, \
            with the prepared statements that its own worker sends. Two connections on the same server work at once; each statement is a \
            transaction of its own. *Rows* is the number of waiting tasks. graphile-worker keeps a job only until it is done: its \
            completion deletes the row, and neither its result nor the history of its attempts remains. The extension keeps each \
            task with its result and its times, each attempt with its worker and its lease, checks each step against the state \
            machine, and leaves out tasks whose run waits for a human. `claim 1` is the median time of a claim by itself; its target \
            is for the growth.",
    needs: &["create_task", "claim_tasks", "complete_tasks"],
    run: |bench| run(bench, "graphile-worker", |installed| installed.graphile_worker, 1.25),
};

pub const PG_BOSS: Case = Case {
    name: "queue-pg-boss",
    title: "Tasks, beside pg-boss",
    about: "The same beside pg-boss 12.38.0 from npm. pg-boss keeps a completed job, its output included, until a deadline, 7 days by default; it \
            keeps no history of attempts, and takes back expired jobs in a background process only.",
    needs: &["create_task", "claim_tasks", "complete_tasks"],
    run: |bench| run(bench, "pg-boss", |installed| installed.pg_boss, 1.0),
};

const CONNECTIONS: usize = 2;

/// The calls of each connection in a round, for one task and for 50 tasks in a call.
const CALLS: [(usize, usize); 2] = [(1, 500), (50, 40)];

fn run(
    bench: &Bench,
    name: &'static str,
    pick: fn(Installed) -> Queue,
    at_most: f64,
) -> Result<Outcome> {
    let mut outcome = Outcome::against(&[name]);
    add(bench, pick, &mut outcome)?;
    let (database, queues) = prepared(bench, pick)?;
    let client = database.shared()?;
    let mut waiting = 0;
    for size in bench.sizes(&[1_000, 100_000, 1_000_000]) {
        for queue in &queues {
            queue.fill(&mut client.borrow_mut(), size - waiting)?;
        }
        waiting = size;
        for (batch, calls) in CALLS {
            let work = Work { database: &database, client: &client, batch, calls };
            let claims = RefCell::new([Vec::new(), Vec::new()]);
            let measured = |at: usize| {
                let times = work.run(&queues[at])?;
                claims.borrow_mut()[at].push(times.claim);
                Ok(times.whole)
            };
            let medians = in_turn(bench.rounds(), &[&|_| measured(0), &|_| measured(1)])?;
            let what = format!("claim and complete {batch}");
            outcome.add(&what, case::rows(size), &medians, Some(Target::Ratio(at_most)));
            let claims = claims.into_inner().map(median);
            let (what, growth) = (format!("claim {batch}"), Some(Target::Growth(1.5)));
            outcome.add(&what, case::rows(size), &claims, growth);
        }
    }
    Ok(outcome)
}

fn add(bench: &Bench, pick: fn(Installed) -> Queue, outcome: &mut Outcome) -> Result<()> {
    let (database, queues) = prepared(bench, pick)?;
    for (batch, calls) in CALLS {
        let add = |at: usize| queues[at].add(&database, CONNECTIONS, calls, batch);
        let medians = in_turn(bench.rounds(), &[&|_| add(0), &|_| add(1)])?;
        outcome.add(&format!("add {batch}"), case::connections(CONNECTIONS), &medians, None);
    }
    Ok(())
}

/// A database with our queue and another one.
fn prepared(bench: &Bench, pick: fn(Installed) -> Queue) -> Result<(Database, [Queue; 2])> {
    let database = bench.database()?;
    let other = pick(queues::installed(bench, &database)?);
    Ok((database, [queues::ours(), other]))
}

/// A measurement of claims and completions.
struct Work<'a> {
    database: &'a Database,
    client: &'a RefCell<Client>,
    batch: usize,
    calls: usize,
}

impl Work<'_> {
    /// Adds as many tasks as it then takes, so that as many wait as before.
    fn run(&self, queue: &Queue) -> Result<Times> {
        let tasks = Queue::taken(CONNECTIONS, self.calls, self.batch);
        queue.fill(&mut self.client.borrow_mut(), tasks)?;
        queue.work(self.database, CONNECTIONS, self.calls, self.batch)
    }
}
