//! The time before which no event can be added any more. An event has the time at which its transaction began, so this
//! is the beginning of the oldest transaction that still runs, or is prepared.

use std::collections::HashSet;
use std::ffi::CStr;
use std::time::Duration;

use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;

use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{backend_state, interrupts, latest, relations, rows, statements};

/// How often the sessions are looked at, a millisecond apart, until each is known to be idle or in a transaction.
const LOOKS: usize = 3_000;

/// How often a process without a client is looked at before it counts as idle. It takes the time of a transaction a
/// few instructions before it shows the transaction.
const LOOKS_AT_WORKERS: usize = 1_000;

/// The time. Every event of an earlier time is committed, or will never be.
///
/// Errors: 55000 a session hides when its transaction began.
pub fn now() -> Result<TimestampWithTimeZone, Error> {
    let own = pgrx::datum::transaction_timestamp();
    let starting = starting()?;
    // Transactions that run come first: one that is prepared meanwhile is found by the second look.
    let others = [running()?, prepared()?, starting];
    Ok(others.into_iter().flatten().fold(own, Ord::min))
}

/// A session of this database.
struct Session {
    pid: i32,
    began: Option<TimestampWithTimeZone>,
    has_client: bool,
    /// No transaction of the last message of its client is left. True of a process without a client.
    is_done: bool,
    /// It waits for its client, in no transaction.
    is_idle: bool,
    hides: bool,
}

/// The sessions of this database that may write events. The statistics of all sessions are shown to a role that the
/// server has for it.
fn sessions() -> Result<Vec<Session>, Error> {
    static SESSIONS: Statement = Statement::new(include_str!("sessions.sql"));
    // SAFETY: forgets the copy that the session keeps for its transaction.
    unsafe { pg_sys::pgstat_clear_snapshot() };
    let reader = pg_sys::Oid::from(ROLE_PG_READ_ALL_STATS);
    backend_state::with_rights_of(reader, || {
        SESSIONS.update(&[], |rows| {
            rows::each(rows, |row| {
                Ok(Session {
                    pid: rows::value(row, 1, "pg_stat_activity.pid")?,
                    began: rows::optional(row, 2, "pg_stat_activity.xact_start")?,
                    has_client: rows::value(row, 3, "pg_stat_activity.backend_type")?,
                    is_done: rows::value(row, 4, "pg_stat_activity.state")?,
                    is_idle: rows::value(row, 5, "pg_stat_activity.wait_event")?,
                    hides: rows::value(row, 6, "pg_stat_activity.state")?,
                })
            })
        })
    })
}

/// The role `pg_read_all_stats`, which every cluster has with this identifier.
const ROLE_PG_READ_ALL_STATS: u32 = 3375;

