//! Safety scores: the lowest one stays with the run, and a low one asks a human.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, JsonB, Uuid};
use serde_json::{Value, json};

use super::arguments::{Score, score, texts};
use super::{Row, Run};
use crate::document::Document;
use crate::error::{Error, Kind};
use crate::reviews::{self, Request};
use crate::{configuration, plans, text};

/// A score that is set in configurations. Source: the thresholds of WAVE's safety scorer.
struct Threshold {
    key: &'static str,
    default: f64,
}

/// Below this a run is held.
const BLOCK: Threshold = Threshold { key: "safety_block_below", default: 0.70 };
/// Below this a run is reviewed, and goes on.
const REVIEW: Threshold = Threshold { key: "safety_review_below", default: 0.85 };

impl Threshold {
    /// The configured score.
    ///
    /// Errors: 22023 the configuration is no score.
    fn value(&self) -> Result<f64, Error> {
        match configuration::typed::<JsonB>(self.key)? {
            Some(value) => configured(&value.0).ok_or_else(|| self.no_score()),
            None => Ok(self.default),
        }
    }

    fn no_score(&self) -> Error {
        let Threshold { key, default } = self;
        Error::new(Kind::InvalidValue, format!("configuration \"{key}\" is not a score")).hint(
            format!("A number from 0 to 1, for example SELECT orchestrator.set_configuration('{key}', '{default}', 'float');"),
        )
    }
}

/// A configured value as a score: a number, or a text that is one.
fn configured(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| (0.0..=1.0).contains(number))
}

/// What a score means for its run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Fine,
    /// A human looks, and the run goes on.
    Review(f64),
    /// The run is held until a human has looked.
    Block(f64),
}

impl Verdict {
    fn of(score: f64, block: f64, review: f64) -> Self {
        if score < block {
            Verdict::Block(block)
        } else if score < review {
            Verdict::Review(review)
        } else {
            Verdict::Fine
        }
    }
}

/// Takes a safety score of a run and what was found, and records `safety_recorded`. Below
/// configuration safety_block_below (0.70) the run is held, below safety_review_below (0.85) it
/// goes on; both ask for a safety review, unless one is pending, which then gets the lower score.
///
/// `score`: from 0, unsafe, to 1, safe; `violations`: added to those of the run. Returns: the row,
/// with the lowest score seen, rounded down to two decimals.
/// Errors: 22004, 22023 no score, or a configuration that is none, P0002 unknown thread, 55000 the
/// run has ended. Since 0.5.0. Source: the thresholds of WAVE's safety scorer; a run's score is the
/// lowest.
#[pg_extern(sql = false, volatile)]
fn record_safety(
    thread_id: Option<&str>,
    score: Option<AnyNumeric>,
    violations: default!(Option<Vec<Option<String>>>, "'{}'"),
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    const SCORE: &str = "UPDATE orchestrator.orchestrator_runs AS r \
         SET safety_score = least(r.safety_score, trunc($2, 2)), violations = r.violations || $3, \
             requires_human_review = r.requires_human_review OR $4, \
             gate_status = CASE WHEN $5 THEN 'hold' ELSE r.gate_status END \
         WHERE r.id = $1 \
         RETURNING r, jsonb_build_object('thread_id', r.thread_id, 'score', $2, 'lowest', r.safety_score, \
             'violations', to_jsonb($3), 'gate_status', r.gate_status)";
    let thread_id = text::filled("thread_id", thread_id)?;
    let score = self::score("score", score)?;
    let violations = texts("violations", violations)?;
    let run = Run::lock_open(thread_id)?;
    let verdict = Verdict::of(score.number, BLOCK.value()?, REVIEW.value()?);
    let arguments = [
        run.id.into(),
        score.exact.clone().into(),
        violations.clone().into(),
        (verdict != Verdict::Fine).into(),
        matches!(verdict, Verdict::Block(_)).into(),
    ];
    let scored = plans::update(SCORE, &arguments, plans::two::<Row, Document>)?;
    let Some((Some(row), Some(told))) = scored else {
        return Err(Error::new(Kind::Internal, "the locked run was not updated").into());
    };
    run.record_as(crate::audit::SYSTEM, "safety_recorded", told)?;
    if let Verdict::Review(threshold) | Verdict::Block(threshold) = verdict
        && !known_to_pending_review(&run, &score)?
    {
        let given = score.exact.to_string();
        reviews::ask(
            &run,
            Request {
                review_type: "safety",
                reason: &format!("safety score {} is below {threshold}", text::shortened(&given)),
                safety_score: Some(score.exact),
                context: Document::composed(
                    json!({ "violations": violations, "threshold": threshold }),
                ),
            },
        )?;
    }
    Ok(row)
}

/// Whether the run has a pending safety review; its score then is the lowest since it was asked
/// for.
fn known_to_pending_review(run: &Run, score: &Score) -> Result<bool, Error> {
    const LOWER: &str = "UPDATE orchestrator.human_review_queue AS q \
         SET safety_score = least(q.safety_score, trunc($2, 2)) \
         WHERE q.id = (SELECT o.id FROM orchestrator.human_review_queue AS o \
                       WHERE o.thread_id = $1 AND o.status = 'pending' AND o.review_type = 'safety' \
                       ORDER BY o.created_at, o.id LIMIT 1) \
           AND q.status = 'pending' \
         RETURNING q.id";
    let arguments = [run.thread_id.as_str().into(), score.exact.clone().into()];
    Ok(plans::update(LOWER, &arguments, plans::one::<Uuid>)?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_threshold_itself_is_good_enough() {
        assert_eq!(Verdict::of(0.69, 0.70, 0.85), Verdict::Block(0.70));
        assert_eq!(Verdict::of(0.70, 0.70, 0.85), Verdict::Review(0.85));
        assert_eq!(Verdict::of(0.84, 0.70, 0.85), Verdict::Review(0.85));
        assert_eq!(Verdict::of(0.85, 0.70, 0.85), Verdict::Fine);
        // The block counts, also where somebody set it above the review.
        assert_eq!(Verdict::of(0.80, 0.90, 0.50), Verdict::Block(0.90));
    }

    #[test]
    fn numbers_are_scores_however_they_were_set() {
        assert_eq!(configured(&json!(0.5)), Some(0.5));
        assert_eq!(configured(&json!(1)), Some(1.0));
        assert_eq!(configured(&json!(" 0.85 ")), Some(0.85));
        for none in [json!(1.01), json!(-0.1), json!("NaN"), json!("high"), json!(null), json!([0])]
        {
            assert_eq!(configured(&none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn a_lower_score_is_never_judged_better(a in 0.0..=1.0f64, b in 0.0..=1.0f64, block in 0.0..=1.0f64, review in 0.0..=1.0f64) {
            let rank = |score| match Verdict::of(score, block, review) {
                Verdict::Block(_) => 0,
                Verdict::Review(_) => 1,
                Verdict::Fine => 2,
            };
            prop_assert!(rank(a.min(b)) <= rank(a.max(b)));
        }
    }
}
