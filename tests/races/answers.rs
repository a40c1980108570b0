//! One question, answered by many connections at once: one answer counts, and callers that gave it get
//! the row.

use anyhow::Result;
use support::extension::{newest, walked_to};
use xtask::checks::cases;

use crate::CONNECTIONS;
use crate::meeting::{LEVELS, codes, meet, text};
use crate::run_calls::{ask, decide, start, state};

/// How often the calls of a test meet at each level.
fn rounds() -> usize {
    cases::number(6, 2)
}

/// The number of events about decisions of a run, and of lessons.
fn effects(thread: &str) -> String {
    format!(
        "SELECT count(*) || ' ' || (SELECT count(*) FROM orchestrator.knowledge_staging) FROM orchestrator.audit_events \
         WHERE metadata ->> 'thread_id' = '{thread}' AND event_type ~ '_(approved|denied|rejected)$'"
    )
}

/// Every caller is the same person and makes the same decision.
#[test]
fn the_same_answer_of_many_is_made_once_and_given_to_all() -> Result<()> {
    let database = walked_to("answers_same", newest()?)?;
    let mut client = database.client()?;
    let mut lessons = 0;
    for level in LEVELS {
        for kind in ["gate", "review", "approval"] {
            for round in 0..rounds() {
                let thread = format!("{level} {kind} {round}");
                let approves = round % 2 == 0;
                start(&mut client, &thread)?;
                let id = text(&mut client, &ask(kind, &thread, "may I?"))?;
                let calls: Vec<String> = (0..CONNECTIONS)
                    .map(|caller| decide(kind, &id, approves, caller % 2 == 0))
                    .collect();
                let answers = meet(&database, level, &calls)?;
                assert_eq!(codes(&answers), [""; 0], "{thread}");
                lessons += usize::from(kind == "gate");
                assert_eq!(text(&mut client, &effects(&thread))?, format!("1 {lessons}"));
                let expected = match (kind, approves) {
                    ("gate", true) => "go false",
                    ("gate", false) => "recycle false",
                    ("review", false) => "kill true",
                    _ => "pending false",
                };
                assert_eq!(state(&mut client, &thread)?, expected, "{thread}");
            }
        }
    }
    Ok(())
}

/// Four persons make two decisions: the callers with the first decision of the first person get its row.
#[test]
fn of_many_answers_one_counts_and_only_its_person_may_repeat_it() -> Result<()> {
    let database = walked_to("answers_other", newest()?)?;
    let mut client = database.client()?;
    for level in LEVELS {
        for kind in ["gate", "review", "approval"] {
            for round in 0..rounds() {
                let thread = format!("{level} {kind} {round}");
                start(&mut client, &thread)?;
                let id = text(&mut client, &ask(kind, &thread, "may I?"))?;
                let answer = |caller: usize| (["approve", "deny"][caller / 4 % 2], caller % 4);
                let calls: Vec<String> = (0..CONNECTIONS)
                    .map(|caller| {
                        let (word, person) = answer(caller);
                        format!(
                            "SELECT status FROM orchestrator.decide('{id}', '{word}', 'person {person}', 'so', 'boss')"
                        )
                    })
                    .collect();
                let answers = meet(&database, level, &calls)?;
                let given: Vec<_> = (0..CONNECTIONS)
                    .filter(|caller| answers[*caller].is_ok())
                    .map(answer)
                    .collect();
                let same = (0..CONNECTIONS).filter(|caller| answer(*caller) == given[0]).count();
                assert_eq!(given, vec![given[0]; same], "{thread}");
                let refused = vec!["55000"; CONNECTIONS - same];
                assert_eq!(codes(&answers), refused, "{thread}");
                let (word, person) = given[0];
                let status = if word == "approve" { "approved" } else { "rejected" };
                let found = text(
                    &mut client,
                    &format!(
                        "SELECT status || ' ' || decided_by FROM orchestrator.decision('{id}')"
                    ),
                )?;
                assert_eq!(found, format!("{status} person {person}"), "{thread}");
                assert!(text(&mut client, &effects(&thread))?.starts_with("1 "), "{thread}");
            }
        }
    }
    Ok(())
}

/// Lists of reviews that overlap, repeated by everybody: each review is resolved by one call, and every
/// call of the person says so.
#[test]
fn overlapping_lists_are_resolved_once_and_answered_alike() -> Result<()> {
    const REVIEWS: usize = 12;
    let database = walked_to("answers_lists", newest()?)?;
    let mut client = database.client()?;
    for level in LEVELS {
        for round in 0..rounds() {
            let mut ids = Vec::new();
            for review in 0..REVIEWS {
                let thread = format!("{level} {round} {}", review % 3);
                if review < 3 {
                    start(&mut client, &thread)?;
                }
                ids.push(text(&mut client, &ask("review", &thread, "may I?"))?);
            }
            let calls: Vec<String> = (0..CONNECTIONS)
                .map(|caller| {
                    ids.rotate_left(caller % 5);
                    format!(
                        "SELECT string_agg(DISTINCT outcome, ' ') FROM orchestrator.resolve_reviews('{{{}}}', 'approved', 'ada')",
                        ids[..REVIEWS - caller % 4].join(",")
                    )
                })
                .collect();
            for outcome in meet(&database, level, &calls)? {
                assert_eq!(outcome?, "resolved", "{level} {round}");
            }
            let events = format!(
                "SELECT count(*)::text FROM orchestrator.audit_events WHERE event_type = 'review_approved' AND metadata ->> 'thread_id' LIKE '{level} {round} %'"
            );
            let resolved = format!(
                "SELECT count(*)::text FROM orchestrator.human_review_queue WHERE status = 'approved' AND thread_id LIKE '{level} {round} %'"
            );
            assert_eq!(text(&mut client, &events)?, text(&mut client, &resolved)?);
        }
    }
    Ok(())
}
