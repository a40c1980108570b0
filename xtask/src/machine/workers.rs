//! Handles the items of a list on all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, anyhow};

/// The number of cores.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Handles every item and returns the results in the items' order. The items are started in that
/// order, too, so long ones should come first. `prepare` creates the state that each worker has for
/// itself. An error ends its worker, and the first is returned after all workers have ended.
pub fn share<T: Sync, S, R: Send>(
    items: &[T],
    prepare: impl Fn() -> Result<S> + Sync,
    handle: impl Fn(&S, &T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    share_among(cores(), items, prepare, handle)
}

/// The same, with as many workers as given.
pub fn share_among<T: Sync, S, R: Send>(
    workers: usize,
    items: &[T],
    prepare: impl Fn() -> Result<S> + Sync,
    handle: impl Fn(&S, &T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, R)>> {
        let own = prepare()?;
        let mut results = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { return Ok(results) };
            results.push((place, handle(&own, item)?));
        }
    };
    let count = workers.min(items.len());
    let mut results = thread::scope(|scope| -> Result<Vec<(usize, R)>> {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        let outcomes: Vec<_> = threads.into_iter().map(thread::ScopedJoinHandle::join).collect();
        let mut all = Vec::new();
        for outcome in outcomes {
            all.extend(outcome.map_err(|_| anyhow!("a worker panicked"))??);
        }
        Ok(all)
    })?;
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn results_have_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        let doubled = share(&items, || Ok(2), |factor, item| Ok(item * factor)).expect("no error");
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(share(&[0; 0], || Ok(()), |(), _| Ok(())).expect("no item").is_empty());
    }

    #[test]
    fn an_error_is_returned() {
        let handle = |(): &(), item: &u32| if *item == 7 { bail!("seven") } else { Ok(()) };
        let error = share(&[1, 7, 3], || Ok(()), handle).expect_err("one fails");
        assert_eq!(error.to_string(), "seven");
    }
}
