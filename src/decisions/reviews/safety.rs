//! Safety scores: a run keeps its lowest score, and a low score requests a review.

use const_format::concatcp;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};
use serde_json::{Value, json};

use super::Request;
use crate::configuration;
use crate::runs::amounts::{score, texts};
use crate::runs::{Row, Run, waiting};
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, numbers, relations, rows, statements};

/// A threshold in configurations. Source: the thresholds of WAVE's safety scorer.
struct Threshold {
    key: &'static str,
    default: f64,
}

/// A run with a score below this is put on hold.
const BLOCK: Threshold = Threshold { key: "safety_block_below", default: 0.70 };
/// A run with a score below this is reviewed, and continues.
const REVIEW: Threshold = Threshold { key: "safety_review_below", default: 0.85 };

impl Threshold {
    /// The configured score, or the default if it is not set.
    ///
    /// Errors: 22023 the configuration is not a score.
    fn set(&self) -> Result<Limit, Error> {
        let Some(number) = configuration::number(self.key)? else {
            return Ok(Limit { score: self.default, is_secret: false });
        };
        let score = number.value.filter(|score| (0.0..=1.0).contains(score));
        let score = score.ok_or_else(|| self.no_score())?;
        Ok(Limit { score, is_secret: number.is_secret })
    }

    fn no_score(&self) -> Error {
        let Threshold { key, default } = self;
        Error::new(
            Kind::InvalidValue,
            format!("configuration \"{key}\" is not a number from 0 to 1"),
        )
        .hint(format!(
            "For example: SELECT orchestrator.set_configuration('{key}', '{default}', 'float');"
        ))
    }
}

/// The value of a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit {
    score: f64,
    is_secret: bool,
}

impl Limit {
    /// The words for messages, which every reader sees.
    fn in_words(self) -> String {
        if self.is_secret { "the configured threshold".to_owned() } else { self.score.to_string() }
    }

    /// The value in the context of a review; null if it is a secret.
    fn in_context(self) -> Value {
        if self.is_secret { Value::Null } else { json!(self.score) }
    }
}

/// The consequence of a score for its run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Fine,
    /// A review is requested; the run continues.
    Review(Limit),
    /// A review is requested; the run is on hold until it is approved.
    Block(Limit),
}

impl Verdict {
    /// The verdict on a score; `is_below` compares it with a threshold.
    fn of(
        block: Limit,
        review: Limit,
        is_below: impl Fn(f64) -> Result<bool, Error>,
    ) -> Result<Self, Error> {
        Ok(if is_below(block.score)? {
            Verdict::Block(block)
        } else if is_below(review.score)? {
            Verdict::Review(review)
        } else {
            Verdict::Fine
        })
    }
}

/// Whether a score is below a threshold, compared exactly.
fn is_below(score: &AnyNumeric, threshold: f64) -> Result<bool, Error> {
    Ok(*score < numbers::decimal(threshold)?)
}

/// Records a safety score and violations of a run, and the event `safety_recorded`. A score below
/// configuration safety_block_below (0.70) puts the run on hold; with a score below
/// safety_review_below (0.85) the run continues. Both request a safety review. If one is pending
/// already, it gets the lower score, and a review that this function requested also gets the new
/// reason and the violations.
///
/// `score`: from 0 (unsafe) to 1 (safe); `violations`: added to those of the run. Returns: the row,
/// with the lowest score so far, rounded down to two decimals.
/// Errors: 22004, 22023 a score or a configuration that is not between 0 and 1, P0002 unknown
/// thread, 55000 the run has ended. Since 0.5.0; replaced in 0.7.0. Source: the thresholds of WAVE's safety scorer; a
/// run's score is the lowest.
#[pg_extern(sql = false, volatile)]
fn record_safety(
    thread_id: Option<&str>,
    score: Option<AnyNumeric>,
    violations: default!(Option<Vec<Option<String>>>, "'{}'"),
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    static SCORE: Statement = Statement::new(concatcp!(SCORED, "'hold'", SCORED_BY));
    Ok(record(&SCORE, thread_id, score, violations)?)
}

