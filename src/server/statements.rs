//! Prepared plans, kept per backend: planning a statement costs more than running most of ours.
//! PostgreSQL itself plans anew what a schema change made stale, and no DISCARD touches them.
//!
//! A statement that knows its rows by key asks for their status in a way that fits no index:
//! `IS NOT DISTINCT FROM`, `array_position`, and `IS NOT TRUE` of a boolean. Asked by `=`, statistics
//! from a time when nothing waited would make the index on the status seem to lead to no row, and it
//! leads to all that wait.

use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::{OwnedPreparedStatement, SpiClient, SpiTupleTable};

use crate::server::error::Error;
use crate::server::{backend_state, interrupts};

thread_local! {
    /// By address and length of the statement's text: hashing that costs less than hashing it.
    static PLANS: RefCell<HashMap<(usize, usize), &'static OwnedPreparedStatement>> =
        RefCell::new(HashMap::new());
}

/// The kept plan of `sql`. It is never freed: a backend has as many as we have statements.
fn plan(
    client: &SpiClient<'_>,
    sql: &'static str,
    arguments: &[DatumWithOid<'_>],
) -> Result<&'static OwnedPreparedStatement, Error> {
    let address = (sql.as_ptr() as usize, sql.len());
    if let Some(plan) = PLANS.with_borrow(|plans| plans.get(&address).copied()) {
        return Ok(plan);
    }
    let types: Vec<PgOid> = arguments.iter().map(|argument| PgOid::from(argument.oid())).collect();
    let plan: &'static _ = Box::leak(Box::new(client.prepare(sql, &types)?.keep()));
    PLANS.with_borrow_mut(|plans| plans.insert(address, plan));
    Ok(plan)
}

/// Runs a reading statement and hands its rows to `read`. No transaction id is assigned.
pub fn select<R>(
    sql: &'static str,
    arguments: &[DatumWithOid<'_>],
    read: impl FnOnce(SpiTupleTable<'_>) -> Result<R, Error>,
) -> Result<R, Error> {
    Spi::connect(|client| read(client.select(plan(client, sql, arguments)?, None, arguments)?))
}

/// Runs a writing statement, or a reading one that must see what others committed meanwhile, and
/// hands its rows to `read`.
pub fn update<R>(
    sql: &'static str,
    arguments: &[DatumWithOid<'_>],
    read: impl FnOnce(SpiTupleTable<'_>) -> Result<R, Error>,
) -> Result<R, Error> {
    backend_state::only_on_a_primary()?;
    Spi::connect_mut(|client| {
        let plan = plan(client, sql, arguments)?;
        read(client.update(plan, None, arguments)?)
    })
}

/// The first column of the first row.
pub fn one<T: FromDatum + IntoDatum>(rows: SpiTupleTable<'_>) -> Result<Option<T>, Error> {
    if rows.is_empty() { Ok(None) } else { Ok(rows.first().get_one()?) }
}

/// The first two columns of the first row.
pub fn two<A: FromDatum + IntoDatum, B: FromDatum + IntoDatum>(
    rows: SpiTupleTable<'_>,
) -> Result<Option<(Option<A>, Option<B>)>, Error> {
    if rows.is_empty() { Ok(None) } else { Ok(Some(rows.first().get_two()?)) }
}

/// The first three columns of the first row.
#[allow(clippy::type_complexity)]
pub fn three<A: FromDatum + IntoDatum, B: FromDatum + IntoDatum, C: FromDatum + IntoDatum>(
    rows: SpiTupleTable<'_>,
) -> Result<Option<(Option<A>, Option<B>, Option<C>)>, Error> {
    if rows.is_empty() { Ok(None) } else { Ok(Some(rows.first().get_three()?)) }
}

/// The first column of every row.
pub fn column<T: FromDatum + IntoDatum>(rows: SpiTupleTable<'_>) -> Result<Vec<T>, Error> {
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        interrupts::allow();
        values.extend(row.get::<T>(1)?);
    }
    Ok(values)
}
