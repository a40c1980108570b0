//! Times of variants that run in turn, and their medians.

use std::cell::RefCell;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use postgres::Client;

use crate::address::{execute, explain};

/// A variant to measure: receives the number of the round, and returns the time of the measured part.
pub type Variant<'a> = &'a dyn Fn(usize) -> Result<Duration>;

/// Runs the variants in turn, for a warm-up and then that many rounds. Returns the median of each.
/// Each round starts with another variant, so that none always follows the same one.
pub fn in_turn(rounds: usize, variants: &[Variant]) -> Result<Vec<Duration>> {
    let mut times = vec![Vec::new(); variants.len()];
    for round in 0..=rounds {
        for step in 0..variants.len() {
            let at = (round + step) % variants.len();
            let time = variants[at](round)?;
            if round > 0 {
                times[at].push(time);
            }
        }
    }
    Ok(times.into_iter().map(median).collect())
}

/// The middle time; for an even number, the mean of the two in the middle.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    match times.len() {
        0 => Duration::ZERO,
        count if count % 2 == 1 => times[count / 2],
        count => (times[count / 2 - 1] + times[count / 2]) / 2,
    }
}

/// The time that `work` takes.
pub fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// The time that a statement takes. Its effects are rolled back.
pub fn rolled_back(client: &RefCell<Client>, before: &str, statement: &str) -> Result<Duration> {
    let client = &mut *client.borrow_mut();
    execute(client, &format!("BEGIN; {before}"))?;
    let time = timed(|| execute(client, statement))?;
    execute(client, "ROLLBACK")?;
    Ok(time)
}

/// The time that a statement takes, result included.
pub fn statement(client: &RefCell<Client>, statement: &str) -> Result<Duration> {
    let client = &mut *client.borrow_mut();
    timed(|| execute(client, statement))
}

/// The time until all connections have run a prepared statement once for each of their arguments. The
/// first calls are not counted if there are many: a long-lived connection has loaded the library and
/// planned its statements before.
pub fn shared_out(
    connect: &dyn Fn() -> Result<Client>,
    connections: usize,
    sql: &str,
    arguments: &[String],
) -> Result<Duration> {
    let barrier = Barrier::new(connections + 1);
    let mut clients = Vec::new();
    for _ in 0..connections {
        let mut client = connect()?;
        let prepared = client.prepare(sql).map_err(|error| anyhow!("{}", explain(&error)))?;
        clients.push((client, prepared));
    }
    thread::scope(|scope| {
        let barrier = &barrier;
        let threads: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(number, (mut client, prepared))| {
                scope.spawn(move || -> Result<()> {
                    let own: Vec<&String> =
                        arguments.iter().skip(number).step_by(connections).collect();
                    let (first, others) = own.split_at(own.len() / 10);
                    let mut run = |argument: &String| {
                        client
                            .execute(&prepared, &[argument])
                            .map(drop)
                            .map_err(|error| anyhow!("{}", explain(&error)))
                    };
                    let warm_up = first.iter().try_for_each(|argument| run(argument));
                    barrier.wait();
                    warm_up?;
                    others.iter().try_for_each(|argument| run(argument))
                })
            })
            .collect();
        barrier.wait();
        timed(|| {
            for thread in threads {
                thread.join().map_err(|_| anyhow!("a connection's thread panicked"))??;
            }
            Ok(())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        let seconds =
            |list: &[u64]| median(list.iter().copied().map(Duration::from_secs).collect());
        assert_eq!(seconds(&[9, 1, 2]), Duration::from_secs(2));
        assert_eq!(seconds(&[4, 1, 2, 9]), Duration::from_secs(3));
        assert_eq!(seconds(&[]), Duration::ZERO);
    }

    #[test]
    fn variants_take_turns_and_the_warm_up_does_not_count() {
        let order = RefCell::new(Vec::new());
        let variant = |name: &'static str| {
            let order = &order;
            move |round: usize| {
                order.borrow_mut().push((round, name));
                Ok(Duration::from_secs(if round == 0 { 99 } else { 1 }))
            }
        };
        let medians = in_turn(1, &[&variant("a"), &variant("b")]).expect("they run");
        assert_eq!(medians, [Duration::from_secs(1); 2]);
        assert_eq!(*order.borrow(), [(0, "a"), (0, "b"), (1, "b"), (1, "a")]);
    }
}
