//! Announcements of questions that are asked or decided, on a channel to which listeners of the inbox listen.

use std::ffi::CStr;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid, heap_tuple::PgHeapTuple};

use crate::decisions::question::PENDING;
use crate::schema::lifecycle;
use crate::server::error::Error;
use crate::server::notifications;
use crate::server::transition_tables::Column;

/// AFTER INSERT or UPDATE statement trigger `announce_decisions(kind)`, with the transition tables
/// `added`, or `was` and `became`. Announces on channel orchestrator_decisions how many decisions
/// the statement requested or made. It announces nothing if there are none, if
/// `orchestrator_schema.notify` is off, in an extension script, or while a dump is restored. The
/// server delivers equal announcements of one transaction only once, so listeners cannot add up the
/// counts; they read `pending_decisions`.
///
/// Since 0.6.0; replaced in 0.7.3.
#[pg_trigger(sql = false)]
fn announce_decisions<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    announce(trigger, |kind, change, announced| {
        format!(r#"{{"kind":"{kind}","change":"{change}","count":{}}}"#, announced.count)
    })
}

/// AFTER INSERT or UPDATE statement trigger `announce_decisions(kind)`, with the transition tables
/// `added`, or `was` and `became`. Announces on channel orchestrator_decisions how many decisions
/// the statement requested or made, with their ids, as many as fit into the payload. A listener that
/// knows its ids looks when one of them is among these, or when count is greater than their number. It
/// announces nothing if there are none, if `orchestrator_schema.notify` is off, in an extension
/// script, or while a dump is restored.
///
/// Since 0.7.3.
#[pg_trigger(sql = false)]
fn announce_decisions_0_7_3<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    announce(trigger, |kind, change, announced| {
        let head = format!(r#"{{"kind":"{kind}","change":"{change}","count":{}"#, announced.count);
        with_ids(head, &announced.ids)
    })
}

/// The questions that a statement asked or decided.
#[derive(Default)]
struct Announced {
    count: usize,
    /// The ids of the first of them.
    ids: Vec<Uuid>,
}

impl Announced {
    fn add(&mut self, now: &Column<'_>) {
        self.count += 1;
        if self.ids.len() < MOST_IDS {
            self.ids.extend(now.id());
        }
    }
}

/// The greatest length of a payload, in bytes. NOTIFY refuses a longer one.
const LONGEST_PAYLOAD: usize = (pg_sys::BLCKSZ - pg_sys::NAMEDATALEN - 128 - 1) as usize;

/// No payload has room for as many ids.
const MOST_IDS: usize = LONGEST_PAYLOAD / 36;

/// A payload that begins with `head`, with as many ids as fit.
fn with_ids(head: String, ids: &[Uuid]) -> String {
    const END: &str = "]}";
    let mut payload = head + r#","ids":["#;
    for (place, id) in ids.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let id = format!(r#"{comma}"{id}""#);
        if payload.len() + id.len() + END.len() > LONGEST_PAYLOAD {
            break;
        }
        payload.push_str(&id);
    }
    payload + END
}

/// The body of the trigger. `compose` makes the payload of a kind, a change and the questions.
fn announce<'a>(
    trigger: &'a PgTrigger<'a>,
    compose: impl FnOnce(&str, &str, &Announced) -> String,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    const CHANNEL: &str = "orchestrator_decisions";
    let asked = trigger.event().fired_by_insert();
    let data = trigger.trigger_data();
    if data.tg_newtable.is_null() || (!asked && data.tg_oldtable.is_null()) {
        const RULE: &str = "it must be fired AFTER INSERT or AFTER UPDATE, FOR EACH STATEMENT, with transition tables";
        lifecycle::misused("announce_decisions", RULE);
    }
    if notifications::are_on() {
        let kind = trigger.extra_args()?.into_iter().next().unwrap_or_default();
        match announced(trigger, asked) {
            Ok(announced) if announced.count > 0 => {
                let change = if asked { "requested" } else { "decided" };
                notifications::send(CHANNEL, &compose(&kind, change, &announced));
            }
            Ok(_) => {}
            Err(error) => ErrorReport::from(error).report(PgLogLevel::ERROR),
        }
    }
    Ok(None)
}

/// The pending rows that the statement inserted, or the rows that it updated from pending to another
/// status.
fn announced(trigger: &PgTrigger<'_>, asked: bool) -> Result<Announced, Error> {
    const STATUS: &CStr = c"status";
    let mut now = Column::after(trigger, STATUS)?.with_id(trigger, c"id")?;
    let mut announced = Announced::default();
    if asked {
        while let Some(waits) = now.next(|status| status == PENDING) {
            if waits {
                announced.add(&now);
            }
        }
    } else {
        let mut was = Column::before(trigger, STATUS)?;
        while let (Some(waited), Some(is_decided)) =
            (was.next(|status| status == PENDING), now.next(|status| status != PENDING))
        {
            if waited && is_decided {
                announced.add(&now);
            }
        }
    }
    Ok(announced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_holds_as_many_ids_as_fit() {
        let ids: Vec<Uuid> = (0..MOST_IDS).map(|_| crate::server::ids::uuidv7()).collect();
        for count in [0, 1, 2, 100, MOST_IDS] {
            let payload = with_ids(r#"{"kind":"approval""#.to_owned(), &ids[..count]);
            let read: serde_json::Value = serde_json::from_str(&payload).expect("it is JSON");
            let held = read["ids"].as_array().expect("a list");
            let expected: Vec<String> = ids.iter().take(held.len()).map(Uuid::to_string).collect();
            assert_eq!(held, &expected);
            assert!(payload.len() <= LONGEST_PAYLOAD);
            assert!(held.len() == count || payload.len() + 39 > LONGEST_PAYLOAD, "{count}");
        }
    }
}
