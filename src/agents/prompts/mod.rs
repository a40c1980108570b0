//! Prompts in semantic versions. A published version never changes. Activating another version does
//! not disturb readers: each of them sees exactly one active version.

pub mod activations;
mod diff;
pub mod live;
mod version;

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByRust, Uuid};
use sha2::{Digest, Sha256};

use crate::server::error::{Error, Kind, required};
use crate::server::packed::Text;
use crate::server::statements::Statement;
use crate::server::{arguments, locks, rows, statements};
pub use version::Version;

type Row = PgHeapTuple<'static, AllocatedByRust>;

/// Compares two versions by their numbers.
///
/// Returns: -1 when `a` comes before `b`, 0 when they are equal, 1 when `a` comes after `b`.
/// Errors: 22004, 22023 not major.minor.patch. Since 0.2.2.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn compare_versions(a: Option<&str>, b: Option<&str>) -> Result<i32, ErrorReport> {
    let a = Version::parse(required("a", a)?)?;
    let b = Version::parse(required("b", b)?)?;
    Ok(a.cmp(&b) as i32)
}

/// Publishes a version of a prompt.
///
/// `version`: major.minor.patch, not yet published for the agent type; `activate`: whether the
/// version becomes active at once. Returns: the id of the prompt.
/// Errors: 22004, 22023 blank text, overlong name, malformed version, 55000 the version is already
/// published, 40001 as `activate_prompt`. Since 0.2.2; replaced in 0.9.1.
#[pg_extern(sql = false, volatile)]
fn publish_prompt(
    agent_type: Option<&str>,
    version: Option<&str>,
    prompt_text: Option<&str>,
    created_by: default!(Option<&str>, "NULL"),
    notes: default!(Option<&str>, "NULL"),
    activate: default!(Option<bool>, "false"),
) -> Result<Uuid, ErrorReport> {
    let publication = Publication::of(agent_type, version, prompt_text, created_by, notes)?;
    let activate = activate.unwrap_or(false);
    if activate {
        one_activation_at_a_time(publication.agent_type)?;
    }
    let id = publication.publish()?;
    if activate {
        switch_to(publication.agent_type, &publication.version)?;
    }
    Ok(id)
}

/// A prompt to be published.
pub struct Publication<'a> {
    pub agent_type: &'a str,
    pub version: String,
    prompt_text: &'a str,
    pub created_by: Option<&'a str>,
    notes: Option<&'a str>,
}

impl<'a> Publication<'a> {
    /// Errors: 22004, 22023 blank text, overlong name, malformed version.
    pub fn of(
        agent_type: Option<&'a str>,
        version: Option<&str>,
        prompt_text: Option<&'a str>,
        created_by: Option<&'a str>,
        notes: Option<&'a str>,
    ) -> Result<Self, Error> {
        Ok(Publication {
            agent_type: arguments::name("agent_type", agent_type)?,
            version: Version::parse(required("version", version)?)?.to_string(),
            prompt_text: arguments::filled("prompt_text", prompt_text)?,
            created_by,
            notes,
        })
    }

    /// Publishes it, and returns its id.
    ///
    /// Errors: 55000 the version is already published.
    pub fn publish(&self) -> Result<Uuid, Error> {
        static INSERT: Statement = Statement::new(
            "INSERT INTO orchestrator.prompts (agent_type, version, prompt_text, created_by, notes) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT ON CONSTRAINT uq_prompts_agent_version DO NOTHING RETURNING id",
        );
        let arguments = [
            self.agent_type.into(),
            self.version.as_str().into(),
            self.prompt_text.into(),
            self.created_by.into(),
            self.notes.into(),
        ];
        match INSERT.update(&arguments, statements::one::<Uuid>)? {
            Some(id) => Ok(id),
            None => Err(already_published(self.agent_type, &self.version)?),
        }
    }

