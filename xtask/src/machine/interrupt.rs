//! Clean-up when this process ends: actions that stop servers and remove folders on Ctrl-C, SIGTERM
//! and SIGHUP, and at a normal exit.

use std::collections::BTreeMap;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};

type Action = Box<dyn FnOnce() + Send>;

static ACTIONS: Mutex<BTreeMap<u64, Action>> = Mutex::new(BTreeMap::new());
static PENDING: AtomicBool = AtomicBool::new(false);

/// Keeps an action registered until it is dropped.
#[must_use]
pub struct Registration(u64);

impl Drop for Registration {
    fn drop(&mut self) {
        actions().remove(&self.0);
    }
}

/// Registers an action for the end of this process, for every way of ending except SIGKILL.
/// The action registered last runs first.
pub fn on_exit(action: impl FnOnce() + Send + 'static) -> Result<Registration> {
    listen()?;
    let mut actions = actions();
    let id = actions.last_key_value().map_or(0, |(last, _)| last + 1);
    actions.insert(id, Box::new(action));
    Ok(Registration(id))
}

/// After an interruption, stops the calling thread for good, so that it does not report failures
/// caused by the interruption. The caller must not hold a lock.
pub fn hold_if_pending() {
    while PENDING.load(Ordering::SeqCst) {
        thread::park();
    }
}

/// Installs the handlers once.
fn listen() -> Result<()> {
    static OUTCOME: OnceLock<Result<(), String>> = OnceLock::new();
    let outcome = OUTCOME.get_or_init(|| install().map_err(|error| format!("{error:#}")));
    if let Err(error) = outcome {
        bail!("{error}");
    }
    Ok(())
}

fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        PENDING.store(true, Ordering::SeqCst);
        eprintln!("Interrupted: stopping every process that was started.");
        carry_out();
        process::exit(130);
    })
    .context("cannot listen for Ctrl-C")?;
    // SAFETY: the function takes no arguments, does not unwind, and stays valid for the life of the process.
    if unsafe { nix::libc::atexit(at_exit) } != 0 {
        bail!("cannot register what to do at exit");
    }
    Ok(())
}

extern "C" fn at_exit() {
    carry_out();
}

fn carry_out() {
    let actions = std::mem::take(&mut *actions());
    for action in actions.into_values().rev() {
        action();
    }
}

fn actions() -> MutexGuard<'static, BTreeMap<u64, Action>> {
    ACTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}
