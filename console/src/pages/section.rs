//! Parts of a page that are read on their own: if the role may not read one, the page says so in its place.

use std::time::{Duration, Instant};

use tokio_postgres::error::DbError;
use tokio_postgres::{Error, Row};

use crate::database::Database;
use crate::failure::Failure;

/// No part begins later: together with the longest statement it still ends before the page has to.
const LATEST: Duration = Duration::from_secs(12);

pub enum Section<T> {
    Shown(Vec<T>),
    Refused(Refusal),
}

/// The message of the database with its detail and hint.
pub struct Refusal {
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub code: Option<String>,
}

impl From<&DbError> for Refusal {
    fn from(error: &DbError) -> Refusal {
        Refusal {
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
            code: Some(error.code().code().to_owned()),
        }
    }
}

/// Reads the parts of a page one after the other.
pub struct Reader<'a> {
    database: &'a Database,
    began: Instant,
}

impl<'a> Reader<'a> {
    pub fn new(database: &'a Database) -> Reader<'a> {
        Reader { database, began: Instant::now() }
    }

    /// The lines of a statement. Fails only if the database cannot be reached.
    pub async fn section<T>(
        &self,
        sql: &str,
        parameters: &[Option<&str>],
        line: impl Fn(&Row) -> T,
    ) -> Result<Section<T>, Failure> {
        if self.began.elapsed() > LATEST {
            return Ok(Section::Refused(Refusal {
                message: "This part was not read: the parts before took too long.".to_owned(),
                detail: None,
                hint: Some("Load the page again later.".to_owned()),
                code: None,
            }));
        }
        match self.database.rows(sql, parameters).await {
            Ok(rows) => Ok(Section::Shown(rows.iter().map(line).collect())),
            Err(error) => refusal(error).map(Section::Refused),
        }
    }
}

fn refusal(error: Error) -> Result<Refusal, Failure> {
    match error.as_db_error() {
        Some(refused) if !is_over(&error) => Ok(Refusal::from(refused)),
        _ => Err(error.into()),
    }
}

/// Whether the server has ended the connection with the message: then the page has no other parts either.
fn is_over(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("57P"))
}