    /// The highest other version of the agent type with the same text.
    pub fn equal(&self) -> Result<Option<String>, Error> {
        static EQUAL: Statement = Statement::new(
            "SELECT p.version FROM orchestrator.prompts AS p \
             WHERE p.agent_type = $1 AND p.version <> $2 AND p.text_sha256 = orchestrator.text_sha256($3) AND p.prompt_text = $3 \
             ORDER BY string_to_array(p.version, '.')::bigint[] DESC LIMIT 1",
        );
        let arguments =
            [self.agent_type.into(), self.version.as_str().into(), self.prompt_text.into()];
        EQUAL.update(&arguments, statements::one::<String>)
    }
}

/// The id of a published version.
///
/// Errors: P0002.
pub fn published(agent_type: &str, version: &str) -> Result<Uuid, Error> {
    static PUBLISHED: Statement = Statement::new(
        "SELECT p.id FROM orchestrator.prompts AS p WHERE p.agent_type = $1 AND p.version = $2",
    );
    let id = PUBLISHED.update(&[agent_type.into(), version.into()], statements::one::<Uuid>)?;
    id.ok_or_else(|| not_published(agent_type, version))
}

fn not_published(agent_type: &str, version: &str) -> Error {
    let message = format!("version {version} of agent type \"{agent_type}\" does not exist");
    Error::new(Kind::NotFound, message)
        .hint("List published versions: SELECT * FROM orchestrator.prompt_history; publish one with orchestrator.publish_prompt.")
}

/// The SHA-256 of a text in the encoding of the database. In UTF8 it is `sha256(convert_to(value, 'UTF8'))`.
///
/// Returns: 32 bytes. Since 0.9.1.
#[pg_extern(sql = false, immutable, parallel_safe, strict)]
fn text_sha256(value: Text<'_>) -> Vec<u8> {
    // The bytes of the text, as it is stored: this library reads other encodings as far as they are ASCII.
    Sha256::digest(value.0).to_vec()
}

/// Activates a published version and deactivates the one that was active. Other transactions see
/// the old version until this transaction commits and the new one afterwards, never none or both.
///
/// Returns: the row. Errors: 22004, 22023 blank agent type, malformed version, P0002 unknown
/// version, 40001 another transaction has activated a version since this one began to read. Since
/// 0.2.2; replaced in 0.9.1.
#[pg_extern(sql = false, volatile)]
fn activate_prompt(
    agent_type: Option<&str>,
    version: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.prompts"), ErrorReport> {
    let agent_type = arguments::name("agent_type", agent_type)?;
    let version = Version::parse(required("version", version)?)?.to_string();
    one_activation_at_a_time(agent_type)?;
    Ok(switch_to(agent_type, &version)?)
}

/// The text of the active prompt of an agent type.
///
/// Errors: 22004, P0002 no version is active. Since 0.2.2; replaced in 0.9.1.
#[pg_extern(sql = false, stable)]
fn active_prompt(agent_type: Option<&str>) -> Result<String, ErrorReport> {
    static ACTIVE: Statement = Statement::new(
        "SELECT p.prompt_text FROM orchestrator.prompts AS p WHERE p.agent_type = $1 AND p.is_active",
    );
    let agent_type = required("agent_type", agent_type)?;
    let prompt = ACTIVE
        .select(&[agent_type.into()], |rows| rows::one::<String>(rows, "prompts.prompt_text"))?;
    Ok(prompt.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("agent type \"{agent_type}\" has no active prompt"))
            .hint("List published versions: SELECT * FROM orchestrator.prompt_history; activate one with orchestrator.activate_prompt.")
    })?)
}

