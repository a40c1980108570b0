//! The locks of an update, taken all at once before it changes anything.
//!
//! Clients lock tables in any order, and pg_dump in one of its own. If an update took its locks one
//! by one as it needs them, it would sooner or later wait for a client that waits for it, and the
//! server would end one of the two with 40P01. So the first script takes, in a subtransaction,
//! every lock that any script of the statement needs. An attempt ends before the server would look
//! for such a deadlock: it rolls back, which lets all others go on, pauses, and tries again. Once
//! it has all locks, no script waits for a lock, and the later scripts do not look for any. Only for
//! a lock that an autovacuum worker holds does it wait until the server looks, because that ends the
//! worker.

mod needed;
mod order;
mod statement;

use std::cell::RefCell;
use std::ffi::CStr;
use std::ops::Range;
use std::time::{Duration, Instant};

use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

use crate::schema::manifest;
use crate::server::backend_state::with_setting;
use crate::server::error::{Error, Kind};
use crate::server::{dynamic_sql, interrupts, rows, subtransaction};
use needed::Lock;
pub use needed::Way;
use statement::Statement;

/// The longest pause between two attempts, in attempts. The longer somebody holds a lock, the more
/// rarely clients are stopped for an attempt.
const LONGEST_PAUSE: u32 = 10;

/// The number of checks, within a pause as long as an attempt, whether the missing lock is free.
const LOOKS: u32 = 20;

/// Takes every lock that the running statement needs, from the running script on. `target`: the
/// position of the version that this script leads to.
pub fn take(way: Way, target: usize) -> Result<(), Error> {
    let wanted = Taken::now(way, steps(way, target)?);
    if LAST.with_borrow(|last| last.as_ref().is_some_and(|last| last.covers(&wanted))) {
        return Ok(());
    }
    let locks = needed::locks(way, wanted.steps.clone())?;
    let mut attempts = Attempts::new(locks.len());
    while let Some(missing) = attempts.try_all(&locks)? {
        if attempts.are_over() {
            return Err(attempts.failure(&locks[missing])?);
        }
        let vacuumed = holders(&locks[missing])?.iter().any(|holder| holder.is_autovacuum);
        attempts.vacuumed = vacuumed.then_some(missing);
        attempts.pause(&locks[missing])?;
    }
    LAST.set(Some(wanted));
    Ok(())
}

thread_local! {
    /// The locks that this process took last.
    static LAST: RefCell<Option<Taken>> = const { RefCell::new(None) };
}

/// The locks of some steps, held by a transaction, or by a part of it that is undone for itself.
struct Taken {
    transaction: pg_sys::TransactionId,
    part: pg_sys::SubTransactionId,
    way: Way,
    steps: Range<usize>,
}

impl Taken {
    /// By what runs now.
    fn now(way: Way, steps: Range<usize>) -> Taken {
        // SAFETY: reads the state of the transaction. A running script has changed pg_extension, so the transaction has an
        // identifier.
        let (transaction, part) =
            unsafe { (pg_sys::GetTopTransactionIdIfAny(), pg_sys::GetCurrentSubTransactionId()) };
        Taken { transaction, part, way, steps }
    }

    /// Whether these locks are still held and are all that the other steps need. Others cannot have added a
    /// table since: what it would inherit from is locked.
    fn covers(&self, other: &Taken) -> bool {
        (self.transaction, self.part, self.way) == (other.transaction, other.part, other.way)
            && self.steps.start <= other.steps.start
            && other.steps.end <= self.steps.end
    }
}

/// The steps from the running script to the end of the running statement, each by the position of
/// its newer version. CREATE EXTENSION has none: it needs only archives. An unknown statement may
/// go to the end of the chain.
fn steps(way: Way, target: usize) -> Result<Range<usize>, Error> {
    let end = match statement::running()? {
        Statement::Create => return Ok(0..0),
        Statement::Update(version) => Some(manifest::position(&version)?),
        Statement::Unknown => None,
    };
    let newest = manifest::versions()?.len() - 1;
    Ok(match way {
        Way::Down => end.filter(|end| *end <= target).unwrap_or(0) + 1..target + 2,
        Way::Up => target..end.filter(|end| *end >= target).unwrap_or(newest) + 1,
    })
}

/// The time limits for locks.
struct Attempts {
    start: Instant,
    /// Of one attempt: lock_timeout, but no more than half the time after which the server looks
    /// for a deadlock.
    bound: Duration,
    /// Of all attempts and pauses together: lock_timeout for each lock. `None`, without end, if
    /// lock_timeout is 0.
    limit: Option<Duration>,
    made: u32,
    /// The place of the lock that an autovacuum worker held when the last attempt ended.
    vacuumed: Option<usize>,
}

impl Attempts {
    fn new(locks: usize) -> Attempts {
        // SAFETY: plain variables of the backend, in milliseconds, never negative.
        let (lock_timeout, deadlock_timeout) =
            unsafe { (pg_sys::LockTimeout.max(0) as u32, pg_sys::DeadlockTimeout.max(1) as u32) };
        let given = (lock_timeout > 0).then_some(lock_timeout);
        let half = (deadlock_timeout / 2).max(1);
        let bound = Duration::from_millis(u64::from(given.unwrap_or(half).min(half)));
        let limit = given.map(|given| Duration::from_millis(u64::from(given)) * locks as u32);
        Attempts { start: Instant::now(), bound, limit, made: 0, vacuumed: None }
    }

