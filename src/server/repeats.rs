//! Calls that may be repeated with a key of the caller: the first one counts, and a later one must have
//! the same content.

use pgrx::Uuid;
use pgrx::datum::DatumWithOid;

use crate::server::error::Error;
use crate::server::statements::{self, Statement};

/// The row of the first call. `find` finds it by the key and compares it with the arguments: it
/// returns the id of the row and the names of the arguments that differ.
///
/// Errors: `differs`, with the id and these names, if there are any.
pub fn first(
    find: &'static Statement,
    arguments: &[DatumWithOid<'_>],
    differs: impl FnOnce(Uuid, &str) -> Error,
) -> Result<Option<Uuid>, Error> {
    match find.update(arguments, statements::two::<Uuid, String>)? {
        Some((Some(id), Some(names))) if !names.is_empty() => Err(differs(id, &names)),
        Some((id, _)) => Ok(id),
        None => Ok(None),
    }
}
