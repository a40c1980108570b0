//! Parts of a page that are read on their own: if the role may not read one, the page says so in its place.

use tokio_postgres::Row;
use tokio_postgres::error::DbError;

use crate::database::Database;
use crate::failure::{Failure, Refusal};

pub enum Section<T> {
    Shown(Vec<T>),
    Refused(Refusal),
}

impl<T> Section<T> {
    /// The lines that are shown; none if the part cannot be read.
    pub fn lines(&self) -> &[T] {
        match self {
            Section::Shown(lines) => lines,
            Section::Refused(_) => &[],
        }
    }

    /// Why the part cannot be read.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Section::Shown(_) => None,
            Section::Refused(refusal) => Some(refusal),
        }
    }

    /// The lines of a statement. Fails only if the database cannot be reached.
    pub async fn read(
        database: &Database,
        sql: &str,
        parameters: &[Option<&str>],
        line: impl Fn(&Row) -> T,
    ) -> Result<Section<T>, Failure> {
        match database.lines(sql, parameters, line).await {
            Ok(lines) => Ok(Section::Shown(lines)),
            Err(failure) => refusal(failure).map(Section::Refused),
        }
    }
}

/// A refusal concerns one part; without a database the page has no other parts either.
fn refusal(failure: Failure) -> Result<Refusal, Failure> {
    match &failure {
        Failure::TooLate => Ok(Refusal::new(
            "This part was not read: the parts before took too long.",
            Some("Load the page again later."),
        )),
        Failure::Database(error) => match error.as_db_error() {
            Some(refused) if !is_over(refused) => Ok(Refusal::from(refused)),
            _ => Err(failure),
        },
        _ => Err(failure),
    }
}

/// Whether the server has ended the connection with the message.
fn is_over(error: &DbError) -> bool {
    error.code().code().starts_with("57P")
}
