//! Knowledge that waits to be embedded for retrieval. An embedder claims a batch, stores the
//! embeddings elsewhere, marks the batch and commits. If it fails, its rows wait again.

mod attempts;

use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;

use crate::configuration::retention;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::{self, Document};
use crate::server::statements::Statement;
use crate::server::{arguments, ids, interrupts, rows, statements};

/// The types of knowledge, by its origin.
pub const TYPES: [&str; 4] =
    ["failure_solution", "gate_rejection", "gate_approval", "collaboration"];

/// The value that a known key of the metadata must have, in words.
fn expected(key: &str) -> Option<&'static str> {
    match key {
        "project_id" => Some("a uuid as text"),
        "agent_type" | "task_type" | "technology" => Some("a text"),
        "success_verified" => Some("true or false"),
        _ => None,
    }
}

/// The fault of a key of the metadata: `kind` is the JSON type of its value, `value` the value as
/// text. The CHECK of the table refuses the same values.
fn mistyped(key: &str, kind: &str, value: &str) -> Option<String> {
    let fits = match key {
        "project_id" => kind == "string" && ids::parsed(value.trim_matches('"')).is_some(),
        "success_verified" => kind == "boolean",
        _ => kind == "string",
    };
    let expected = expected(key)?;
    (!fits).then(|| format!("\"{key}\" must be {expected}, and is {value}"))
}

/// Knowledge that fits the table, to be staged.
pub struct Lesson<T> {
    pub knowledge_type: T,
    pub content: T,
    pub metadata: Document,
}

impl<T: AsRef<str>> Lesson<T> {
    /// Stages it and returns its id.
    pub fn stage(self) -> Result<Uuid, Error> {
        static INSERT: Statement = Statement::new(
            "INSERT INTO orchestrator.knowledge_staging (knowledge_type, content, metadata) \
             VALUES ($1, $2, $3) RETURNING id",
        );
        let arguments = [
            self.knowledge_type.as_ref().into(),
            self.content.as_ref().into(),
            self.metadata.into(),
        ];
        INSERT
            .update(&arguments, statements::one::<Uuid>)?
            .ok_or_else(|| Error::no_row("knowledge could not be staged", "knowledge_staging"))
    }
}

/// Stages knowledge for embedding.
///
/// `knowledge_type`: failure_solution, gate_rejection, gate_approval or collaboration; `content`:
/// the text to embed; `metadata`: a JSON object, in which project_id is a uuid, agent_type,
/// task_type and technology are text, success_verified is true or false, and other keys may have
/// any value.
/// Returns: the id. Errors: 22004, 22023 unknown type, blank content, metadata that is not an
/// object, or a known key with a value of another type. Since 0.2.4.
#[pg_extern(sql = false, volatile)]
fn stage_knowledge(
    knowledge_type: Option<&str>,
    content: Option<&str>,
    metadata: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    let knowledge_type =
        arguments::one_of("knowledge_type", required("knowledge_type", knowledge_type)?, &TYPES)?;
    let content = arguments::filled("content", content)?;
    let metadata = jsonb::object_or_empty("metadata", metadata)?;
    check_known_keys(&metadata)?;
    Ok(Lesson { knowledge_type, content, metadata }.stage()?)
}

fn check_known_keys(metadata: &Document) -> Result<(), Error> {
    static KEYS: Statement = Statement::new(
        "SELECT m.key, jsonb_typeof(m.value), m.value::text FROM jsonb_each($1) AS m",
    );
    let problem = KEYS.select(&[metadata.clone().into()], |found| {
        for row in found {
            interrupts::allow();
            let key = rows::value::<String>(&row, 1, "key of metadata")?;
            let kind = rows::value::<String>(&row, 2, "type of metadata")?;
            let value = rows::value::<String>(&row, 3, "value of metadata")?;
            if let Some(problem) = mistyped(&key, &kind, &value) {
                return Ok(Some(problem));
            }
        }
        Ok(None)
    })?;
    match problem {
        None => Ok(()),
        Some(problem) => Err(Error::new(
            Kind::InvalidValue,
            format!("argument \"metadata\" does not fit: {problem}"),
        )
        .hint("Leave out a key that has no value; other keys may have any value.")),
    }
}

