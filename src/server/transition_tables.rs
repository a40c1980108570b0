//! The transition tables of a statement trigger, read directly. A query over them would often cost more
//! than the statement that fired the trigger.

use std::ffi::CStr;
use std::marker::PhantomData;

use pgrx::Uuid;
use pgrx::prelude::*;

use crate::server::error::{Error, Kind};
use crate::server::trigger_rows::table_of;

/// A text column of a transition table, row after row. The two tables of an UPDATE have their rows
/// in the same order.
pub struct Column<'a> {
    store: *mut pg_sys::Tuplestorestate,
    slot: *mut pg_sys::TupleTableSlot,
    number: i32,
    /// The number of the column that `id` reads; 0 if it reads none.
    id: i32,
    trigger: PhantomData<&'a pg_sys::TriggerData>,
}

impl<'a> Column<'a> {
    /// A column of the rows before the statement.
    ///
    /// Errors: 55000 the table has no such column of type text.
    pub fn before(trigger: &'a PgTrigger<'a>, name: &CStr) -> Result<Self, Error> {
        Self::of(trigger.trigger_data(), trigger.trigger_data().tg_oldtable, name)
    }

    /// A column of the rows after the statement.
    ///
    /// Errors: 55000 the table has no such column of type text.
    pub fn after(trigger: &'a PgTrigger<'a>, name: &CStr) -> Result<Self, Error> {
        Self::of(trigger.trigger_data(), trigger.trigger_data().tg_newtable, name)
    }

    fn of(
        data: &'a pg_sys::TriggerData,
        store: *mut pg_sys::Tuplestorestate,
        name: &CStr,
    ) -> Result<Self, Error> {
        let missing = || missing(data, name, "text");
        // SAFETY: while the trigger runs, the server keeps the relation open, and also the transition
        // tables, whose rows have the relation's type.
        unsafe {
            let descriptor = (*data.tg_relation).rd_att;
            let number = pg_sys::SPI_fnumber(descriptor, name.as_ptr());
            let kind = pg_sys::SPI_gettypeid(descriptor, number);
            if store.is_null() || number <= 0 || !pg_sys::IsBinaryCoercible(kind, pg_sys::TEXTOID) {
                return Err(missing());
            }
            // A read pointer of its own, because other triggers read the same table.
            let flags = pg_sys::EXEC_FLAG_REWIND as i32;
            let place = pg_sys::tuplestore_alloc_read_pointer(store, flags);
            pg_sys::tuplestore_select_read_pointer(store, place);
            pg_sys::tuplestore_rescan(store);
            let kind_of_slot = &raw const pg_sys::TTSOpsMinimalTuple;
            let slot = pg_sys::MakeSingleTupleTableSlot(descriptor, kind_of_slot);
            Ok(Column { store, slot, number, id: 0, trigger: PhantomData })
        }
    }

    /// Lets `id` read a column of type uuid.
    ///
    /// Errors: 55000 the table has no such column of type uuid.
    pub fn with_id(mut self, trigger: &'a PgTrigger<'a>, name: &CStr) -> Result<Self, Error> {
        let data = trigger.trigger_data();
        // SAFETY: as in `of`.
        unsafe {
            let descriptor = (*data.tg_relation).rd_att;
            self.id = pg_sys::SPI_fnumber(descriptor, name.as_ptr());
            if self.id <= 0 || pg_sys::SPI_gettypeid(descriptor, self.id) != pg_sys::UUIDOID {
                return Err(missing(data, name, "uuid"));
            }
        }
        Ok(self)
    }

    /// The id of the row that `next` has read; `None` if it is null.
    pub fn id(&self) -> Option<Uuid> {
        // SAFETY: `with_id` has found the column, and `next` has read a row.
        unsafe { self.value(self.id) }
    }

    /// The value of a column of the row that was read; `None` if it is null.
    ///
    /// # Safety
    /// The table has a column with this number and type, and a row was read. The value lives until
    /// the next row is read.
    unsafe fn value<T: FromDatum>(&self, number: i32) -> Option<T> {
        // SAFETY: the caller has read a row with this column.
        unsafe {
            pg_sys::slot_getsomeattrs_int(self.slot, number);
            let place = usize::try_from(number - 1).unwrap_or_default();
            let is_null = *(*self.slot).tts_isnull.add(place);
            T::from_datum(*(*self.slot).tts_values.add(place), is_null)
        }
    }

    /// Passes the next row's value to `look` and returns its answer; `None` after the last row. For a
    /// null it returns `false` without a call.
    pub fn next(&mut self, look: impl FnOnce(&str) -> bool) -> Option<bool> {
        // SAFETY: slot and table have the descriptor of the relation, which has the column; the
        // value lives until the next row is fetched.
        unsafe {
            if !pg_sys::tuplestore_gettupleslot(self.store, true, false, self.slot) {
                return None;
            }
            Some(self.value::<&str>(self.number).is_some_and(look))
        }
    }
}

/// The error for a table that lacks a column.
fn missing(data: &pg_sys::TriggerData, name: &CStr, kind: &str) -> Error {
    let (table, name) = (table_of(data), name.to_string_lossy());
    Error::new(Kind::NotReady, format!("{table} has no column \"{name}\" of type {kind}"))
        .detail("A trigger of orchestrator_schema reads this column.")
}

impl Drop for Column<'_> {
    fn drop(&mut self) {
        // SAFETY: made with this value, and used by nothing else.
        unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.slot) }
    }
}
