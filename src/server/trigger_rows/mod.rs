//! The row of a trigger, read and changed in the server's own structures. The row is copied once,
//! however many columns change.

mod comparison;

use std::cell::Cell;
use std::ffi::CStr;
use std::slice;
use std::sync::atomic::{AtomicI32, Ordering};

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::tupdesc::PgTupleDesc;
use pgrx::{AllocatedByPostgres, trigger_fired_by_update, trigger_fired_for_row};
use smallvec::SmallVec;

use crate::server::dynamic_sql::quote;
use crate::server::error::{Error, Kind};

/// The number of columns that an UPDATE of a row is likely to change. More columns need an allocation.
const CHANGES: usize = 8;

/// The last known number of a column. An UPDATE of many rows looks for the same column each time.
pub struct ColumnHint(AtomicI32);

impl ColumnHint {
    pub const fn unknown() -> Self {
        Self(AtomicI32::new(0))
    }
}

/// The old and the new row of an UPDATE, with the changes collected so far.
pub struct Rows<'a> {
    data: &'a pg_sys::TriggerData,
    descriptor: PgTupleDesc<'a>,
    columns: SmallVec<[i32; CHANGES]>,
    values: SmallVec<[pg_sys::Datum; CHANGES]>,
    nulls: SmallVec<[bool; CHANGES]>,
    /// The column up to which both rows are known to have the same bytes.
    alike_to: Cell<i32>,
}

impl<'a> Rows<'a> {
    /// The rows of a trigger call; `None` if it was not fired for an updated row.
    pub fn of(trigger: &'a PgTrigger<'a>) -> Option<Self> {
        let data = trigger.trigger_data();
        let fits = trigger_fired_by_update(data.tg_event) && trigger_fired_for_row(data.tg_event);
        fits.then(|| Rows {
            data,
            // SAFETY: the server keeps the relation open while its trigger runs.
            descriptor: unsafe { PgTupleDesc::from_pg_unchecked((*data.tg_relation).rd_att) },
            columns: SmallVec::new(),
            values: SmallVec::new(),
            nulls: SmallVec::new(),
            alike_to: Cell::new(0),
        })
    }

    /// The arguments that CREATE TRIGGER gave.
    pub fn arguments(&self) -> impl DoubleEndedIterator<Item = &'a CStr> + use<'a> {
        // SAFETY: the server keeps the trigger, with its array of texts, while it runs.
        let arguments = unsafe {
            let trigger = &*self.data.tg_trigger;
            match usize::try_from(trigger.tgnargs) {
                Ok(count) if count > 0 => slice::from_raw_parts(trigger.tgargs, count),
                _ => &[],
            }
        };
        // SAFETY: each is a NUL-terminated text of the trigger.
        arguments.iter().map(|text| unsafe { CStr::from_ptr(*text) })
    }

    /// The number of a column, if the table has it.
    pub fn column(&self, name: impl AsRef<[u8]>) -> Option<i32> {
        let count = usize::try_from(self.descriptor.natts).ok()?;
        let place = (0..count).find(|place| self.is_named(*place, name.as_ref()))?;
        i32::try_from(place + 1).ok()
    }

    /// The same. The number that the last row had is tried first.
    pub fn column_near(&self, last: &ColumnHint, name: impl AsRef<[u8]>) -> Option<i32> {
        let guess = last.0.load(Ordering::Relaxed);
        let name = name.as_ref();
        if usize::try_from(guess - 1).is_ok_and(|place| self.is_named(place, name)) {
            return Some(guess);
        }
        let column = self.column(name)?;
        last.0.store(column, Ordering::Relaxed);
        Some(column)
    }

    fn is_named(&self, place: usize, name: &[u8]) -> bool {
        self.descriptor.get(place).is_some_and(|attribute| {
            let own = &attribute.attname.data;
            // SAFETY: the same bytes, whichever sign C gives them here.
            let own = unsafe { slice::from_raw_parts(own.as_ptr().cast::<u8>(), own.len()) };
            // A name ends with a zero within its fixed length.
            own.get(name.len()) == Some(&0) && own.starts_with(name) && !attribute.attisdropped
        })
    }

