//! Adding, claiming and completing tasks, beside queues from npm.

use std::cell::RefCell;

use anyhow::Result;
use postgres::Client;

use crate::address::execute;
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
            machine, and leaves out tasks whose run waits for a human. The decision \
            [every-change-of-a-task-is-kept](decisions/tasks-and-sessions.md#every-change-of-a-task-is-kept) has the profile and the ways \
            that were tried. `claim 1` is the median time of a claim by itself; its target \
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

pub const BEHIND: Case = Case {
    name: "queue-behind",
    title: "Claims behind tasks that cannot be claimed",
    about: "`claim_tasks()` of one type, one task at a time, with two connections and 1,000 waiting tasks of that type, in a database that \
            holds others besides. The baseline is the same in a database that holds nothing else. A task *behind a workflow* is linked \
            to an active workflow behind one that has not ended. Tasks *just done* were claimed and completed a moment ago, and no \
            vacuum has removed their entries from the queue yet. *Under an old snapshot* another transaction, such as a long dump, \
            still sees these entries, so that each claim walks over all of them; it has no target.",
    needs: &["create_task", "claim_tasks", "complete_tasks", "workflow_progress"],
    run: behind,
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

/// Tasks that a claim of type `work` must not take, and the statements that add them; `$size` is their number.
const OTHERS: [(&str, &str); 4] = [
    (
        "of other types",
        "INSERT INTO orchestrator.tasks (title, task_type) SELECT 'other', 'other ' || i % 10 FROM generate_series(1, $size) AS i",
    ),
    (
        "scheduled for later",
        "INSERT INTO orchestrator.tasks (title, task_type, run_after) SELECT 'later', 'work', now() + interval '1 day' FROM generate_series(1, $size)",
    ),
    (
        "behind a workflow",
        "INSERT INTO orchestrator.workflows (name, definition, status) VALUES ('first', '{}', 'active');
         INSERT INTO orchestrator.tasks (title, task_type, run_after)
         SELECT 'step', 'work', CASE i WHEN 0 THEN now() + interval '1 day' ELSE '-infinity' END FROM generate_series(0, $size) AS i;
         INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence)
         SELECT w.id, t.id, CASE WHEN t.run_after > now() THEN 0 ELSE 1 END FROM orchestrator.workflows AS w, orchestrator.tasks AS t",
    ),
    (
        "completed",
        "INSERT INTO orchestrator.tasks (title, task_type, status) SELECT 'done', 'work', 'completed' FROM generate_series(1, $size)",
    ),
];

const WAITING: u64 = 1_000;

/// Claims and completes tasks as a busy hour does.
const BUSY: &str = "SELECT orchestrator.complete_tasks(array_agg(id), 'busy') FROM orchestrator.claim_tasks('busy', '{work}', batch => 1000)";

fn behind(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::against(&["nothing else"]);
    let queue = queues::ours_of_one_type();
    let alone = bench.database()?;
    let ours = alone.shared()?;
    queue.fill(&mut ours.borrow_mut(), WAITING)?;
    let (batch, calls) = CALLS[0];
    let alone = Work { database: &alone, client: &ours, batch, calls };
    for size in bench.sizes(&[10_000, 1_000_000]) {
        for (name, sql) in OTHERS {
            let database = bench.database()?;
            let client = database.shared()?;
            execute(&mut client.borrow_mut(), &sql.replace("$size", &size.to_string()))?;
            queue.fill(&mut client.borrow_mut(), WAITING)?;
            let work = Work { database: &database, client: &client, batch, calls };
            let medians = in_turn(
                bench.rounds(),
                &[&|_| Ok(work.run(&queue)?.claim), &|_| Ok(alone.run(&queue)?.claim)],
            )?;
            outcome.add(name, case::rows(size), &medians, Some(Target::Ratio(1.5)));
        }
    }
    for size in bench.sizes(&[10_000, 100_000]) {
        for (name, old_snapshot) in
            [("just done", false), ("just done, under an old snapshot", true)]
        {
            let database = bench.database()?;
            let client = database.shared()?;
            let mut other = database.connect()?;
            queue.fill(&mut client.borrow_mut(), size)?;
            if old_snapshot {
                execute(&mut other, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")?;
            }
            for _ in 0..size / 1_000 {
                execute(&mut client.borrow_mut(), BUSY)?;
            }
            queue.insert(&mut client.borrow_mut(), WAITING)?;
            let work = Work { database: &database, client: &client, batch, calls };
            let medians = in_turn(
                bench.rounds(),
                &[&|_| Ok(work.run_unvacuumed(&queue)?.claim), &|_| Ok(alone.run(&queue)?.claim)],
            )?;
            let target = (!old_snapshot).then_some(Target::Ratio(1.5));
            outcome.add(name, case::rows(size), &medians, target);
        }
    }
    Ok(outcome)
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
        queue.fill(&mut self.client.borrow_mut(), self.taken())?;
        self.take(queue)
    }

    /// The same without a vacuum, which would remove the entries of the tasks that were taken before.
    fn run_unvacuumed(&self, queue: &Queue) -> Result<Times> {
        queue.insert(&mut self.client.borrow_mut(), self.taken())?;
        self.take(queue)
    }

    fn taken(&self) -> u64 {
        Queue::taken(CONNECTIONS, self.calls, self.batch)
    }

    fn take(&self, queue: &Queue) -> Result<Times> {
        queue.work(self.database, CONNECTIONS, self.calls, self.batch)
    }
}
