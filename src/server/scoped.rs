//! Values in the memory of this library that hold while a piece of work runs.

use std::cell::Cell;
use std::thread::LocalKey;

/// Restores the earlier value, also when an error ends the work.
struct Restore<T: Copy + 'static> {
    cell: &'static LocalKey<Cell<T>>,
    before: T,
}

impl<T: Copy> Drop for Restore<T> {
    fn drop(&mut self) {
        self.cell.set(self.before);
    }
}

/// Runs `work` while the cell has this value.
pub fn with<T: Copy + 'static, R>(
    cell: &'static LocalKey<Cell<T>>,
    value: T,
    work: impl FnOnce() -> R,
) -> R {
    let _restore = Restore { cell, before: cell.replace(value) };
    work()
}
