//! The deadline after which a test that hangs fails. It does not limit speed: it is far longer than any
//! work takes on a busy machine, and no test asserts a time.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The longest time that a test waits for something that must happen.
pub const DEADLINE: Duration = Duration::from_secs(300);
/// The pause between two looks, if no event can be awaited.
const GLANCE: Duration = Duration::from_millis(10);

/// The statement that sets `parameter` (`statement_timeout` or `lock_timeout`) to the deadline.
pub fn set(parameter: &str) -> String {
    format!("SET {parameter} = '{}s'", DEADLINE.as_secs())
}

/// Calls `happened` until it returns `true`. Fails, and names `what`, if that does not happen before the
/// deadline.
pub fn wait_until(what: &str, mut happened: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !happened()? {
        if start.elapsed() > DEADLINE {
            bail!("{what} did not happen within {DEADLINE:?}");
        }
        thread::sleep(GLANCE);
    }
    Ok(())
}