/// Records a safety score and violations of a run, and the event `safety_recorded`. A score below
/// configuration safety_block_below (0.70) puts the run on hold; with a score below
/// safety_review_below (0.85) the run continues. Both request a safety review. If one is pending
/// already, it gets the lower score, and a review that this function requested also gets the new
/// reason and the violations. A run with gate_status recycle that waits for another question keeps
/// this gate_status, and waits for both.
///
/// `score`: from 0 (unsafe) to 1 (safe); `violations`: added to those of the run. Returns: the row,
/// with the lowest score so far, rounded down to two decimals.
/// Errors: 22004, 22023 a score or a configuration that is not between 0 and 1, P0002 unknown
/// thread, 55000 the run has ended. Since 0.7.0. Source: the thresholds of WAVE's safety scorer; a
/// run's score is the lowest.
#[pg_extern(sql = false, volatile)]
fn record_safety_0_7_0(
    thread_id: Option<&str>,
    score: Option<AnyNumeric>,
    violations: default!(Option<Vec<Option<String>>>, "'{}'"),
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    Ok(record(&HOLDING, thread_id, score, violations)?)
}

/// The form of `record_safety` for a float, which is taken as the shortest decimal that reads back the
/// same.
///
/// `score`: from 0 (unsafe) to 1 (safe); `violations`: added to those of the run. Returns: the row,
/// with the lowest score so far, rounded down to two decimals.
/// Errors: 22004, 22023 a score or a configuration that is not between 0 and 1, P0002 unknown
/// thread, 55000 the run has ended. Since 0.7.3.
#[pg_extern(sql = false, volatile)]
fn record_safety_0_7_3_float(
    thread_id: Option<&str>,
    score: Option<f64>,
    violations: default!(Option<Vec<Option<String>>>, "'{}'"),
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    let score = score.map(numbers::decimal).transpose()?;
    Ok(record(&HOLDING, thread_id, score, violations)?)
}

/// The statement that adds a score and keeps the gate_status of a run that waits for another question.
static HOLDING: Statement = Statement::new(concatcp!(SCORED, waiting::HELD, SCORED_BY));

/// The statement that adds a score to run `r`, up to the gate_status of a run that it holds.
const SCORED: &str = "UPDATE orchestrator.orchestrator_runs AS r \
     SET safety_score = least(r.safety_score, trunc($2, 2)), violations = r.violations || $3, \
         requires_human_review = r.requires_human_review OR $4, gate_status = CASE WHEN $5 THEN ";

const SCORED_BY: &str = " ELSE r.gate_status END WHERE r.id = $1 \
     RETURNING r, jsonb_build_object('thread_id', r.thread_id, 'score', $2, 'lowest', r.safety_score, \
         'violations', to_jsonb($3), 'gate_status', r.gate_status)";

/// Records a score by the statement of a version.
fn record(
    statement: &'static Statement,
    thread_id: Option<&str>,
    score: Option<AnyNumeric>,
    violations: Option<Vec<Option<String>>>,
) -> Result<Row, Error> {
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let score = self::score("score", score)?;
    let violations = texts("violations", violations)?;
    let run = Run::lock_open(thread_id)?;
    let verdict =
        Verdict::of(BLOCK.set()?, REVIEW.set()?, |threshold| is_below(&score, threshold))?;
    let arguments = [
        run.id.into(),
        score.clone().into(),
        violations.clone().into(),
        (verdict != Verdict::Fine).into(),
        matches!(verdict, Verdict::Block(_)).into(),
    ];
    let scored = statement.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let run = rows::value::<Row>(row, 1, "orchestrator_runs.id")?;
            Ok((run, rows::value::<Document>(row, 2, "orchestrator_runs.id")?))
        })
    })?;
    let (row, metadata) = scored.ok_or_else(|| run.not_written())?;
    run.record_as(crate::audit::SYSTEM, "safety_recorded", metadata)?;
    if let Verdict::Review(limit) | Verdict::Block(limit) = verdict {
        let score_in_words = arguments::shortened(&score.to_string());
        let reason = format!("{REASON}{score_in_words} is below {}", limit.in_words());
        let context = Document::composed(
            json!({ "violations": violations, "threshold": limit.in_context() }),
        );
        if !known_to_pending_review(&run, &score, &reason, &context)? {
            let safety_score = Some(score);
            super::ask(
                &run,
                Request { review_type: "safety", reason: &reason, safety_score, context },
            )?;
        }
    }
    Ok(row)
}

