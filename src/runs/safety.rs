//! Safety scores: the lowest one stays with the run, and a low one asks a human.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, JsonB};
use serde_json::{Value, json};

use super::arguments::{score, texts};
use super::{Row, Run};
use crate::document::Document;
use crate::error::{Error, Kind};
use crate::reviews::{self, Request};
use crate::{configuration, plans, rows, text};

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
    /// The verdict about a score that `is_below` compares with a threshold.
    fn of(
        block: f64,
        review: f64,
        is_below: impl Fn(f64) -> Result<bool, Error>,
    ) -> Result<Self, Error> {
        Ok(if is_below(block)? {
            Verdict::Block(block)
        } else if is_below(review)? {
            Verdict::Review(review)
        } else {
            Verdict::Fine
        })
    }
}

/// Whether a score is below a threshold, to the last digit it was given with.
fn is_below(score: &AnyNumeric, threshold: f64) -> Result<bool, Error> {
    let decimal = threshold.to_string();
    let threshold = AnyNumeric::try_from(decimal.as_str())
        .map_err(|error| Error::new(Kind::Internal, format!("no number {decimal}: {error}")))?;
    Ok(*score < threshold)
}

/// Takes a safety score of a run and what was found, and records `safety_recorded`. Below
/// configuration safety_block_below (0.70) the run is held, below safety_review_below (0.85) it
/// goes on; both ask for a safety review, unless one is pending, which then gets the lower score
/// and, where this function asked for it, its reason and what was found.
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
    let verdict =
        Verdict::of(BLOCK.value()?, REVIEW.value()?, |threshold| is_below(&score, threshold))?;
    let arguments = [
        run.id.into(),
        score.clone().into(),
        violations.clone().into(),
        (verdict != Verdict::Fine).into(),
        matches!(verdict, Verdict::Block(_)).into(),
    ];
    let scored = plans::update(SCORE, &arguments, |rows| {
        rows::first(rows, |row| {
            let run = rows::value::<Row>(row, 1, "orchestrator_runs.id")?;
            Ok((run, rows::value::<Document>(row, 2, "orchestrator_runs.id")?))
        })
    })?;
    let (row, told) = scored.ok_or_else(|| run.not_written())?;
    run.record_as(crate::audit::SYSTEM, "safety_recorded", told)?;
    if let Verdict::Review(threshold) | Verdict::Block(threshold) = verdict {
        let reason =
            format!("{REASON}{} is below {threshold}", text::shortened(&score.to_string()));
        let context =
            Document::composed(json!({ "violations": violations, "threshold": threshold }));
        if !known_to_pending_review(&run, &score, &reason, &context)? {
            let safety_score = Some(score);
            reviews::ask(
                &run,
                Request { review_type: "safety", reason: &reason, safety_score, context },
            )?;
        }
    }
    Ok(row)
}

/// How the reason of every review begins that `record_safety` asks for.
const REASON: &str = "safety score ";

/// Whether the run has a pending safety review; its score then is the lowest since it was asked
/// for. Where `record_safety` asked for it, its reason and threshold are those of that score, and it
/// knows of all violations; what somebody else wrote stays.
fn known_to_pending_review(
    run: &Run,
    score: &AnyNumeric,
    reason: &str,
    context: &Document,
) -> Result<bool, Error> {
    const LOWER: &str = "WITH s AS MATERIALIZED ( \
             SELECT o.id, trunc($2, 2) AS score, trunc($2, 2) < o.safety_score AS lower, \
                    starts_with(o.reason, $5) AND o.context ? 'threshold' AND jsonb_typeof(o.context -> 'violations') = 'array' AS ours \
             FROM orchestrator.human_review_queue AS o \
             WHERE o.thread_id = $1 AND o.status IS NOT DISTINCT FROM 'pending' AND o.review_type = 'safety' \
             ORDER BY o.created_at, o.id LIMIT 1 \
         ), lowered AS ( \
             UPDATE orchestrator.human_review_queue AS q \
             SET safety_score = least(q.safety_score, s.score), \
                 reason = CASE WHEN s.ours AND s.lower THEN $3 ELSE q.reason END, \
                 context = CASE WHEN s.ours \
                     THEN q.context || CASE WHEN s.lower THEN $4 ELSE '{}' END \
                          || jsonb_build_object('violations', (q.context -> 'violations') || ($4 -> 'violations')) \
                     ELSE q.context END \
             FROM s WHERE q.id = s.id AND q.status IS NOT DISTINCT FROM 'pending' RETURNING q.id \
         ) \
         SELECT EXISTS (SELECT FROM lowered) FROM s";
    let arguments = [
        run.thread_id.as_str().into(),
        score.clone().into(),
        reason.into(),
        context.clone().into(),
        REASON.into(),
    ];
    match plans::update(LOWER, &arguments, plans::one::<bool>)? {
        Some(false) => Err(Error::no_row(
            format!("the safety review of thread \"{}\" could not be changed", run.thread_id),
            "human_review_queue",
        )),
        lowered => Ok(lowered.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn verdict(score: f64, block: f64, review: f64) -> Verdict {
        Verdict::of(block, review, |threshold| Ok(score < threshold)).expect("a verdict")
    }

    #[test]
    fn the_threshold_itself_is_good_enough() {
        assert_eq!(verdict(0.69, 0.70, 0.85), Verdict::Block(0.70));
        assert_eq!(verdict(0.70, 0.70, 0.85), Verdict::Review(0.85));
        assert_eq!(verdict(0.84, 0.70, 0.85), Verdict::Review(0.85));
        assert_eq!(verdict(0.85, 0.70, 0.85), Verdict::Fine);
        // The block counts, also where somebody set it above the review.
        assert_eq!(verdict(0.80, 0.90, 0.50), Verdict::Block(0.90));
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
            let rank = |score| match verdict(score, block, review) {
                Verdict::Block(_) => 0,
                Verdict::Review(_) => 1,
                Verdict::Fine => 2,
            };
            prop_assert!(rank(a.min(b)) <= rank(a.max(b)));
        }
    }
}
