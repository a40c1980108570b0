//! The terms of new questions, written by a trigger in the statement that asks them.

use std::ffi::CStr;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use crate::audit::identity::{Identity, PERSON};
use crate::decisions::question::PENDING;
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};
use crate::server::transition_tables::Column;
use crate::server::{backend_state, latest, relations, triggers};

/// AFTER INSERT statement trigger `write_terms(kind)` of a table of questions, with the transition table
/// `added`: writes the terms of each pending question that a rule applies to. Without a rule of the kind it
/// writes nothing. It does nothing in an extension script, or while a dump is restored.
///
/// Errors: 40001 the rules were changed after the snapshot of the transaction. Since 0.8.0.
#[pg_trigger(sql = false)]
fn write_terms<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    const RULE: &str = "it must be fired AFTER INSERT, FOR EACH STATEMENT, with a transition table, and the kind as its argument";
    if triggers::takes_history(trigger) {
        return Ok(None);
    }
    let kind = trigger.extra_args()?.into_iter().next().unwrap_or_default();
    let Some(write) = statement(&kind) else { lifecycle::misused("write_terms", RULE) };
    if trigger.trigger_data().tg_newtable.is_null() {
        lifecycle::misused("write_terms", RULE);
    }
    // Most databases have no rules.
    if relations::has_no_blocks(c"decision_rules") {
        return Ok(None);
    }
    triggers::by_key(trigger, || {
        let ids = pending(trigger)?;
        if ids.is_empty() {
            return Ok(());
        }
        refuse_unseen_rules(&kind)?;
        let arguments = Identity::of_the_caller().before([ids.into()]);
        write.update(&arguments, |_| Ok(()))
    });
    Ok(None)
}

/// Refuses a question in a transaction that keeps a snapshot from before a change of the rules of its kind: whoever asks
/// could otherwise keep out of a rule.
///
/// Errors: 40001.
fn refuse_unseen_rules(kind: &str) -> Result<(), Error> {
    const RULES: &str = "SELECT string_agg(n::text, '' ORDER BY n.type) FROM orchestrator.decision_rules AS n WHERE n.kind = $1";
    static SEEN: Statement = Statement::new(RULES);
    const NEWEST: &CStr = latest::statement(concatcp!(RULES, "\0"));
    if !backend_state::keeps_its_snapshot() {
        return Ok(());
    }
    let seen = SEEN.update(&[kind.into()], statements::one::<String>)?;
    if seen == latest::value::<String>(NEWEST, &[kind.into()])? {
        return Ok(());
    }
    Err(Error::new(Kind::Serialization, format!("the rules for {kind}s were changed meanwhile"))
        .detail("The snapshot of this transaction has older ones.")
        .hint("Roll back and try again."))
}

/// The pending questions that the statement added.
fn pending(trigger: &PgTrigger<'_>) -> Result<Vec<Uuid>, Error> {
    const STATUS: &CStr = c"status";
    let mut added = Column::after(trigger, STATUS)?.with_id(trigger, c"id")?;
    let mut ids = Vec::new();
    while let Some(waits) = added.next(|status| status == PENDING) {
        if waits {
            ids.extend(added.id());
        }
    }
    Ok(ids)
}

/// The statement that writes the terms of questions `$questions` with the ids $3. The rule for the type of a
/// question comes before the rule for every type.
macro_rules! written {
    ($kind:literal, $table:literal, $subtype:literal) => {{
        static WRITE: Statement = Statement::new(concatcp!(
            "INSERT INTO orchestrator.decision_terms (decision_id, kind, due_at, on_timeout, escalate_to, approvals_needed, \
                 rejections_needed, requester_may_decide, requested_as, assigned_to) \
             SELECT q.id, r.kind, q.created_at + r.respond_within, r.on_timeout, r.escalate_to, r.approvals_needed, \
                 r.rejections_needed, r.requester_may_decide, p.person, r.assigned_to \
             FROM orchestrator.", $table, " AS q, \
                  LATERAL (SELECT n.* FROM orchestrator.decision_rules AS n \
                           WHERE n.kind = '", $kind, "' AND (n.type = q.", $subtype, " OR n.type IS NULL) \
                           ORDER BY n.type IS NULL LIMIT 1) AS r, \
                  (SELECT ", PERSON, " AS person) AS p \
             WHERE q.id = ANY ($3)"
        ));
        &WRITE
    }};
}

fn statement(kind: &str) -> Option<&'static Statement> {
    match kind {
        "review" => Some(written!("review", "human_review_queue", "review_type")),
        "gate" => Some(written!("gate", "gates", "gate_type")),
        "approval" => Some(written!("approval", "approvals", "approver_role")),
        _ => None,
    }
}