/// The beginning of the reason of each review that `record_safety` requests.
const REASON: &str = "safety score ";

/// Updates the pending safety review of a run about which nobody has voted, and returns whether there is one: a vote is
/// about the score that the voter saw. Its score becomes
/// the lowest since the request. A review that `record_safety` requested also gets the reason and
/// threshold of that score, and all violations; the words of a review that somebody else requested
/// stay.
fn known_to_pending_review(
    run: &Run,
    score: &AnyNumeric,
    reason: &str,
    context: &Document,
) -> Result<bool, Error> {
    static LOWER: Statement = Statement::new(include_str!("lower_safety_review.sql"));
    let arguments = [
        run.thread_id.as_str().into(),
        score.clone().into(),
        reason.into(),
        context.clone().into(),
        REASON.into(),
        voted(run)?.into(),
    ];
    match LOWER.update(&arguments, statements::one::<bool>)? {
        Some(false) => Err(Error::no_row(
            format!("the safety review of thread \"{}\" could not be changed", run.thread_id),
            "human_review_queue",
        )),
        lowered => Ok(lowered.is_some()),
    }
}

/// The pending reviews of a run about which somebody has voted.
fn voted(run: &Run) -> Result<Vec<Uuid>, Error> {
    static VOTED: Statement = Statement::new(
        "SELECT q.id FROM orchestrator.human_review_queue AS q \
         WHERE q.thread_id = $1 AND q.status IS NOT DISTINCT FROM 'pending' \
           AND EXISTS (SELECT FROM orchestrator.decision_votes AS v WHERE v.decision_id = q.id)",
    );
    if relations::identifier_of(c"decision_votes") == pg_sys::InvalidOid {
        return Ok(Vec::new());
    }
    VOTED.update(&[run.thread_id.as_str().into()], statements::column::<Uuid>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limit(score: f64) -> Limit {
        Limit { score, is_secret: false }
    }

    fn verdict(score: f64, block: f64, review: f64) -> Verdict {
        let is_below = |threshold| Ok(score < threshold);
        Verdict::of(limit(block), limit(review), is_below).expect("a verdict")
    }

    #[test]
    fn the_threshold_itself_is_good_enough() {
        assert_eq!(verdict(0.69, 0.70, 0.85), Verdict::Block(limit(0.70)));
        assert_eq!(verdict(0.70, 0.70, 0.85), Verdict::Review(limit(0.85)));
        assert_eq!(verdict(0.84, 0.70, 0.85), Verdict::Review(limit(0.85)));
        assert_eq!(verdict(0.85, 0.70, 0.85), Verdict::Fine);
        // The block counts, also where somebody set it above the review.
        assert_eq!(verdict(0.80, 0.90, 0.50), Verdict::Block(limit(0.90)));
    }

    #[test]
    fn a_secret_threshold_is_not_shown() {
        assert_eq!(limit(0.7).in_words(), "0.7");
        assert_eq!(limit(0.7).in_context(), json!(0.7));
        let secret = Limit { is_secret: true, ..limit(0.7) };
        assert_eq!(secret.in_words(), "the configured threshold");
        assert_eq!(secret.in_context(), Value::Null);
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