    /// Takes all locks, or none. Returns the place of the first lock that was missing, if any.
    fn try_all(&mut self, locks: &[Lock]) -> Result<Option<usize>, Error> {
        let (start, mut missing) = (Instant::now(), 0);
        let outcome = subtransaction::run(|| {
            for (place, lock) in locks.iter().enumerate() {
                missing = place;
                let left = self.bound.saturating_sub(start.elapsed()).as_millis().max(1);
                with_timeout(c"lock_timeout", left, || match self.vacuumed {
                    Some(vacuumed) if vacuumed == place => end_autovacuum(left, lock),
                    _ => wait_for(lock),
                });
            }
            Ok(())
        });
        self.made += 1;
        match outcome {
            Ok(taken) => taken.map(|()| None),
            Err(error) if is_a_lock_missing(&error) => Ok(Some(missing)),
            Err(error) => error.rethrow(),
        }
    }

    fn are_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.start.elapsed() >= limit)
    }

    /// Waits with no lock held, so that others go on. The pause is longer after each attempt, and
    /// ends as soon as the missing lock is free.
    fn pause(&self, missing: &Lock) -> Result<(), Error> {
        const SLEEP: &str = "SELECT pg_sleep(($1::float8 / 1000) * (0.5 + random()))::text";
        let look = self.bound / LOOKS;
        // A caller with a limit wants many attempts.
        let longest = if self.limit.is_some() { 1 } else { LONGEST_PAUSE };
        let pauses = 2_u32.saturating_pow(self.made.min(10)).min(longest * LOOKS);
        for _ in 0..pauses {
            let milliseconds = look.as_secs_f64() * 1000.0;
            dynamic_sql::value::<String>(SLEEP, &[milliseconds.into()])?;
            if self.are_over() || is_free(missing)? {
                break;
            }
        }
        Ok(())
    }

    /// The error that ends the statement: the holders of the lock, and the next step.
    fn failure(&self, missing: &Lock) -> Result<Error, Error> {
        let holders = holders(missing)?;
        let limit = self.limit.unwrap_or_default().as_millis();
        let error = Error::new(
            Kind::LockNotAvailable,
            format!("could not lock {} within {limit} ms", missing.name),
        );
        let described: Vec<_> = holders.iter().map(|holder| holder.description.as_str()).collect();
        let ends: Vec<_> = holders.iter().map(|holder| holder.end.as_str()).collect();
        Ok(match holders.first() {
            Some(_) => {
                error.detail(format!("It is locked by {}.", described.join("; "))).hint(format!(
                    "Wait until the holders end, or end them: {} \
                     To wait without limit: SET lock_timeout = 0;",
                    ends.join(" ")
                ))
            }
            None => error
                .detail("The lock has been released since.")
                .hint("Try again. To wait without limit: SET lock_timeout = 0;"),
        })
    }
}

/// Waits for one lock, or raises an error, which the subtransaction undoes.
fn wait_for(lock: &Lock) {
    let mode = lock.mode.number();
    // SAFETY: waits like every lock of the server.
    unsafe {
        if lock.is_function {
            pg_sys::LockDatabaseObject(pg_sys::ProcedureRelationId, lock.oid, 0, mode);
        } else {
            pg_sys::LockRelationOid(lock.oid, mode);
        }
    }
}

/// Waits for a lock that an autovacuum worker holds, for at most that many milliseconds. When the
/// server looks for a deadlock it ends such a worker, unless the worker prevents a wraparound. So
/// the server has to look before the attempt is over.
fn end_autovacuum(milliseconds: u128, lock: &Lock) {
    with_timeout(c"deadlock_timeout", (milliseconds / 4).max(1), || wait_for(lock));
}

/// A process or prepared transaction that holds a conflicting lock.
struct Holder {
    description: String,
    /// The statement that ends it.
    end: String,
    is_autovacuum: bool,
}

/// The others that have locked a relation or a function in a conflicting mode.
fn holders(lock: &Lock) -> Result<Vec<Holder>, Error> {
    const HOLDERS: &str = include_str!("holders.sql");
    let conflicting: Vec<_> = lock.mode.conflicts().iter().map(|mode| (*mode).to_owned()).collect();
    Spi::connect_mut(|client| {
        let mut holders = Vec::new();
        for row in client.update(HOLDERS, None, &[lock.oid.into(), conflicting.into()])? {
            interrupts::allow();
            holders.push(Holder {
                description: rows::value(&row, 1, "description")?,
                end: rows::value(&row, 2, "end")?,
                is_autovacuum: rows::value(&row, 3, "is_autovacuum")?,
            });
        }
        Ok(holders)
    })
}

/// Whether a relation could be locked now; it is not locked afterwards. For a function the answer
/// is always yes: the next attempt finds out.
fn is_free(lock: &Lock) -> Result<bool, Error> {
    if lock.is_function {
        return Ok(true);
    }
    // SAFETY: takes the lock only if nobody is in the way, and releases it at once.
    unsafe {
        let mode = lock.mode.number();
        let free = pg_sys::ConditionalLockRelationOid(lock.oid, mode);
        if free {
            pg_sys::UnlockRelationOid(lock.oid, mode);
        }
        Ok(free)
    }
}

/// Runs `work` with a timeout of the server's, in milliseconds.
fn with_timeout(name: &CStr, milliseconds: u128, work: impl FnOnce()) {
    let value = std::ffi::CString::new(milliseconds.to_string()).unwrap_or_default();
    with_setting(name, &value, work);
}

/// Whether the error is a missing lock. After any other error nothing is tried again.
fn is_a_lock_missing(error: &CaughtError) -> bool {
    matches!(
        subtransaction::sqlstate(error),
        Some(
            PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE
                | PgSqlErrorCode::ERRCODE_T_R_DEADLOCK_DETECTED
        )
    )
}
