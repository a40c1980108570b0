//! The course of a run, read for its picture.

use super::axis::Axis;
use super::timeline::{Calls, Change, History, Question, Tokens};
use crate::database::{Database, array, maybe_number, number, optional, text};
use crate::failure::Failure;

/// An event of the trail.
pub struct Event {
    pub id: String,
    name: String,
    /// In milliseconds since 1970; none before or after all time.
    at: Option<i64>,
    phase: Option<String>,
}

pub struct Course {
    /// The whole trail, the oldest first.
    pub events: Vec<Event>,
    /// None if nothing has a time.
    pub history: Option<History>,
}

impl Course {
    /// `end`: the last phase of a run that has ended.
    pub async fn read(
        database: &Database,
        thread: &str,
        end: Option<Change>,
    ) -> Result<Course, Failure> {
        const MOMENTS: &str = include_str!("run_moments.sql");
        let events = trail(database, thread).await?;
        let mut moments = database.lines(MOMENTS, &[Some(thread)], |row| number(row, "at")).await?;
        moments.extend(events.iter().filter_map(|event| event.at));
        let Some(axis) = Axis::of(moments) else {
            return Ok(Course { events, history: None });
        };
        let begins = array(axis.begins());
        let mut counts = vec![0; axis.cells()];
        for at in events.iter().filter_map(|event| event.at) {
            if let Some(count) = counts.get_mut(axis.cell(at)) {
                *count += 1;
            }
        }
        let history = History {
            times: times(database, &axis).await?,
            has_ended: end.is_some(),
            phases: phases(&events, end),
            pauses: pauses(&events),
            questions: questions(database, thread).await?,
            tools: tools(database, thread, &begins).await?,
            models: models(database, thread, &begins).await?,
            events: counts,
            axis,
        };
        Ok(Course { events, history: Some(history) })
    }
}

async fn trail(database: &Database, thread: &str) -> Result<Vec<Event>, Failure> {
    const TRAIL: &str = include_str!("run_trail.sql");
    database
        .lines(TRAIL, &[Some(thread)], |row| Event {
            id: text(row, "id"),
            name: text(row, "event_type"),
            at: maybe_number(row, "at"),
            phase: optional(row, "phase"),
        })
        .await
}

/// The time of each cell, and of the last moment.
async fn times(database: &Database, axis: &Axis) -> Result<Vec<String>, Failure> {
    const TIMES: &str = include_str!("run_times.sql");
    let moments = array(axis.begins().chain([axis.last()]));
    database.lines(TIMES, &[Some(&moments)], |row| text(row, "at")).await
}

/// The phases that the trail tells of, and the last one, which an answer may have begun. A phase that is reported again has not
/// begun again.
fn phases(events: &[Event], end: Option<Change>) -> Vec<Change> {
    let mut phases: Vec<Change> = Vec::new();
    for event in events {
        let name = match event.name.as_str() {
            "run_started" => Some("planning"),
            "run_killed" => Some("failed"),
            _ => event.phase.as_deref(),
        };
        if let (Some(at), Some(name)) = (event.at, name)
            && phases.last().is_none_or(|phase| phase.name != name)
        {
            phases.push(Change { at, name: name.to_owned() });
        }
    }
    phases.extend(end.filter(|end| phases.last().is_none_or(|phase| phase.name != end.name)));
    phases
}

fn pauses(events: &[Event]) -> Vec<Change> {
    let pause = |event: &Event| {
        let name = event.name.strip_prefix("run_")?;
        let is_pause = ["paused", "resumed"].contains(&name);
        Some(Change { at: event.at?, name: name.to_owned() }).filter(|_| is_pause)
    };
    events.iter().filter_map(pause).collect()
}

async fn questions(database: &Database, thread: &str) -> Result<Vec<Question>, Failure> {
    const QUESTIONS: &str = include_str!("run_question_times.sql");
    database
        .lines(QUESTIONS, &[Some(thread)], |row| Question {
            kind: text(row, "kind"),
            status: text(row, "status"),
            decided_by: optional(row, "decided_by"),
            asked_at: number(row, "asked_at"),
            decided_at: maybe_number(row, "decided_at"),
        })
        .await
}

async fn tools(database: &Database, thread: &str, begins: &str) -> Result<Vec<Calls>, Failure> {
    const TOOLS: &str = include_str!("run_tool_cells.sql");
    let cell = |number: i64| usize::try_from(number).unwrap_or_default();
    database
        .lines(TOOLS, &[Some(thread), Some(begins)], |row| Calls {
            place: number(row, "place"),
            name: optional(row, "name"),
            began: cell(number(row, "began")),
            ended: maybe_number(row, "ended").map(cell),
            calls: number(row, "calls"),
            failed: number(row, "failed"),
        })
        .await
}

async fn models(database: &Database, thread: &str, begins: &str) -> Result<Vec<Tokens>, Failure> {
    const MODELS: &str = include_str!("run_model_cells.sql");
    database
        .lines(MODELS, &[Some(thread), Some(begins)], |row| Tokens {
            place: number(row, "place"),
            name: optional(row, "name"),
            cell: usize::try_from(number(row, "cell")).unwrap_or_default(),
            calls: number(row, "calls"),
            tokens: number(row, "tokens"),
        })
        .await
}
