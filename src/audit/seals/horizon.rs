//! The time before which no event can be added any more. An event has the time at which its transaction began, so this
//! is the beginning of the oldest transaction that still runs, or is prepared.

use std::collections::HashSet;
use std::ffi::CStr;

use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;

use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{backend_state, interrupts, latest, relations, rows};

/// How often the sessions are looked at, a millisecond apart, until each is known to be idle or in a transaction.
const LOOKS: usize = 10_000;

/// The time. Every event of an earlier time is committed, or will never be.
///
/// Errors: 55000 a session hides when its transaction began.
pub fn now() -> Result<TimestampWithTimeZone, Error> {
    let mut oldest = pgrx::datum::transaction_timestamp();
    for began in running()?.into_iter().chain(prepared()?) {
        oldest = if began < oldest { began } else { oldest };
    }
    Ok(oldest)
}

/// A session of this database.
struct Session {
    pid: i32,
    began: Option<TimestampWithTimeZone>,
    /// It waits for its client, so it is in no transaction, or in one that it shows.
    waits: bool,
    hides: bool,
}

/// The sessions of this database that may write events. The statistics of all sessions are shown to a role that the
/// server has for it.
fn sessions() -> Result<Vec<Session>, Error> {
    // The copy that the session keeps for its transaction would stay the same.
    static SESSIONS: Statement = Statement::new(
        "SELECT a.pid, a.xact_start, coalesce(a.wait_event_type IN ('Client', 'Activity', 'Extension', 'Timeout'), false), \
                coalesce(a.state = 'disabled', false) \
         FROM pg_stat_get_activity(NULL) AS a \
         WHERE a.datid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()) AND a.pid <> pg_backend_pid() \
           AND a.backend_type NOT IN ('walsender', 'autovacuum worker', 'parallel worker')",
    );
    // SAFETY: forgets the copy.
    unsafe { pg_sys::pgstat_clear_snapshot() };
    let reader = pg_sys::Oid::from(ROLE_PG_READ_ALL_STATS);
    backend_state::with_rights_of(reader, || {
        SESSIONS.update(&[], |rows| {
            rows::each(rows, |row| {
                Ok(Session {
                    pid: rows::value(row, 1, "pg_stat_activity.pid")?,
                    began: rows::optional(row, 2, "pg_stat_activity.xact_start")?,
                    waits: rows::value(row, 3, "pg_stat_activity.wait_event_type")?,
                    hides: rows::value(row, 4, "pg_stat_activity.state")?,
                })
            })
        })
    })
}

/// The role `pg_read_all_stats`, which every cluster has with this identifier.
const ROLE_PG_READ_ALL_STATS: u32 = 3375;

/// When the transactions that run began. A session takes the time of a statement when it arrives, and shows the beginning
/// of its transaction a moment later. In between it waits for nobody. So a session that waited for its client, and
/// after that shows no transaction, has begun none before now.
fn running() -> Result<Vec<TimestampWithTimeZone>, Error> {
    let mut waited: HashSet<i32> = HashSet::new();
    let mut known: HashSet<i32> = sessions()?
        .into_iter()
        .map(|session| {
            if session.waits {
                waited.insert(session.pid);
            }
            session.pid
        })
        .collect();
    let mut doubtful = None;
    for _ in 0..LOOKS {
        let sessions = sessions()?;
        // A session that has come since began its first transaction later.
        let is_doubtful = |session: &&Session| {
            session.hides
                || session.began.is_none()
                    && known.contains(&session.pid)
                    && !waited.contains(&session.pid)
        };
        doubtful = sessions.iter().find(is_doubtful).map(|session| (session.pid, session.hides));
        if doubtful.is_none() {
            return Ok(sessions.into_iter().filter_map(|session| session.began).collect());
        }
        if doubtful.is_some_and(|(_, hides)| hides) {
            break;
        }
        for session in &sessions {
            if session.waits {
                waited.insert(session.pid);
            }
            known.insert(session.pid);
        }
        interrupts::allow();
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let pid = doubtful.map_or(0, |(pid, _)| pid);
    let hides = doubtful.is_some_and(|(_, hides)| hides);
    let reason = if hides {
        "Its setting track_activities is off."
    } else {
        "It has neither begun a transaction nor waited for its client for seconds."
    };
    Err(Error::new(
        Kind::NotReady,
        format!("session {pid} does not show when its transaction began"),
    )
    .detail(format!("{reason} It could still add an event to the span that would be sealed."))
    .hint("Seal again later; track_activities must be on in every session of this database."))
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
