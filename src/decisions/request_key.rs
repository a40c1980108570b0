//! The key of a question: an agent that is run again from the top asks the same question with the
//! same key, and gets the first question.

use pgrx::Uuid;
use pgrx::datum::DatumWithOid;

use crate::server::error::{self, Error};
use crate::server::statements::Statement;
use crate::server::{arguments, repeats};

/// A key that an agent chose.
pub struct RequestKey<'a>(&'a str);

impl<'a> RequestKey<'a> {
    /// The key in an argument; `None` if there is none.
    ///
    /// Errors: 22023 blank or overlong.
    pub fn of(request_key: Option<&'a str>) -> Result<Option<Self>, Error> {
        let key = request_key.map(|key| arguments::name("request_key", Some(key)));
        Ok(key.transpose()?.map(RequestKey))
    }
}

/// A kind of question, for messages.
pub struct Kind {
    pub name: &'static str,
    pub table: &'static str,
    /// The words for the failed action.
    pub not_asked: &'static str,
}

impl Kind {
    /// Asks a question, or finds the first one with its key. `first` finds the question with the key
    /// that is among `content`, and compares the two, as `repeats::first` says. `insert` returns
    /// `None` if another transaction used the key meanwhile.
    ///
    /// Errors: 23505 the first question has other content.
    pub fn ask(
        &self,
        key: Option<RequestKey<'_>>,
        first: &'static Statement,
        content: &[DatumWithOid<'_>],
        insert: impl FnOnce() -> Result<Option<Uuid>, Error>,
    ) -> Result<Uuid, Error> {
        let Some(key) = key else {
            return insert()?.ok_or_else(|| Error::no_row(self.not_asked, self.table));
        };
        let name = self.name;
        let find = || {
            repeats::first(first, content, |id, names| {
                Error::new(
                    error::Kind::Duplicate,
                    format!("request_key \"{}\" was already used with other content", key.0),
                )
                .detail(format!("The {name} {id} has this key and differs in {names}."))
                .hint("Repeat the first call unchanged to get its question, or ask the new question with a new key.")
            })
        };
        if let Some(id) = find()? {
            return Ok(id);
        }
        if let Some(id) = insert()? {
            return Ok(id);
        }
        find()?.ok_or_else(|| {
            Error::new(error::Kind::NotReady, format!("the {name} could not be requested"))
                .detail("The insert added no row, and no visible row has that request_key.")
                .hint(format!(
                    "Look for a trigger, a rule or a policy of your own on the table of each {name}."
                ))
        })
    }
}
