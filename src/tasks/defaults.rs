//! Columns that keep their default when a row is inserted. An ORM names every column of a table, so a
//! right to insert some columns only does not help it: it inserts the defaults of the others.

use pgrx::AllocatedByPostgres;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::time::{Time, transaction_time};
use crate::server::trigger_rows;

/// BEFORE INSERT row trigger `enforce_defaults(column [, column ...])`: refuses a value other than the
/// default in these columns, unless the role may also update the column. The default is the time of the
/// transaction in a column of times that is NOT NULL, an empty object in a JSON column, and else NULL.
///
/// Errors: 42501. Since 0.7.1.
#[pg_trigger(sql = false)]
fn enforce_defaults<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let new = trigger.new();
    if let Some(row) = &new {
        for column in trigger.extra_args()? {
            if let Some((number, value)) = other_than_default(trigger, row, &column)
                && !may_update(trigger, number)
            {
                ErrorReport::from(refused(trigger, &column, value)).report(PgLogLevel::ERROR);
            }
        }
    }
    Ok(new)
}

/// The number of a column whose value is not its default, and the default in words.
fn other_than_default(
    trigger: &PgTrigger<'_>,
    row: &PgHeapTuple<'_, AllocatedByPostgres>,
    column: &str,
) -> Option<(i16, &'static str)> {
    let (number, attribute) = row.get_attribute_by_name(column)?;
    let number = i16::try_from(number.get()).ok()?;
    let (is_default, default) = match attribute.atttypid {
        pg_sys::TIMESTAMPTZOID if attribute.attnotnull => {
            let time = row.get_by_name::<Time>(column).ok().flatten();
            (time == Some(transaction_time()), "now()")
        }
        pg_sys::JSONBOID => {
            let value = row.get_by_name::<Document>(column).ok().flatten();
            (value.is_some_and(|value| value.is_empty_object()), "'{}'")
        }
        _ => (is_null(trigger, number), "NULL"),
    };
    (!is_default).then_some((number, default))
}

fn is_null(trigger: &PgTrigger<'_>, number: i16) -> bool {
    let data = trigger.trigger_data();
    // SAFETY: the server keeps the relation and the new row while its trigger runs.
    unsafe { pg_sys::heap_attisnull(data.tg_trigtuple, number.into(), (*data.tg_relation).rd_att) }
}

/// Whether the role that inserts may update the column, as the owner of the table and its functions may.
fn may_update(trigger: &PgTrigger<'_>, number: i16) -> bool {
    let relation = trigger.trigger_data().tg_relation;
    // SAFETY: the relation is open while its trigger runs; the server's own functions only read.
    unsafe {
        let (table, role) = ((*relation).rd_id, pg_sys::GetUserId());
        let right = pg_sys::AclMode::from(pg_sys::ACL_UPDATE);
        let allowed = pg_sys::AclResult::ACLCHECK_OK;
        pg_sys::pg_class_aclcheck(table, role, right) == allowed
            || pg_sys::pg_attribute_aclcheck(table, number, role, right) == allowed
    }
}

fn refused(trigger: &PgTrigger<'_>, column: &str, default: &str) -> Error {
    let table = trigger_rows::table_of(trigger.trigger_data());
    Error::new(Kind::Forbidden, format!("permission denied to set column \"{column}\" of {table}"))
        .detail(format!(
            "The role may insert a row only with the default of this column, {default}."
        ))
        .hint("Leave the column out, or send its default.")
}
