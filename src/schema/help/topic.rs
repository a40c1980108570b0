//! The members of the extension that a user works with, as the catalog has them.

use pgrx::pg_sys::Oid;

use crate::server::error::Error;
use crate::server::rows;
use crate::server::statements::Statement;

/// The facts about the installed version that decide which levels help names.
pub struct Version {
    pub has_levels: bool,
    pub reviewers_steer: bool,
}

/// A table, a view or a function of the extension.
pub struct Topic {
    /// `table`, `view` or `function`.
    pub kind: String,
    pub oid: Oid,
    pub name: String,
    /// The arguments of a function by name.
    pub arguments: String,
    /// The whole signature of a function.
    pub signature: String,
    pub comment: String,
    /// The symbol of a function in the library.
    pub symbol: String,
}

impl Topic {
    pub fn is_function(&self) -> bool {
        self.kind == "function"
    }
}

/// Every member that the installed version has, by name.
pub fn all() -> Result<Vec<Topic>, Error> {
    static TOPICS: Statement = Statement::new(include_str!("topics.sql"));
    TOPICS.select(&[], |found| {
        rows::each(found, |row| {
            Ok(Topic {
                kind: rows::value(row, 1, "topic.kind")?,
                oid: rows::value(row, 2, "topic.oid")?,
                name: rows::value(row, 3, "topic.name")?,
                arguments: rows::value(row, 4, "topic.arguments")?,
                signature: rows::value(row, 5, "topic.signature")?,
                comment: rows::value(row, 6, "topic.comment")?,
                symbol: rows::value(row, 7, "topic.symbol")?,
            })
        })
    })
}

/// Whether the installed version has a member.
pub fn has(topics: &[Topic], name: &str) -> bool {
    topics.iter().any(|topic| topic.name == name)
}