/// Claims the oldest knowledge that waits to be embedded and that no other transaction has claimed.
/// The claim lasts until the end of the transaction; knowledge that was not marked by then waits
/// again.
///
/// `batch`: the greatest number of rows. Returns: id, type, content and metadata, oldest first.
/// Errors: 22023 less than one. Since 0.2.4; replaced in 0.9.1.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::type_complexity)]
fn claim_knowledge(
    batch: default!(Option<i32>, "50"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(id, Uuid),
            name!(knowledge_type, String),
            name!(content, String),
            name!(metadata, Document),
        ),
    >,
    ErrorReport,
> {
    static CLAIM: Statement = Statement::new(
        "SELECT k.id, k.knowledge_type, k.content, k.metadata \
         FROM orchestrator.knowledge_staging AS k WHERE NOT k.embedded \
         ORDER BY k.created_at, k.id LIMIT $1 FOR UPDATE SKIP LOCKED",
    );
    let claimed = CLAIM.update(&[batch_of(batch)?.into()], claimed)?;
    Ok(TableIterator::new(claimed))
}

/// Knowledge to be embedded: id, type, content and metadata.
type Claimed = (Uuid, String, String, Document);

/// The number of rows of a claim; NULL means 50.
///
/// Errors: 22023 less than one.
fn batch_of(batch: Option<i32>) -> Result<i64, Error> {
    match batch.unwrap_or(50) {
        batch if batch < 1 => {
            Err(Error::new(Kind::InvalidValue, format!("batch {batch} is less than 1")))
        }
        batch => Ok(i64::from(batch)),
    }
}

fn claimed(rows: SpiTupleTable<'_>) -> Result<Vec<Claimed>, Error> {
    rows::each(rows, |row| {
        Ok((
            rows::value(row, 1, "knowledge_staging.id")?,
            rows::value(row, 2, "knowledge_staging.knowledge_type")?,
            rows::value(row, 3, "knowledge_staging.content")?,
            rows::value(row, 4, "knowledge_staging.metadata")?,
        ))
    })
}

/// Marks knowledge as embedded now. Rows that are marked already stay as they are, so the call may
/// be repeated.
///
/// Returns: the number of rows that this call marked.
/// Errors: 22004 also for a NULL among the ids, P0002 an unknown id. Since 0.2.4; replaced in 0.9.1.
#[pg_extern(sql = false, volatile)]
fn mark_knowledge_embedded(ids: Option<Vec<Option<Uuid>>>) -> Result<i64, ErrorReport> {
    static MARK: Statement = Statement::new(
        "UPDATE orchestrator.knowledge_staging AS k \
         SET embedded = true, embedded_at = pg_catalog.now() \
         WHERE k.id IN (SELECT h.id FROM orchestrator.knowledge_staging AS h \
                        WHERE h.id = ANY ($1) AND h.embedded IS NOT TRUE ORDER BY h.id FOR UPDATE)",
    );
    let ids = given(ids)?;
    refuse_unknown(&ids)?;
    Ok(MARK.update(&[ids.into()], |rows| Ok(rows.len() as i64))?)
}

/// Marks knowledge as embedded now, which ends its claim. Rows that are marked already stay as they are, so the call
/// may be repeated; a worker whose lease has ended may mark, too.
///
/// `ids`: the knowledge; `embedding_model`: the name of the model that embedded it, 500 characters at most; NULL for
/// unknown. Returns: the number of rows that this call marked.
/// Errors: 22004 also for a NULL among the ids, 22023 a blank or overlong name, P0002 an unknown id. Since 0.9.1.
#[pg_extern(sql = false, volatile)]
fn mark_knowledge_embedded_0_9_1(
    ids: Option<Vec<Option<Uuid>>>,
    embedding_model: default!(Option<&str>, "NULL"),
) -> Result<i64, ErrorReport> {
    static MARK: Statement = Statement::new(
        "UPDATE orchestrator.knowledge_staging AS k \
         SET embedded = true, embedded_at = pg_catalog.now(), embedding_model = $2, \
             claimed_by = NULL, lease_expires_at = NULL, retry_at = NULL, given_up_at = NULL \
         WHERE k.id IN (SELECT h.id FROM orchestrator.knowledge_staging AS h \
                        WHERE h.id = ANY ($1) AND h.embedded IS NOT TRUE ORDER BY h.id FOR UPDATE)",
    );
    let ids = given(ids)?;
    let model =
        embedding_model.map(|name| arguments::name("embedding_model", Some(name))).transpose()?;
    refuse_unknown(&ids)?;
    Ok(MARK.update(&[ids.into(), model.into()], |rows| Ok(rows.len() as i64))?)
}

/// The ids of an argument.
///
/// Errors: 22004 NULL, also among the ids.
fn given(ids: Option<Vec<Option<Uuid>>>) -> Result<Vec<Uuid>, Error> {
    required("ids", ids)?.into_iter().map(|id| required("ids", id)).collect()
}

/// Errors: P0002 an unknown id.
fn refuse_unknown(ids: &[Uuid]) -> Result<(), Error> {
    static UNKNOWN: Statement = Statement::new(
        "SELECT w.id FROM unnest($1) AS w (id) \
         WHERE NOT EXISTS (SELECT FROM orchestrator.knowledge_staging AS k WHERE k.id = w.id) \
         ORDER BY w.id LIMIT 1",
    );
    match UNKNOWN.update(&[ids.to_vec().into()], statements::one::<Uuid>)? {
        None => Ok(()),
        Some(id) => Err(Error::new(Kind::NotFound, format!("knowledge {id} does not exist")).hint(
            "orchestrator.claim_knowledge returns the ids of knowledge that waits to be embedded.",
        )),
    }
}

/// Deletes knowledge that was embedded longer ago than `embedded_for`. Knowledge that waits to be
/// embedded is never deleted.
///
/// `embedded_for`: at least zero. Returns: the number of deleted rows.
/// Errors: 22023 a negative interval, or one of more than 6000 years. Since 0.2.4.
#[pg_extern(sql = false, volatile)]
pub fn purge_knowledge(
    embedded_for: default!(Option<Interval>, "'365 days'"),
) -> Result<i64, ErrorReport> {
    static PURGE: Statement = Statement::new(
        "DELETE FROM orchestrator.knowledge_staging AS k \
         WHERE k.embedded AND k.embedded_at < $1",
    );
    let before = retention::before(
        "embedded_for",
        embedded_for.unwrap_or_else(|| Interval::from_days(365)),
    )?;
    Ok(PURGE.update(&[before.into()], |rows| Ok(rows.len() as i64))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_keys_have_their_types_and_others_are_free() {
        let id = "\"0198c5a0-0000-7000-8000-00000000000a\"";
        for (key, kind, value) in [
            ("project_id", "string", id),
            ("project_id", "string", "\"0198C5A0-0000-7000-8000-00000000000A\""),
            ("agent_type", "string", "\"\""),
            ("success_verified", "boolean", "false"),
            ("anything", "null", "null"),
        ] {
            assert_eq!(mistyped(key, kind, value), None);
        }
        for (key, kind, value) in [
            ("project_id", "string", "\"proj-123\""),
            ("project_id", "string", "\"0198c5a0000070008000000000000000a\""),
            ("project_id", "number", "5"),
            ("project_id", "null", "null"),
            ("agent_type", "null", "null"),
            ("task_type", "array", "[]"),
            ("technology", "object", "{}"),
            ("success_verified", "string", "\"true\""),
        ] {
            assert!(mistyped(key, kind, value).is_some(), "{key} {kind} {value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(key in any::<String>(), value in any::<String>()) {
            prop_assert_eq!(mistyped(&key, "number", &value).is_some(), expected(&key).is_some());
        }
    }
}
