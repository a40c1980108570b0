//! Statements with plans that each backend keeps, because planning most of our statements costs more
//! than running them. PostgreSQL plans again after a schema change, and DISCARD does not drop these
//! plans.
//!
//! Statements that find rows by key compare the status with an expression that no index supports
//! (`IS NOT DISTINCT FROM`, `array_position`, `IS NOT TRUE` of a boolean), so that stale statistics
//! cannot make the planner choose the status index. Statistics from a time without waiting rows promise
//! an empty index, but it may hold many waiting rows by now.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::{OwnedPreparedStatement, SpiClient, SpiTupleTable};

use crate::server::error::{Error, Kind};
use crate::server::{backend_state, interrupts};

/// A statement, with the plan that is made when the backend runs it for the first time.
pub struct Statement {
    sql: &'static str,
    /// Null until the statement is planned.
    plan: AtomicPtr<Plan>,
}

struct Plan {
    prepared: OwnedPreparedStatement,
    /// The types of the parameters for which it was planned.
    parameters: Vec<pg_sys::Oid>,
}

impl Statement {
    pub const fn new(sql: &'static str) -> Statement {
        Statement { sql, plan: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Runs a statement that only reads, and passes its rows to `read`. No transaction id is assigned.
    ///
    /// Errors: 55000 an argument has another type than in the first call.
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

    /// Runs a statement that writes, or one that reads and must see rows that others have committed
    /// meanwhile, and passes its rows to `read`.
    ///
    /// Errors: 25006 the server is a standby; 55000 an argument has another type than in the first
    /// call.
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

    /// The plan; the first call makes it for the types of its arguments. It is never freed, because
    /// the number of plans is limited by the number of statements.
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