    /// A column's value in the old row. Raises an error if the column has another type.
    pub fn before<T: FromDatum + IntoDatum>(&self, column: i32) -> Option<T> {
        self.read(self.datum(self.data.tg_trigtuple, column), column)
    }

    /// A column's value in the new row, changes included. Raises an error if the column has another
    /// type.
    pub fn after<T: FromDatum + IntoDatum>(&self, column: i32) -> Option<T> {
        self.read(self.datum_after(column), column)
    }

    /// Whether a column is NULL in the new row, changes included.
    pub fn is_null_after(&self, column: i32) -> bool {
        self.datum_after(column).is_none()
    }

    fn read<T: FromDatum + IntoDatum>(
        &self,
        datum: Option<pg_sys::Datum>,
        column: i32,
    ) -> Option<T> {
        let datum = datum?;
        self.must_hold::<T>(column);
        // SAFETY: the line above checked that the values of the column have the form of `T`.
        unsafe { T::from_datum(datum, false) }
    }

    fn datum_after(&self, column: i32) -> Option<pg_sys::Datum> {
        match self.columns.iter().rposition(|changed| *changed == column) {
            Some(place) => (!self.nulls[place]).then_some(self.values[place]),
            None => self.datum(self.data.tg_newtuple, column),
        }
    }

    /// The type of a column.
    fn type_of(&self, column: i32) -> pg_sys::Oid {
        let attribute =
            usize::try_from(column - 1).ok().and_then(|place| self.descriptor.get(place));
        attribute.map_or(pg_sys::InvalidOid, |attribute| attribute.atttypid)
    }

    /// Raises an error unless the values of a column are stored like `T`: the owner of a table can change
    /// the types of its columns, and the trigger can be created on any table.
    fn must_hold<T: IntoDatum>(&self, column: i32) {
        let (found, wanted) = (self.type_of(column), T::type_oid());
        // SAFETY: compares two types by their entries in the catalog.
        if found != wanted && !unsafe { pg_sys::IsBinaryCoercible(found, wanted) } {
            ErrorReport::from(self.of_another_type(column, wanted)).report(PgLogLevel::ERROR);
        }
    }

    fn of_another_type(&self, column: i32, wanted: pg_sys::Oid) -> Error {
        let place = usize::try_from(column - 1).unwrap_or(usize::MAX);
        let name = self.descriptor.get(place).map_or("", |attribute| attribute.name());
        let (table, wanted) = (self.table(), type_name(wanted));
        let found = type_name(self.type_of(column));
        Error::new(
            Kind::NotReady,
            format!("column \"{name}\" of {table} is of type {found}, not {wanted}"),
        )
        .detail("A trigger of orchestrator_schema reads or writes this column.")
        .hint(format!(
            "Change its type: ALTER TABLE {table} ALTER COLUMN {name} TYPE {wanted} USING ...;",
            name = quote(name)
        ))
    }

    fn datum(&self, tuple: pg_sys::HeapTuple, column: i32) -> Option<pg_sys::Datum> {
        let descriptor = self.descriptor.as_ptr();
        // SAFETY: tuple and descriptor belong to the same open relation, and the tuple's bitmap has
        // a bit for each column that it stores.
        unsafe {
            let header = (*tuple).t_data;
            if column > stored_columns(header) {
                let mut is_null = false;
                let datum = pg_sys::heap_getattr(tuple, column, descriptor, &mut is_null);
                return (!is_null).then_some(datum);
            }
            let place = usize::try_from(column - 1).ok()?;
            let is_null = has_nulls(header)
                && *(*header).t_bits.as_ptr().add(place / 8) & (1 << (place % 8)) == 0;
            (!is_null).then(|| unguarded::nocachegetattr(tuple, column, descriptor))
        }
    }

