//! The versions of a prompt that are live under a label, read from the history of activations.
//!
//! The newest activation of a version says its weight: the percentage that it takes of those whom no newer version takes.
//! The oldest version takes the rest. A weight of 100 thus ends all earlier ones, and 0 takes a version out.

use std::ffi::CStr;

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use sha2::{Digest, Sha256};

use crate::agents::amounts::moment;
use crate::server::error::{Error, Kind, required};
use crate::server::rows::{self, Row};
use crate::server::snapshot;
use crate::server::statements::{self, Statement};
use crate::server::{arguments, latest, locks};

/// The label whose preferred version `prompts.is_active` marks.
pub const PRODUCTION: &str = "production";

/// All that ask.
const WHOLE: u128 = 1 << 64;

/// An activation: the version, `None` for none, and its weight in percent.
type Activation = (Option<Uuid>, i32);

/// A version that is live.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Share {
    /// `None`: those who ask find no version.
    prompt: Option<Uuid>,
    /// The part of all that ask, out of `WHOLE`.
    size: u128,
}

/// The activations under a label $2 of agent type $1 until $3, from the last one of weight 100 on, the newest first.
const ACTIVATIONS: &str = "SELECT a.prompt_id, a.weight FROM orchestrator.prompt_activations AS a \
    WHERE a.agent_type = $1 AND a.label = $2 AND a.activated_at <= $3 \
      AND a.activated_at >= coalesce((SELECT max(f.activated_at) FROM orchestrator.prompt_activations AS f \
          WHERE f.agent_type = $1 AND f.label = $2 AND f.activated_at <= $3 AND f.weight = 100), '-infinity') \
    ORDER BY a.activated_at DESC";

/// An activation in a row of `ACTIVATIONS`.
fn activation(row: &impl Row) -> Result<Activation, Error> {
    Ok((
        rows::optional(row, 1, "prompt_activations.prompt_id")?,
        rows::value(row, 2, "prompt_activations.weight")?,
    ))
}

/// The versions that are live, of those that activations leave, the newest first. The oldest one gets all that is left.
fn shares(activations: &[Activation]) -> Vec<Share> {
    let mut live: Vec<Share> = Vec::new();
    let mut seen: Vec<Option<Uuid>> = Vec::new();
    let mut left = WHOLE;
    for &(prompt, weight) in activations {
        if seen.contains(&prompt) {
            continue;
        }
        seen.push(prompt);
        let size = left * weight.clamp(0, 100).unsigned_abs() as u128 / 100;
        left -= size;
        if size > 0 {
            live.push(Share { prompt, size });
        }
        if weight >= 100 {
            break;
        }
    }
    if let Some(oldest) = live.last_mut() {
        oldest.size += left;
    }
    live
}

/// The version with the greatest share; of equal ones the newest.
fn preferred(shares: &[Share]) -> Option<Uuid> {
    // `max_by_key` returns the last of equal ones.
    shares.iter().rev().max_by_key(|share| share.size).and_then(|share| share.prompt)
}

/// The version at a place among all that ask. A version whose share grows keeps those that it had, as long as it is the
/// newest.
fn at_place(shares: &[Share], place: u64) -> Option<Uuid> {
    let mut end = 0;
    let found = shares.iter().find(|share| {
        end += share.size;
        u128::from(place) < end
    });
    found.and_then(|share| share.prompt)
}

