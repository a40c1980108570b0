//! The deadline after which a test that hangs ends with an error. It does not bound speed: it is far
//! longer than any work takes on a busy machine, and no test asserts a time.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long a test waits for something that must come.
pub const DEADLINE: Duration = Duration::from_secs(300);
/// How long it waits between two looks at something that does not announce itself.
const GLANCE: Duration = Duration::from_millis(10);

/// The statement that ends a session's statements at the deadline, as `parameter`
/// (`statement_timeout` or `lock_timeout`) has it.
pub fn set(parameter: &str) -> String {
    format!("SET {parameter} = '{}s'", DEADLINE.as_secs())
}

/// Looks until the answer is yes; an error says that `what` did not happen before the deadline.
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
