//! Reports as they were at a moment.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};

use crate::agents::amounts::moment as finite;
use crate::server::error::required;
use crate::server::rows;
use crate::server::statements::Statement;

/// View llm_cost_by_day as it was at a moment: with the calls that were recorded until then, and the prices that counted
/// then. Aliases count as they are now, because they have no past.
///
/// `moment`: a finite time. Returns: the rows of the view.
/// Errors: 22004, 22023 an infinite time. Since 0.9.0.
#[pg_extern(sql = false, stable, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn llm_cost_by_day_as_of(
    moment: Option<TimestampWithTimeZone>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(day, Date),
            name!(project_id, Option<Uuid>),
            name!(agent_id, Option<String>),
            name!(model, String),
            name!(calls, i64),
            name!(input_tokens, AnyNumeric),
            name!(output_tokens, AnyNumeric),
            name!(tokens, AnyNumeric),
            name!(cost, Option<AnyNumeric>),
            name!(unpriced_calls, i64),
            name!(cache_read_tokens, AnyNumeric),
            name!(cache_write_tokens, AnyNumeric),
            name!(cache_write_1h_tokens, AnyNumeric),
            name!(reasoning_tokens, AnyNumeric),
        ),
    >,
    ErrorReport,
> {
    static REPORT: Statement = Statement::new(include_str!("cost_by_day_as_of.sql"));
    let moment = finite("moment", Some(required("moment", moment)?))?;
    let lines = REPORT.select(&[moment.into()], |rows| {
        rows::each(rows, |row| {
            Ok((
                rows::value(row, 1, "day")?,
                rows::optional(row, 2, "project_id")?,
                rows::optional(row, 3, "agent_id")?,
                rows::value(row, 4, "model")?,
                rows::value(row, 5, "calls")?,
                rows::value(row, 6, "input_tokens")?,
                rows::value(row, 7, "output_tokens")?,
                rows::value(row, 8, "tokens")?,
                rows::optional(row, 9, "cost")?,
                rows::value(row, 10, "unpriced_calls")?,
                rows::value(row, 11, "cache_read_tokens")?,
                rows::value(row, 12, "cache_write_tokens")?,
                rows::value(row, 13, "cache_write_1h_tokens")?,
                rows::value(row, 14, "reasoning_tokens")?,
            ))
        })
    })?;
    Ok(TableIterator::new(lines))
}
