//! Sessions: who is signed in, with the connection that works for them. No password is kept.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::Rng;
use rand::distr::Alphanumeric;

use crate::database::Database;

/// The most sessions of one role; another one ends the oldest.
const MOST_OF_A_ROLE: usize = 4;

/// The most failed attempts to sign in from one address within `WHILE`.
const MOST_ATTEMPTS: usize = 10;
const WHILE: Duration = Duration::from_secs(60);

/// A person who is signed in.
pub struct Session {
    pub role: String,
    /// The token that every form carries.
    pub token: String,
    pub database: Database,
    used: Mutex<Instant>,
}

impl Session {
    pub fn new(role: &str, database: Database) -> Session {
        Session {
            role: role.to_owned(),
            token: secret(),
            database,
            used: Mutex::new(Instant::now()),
        }
    }

    /// Whether a form carries the token of the session. Takes the same time for every wrong token.
    pub fn knows(&self, token: &str) -> bool {
        let differences =
            self.token.bytes().zip(token.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        token.len() == self.token.len() && differences == 0
    }
}

/// All sessions of the process.
pub struct Sessions {
    idle: Duration,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    failures: Mutex<Vec<(IpAddr, Instant)>>,
}

impl Sessions {
    pub fn new(idle: Duration) -> Sessions {
        Sessions { idle, sessions: Mutex::default(), failures: Mutex::default() }
    }

    /// Begins a session and returns its key, which the cookie holds.
    pub fn begin(&self, session: Session) -> String {
        let mut sessions = locked(&self.sessions);
        end_idle(&mut sessions, self.idle);
        let mut of_role: Vec<_> = sessions
            .iter()
            .filter(|(_, other)| other.role == session.role)
            .map(|(key, other)| (*locked(&other.used), key.clone()))
            .collect();
        of_role.sort();
        let surplus = (of_role.len() + 1).saturating_sub(MOST_OF_A_ROLE);
        for (_, key) in of_role.into_iter().take(surplus) {
            sessions.remove(&key);
        }
        let key = secret();
        sessions.insert(key.clone(), Arc::new(session));
        key
    }

    /// The session of a key. It counts as used now.
    pub fn find(&self, key: &str) -> Option<Arc<Session>> {
        let session = self.look(key)?;
        *locked(&session.used) = Instant::now();
        Some(session)
    }

    /// The session of a key, for a request that no person made.
    pub fn look(&self, key: &str) -> Option<Arc<Session>> {
        let mut sessions = locked(&self.sessions);
        end_idle(&mut sessions, self.idle);
        sessions.get(key).map(Arc::clone)
    }

    /// Ends the sessions that nobody has used for long.
    pub fn end_idle(&self) {
        end_idle(&mut locked(&self.sessions), self.idle);
    }

    pub fn end(&self, key: &str) {
        locked(&self.sessions).remove(key);
    }

    /// Whether an address may try to sign in.
    pub fn may_try(&self, address: IpAddr) -> bool {
        let mut failures = locked(&self.failures);
        failures.retain(|(_, at)| at.elapsed() < WHILE);
        failures.iter().filter(|(other, _)| *other == address).count() < MOST_ATTEMPTS
    }

    pub fn has_failed(&self, address: IpAddr) {
        locked(&self.failures).push((address, Instant::now()));
    }
}

fn end_idle(sessions: &mut HashMap<String, Arc<Session>>, idle: Duration) {
    sessions.retain(|_, session| locked(&session.used).elapsed() < idle);
}

/// No code panics while it holds one of these.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn secret() -> String {
    rand::rng().sample_iter(Alphanumeric).take(43).map(char::from).collect()
}