/// When the oldest transaction that runs began. A session takes the time of its transactions when a message of its client
/// arrives, and shows the first of them a moment later. In between, and between two transactions of one message, it does
/// not wait for its client. So a session that did wait, is done with the message, and shows no transaction, has begun
/// none before now.
fn running() -> Result<Option<TimestampWithTimeZone>, Error> {
    let mut idle: HashSet<i32> = HashSet::new();
    let mut known: HashSet<i32> = HashSet::new();
    let mut oldest = None;
    let mut doubtful = None;
    for look in 0..=LOOKS {
        let sessions = sessions()?;
        let began = sessions.iter().filter_map(|session| session.began).min();
        // Also what only an earlier look has shown: the time may be that of the next transaction, too.
        oldest = oldest.into_iter().chain(began).min();
        // A session that was not there at the first look has begun its first transaction later.
        let is_doubtful = |session: &&Session| {
            let was_idle = session.is_done && idle.contains(&session.pid);
            let may_begin = known.contains(&session.pid) && !was_idle;
            let may_be_slow = session.has_client || look < LOOKS_AT_WORKERS;
            session.hides || session.began.is_none() && may_begin && may_be_slow
        };
        doubtful = sessions.iter().find(is_doubtful).map(|session| (session.pid, session.hides));
        match doubtful {
            None if look > 0 => return Ok(oldest),
            Some((_, true)) => break,
            _ => {}
        }
        idle.extend(sessions.iter().filter(|session| session.is_idle).map(|session| session.pid));
        known.extend(sessions.iter().map(|session| session.pid));
        interrupts::allow();
        if look > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let (pid, hides) = doubtful.unwrap_or_default();
    let (reason, hint) = if hides {
        (
            "Its setting track_activities is off, or was off when its transaction began.",
            "Seal again later; track_activities must be on in every session of this database.",
        )
    } else {
        (
            "It has neither begun a transaction nor waited for its client for seconds.",
            "Seal again later. SELECT * FROM pg_stat_activity; shows the session.",
        )
    };
    Err(Error::new(
        Kind::NotReady,
        format!("session {pid} does not show when its transaction began"),
    )
    .detail(format!("{reason} It could still add an event to the span that would be sealed."))
    .hint(hint))
}

/// The beginning of the oldest session that may be starting. A trigger at the login has the time at which the session
/// began to start, and until its client is known no other session sees it.
fn starting() -> Result<Option<TimestampWithTimeZone>, Error> {
    static OLDEST: Statement = Statement::new(
        "SELECT clock_timestamp() - current_setting('authentication_timeout')::interval - interval '1 second' \
         WHERE EXISTS (SELECT FROM pg_event_trigger AS t WHERE t.evtevent = 'login' AND t.evtenabled <> 'D')",
    );
    OLDEST.select(&[], statements::one::<TimestampWithTimeZone>)
}

/// When the prepared transactions that have written events began. The server does not say when; but they add no more
/// events, so the first one that is written and not committed tells.
fn prepared() -> Result<Option<TimestampWithTimeZone>, Error> {
    // Prepared transactions hold locks without a process.
    const HAVE_WRITTEN: &CStr = c"SELECT true FROM pg_catalog.pg_locks AS l \
        WHERE l.locktype = 'relation' AND l.relation = 'orchestrator.audit_events'::pg_catalog.regclass AND l.pid IS NULL \
          AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()) LIMIT 1";
    match latest::value::<bool>(HAVE_WRITTEN, &[])? {
        Some(true) => first_uncommitted(),
        _ => Ok(None),
    }
}

/// The earliest time of an event that is written, and whose transaction has not ended.
fn first_uncommitted() -> Result<Option<TimestampWithTimeZone>, Error> {
    let trail = relations::identifier_of(c"audit_events");
    let mut first: Option<i64> = None;
    // SAFETY: the table is open while it is read; the snapshot sees rows of transactions that run, and says of which
    // transaction the last row is. The column is looked up by name.
    unsafe {
        let table = pg_sys::relation_open(trail, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
        let column = pg_sys::get_attnum(trail, c"timestamp".as_ptr());
        let mut snapshot = pg_sys::SnapshotData {
            snapshot_type: pg_sys::SnapshotType::SNAPSHOT_DIRTY,
            ..Default::default()
        };
        let scan = pg_sys::systable_beginscan(
            table,
            pg_sys::InvalidOid,
            false,
            &raw mut snapshot,
            0,
            std::ptr::null_mut(),
        );
        loop {
            interrupts::allow();
            let row = pg_sys::systable_getnext(scan);
            if row.is_null() {
                break;
            }
            if snapshot.xmin == pg_sys::InvalidTransactionId {
                continue;
            }
            let mut is_null = false;
            let time = pg_sys::heap_getattr(row, i32::from(column), (*table).rd_att, &mut is_null);
            let time = time.value() as i64;
            first = Some(first.map_or(time, |first| first.min(time)));
        }
        pg_sys::systable_endscan(scan);
        pg_sys::relation_close(table, pg_sys::NoLock as pg_sys::LOCKMODE);
    }
    first
        .map(|time| {
            TimestampWithTimeZone::try_from(time)
                .map_err(|_| Error::new(Kind::Internal, "an event has no valid time"))
        })
        .transpose()
}
