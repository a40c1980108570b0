//! The rows that a statement returned, read column by column. Each read names its column, so that the
//! error for an unexpected null or type can name it.

use pgrx::datum::TryFromDatumError;
use pgrx::prelude::*;
use pgrx::spi::{SpiError, SpiHeapTupleData, SpiTupleTable};

use crate::server::error::{Error, Kind};
use crate::server::interrupts;

/// A row whose columns are known by their position, counted from 1.
pub trait Row {
    fn at<T: FromDatum + IntoDatum>(&self, position: usize) -> Result<Option<T>, SpiError>;
}

impl Row for SpiHeapTupleData<'_> {
    fn at<T: FromDatum + IntoDatum>(&self, position: usize) -> Result<Option<T>, SpiError> {
        self.get(position)
    }
}

/// The current row of the result.
impl Row for SpiTupleTable<'_> {
    fn at<T: FromDatum + IntoDatum>(&self, position: usize) -> Result<Option<T>, SpiError> {
        self.get(position)
    }
}

/// The value of a column that must have one.
///
/// Errors: 55000 it is null, or of another type.
pub fn value<T: FromDatum + IntoDatum>(
    row: &impl Row,
    position: usize,
    name: &str,
) -> Result<T, Error> {
    match row.at(position) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(null(name)),
        Err(SpiError::DatumError(error)) => Err(mistyped(name, &error)),
        Err(error) => Err(error.into()),
    }
}

/// The value of a column that may be null.
///
/// Errors: 55000 it is of another type.
pub fn optional<T: FromDatum + IntoDatum>(
    row: &impl Row,
    position: usize,
    name: &str,
) -> Result<Option<T>, Error> {
    row.at(position).map_err(|error| match error {
        SpiError::DatumError(error) => mistyped(name, &error),
        error => error.into(),
    })
}

/// The first row, read by `read`; `None` if no row was returned.
pub fn first<R>(
    rows: SpiTupleTable<'_>,
    read: impl FnOnce(&SpiTupleTable<'_>) -> Result<R, Error>,
) -> Result<Option<R>, Error> {
    if rows.is_empty() { Ok(None) } else { read(&rows.first()).map(Some) }
}

/// The first column of the first row, which must have a value; `None` if no row was returned.
pub fn one<T: FromDatum + IntoDatum>(
    rows: SpiTupleTable<'_>,
    name: &str,
) -> Result<Option<T>, Error> {
    first(rows, |row| value(row, 1, name))
}

/// Every row, read by `read`, in order.
pub fn each<R>(
    rows: SpiTupleTable<'_>,
    mut read: impl FnMut(&SpiHeapTupleData<'_>) -> Result<R, Error>,
) -> Result<Vec<R>, Error> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        interrupts::allow();
        found.push(read(&row)?);
    }
    Ok(found)
}

/// The first column of the only row of a statement that always returns one, such as a count.
pub fn only<T: FromDatum + IntoDatum>(rows: SpiTupleTable<'_>, name: &str) -> Result<T, Error> {
    one(rows, name)?.ok_or_else(|| null(name))
}

/// The error for a null in a column that is NOT NULL in every version.
pub fn null(name: &str) -> Error {
    changed(format!("column {name} is null"), "A function needs its value.".to_owned())
}

/// The error for a column with a type that it has in no version.
fn mistyped(name: &str, error: &TryFromDatumError) -> Error {
    changed(format!("column {name} cannot be read"), format!("{error}."))
}

fn changed(message: String, detail: String) -> Error {
    Error::new(Kind::NotReady, message)
        .detail(detail)
        .hint("See what differs from the installed version: SELECT * FROM orchestrator.verify();")
}
