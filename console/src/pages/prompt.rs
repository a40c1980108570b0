//! The prompt of an agent type: its versions, when which was live, a comparison of two, and the form that makes one live.

use askama::Template;
use axum::Form;
use axum::response::Response;
use serde::Deserialize;

use super::live_prompts::{self, Line};
use super::section::Section;
use super::{Frame, SHOWN, done, rendered};
use crate::addresses::address;
use crate::app::Visitor;
use crate::database::{Database, flag, optional, text};
use crate::failure::Failure;
use crate::forms::{Act, filled};
use crate::sessions::Visit;

/// The versions, activations and lines of a comparison that are shown, as in the statements.
const VERSIONS: usize = 200;
const ACTIVATIONS: usize = 100;
const CHANGES: usize = 1000;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The agent type of the page; empty for the list.
    pub agent_type: String,
    /// The version whose text is shown.
    pub version: String,
    /// The two versions that are compared.
    pub a: String,
    pub b: String,
    /// The words and the page of the list.
    pub words: String,
    pub page: u32,
}

struct Version {
    version: String,
    created_by: Option<String>,
    created_at: String,
    notes: Option<String>,
    is_active: bool,
}

struct Activation {
    at: String,
    label: String,
    /// None: from then on no version was live.
    version: Option<String>,
    weight: String,
    activated_by: Option<String>,
}

/// An activation that waits for a decision.
struct Question {
    id: String,
    asks: String,
    requested: String,
    asked_by: Option<String>,
}

/// A line that one of two versions has.
struct Change {
    line: String,
    is_added: bool,
    text: String,
}

struct Text {
    text: String,
    is_cut: bool,
}

#[derive(Template)]
#[template(path = "prompt.html")]
struct Page<'a> {
    frame: Frame<'a>,
    agent_type: &'a str,
    live: Vec<Line>,
    questions: Vec<Question>,
    versions: &'a [Version],
    activations: Vec<Activation>,
    /// The versions that are chosen in the form, also before anybody asks for the comparison.
    a: &'a str,
    b: &'a str,
    changes: Option<Section<Change>>,
    /// The version whose text is shown.
    version: &'a str,
    text: Option<Text>,
    may_activate: bool,
}

pub async fn page(session: &Visit, asked: &Asked) -> Result<Response, Failure> {
    let database = &session.database;
    let agent_type = asked.agent_type.as_str();
    let versions = versions(database, agent_type).await?;
    if versions.is_empty() {
        return Err(Failure::NotFound("There is no prompt of this agent type.".to_owned()));
    }
    // The two highest ones, unless others are asked for.
    let [newest, before] =
        [0, 1].map(|place| versions.get(place).map_or("", |version| &version.version));
    let asked_for = filled(&asked.a).zip(filled(&asked.b));
    let (a, b) = asked_for.unwrap_or((before, newest));
    let changes = match asked_for {
        Some((a, b)) => Some(changes(database, agent_type, a, b).await?),
        None => None,
    };
    let [may_activate] = database.may(["activate_prompt"]).await?;
    let page = Page {
        frame: Frame::of(session, "/prompts"),
        agent_type,
        live: live_prompts::lines(database, None, Some(agent_type), 0).await?,
        questions: questions(database, agent_type).await?,
        activations: activations(database, agent_type).await?,
        a,
        b,
        changes,
        version: &asked.version,
        text: text_of(database, agent_type, filled(&asked.version)).await?,
        may_activate,
        versions: &versions,
    };
    rendered(&page)
}

async fn versions(database: &Database, agent_type: &str) -> Result<Vec<Version>, Failure> {
    const SQL: &str = include_str!("prompt_versions.sql");
    database
        .lines(SQL, &[Some(agent_type)], |row| Version {
            version: text(row, "version"),
            created_by: optional(row, "created_by"),
            created_at: text(row, "created_at"),
            notes: optional(row, "notes"),
            is_active: flag(row, "is_active"),
        })
        .await
}

async fn activations(database: &Database, agent_type: &str) -> Result<Vec<Activation>, Failure> {
    const SQL: &str = include_str!("prompt_activations.sql");
    database
        .lines(SQL, &[Some(agent_type)], |row| Activation {
            at: text(row, "at"),
            label: text(row, "label"),
            version: optional(row, "version"),
            weight: text(row, "weight"),
            activated_by: optional(row, "activated_by"),
        })
        .await
}

async fn questions(database: &Database, agent_type: &str) -> Result<Vec<Question>, Failure> {
    const SQL: &str = include_str!("prompt_gates.sql");
    database
        .lines(SQL, &[Some(agent_type)], |row| Question {
            id: text(row, "id"),
            asks: text(row, "asks"),
            requested: text(row, "requested"),
            asked_by: optional(row, "asked_by"),
        })
        .await
}

/// Versions that do not exist are no failure of the page: somebody may have typed them into the address.
async fn changes(
    database: &Database,
    agent_type: &str,
    a: &str,
    b: &str,
) -> Result<Section<Change>, Failure> {
    const SQL: &str = "SELECT d.line::text, d.change = 'added' AS is_added, left(d.text, 20000) AS text \
         FROM orchestrator.prompt_diff($1, $2, $3) AS d LIMIT 1000";
    let change = |row: &_| Change {
        line: text(row, "line"),
        is_added: flag(row, "is_added"),
        text: text(row, "text"),
    };
    Section::read(database, SQL, &[Some(agent_type), Some(a), Some(b)], change).await
}

async fn text_of(
    database: &Database,
    agent_type: &str,
    version: Option<&str>,
) -> Result<Option<Text>, Failure> {
    const SQL: &str = "SELECT left(p.prompt_text, 100000) AS text, length(p.prompt_text) > 100000 AS is_cut \
         FROM orchestrator.prompts AS p WHERE p.agent_type = $1 AND p.version = $2";
    if version.is_none() {
        return Ok(None);
    }
    let row = database.row(SQL, &[Some(agent_type), version]).await?;
    Ok(row.map(|row| Text { text: text(&row, "text"), is_cut: flag(&row, "is_cut") }))
}

/// Makes a version live, or asks for that if a rule wants a decision: then the page shows the question.
pub async fn activate(
    Visitor(session): Visitor,
    Form(form): Form<Act>,
) -> Result<Response, Failure> {
    const SQL: &str = "SELECT version FROM orchestrator.activate_prompt($1, $2, $3, $4::integer, activated_by => $5)";
    // An empty field is refused: the default weight would give the version to all.
    let [version, label, weight] =
        [&form.version, &form.label, &form.weight].map(|field| Some(field.trim()));
    let agent_type = Some(form.agent_type.as_str());
    let role = Some(session.role.as_str());
    let act = (SQL, vec![agent_type, version, label, weight, role]);
    done(&session, &form, Some(act), &address("/prompts", "agent_type", &form.agent_type)).await
}
