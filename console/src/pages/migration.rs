//! The migration of a code base by the method V7: its phases, the signatures that are missing, the tasks that can
//! begin, and the files of each layer.

use askama::Template;
use axum::response::Response;
use tokio_postgres::Row;

use super::section::Section;
use super::{Frame, rendered};
use crate::app::Visitor;
use crate::database::{optional, text};
use crate::failure::Failure;

struct Phase {
    number: String,
    name: String,
    status: String,
    approval: Option<String>,
    lead: String,
    tasks: String,
    completed: String,
    blocked: String,
    percent: Option<String>,
    failures: String,
    impacts: String,
    risk: Option<String>,
    days: Option<String>,
    /// The signatures that nobody has given, each with its stage.
    missing: Vec<String>,
}

struct Signature {
    phase: String,
    stage: String,
    item: String,
    signed_by: String,
    signed_at: String,
    notes: Option<String>,
}

struct Task {
    phase: String,
    number: String,
    name: String,
    persona: String,
    tracker: Option<String>,
}

/// The files of a layer, counted by their state in the order of `STATES`.
struct Layer {
    number: String,
    name: String,
    files: String,
    states: [String; 8],
    impact: Option<String>,
    urgent: String,
    names: String,
    risk: Option<String>,
}

/// The columns of the view, one for each state of a file.
const STATES: [&str; 8] = [
    "pending_assessment",
    "assessed",
    "designed",
    "approved",
    "implementing",
    "testing",
    "migrated",
    "retired",
];

/// The tasks and signatures that are shown, as in the statements.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "migration.html")]
struct Page<'a> {
    frame: Frame<'a>,
    phases: Section<Phase>,
    signatures: Section<Signature>,
    tasks: Section<Task>,
    layers: Section<Layer>,
}

pub async fn page(Visitor(session): Visitor) -> Result<Response, Failure> {
    const PHASES: &str = include_str!("migration_phases.sql");
    const SIGNATURES: &str = include_str!("migration_signatures.sql");
    const TASKS: &str = include_str!("migration_tasks.sql");
    const LAYERS: &str = include_str!("migration_layers.sql");
    let database = &session.database;
    let page = Page {
        frame: Frame::of(&session, "/migration"),
        phases: Section::read(database, PHASES, &[], phase).await?,
        signatures: Section::read(database, SIGNATURES, &[], signature).await?,
        tasks: Section::read(database, TASKS, &[], task).await?,
        layers: Section::read(database, LAYERS, &[], layer).await?,
    };
    rendered(&page)
}

fn phase(row: &Row) -> Phase {
    Phase {
        number: text(row, "phase_number"),
        name: text(row, "phase_name"),
        status: text(row, "status"),
        approval: optional(row, "approval_status"),
        lead: text(row, "lead_persona"),
        tasks: text(row, "total_tasks"),
        completed: text(row, "completed_tasks"),
        blocked: text(row, "blocked_tasks"),
        percent: optional(row, "percent_done"),
        failures: text(row, "open_test_failures"),
        impacts: text(row, "open_impacts"),
        risk: optional(row, "highest_open_risk"),
        days: optional(row, "days_in_phase"),
        missing: text(row, "missing").lines().map(str::to_owned).collect(),
    }
}

fn signature(row: &Row) -> Signature {
    Signature {
        phase: text(row, "phase_number"),
        stage: text(row, "stage"),
        item: text(row, "item"),
        signed_by: text(row, "signed_by"),
        signed_at: text(row, "signed_at"),
        notes: optional(row, "notes"),
    }
}

fn task(row: &Row) -> Task {
    Task {
        phase: text(row, "parent_phase"),
        number: text(row, "task_number"),
        name: text(row, "task_name"),
        persona: text(row, "responsible_persona"),
        tracker: optional(row, "dart_task_id"),
    }
}

fn layer(row: &Row) -> Layer {
    Layer {
        number: text(row, "layer_number"),
        name: text(row, "layer_name"),
        files: text(row, "files"),
        states: STATES.map(|state| text(row, state)),
        impact: optional(row, "average_impact"),
        urgent: text(row, "high_impact_not_migrated"),
        names: text(row, "names_breaking_rule"),
        risk: optional(row, "highest_open_risk"),
    }
}