    /// Changes a column of the new row. Raises an error if the column has another type, or its type is
    /// a domain that does not allow the value.
    pub fn set<T: IntoDatum>(&mut self, column: i32, value: Option<T>) {
        let datum = value.and_then(IntoDatum::into_datum);
        if datum.is_some() {
            self.must_hold::<T>(column);
        }
        let (is_null, datum) = (datum.is_none(), datum.unwrap_or(pg_sys::Datum::from(0usize)));
        let column_type = self.type_of(column);
        // SAFETY: the value is of the domain's base type, and nothing is kept of the check.
        unsafe {
            if column_type != T::type_oid() && pg_sys::getBaseType(column_type) != column_type {
                let (memory, kept) = (pg_sys::CurrentMemoryContext, std::ptr::null_mut());
                pg_sys::domain_check(datum, is_null, column_type, kept, memory);
            }
        }
        self.columns.push(column);
        self.nulls.push(is_null);
        self.values.push(datum);
    }

    /// A column of the old row in its text form, for a message.
    pub fn old_text(&self, column: i32) -> Option<String> {
        let (tuple, descriptor) = (self.data.tg_trigtuple, self.descriptor.as_ptr());
        // SAFETY: tuple and descriptor belong together; the text is copied at once.
        unsafe {
            let text = pg_sys::SPI_getvalue(tuple, descriptor, column);
            (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
        }
    }

    /// The table's qualified name, quoted for SQL.
    pub fn table(&self) -> String {
        table_of(self.data)
    }

    /// The row that the UPDATE is to write.
    pub fn into_row(mut self) -> PgHeapTuple<'a, AllocatedByPostgres> {
        let mut tuple = self.data.tg_newtuple;
        if !self.columns.is_empty() {
            // SAFETY: the arrays have one entry per changed column, each of that column's type.
            tuple = unsafe {
                pg_sys::heap_modify_tuple_by_cols(
                    tuple,
                    self.descriptor.as_ptr(),
                    self.columns.len() as i32,
                    self.columns.as_mut_ptr(),
                    self.values.as_mut_ptr(),
                    self.nulls.as_mut_ptr(),
                )
            };
        }
        // SAFETY: the tuple fits the relation's descriptor, which outlives this call.
        unsafe { PgHeapTuple::from_heap_tuple(self.descriptor, tuple) }
    }
}

/// The qualified name of a trigger's table, quoted for SQL.
pub fn table_of(data: &pg_sys::TriggerData) -> String {
    // SAFETY: the relation is open while its trigger runs. The name of its namespace, if that exists,
    // is copied at once.
    unsafe {
        let class = &*(*data.tg_relation).rd_rel;
        let schema = pg_sys::get_namespace_name(class.relnamespace);
        let name = quote(&CStr::from_ptr(class.relname.data.as_ptr()).to_string_lossy());
        if schema.is_null() {
            name
        } else {
            format!("{}.{name}", quote(&CStr::from_ptr(schema).to_string_lossy()))
        }
    }
}

/// The number of columns in a stored row. It lacks columns that were added to its table later.
unsafe fn stored_columns(header: pg_sys::HeapTupleHeader) -> i32 {
    // SAFETY: the caller's row is whole.
    i32::from(unsafe { (*header).t_infomask2 } & pg_sys::HEAP_NATTS_MASK as u16)
}

/// Whether a stored row has a bitmap of its nulls.
unsafe fn has_nulls(header: pg_sys::HeapTupleHeader) -> bool {
    // SAFETY: the caller's row is whole.
    unsafe { (*header).t_infomask & pg_sys::HEAP_HASNULL as u16 != 0 }
}

/// The name of a type in SQL.
fn type_name(oid: pg_sys::Oid) -> String {
    // SAFETY: the server's text, which it makes for any identifier, is copied at once.
    unsafe { CStr::from_ptr(pg_sys::format_type_be(oid)) }.to_string_lossy().into_owned()
}

/// A function of the server that only reads and raises no error. It is called for every updated row,
/// and the guard that pgrx puts around each call would cost more than the call.
mod unguarded {
    use pgrx::pg_sys;

    unsafe extern "C-unwind" {
        pub fn nocachegetattr(
            tuple: pg_sys::HeapTuple,
            column: core::ffi::c_int,
            descriptor: pg_sys::TupleDesc,
        ) -> pg_sys::Datum;
    }
}