/// The version after the highest one of an agent type; it is not published yet.
///
/// `bump`: major, minor or patch. Returns: 1.0.0 if nothing is published for the agent type.
/// Errors: 22004, 22023 blank agent type, unknown step, or a number that is the greatest already.
/// Since 0.2.2.
#[pg_extern(sql = false, stable)]
fn next_prompt_version(
    agent_type: Option<&str>,
    bump: default!(Option<&str>, "'patch'"),
) -> Result<String, ErrorReport> {
    static HIGHEST: Statement = Statement::new(
        "SELECT p.version FROM orchestrator.prompts AS p WHERE p.agent_type = $1 \
         ORDER BY string_to_array(p.version, '.')::bigint[] DESC LIMIT 1",
    );
    let agent_type = arguments::name("agent_type", agent_type)?;
    let bump = arguments::one_of("bump", bump.unwrap_or("patch"), &version::STEPS)?;
    let highest = HIGHEST
        .select(&[agent_type.into()], |rows| rows::one::<String>(rows, "prompts.version"))?;
    Ok(match highest {
        None => version::FIRST.to_owned(),
        Some(highest) => Version::parse(&highest)?.next(bump)?.to_string(),
    })
}

/// The function whose lock those hold that activate versions.
const ACTIVATE_PROMPT: &str = "activate_prompt";

/// Waits until no other transaction activates prompts of the agent type, and keeps others waiting
/// until this one ends. The next statement sees the changes of the transactions that were waited
/// for.
pub fn one_activation_at_a_time(agent_type: &str) -> Result<(), Error> {
    locks::shared(ACTIVATE_PROMPT)?;
    locks::one_at_a_time_for(ACTIVATE_PROMPT, agent_type)
}

/// Two statements, because the unique index checks each row as it is written: the old version has
/// to be inactive first. Other transactions see both changes or none.
fn switch_to(agent_type: &str, version: &str) -> Result<Row, Error> {
    static DEACTIVATE: Statement = Statement::new(
        "UPDATE orchestrator.prompts AS p SET is_active = false \
         WHERE p.agent_type = $1 AND p.is_active AND p.version <> $2",
    );
    static ACTIVATE: Statement = Statement::new(
        "UPDATE orchestrator.prompts AS p SET is_active = true \
         WHERE p.agent_type = $1 AND p.version = $2 RETURNING p",
    );
    let arguments = [agent_type.into(), version.into()];
    DEACTIVATE.update(&arguments, |_| Ok(()))?;
    // The unique index can see an active version that is newer than the transaction's snapshot.
    let activated = PgTryBuilder::new(|| ACTIVATE.update(&arguments, statements::one::<Row>))
        .catch_when(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, |_| Err(overtaken(agent_type)))
        .execute();
    match activated? {
        Some(row) => Ok(row),
        None => Err(not_activated(agent_type, version)?),
    }
}

fn not_activated(agent_type: &str, version: &str) -> Result<Error, Error> {
    published(agent_type, version)?;
    let prompt = format!("version {version} of agent type \"{agent_type}\"");
    Ok(Error::no_row(format!("{prompt} could not be activated"), "prompts"))
}

fn overtaken(agent_type: &str) -> Error {
    Error::new(
        Kind::Serialization,
        format!("another transaction has activated a prompt of agent type \"{agent_type}\""),
    )
    .detail("It committed after this transaction began to read, or wrote without the functions.")
    .hint("Roll back and try again.")
}

fn already_published(agent_type: &str, version: &str) -> Result<Error, Error> {
    static PUBLICATION: Statement = Statement::new(
        "SELECT format('It was published at %s%s.', p.created_at, ' by ' || p.created_by) \
         FROM orchestrator.prompts AS p WHERE p.agent_type = $1 AND p.version = $2",
    );
    let arguments = [agent_type.into(), version.into()];
    let prompt = format!("version {version} of agent type \"{agent_type}\"");
    let Some(publication) = PUBLICATION.update(&arguments, statements::one::<String>)? else {
        return Ok(Error::no_row(format!("{prompt} could not be published"), "prompts"));
    };
    Ok(Error::new(Kind::NotReady, format!("{prompt} is already published"))
    .detail(publication)
    .hint(
        "A published version cannot be changed; orchestrator.next_prompt_version returns a free one.",
    ))
}