/// The place of a key, the same for ever.
fn place(agent_type: &str, label: &str, key: &str) -> u64 {
    let mut hash = Sha256::new();
    for text in [agent_type, label, key] {
        // The length keeps the texts apart.
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().iter().take(8).fold(0, |place, byte| place << 8 | u64::from(*byte))
}

/// The version that callers without a key get now, also if another transaction activated it after the snapshot of
/// this one. `None`: none is live.
pub fn newest(agent_type: &str, label: &str) -> Result<Option<Uuid>, Error> {
    const NEWEST: &CStr = latest::statement(concatcp!(ACTIVATIONS, "\0"));
    let arguments =
        [agent_type.into(), label.into(), TimestampWithTimeZone::positive_infinity().into()];
    let activations = snapshot::newest(|| snapshot::each(NEWEST, &arguments, activation))?;
    Ok(preferred(&shares(&activations)))
}

/// The text of the prompt that was live at a time.
///
/// `label`: production, or a label that activations have used, such as staging or canary; `at`: NULL, or a time from the
/// beginning of the transaction on, means the newest state; `key`: NULL for the version with the greatest share, of equal
/// ones the newest. With a key of the caller's choice, such as a session, a split chooses by the key, and the same key
/// has the same version as long as the split is the same.
/// Errors: 22004, 22023 blank or overlong label, or an infinite time, P0002 no version was live. Since 0.9.1.
#[pg_extern(sql = false, stable)]
fn active_prompt_0_9_1(
    agent_type: Option<&str>,
    label: default!(Option<&str>, "'production'"),
    at: default!(Option<TimestampWithTimeZone>, "now()"),
    key: default!(Option<&str>, "NULL"),
) -> Result<String, ErrorReport> {
    static READ: Statement = Statement::new(ACTIVATIONS);
    static TEXT: Statement =
        Statement::new("SELECT p.prompt_text FROM orchestrator.prompts AS p WHERE p.id = $1");
    let agent_type = required("agent_type", agent_type)?;
    let label = arguments::name("label", Some(label.unwrap_or(PRODUCTION)))?;
    let at = moment("at", at)?;
    // An activation of this transaction is later than its beginning.
    let until =
        if at >= pgrx::datum::now() { TimestampWithTimeZone::positive_infinity() } else { at };
    locks::in_order(&[c"prompts"]);
    let activations = READ.select(&[agent_type.into(), label.into(), until.into()], |found| {
        rows::each(found, |row| activation(row))
    })?;
    let shares = shares(&activations);
    let prompt = match key {
        None => preferred(&shares),
        Some(key) => at_place(&shares, place(agent_type, label, key)),
    };
    let text = match prompt {
        None => None,
        Some(prompt) => TEXT.select(&[prompt.into()], statements::one::<String>)?,
    };
    Ok(text.ok_or_else(|| not_live(agent_type, label))?)
}

fn not_live(agent_type: &str, label: &str) -> Error {
    let message = match label {
        PRODUCTION => format!("agent type \"{agent_type}\" has no active prompt"),
        _ => format!("agent type \"{agent_type}\" has no active prompt under label \"{label}\""),
    };
    Error::new(Kind::NotFound, message)
        .detail("None was live at that time.")
        .hint("List published versions: SELECT * FROM orchestrator.prompt_history; activate one with orchestrator.activate_prompt.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: u8) -> Option<Uuid> {
        Some(Uuid::from_bytes([number; 16]))
    }

    fn parts(activations: &[Activation]) -> Vec<(Option<Uuid>, u128)> {
        shares(activations).iter().map(|share| (share.prompt, share.size * 100 / WHOLE)).collect()
    }

    #[test]
    fn the_rest_stays_with_those_before() {
        assert_eq!(parts(&[(id(1), 100)]), [(id(1), 100)]);
        assert_eq!(parts(&[(id(2), 25), (id(1), 100)]), [(id(2), 25), (id(1), 75)]);
        assert_eq!(
            parts(&[(id(3), 50), (id(2), 50), (id(1), 100)]),
            [(id(3), 50), (id(2), 25), (id(1), 25)]
        );
        assert_eq!(parts(&[(id(2), 0), (id(2), 25), (id(1), 100)]), [(id(1), 100)]);
        assert_eq!(parts(&[(id(2), 100), (id(1), 100)]), [(id(2), 100)]);
        assert_eq!(parts(&[(id(1), 10)]), [(id(1), 100)], "nothing was there before");
        assert_eq!(parts(&[(None, 100), (id(1), 100)]), [(None, 100)]);
        assert_eq!(parts(&[]), []);
    }

    #[test]
    fn without_a_key_the_greatest_share_wins_and_of_equal_ones_the_newest() {
        let preferred = |activations: &[Activation]| preferred(&shares(activations));
        assert_eq!(preferred(&[(id(2), 25), (id(1), 100)]), id(1));
        assert_eq!(preferred(&[(id(2), 50), (id(1), 100)]), id(2));
        assert_eq!(preferred(&[(None, 100)]), None);
        assert_eq!(preferred(&[]), None);
    }

    #[test]
    fn a_growing_share_keeps_its_keys() {
        let split = |weight| shares(&[(id(2), weight), (id(1), 100)]);
        let (tenth, half) = (split(10), split(50));
        let mut moved = 0;
        for number in 0..1_000 {
            let place = place("coder", "production", &format!("session {number}"));
            if at_place(&tenth, place) == id(2) {
                assert_eq!(at_place(&half, place), id(2));
                moved += 1;
            }
        }
        assert!((60..140).contains(&moved), "{moved} of 1000");
    }

    proptest! {
        #[test]
        fn shares_add_up_to_the_whole(activations in prop::collection::vec((0u8..5, 0i32..=100), 0..20)) {
            let activations: Vec<_> = activations.into_iter().map(|(number, weight)| (id(number), weight)).collect();
            let shares = shares(&activations);
            let sum: u128 = shares.iter().map(|share| share.size).sum();
            prop_assert!(shares.is_empty() || sum == WHOLE);
            for place in [0, u64::MAX / 3, u64::MAX] {
                prop_assert_eq!(at_place(&shares, place).is_some(), !shares.is_empty());
            }
        }
    }
}
