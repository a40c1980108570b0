//! Worker processes at work: they are killed at random, and replaced.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use support::random::Random;
use xtask::machine::process;

use crate::place::Place;

/// The number of workers at any time.
const WORKERS: usize = 8;
/// The time without a line after which the crew looks again at idle workers.
const GLANCE: Duration = Duration::from_millis(10);

/// A line that a worker printed.
struct Said {
    worker: String,
    line: String,
}

struct Member {
    name: String,
    child: Child,
    orders: ChildStdin,
    reader: JoinHandle<()>,
    is_idle: bool,
}

/// What happened to the workers.
#[derive(Debug, Default)]
pub struct Losses {
    pub killed: usize,
    /// Leases that expired while their worker was alive.
    pub slow: usize,
}

/// How often workers are lost: once in so many lines.
pub struct Risk {
    pub of_kill: usize,
    pub of_slowness: usize,
}

pub struct Crew<'a> {
    place: &'a mut Place,
    /// The address of the server, or of a pooler before it.
    socket_folder: &'a Path,
    port: u16,
    random: Random,
    members: Vec<Member>,
    /// The names of the workers that were killed.
    dead: Vec<String>,
    hired: usize,
    losses: Losses,
    to_crew: Sender<Said>,
    from_workers: Receiver<Said>,
}

impl<'a> Crew<'a> {
    pub fn new(
        place: &'a mut Place,
        socket_folder: &'a Path,
        port: u16,
        seed: u64,
    ) -> Result<Self> {
        let (to_crew, from_workers) = mpsc::channel();
        let mut crew = Self {
            place,
            socket_folder,
            port,
            random: Random::new(seed),
            members: Vec::new(),
            dead: Vec::new(),
            hired: 0,
            losses: Losses::default(),
            to_crew,
            from_workers,
        };
        for _ in 0..WORKERS {
            crew.hire()?;
        }
        Ok(crew)
    }

    /// Starts a worker.
    fn hire(&mut self) -> Result<()> {
        self.hired += 1;
        let name = format!("worker-{}", self.hired);
        let mut command = Command::new(env!("CARGO_BIN_EXE_loop-worker"));
        process::without_postgres_settings(&mut command)
            .env("PGHOST", self.socket_folder)
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", self.place.worker())
            .env("PGDATABASE", self.place.database.name())
            .env("WORKER", &name)
            .env("SEED", (1 + self.random.below(1_000_000)).to_string())
            .env("CALLS", self.place.calls())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start a worker")?;
        let orders = child.stdin.take().context("no input")?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let (sender, worker) = (self.to_crew.clone(), name.clone());
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Fails only if the crew is gone.
                let _ = sender.send(Said { worker: worker.clone(), line });
            }
        });
        self.members.push(Member { name, child, orders, reader, is_idle: false });
        Ok(())
    }

    /// Lets the workers work, with losses, until every task has ended.
    pub fn work(mut self, risk: &Risk) -> Result<Losses> {
        loop {
            match self.from_workers.recv_timeout(GLANCE) {
                Ok(said) => self.hear(&said, risk)?,
                Err(RecvTimeoutError::Timeout) => {
                    if self.members.iter().any(|member| member.is_idle) && self.have_all_ended()? {
                        return self.dismiss();
                    }
                    self.wake()?;
                }
                Err(RecvTimeoutError::Disconnected) => unreachable!("the crew has a sender itself"),
            }
            self.require_alive()?;
        }
    }

    fn hear(&mut self, said: &Said, risk: &Risk) -> Result<()> {
        // A worker that was killed may have said more before.
        let Some(place) = self.members.iter().position(|member| member.name == said.worker) else {
            return Ok(());
        };
        self.members[place].is_idle = said.line == "idle";
        if self.random.below(risk.of_kill) == 0 {
            let mut member = self.members.swap_remove(place);
            // SIGKILL
            member.child.kill()?;
            member.child.wait()?;
            self.dead.push(member.name);
            self.losses.killed += 1;
            self.hire()?;
            self.expire_leases_of_the_dead()?;
        } else if self.random.below(risk.of_slowness) == 0 {
            let name = self.members[place].name.clone();
            self.losses.slow += self.expire_leases(&[name])? as usize;
        }
        Ok(())
    }

    fn expire_leases_of_the_dead(&mut self) -> Result<()> {
        let dead = self.dead.clone();
        self.expire_leases(&dead)?;
        Ok(())
    }

    /// One by one: a statement that locks several claims, in another order than the functions, could wait
    /// for one of them while that waits for it.
    fn expire_leases(&mut self, workers: &[String]) -> Result<u64> {
        const OPEN: &str = "SELECT task_id::text FROM orchestrator.task_attempts WHERE worker = ANY ($1) AND ended_at IS NULL";
        const EXPIRE: &str = "UPDATE orchestrator.task_attempts SET lease_expires_at = '-infinity' \
            WHERE task_id = $1::text::uuid AND worker = ANY ($2) AND ended_at IS NULL";
        let mut expired = 0;
        for row in self.place.client.query(OPEN, &[&workers])? {
            let task: String = row.try_get(0)?;
            expired += self.place.client.execute(EXPIRE, &[&task, &workers])?;
        }
        Ok(expired)
    }

    /// Wakes idle workers. A server process may have begun a claim for a worker that was killed, so leases
    /// of dead workers expire each time.
    fn wake(&mut self) -> Result<()> {
        self.expire_leases_of_the_dead()?;
        for member in self.members.iter_mut().filter(|member| member.is_idle) {
            member.orders.write_all(b"go\n").context("cannot wake a worker")?;
            member.is_idle = false;
        }
        Ok(())
    }

    fn have_all_ended(&mut self) -> Result<bool> {
        const OPEN: &str =
            "SELECT count(*) FROM orchestrator.tasks WHERE status IN ('pending', 'running')";
        Ok(self.place.number(OPEN)? == 0)
    }

    /// Fails if a worker has ended by itself.
    fn require_alive(&mut self) -> Result<()> {
        for member in &mut self.members {
            let status = member.child.try_wait()?;
            ensure!(status.is_none(), "{} ended with {status:?}", member.name);
        }
        Ok(())
    }

    /// Ends the workers: at the end of its input, each ends by itself.
    fn dismiss(mut self) -> Result<Losses> {
        for member in self.members.drain(..) {
            let Member { name, mut child, orders, reader, .. } = member;
            drop(orders);
            let status = child.wait()?;
            ensure!(status.success(), "{name} ended with {status}");
            ensure!(reader.join().is_ok(), "the lines of {name} could not be read");
        }
        Ok(std::mem::take(&mut self.losses))
    }
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        for member in &mut self.members {
            // Fails only if the worker has ended.
            let _ = member.child.kill();
            let _ = member.child.wait();
        }
    }
}
