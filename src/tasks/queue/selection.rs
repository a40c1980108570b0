//! Queries for tasks that decide together with the newest snapshot.

use std::ffi::CStr;

use pgrx::Uuid;
use pgrx::datum::DatumWithOid;

use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};
use crate::server::{backend_state, latest};

/// A query for tasks, by their ids.
pub struct Selection {
    pub statement: Statement,
    pub newest: &'static CStr,
}

impl Selection {
    /// The tasks. A transaction that keeps its snapshot may lack some of them, or see others too many: then it
    /// must be tried again.
    ///
    /// Errors: 40001.
    pub fn read(&'static self, arguments: &[DatumWithOid<'_>]) -> Result<Vec<Uuid>, Error> {
        let ids = self.statement.update(arguments, statements::column::<Uuid>)?;
        if backend_state::keeps_its_snapshot() {
            let newest = latest::value::<Vec<Uuid>>(self.newest, arguments)?;
            if newest.unwrap_or_default() != ids {
                return Err(Error::new(
                    Kind::Serialization,
                    "tasks that wait were changed meanwhile",
                )
                .detail("The snapshot of this transaction is older than the change.")
                .hint("Roll back and try again."));
            }
        }
        Ok(ids)
    }
}

/// The query for tasks with `$sql`, which returns their ids in order.
macro_rules! selection {
    ($sql:expr) => {{
        const NEWEST: &str =
            const_format::concatcp!("SELECT array_agg(s.id) FROM (", $sql, ") AS s\0");
        $crate::tasks::queue::selection::Selection {
            statement: $crate::server::statements::Statement::new($sql),
            newest: $crate::server::latest::statement(NEWEST),
        }
    }};
}
pub(super) use selection;
