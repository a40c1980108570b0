//! Interrupts in loops of this library. The server checks for a timeout or a cancellation only in its
//! own code, so loops over a caller's values or over the catalog must check, too.

/// Ends the statement here if a timeout, a cancellation or a shutdown is pending.
#[cfg(not(test))]
pub fn allow() {
    pgrx::check_for_interrupts!();
}

#[cfg(test)]
pub use counted::{allow, steps};

/// Unit tests run without a server. They count how often a loop would have checked.
#[cfg(test)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub fn allow() {
        STEPS.set(STEPS.get() + 1);
    }

    /// The number of checks that `work` makes, and its result.
    pub fn steps<R>(work: impl FnOnce() -> R) -> (usize, R) {
        let before = STEPS.get();
        let result = work();
        (STEPS.get() - before, result)
    }
}
