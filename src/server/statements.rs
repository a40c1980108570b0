//! Statements with their plans, kept per backend: for most of ours planning costs more than running.
//! PostgreSQL plans again after a schema change, and no DISCARD drops these plans.
//!
//! Statements that find rows by key compare the status with an expression that no index supports
//! (`IS NOT DISTINCT FROM`, `array_position`, `IS NOT TRUE` of a boolean), so that stale statistics
//! cannot make the planner choose the status index: statistics of a time when nothing waited promise no
//! row there, and the index holds every row that waits.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::{OwnedPreparedStatement, SpiClient, SpiTupleTable};

use crate::server::error::{Error, Kind};
use crate::server::{backend_state, interrupts};

/// A statement of ours, with its plan from the first time that the backend runs it.
pub struct Statement {
    sql: &'static str,
    /// Null until the statement is planned.
    plan: AtomicPtr<Plan>,
}

struct Plan {
    prepared: OwnedPreparedStatement,
    /// The types of the parameters, by which it was planned.
    parameters: Vec<pg_sys::Oid>,
}

impl Statement {
    pub const fn new(sql: &'static str) -> Statement {
        Statement { sql, plan: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Runs a reading statement and hands its rows to `read`. No transaction id is assigned.
    ///
    /// Errors: 55000 an argument has another type than it had the first time.
    pub fn select<R>(
        &'static self,
        arguments: &[DatumWithOid<'_>],
        read: impl FnOnce(SpiTupleTable<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        Spi::connect(|client| {
            let plan = self.plan(client, arguments)?;
            read(client.select(&plan.prepared, None, arguments)?)
        })
    }

    /// Runs a writing statement, or a reading one that must see what others committed meanwhile, and
    /// hands its rows to `read`.
    ///
    /// Errors: 25006 the server is a standby; 55000 an argument has another type than it had the
    /// first time.
    pub fn update<R>(
        &'static self,
        arguments: &[DatumWithOid<'_>],
        read: impl FnOnce(SpiTupleTable<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        backend_state::only_on_a_primary()?;
        Spi::connect_mut(|client| {
            let plan = self.plan(client, arguments)?;
            read(client.update(&plan.prepared, None, arguments)?)
        })
    }

    /// The plan, made by the types of the arguments when there is none. It is never freed: a backend
    /// has as many as we have statements.
    fn plan(
        &'static self,
        client: &SpiClient<'_>,
        arguments: &[DatumWithOid<'_>],
    ) -> Result<&'static Plan, Error> {
        // SAFETY: null, or a plan that this backend leaked below; nothing else writes the pointer.
        if let Some(plan) = unsafe { self.plan.load(Ordering::Relaxed).as_ref() } {
            let types = arguments.iter().map(DatumWithOid::oid);
            if !types.eq(plan.parameters.iter().copied()) {
                return Err(self.planned_otherwise());
            }
            return Ok(plan);
        }
        let parameters: Vec<_> = arguments.iter().map(DatumWithOid::oid).collect();
        let types: Vec<_> = parameters.iter().copied().map(PgOid::from).collect();
        let prepared = client.prepare(self.sql, &types)?.keep();
        let plan = Box::leak(Box::new(Plan { prepared, parameters }));
        self.plan.store(plan, Ordering::Relaxed);
        Ok(plan)
    }

    #[cold]
    fn planned_otherwise(&self) -> Error {
        Error::new(Kind::Internal, "a statement was planned for arguments of other types")
            .detail(format!("The statement: {}.", self.sql))
    }
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
