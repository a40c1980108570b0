//! Collaboration: an agent asks another agent, a specialist. A collaboration may have several
//! requests and several answers, each in a row of its own.

use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::{self, Document};
use crate::server::statements::Statement;
use crate::server::{arguments, rows, statements};

/// The types of a request.
pub const REQUEST_TYPES: [&str; 6] = [
    "model_data",
    "security_review",
    "api_clarification",
    "bug_debugging",
    "requirements",
    "infrastructure",
];

pub const URGENCIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// The length of a question in characters.
const QUESTION_LENGTH: std::ops::RangeInclusive<usize> = 10..=2000;

/// Asks another agent.
///
/// `request_type`: model_data, security_review, api_clarification, bug_debugging, requirements or
/// infrastructure; `question`: 10 to 2000 characters; `context`: facts for the specialist, a JSON
/// object; `urgency`: low, medium, high or critical; `collaboration_id`: NULL begins a new
/// collaboration; an id adds a request to that collaboration, or begins one with this id.
/// Returns: the collaboration_id.
/// Errors: 22004, 22023 unknown type or urgency, blank or overlong name, a question that is too
/// short or too long, an agent that asks itself, or a context that is not an object. Since 0.2.1.
#[pg_extern(sql = false, volatile)]
fn request_collaboration(
    request_type: Option<&str>,
    requesting_agent: Option<&str>,
    specialist_agent: Option<&str>,
    question: Option<&str>,
    context: default!(Option<Document>, "'{}'"),
    urgency: default!(Option<&str>, "'medium'"),
    collaboration_id: default!(Option<Uuid>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    // The time of the clock, not of the transaction: a request after an answer is later than the
    // answer, also within one transaction.
    static INSERT: Statement = Statement::new(
        "INSERT INTO orchestrator.collaboration_requests (collaboration_id, request_type, \
             requesting_agent, specialist_agent, question, context, urgency, created_at) \
         VALUES (coalesce($1, orchestrator.uuidv7()), $2, $3, $4, $5, $6, $7, pg_catalog.clock_timestamp()) \
         RETURNING collaboration_id",
    );
    let request_type =
        arguments::one_of("request_type", required("request_type", request_type)?, &REQUEST_TYPES)?;
    let requesting_agent = arguments::name("requesting_agent", requesting_agent)?;
    let specialist_agent = arguments::name("specialist_agent", specialist_agent)?;
    if requesting_agent == specialist_agent {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("agent \"{requesting_agent}\" cannot ask itself"),
        )
        .hint("Name two different agents as requesting_agent and specialist_agent.")
        .into());
    }
    let question = arguments::filled("question", question)?;
    let length = question.chars().count();
    if !QUESTION_LENGTH.contains(&length) {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("argument \"question\" has {length} characters"),
        )
        .hint("A question has 10 to 2000 characters; longer texts belong in the context.")
        .into());
    }
    let context = jsonb::object_or_empty("context", context)?;
    let urgency = arguments::one_of("urgency", urgency.unwrap_or("medium"), &URGENCIES)?;
    let arguments = [
        collaboration_id.into(),
        request_type.into(),
        requesting_agent.into(),
        specialist_agent.into(),
        question.into(),
        context.into(),
        urgency.into(),
    ];
    let id = INSERT.update(&arguments, statements::one::<Uuid>)?;
    Ok(id.ok_or_else(|| {
        Error::no_row("the collaboration request could not be inserted", "collaboration_requests")
    })?)
}

/// Answers a collaboration.
///
/// `specialist_agent`: the agent that answers, not necessarily the one that was asked;
/// `confidence`: from 0 to 1; `tokens_used`: tokens used for the answer, NULL if unknown.
/// Returns: the id of the outcome.
/// Errors: 22004, 22023 blank text, overlong name, a confidence outside 0 to 1, negative tokens,
/// P0002 unknown collaboration. Since 0.2.1.
#[pg_extern(sql = false, volatile)]
fn answer_collaboration(
    collaboration_id: Option<Uuid>,
    specialist_agent: Option<&str>,
    response: Option<&str>,
    confidence: Option<f64>,
    tokens_used: default!(Option<i32>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    static ANSWER: Statement = Statement::new(
        "WITH asked AS ( \
             SELECT r.collaboration_id FROM orchestrator.collaboration_requests AS r \
             WHERE r.collaboration_id = $1 ORDER BY r.created_at, r.id LIMIT 1 FOR KEY SHARE \
         ), answered AS ( \
             INSERT INTO orchestrator.collaboration_outcomes (collaboration_id, specialist_agent, \
                 response, confidence, tokens_used, created_at) \
             SELECT asked.collaboration_id, $2, $3, $4, $5, pg_catalog.clock_timestamp() FROM asked RETURNING id \
         ) \
         SELECT answered.id FROM asked LEFT JOIN answered ON true",
    );
    let id = required("collaboration_id", collaboration_id)?;
    let specialist_agent = arguments::name("specialist_agent", specialist_agent)?;
    let response = arguments::filled("response", response)?;
    let confidence = required("confidence", confidence)?;
    if !(0.0..=1.0).contains(&confidence) {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("confidence {confidence} is not between 0 and 1"),
        )
        .into());
    }
    if let Some(tokens) = tokens_used.filter(|tokens| *tokens < 0) {
        return Err(Error::new(Kind::InvalidValue, format!("tokens_used {tokens} is negative"))
            .hint("Use NULL for an unknown number.")
            .into());
    }
    let arguments = [
        id.into(),
        specialist_agent.into(),
        response.into(),
        confidence.into(),
        tokens_used.into(),
    ];
    let outcome = ANSWER.update(&arguments, |rows| {
        rows::first(rows, |row| rows::optional::<Uuid>(row, 1, "collaboration_outcomes.id"))
    })?;
    let outcome = outcome.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("collaboration {id} does not exist"))
            .hint("orchestrator.request_collaboration begins a collaboration and returns its id.")
    })?;
    Ok(outcome.ok_or_else(|| {
        Error::no_row(format!("collaboration {id} could not be answered"), "collaboration_outcomes")
    })?)
}
