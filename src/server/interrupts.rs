//! Interrupts in loops of this library. The server looks for a timeout or a cancellation only in its
//! own code, so a loop over a caller's values or over the catalog asks for itself.

/// Ends the statement here when a timeout, a cancellation or the end of the server asks for it.
#[cfg(not(test))]
pub fn allow() {
    pgrx::check_for_interrupts!();
}

#[cfg(test)]
pub use counted::{allow, steps};

/// Unit tests run without a server. They count how often a loop would have asked.
#[cfg(test)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub fn allow() {
        STEPS.set(STEPS.get() + 1);
    }

    /// How many steps `work` takes, and what it returns.
    pub fn steps<R>(work: impl FnOnce() -> R) -> (usize, R) {
        let before = STEPS.get();
        let result = work();
        (STEPS.get() - before, result)
    }
}
