//! The key of a question: an agent that is run again from the top asks the same question with the
//! same key, and gets the first question.

use pgrx::Uuid;
use pgrx::datum::DatumWithOid;

use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{arguments, statements};

/// A key that an agent chose.
pub struct RequestKey<'a>(pub &'a str);

impl<'a> RequestKey<'a> {
    /// The key in an argument; `None` if there is none.
    ///
    /// Errors: 22023 blank or overlong.
    pub fn of(request_key: Option<&'a str>) -> Result<Option<Self>, Error> {
        let key = request_key.map(|key| arguments::name("request_key", Some(key)));
        Ok(key.transpose()?.map(RequestKey))
    }

    /// The question with this key: the first one, or the one that `insert` asks. `first` finds the
    /// question with the key that is among `content`, and compares it with `content`: it returns its id and the names of the
    /// arguments that differ. `insert` returns `None` if another transaction used the key meanwhile.
    ///
    /// Errors: 23505 the first question has other content.
    pub fn once(
        &self,
        kind: &str,
        first: &'static Statement,
        content: &[DatumWithOid<'_>],
        insert: impl FnOnce() -> Result<Option<Uuid>, Error>,
    ) -> Result<Uuid, Error> {
        if let Some(id) = self.first(kind, first, content)? {
            return Ok(id);
        }
        if let Some(id) = insert()? {
            return Ok(id);
        }
        self.first(kind, first, content)?.ok_or_else(|| {
            Error::new(Kind::NotReady, format!("the {kind} could not be requested"))
                .detail("The insert added no row, and no visible row has that request_key.")
                .hint(format!(
                    "Look for a trigger, a rule or a policy of your own on the table of each {kind}."
                ))
        })
    }

    fn first(
        &self,
        kind: &str,
        first: &'static Statement,
        content: &[DatumWithOid<'_>],
    ) -> Result<Option<Uuid>, Error> {
        let found = first.update(content, statements::two::<Uuid, String>)?;
        let Some((Some(id), differences)) = found else { return Ok(None) };
        match differences.filter(|differences| !differences.is_empty()) {
            None => Ok(Some(id)),
            Some(differences) => Err(Error::new(
                Kind::Duplicate,
                format!("request_key \"{}\" was already used with other content", self.0),
            )
            .detail(format!("The {kind} {id} has this key and differs in {differences}."))
            .hint("Repeat the first call unchanged to get its question, or ask the new question with a new key.")),
        }
    }
}
