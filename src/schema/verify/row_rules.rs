//! Rules over rows that no constraint can hold, because the rows that a row depends on have no unique
//! key. The functions that write the rows keep the rules; `verify()` reports rows that were written
//! without them.

use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{backend_state, statements};

/// A rule over the rows of a table.
pub struct Rule {
    /// The table whose rows break it.
    pub table: &'static str,
    /// Every table that the query reads.
    pub reads: &'static [&'static str],
    pub expected: &'static str,
    /// Selects the number of rows that break it, and the id of one of them as text.
    query: Statement,
    pub hint: &'static str,
}

/// Every rule, in the order of the versions that introduced their tables.
pub static RULES: [Rule; 1] = [Rule {
    table: "orchestrator.collaboration_outcomes",
    reads: &["orchestrator.collaboration_outcomes", "orchestrator.collaboration_requests"],
    expected: "every outcome belongs to a collaboration that was requested",
    query: Statement::new(
        "SELECT count(*), min(o.id::text) FROM orchestrator.collaboration_outcomes AS o \
         WHERE NOT EXISTS (SELECT FROM orchestrator.collaboration_requests AS r \
                           WHERE r.collaboration_id = o.collaboration_id)",
    ),
    hint: "SELECT o.* FROM orchestrator.collaboration_outcomes AS o WHERE NOT EXISTS (SELECT FROM orchestrator.collaboration_requests AS r WHERE r.collaboration_id = o.collaboration_id);",
}];

impl Rule {
    /// The rows that break the rule, in words; `None` when there is none.
    pub fn broken(&'static self) -> Result<Option<String>, Error> {
        // With few distinct values the planner expects to find a match soon. A nested loop would read
        // half of the other table for each row.
        let found = backend_state::with_setting(c"enable_nestloop", c"off", || {
            self.query.select(&[], statements::two::<i64, String>)
        })?;
        Ok(match found {
            Some((Some(rows), Some(id))) => Some(format!(
                "{}, for example {id}",
                crate::server::arguments::counted(rows, "row")
            )),
            _ => None,
        })
    }
}
