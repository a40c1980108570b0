//! Sessions: who is signed in, with the connection that works for them. No password is kept.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::Rng;
use rand::distr::Alphanumeric;
use tokio::sync::Semaphore;

use crate::database::{Connection, Database};

/// The most sessions of one role; another one ends the one that was used longest ago.
const MOST_OF_A_ROLE: usize = 4;

/// The most open pages of a session that are told of changes.
const MOST_STREAMS: usize = 16;

/// A person who is signed in.
pub struct Session {
    pub role: String,
    /// The token that every form carries.
    pub token: String,
    /// Whether the person signed in, and may sign out.
    pub signed_in: bool,
    pub connection: Arc<Connection>,
    /// One permit for each stream of announcements.
    pub streams: Arc<Semaphore>,
    used: Mutex<Instant>,
}

impl Session {
    /// The session of a person who signed in.
    pub fn new(role: &str, connection: Connection) -> Session {
        Session {
            role: role.to_owned(),
            token: secret(),
            signed_in: true,
            connection: Arc::new(connection),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            used: Mutex::new(Instant::now()),
        }
    }

    /// The session of everybody who reaches a console without a sign-in.
    pub fn without_sign_in(role: &str, connection: Connection) -> Session {
        Session { signed_in: false, ..Session::new(role, connection) }
    }

    /// Whether a form carries the token of the session. Takes the same time for every wrong token.
    pub fn knows(&self, token: &str) -> bool {
        let differences =
            self.token.bytes().zip(token.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        token.len() == self.token.len() && differences == 0
    }
}

/// One request of a session.
pub struct Visit {
    session: Arc<Session>,
    pub database: Database,
}

impl Visit {
    pub fn new(session: Arc<Session>) -> Visit {
        let database = Database::new(Arc::clone(&session.connection));
        Visit { session, database }
    }
}

impl Deref for Visit {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

/// All sessions of the process.
pub struct Sessions {
    idle: Duration,
    most: usize,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

impl Sessions {
    /// `idle`: the time after which a session ends that nobody uses; `most`: the most sessions at once.
    pub fn new(idle: Duration, most: usize) -> Sessions {
        Sessions { idle, most, sessions: Mutex::default() }
    }

    /// Begins a session and returns its key, which the cookie holds. If there are too many then, it ends those that were
    /// used longest ago.
    pub fn begin(&self, session: Session) -> String {
        let mut sessions = self.locked();
        end_idle(&mut sessions, self.idle);
        make_room(&mut sessions, MOST_OF_A_ROLE, |other| other.role == session.role);
        make_room(&mut sessions, self.most, |_| true);
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
        let mut sessions = self.locked();
        end_idle(&mut sessions, self.idle);
        sessions.get(key).map(Arc::clone)
    }

    /// Ends the sessions that nobody has used for long.
    pub fn end_idle(&self) {
        end_idle(&mut self.locked(), self.idle);
    }

    pub fn end(&self, key: &str) {
        self.locked().remove(key);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        locked(&self.sessions)
    }
}

fn end_idle(sessions: &mut HashMap<String, Arc<Session>>, idle: Duration) {
    sessions.retain(|_, session| locked(&session.used).elapsed() < idle);
}

/// Leaves room for one more session among `most` that count.
fn make_room(
    sessions: &mut HashMap<String, Arc<Session>>,
    most: usize,
    counts: impl Fn(&Session) -> bool,
) {
    let counted = sessions.iter().filter(|(_, session)| counts(session));
    let mut by_use: Vec<_> =
        counted.map(|(key, session)| (*locked(&session.used), key.clone())).collect();
    by_use.sort();
    let surplus = (by_use.len() + 1).saturating_sub(most);
    for (_, key) in by_use.into_iter().take(surplus) {
        sessions.remove(&key);
    }
}

/// No code panics while it holds one of these.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn secret() -> String {
    rand::rng().sample_iter(Alphanumeric).take(43).map(char::from).collect()
}
