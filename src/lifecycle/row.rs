//! The row a trigger sees, read and changed in place of the server's own structures: at the price
//! of one copy of the row, however many columns change.

use std::ffi::{CStr, CString};

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::tupdesc::PgTupleDesc;
use pgrx::{AllocatedByPostgres, trigger_fired_by_update, trigger_fired_for_row};

/// The old and the new row of an UPDATE, with the changes collected so far.
pub struct Rows<'a> {
    data: &'a pg_sys::TriggerData,
    descriptor: pg_sys::TupleDesc,
    columns: Vec<i32>,
    values: Vec<pg_sys::Datum>,
    nulls: Vec<bool>,
}

impl<'a> Rows<'a> {
    /// The rows of a trigger call; `None` when it was not fired per updated row.
    pub fn of(trigger: &'a PgTrigger<'a>) -> Option<Self> {
        let data = trigger.trigger_data();
        let fits = trigger_fired_by_update(data.tg_event) && trigger_fired_for_row(data.tg_event);
        fits.then(|| Rows {
            data,
            // SAFETY: the server keeps the relation open while its trigger runs.
            descriptor: unsafe { (*data.tg_relation).rd_att },
            columns: Vec::new(),
            values: Vec::new(),
            nulls: Vec::new(),
        })
    }

    /// The arguments that CREATE TRIGGER gave.
    pub fn arguments(&self) -> impl Iterator<Item = &'a CStr> + use<'a> {
        // SAFETY: the server keeps the trigger, with its array of texts, while it runs.
        let arguments = unsafe {
            let trigger = &*self.data.tg_trigger;
            match usize::try_from(trigger.tgnargs) {
                Ok(count) if count > 0 => std::slice::from_raw_parts(trigger.tgargs, count),
                _ => &[],
            }
        };
        // SAFETY: each is a NUL-terminated text of the trigger.
        arguments.iter().map(|text| unsafe { CStr::from_ptr(*text) })
    }

    /// The number of a column, when the table has it.
    pub fn column(&self, name: &CStr) -> Option<i32> {
        // SAFETY: the descriptor belongs to the open relation, the name is NUL-terminated.
        let number = unsafe { pg_sys::SPI_fnumber(self.descriptor, name.as_ptr()) };
        (number > 0).then_some(number)
    }

    /// The number of a column by a name that is no C string yet.
    pub fn column_named(&self, name: &str) -> Option<i32> {
        CString::new(name).ok().and_then(|name| self.column(&name))
    }

    /// A column's value in the row as it was.
    pub fn before<T: FromDatum>(&self, column: i32) -> Option<T> {
        self.read(self.data.tg_trigtuple, column)
    }

    /// A column's value in the row as it is to be, changes included.
    pub fn after<T: FromDatum>(&self, column: i32) -> Option<T> {
        match self.columns.iter().position(|changed| *changed == column) {
            // SAFETY: the value was made by `set` from the column's own type.
            Some(place) => unsafe { T::from_datum(self.values[place], self.nulls[place]) },
            None => self.read(self.data.tg_newtuple, column),
        }
    }

    fn read<T: FromDatum>(&self, tuple: pg_sys::HeapTuple, column: i32) -> Option<T> {
        let mut is_null = false;
        // SAFETY: tuple and descriptor belong to the same open relation.
        unsafe {
            let datum = pg_sys::heap_getattr(tuple, column, self.descriptor, &mut is_null);
            T::from_datum(datum, is_null)
        }
    }

    /// Changes a column of the new row.
    pub fn set<T: IntoDatum>(&mut self, column: i32, value: Option<T>) {
        let datum = value.and_then(IntoDatum::into_datum);
        self.columns.push(column);
        self.nulls.push(datum.is_none());
        self.values.push(datum.unwrap_or(pg_sys::Datum::from(0usize)));
    }

    /// A column of the old row in its text form.
    pub fn old_text(&self, column: i32) -> Option<String> {
        self.text(self.data.tg_trigtuple, column)
    }

    fn text(&self, tuple: pg_sys::HeapTuple, column: i32) -> Option<String> {
        // SAFETY: tuple and descriptor belong together; the text is copied at once.
        unsafe {
            let text = pg_sys::SPI_getvalue(tuple, self.descriptor, column);
            (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
        }
    }

    /// The table's qualified name.
    pub fn table(&self) -> String {
        // SAFETY: the relation is open; the namespace's name, when it has one, is copied at once.
        unsafe {
            let class = &*(*self.data.tg_relation).rd_rel;
            let schema = pg_sys::get_namespace_name(class.relnamespace);
            let name = CStr::from_ptr(class.relname.data.as_ptr()).to_string_lossy();
            if schema.is_null() {
                name.into_owned()
            } else {
                format!("{}.{name}", CStr::from_ptr(schema).to_string_lossy())
            }
        }
    }

    /// Whether the new row, as the caller wrote it, differs from the old one.
    pub fn differs(&self) -> bool {
        // SAFETY: the descriptor belongs to the open relation.
        let count = unsafe { (*self.descriptor).natts };
        (1..=count).any(|column| self.changes(column))
    }

    /// Whether the caller wrote another value into a column. Equal values may be stored in
    /// different bytes, compressed or not: then their text decides.
    pub fn changes(&self, column: i32) -> bool {
        let (old, new) = (self.data.tg_trigtuple, self.data.tg_newtuple);
        self.image(old, column) != self.image(new, column)
            && self.text(old, column) != self.text(new, column)
    }

    /// A column's stored bytes; `None` for NULL.
    fn image(&self, tuple: pg_sys::HeapTuple, column: i32) -> Option<Vec<u8>> {
        let mut is_null = false;
        // SAFETY: tuple and descriptor belong together, and the type's length says how many bytes
        // a value has: by value, of fixed length, variable (-1) or NUL-terminated (-2).
        unsafe {
            let datum = pg_sys::heap_getattr(tuple, column, self.descriptor, &mut is_null);
            if is_null {
                return None;
            }
            let (mut length, mut by_value) = (0i16, false);
            let type_oid = pg_sys::SPI_gettypeid(self.descriptor, column);
            pg_sys::get_typlenbyval(type_oid, &mut length, &mut by_value);
            if by_value {
                return Some(datum.value().to_ne_bytes().to_vec());
            }
            let start = datum.cast_mut_ptr::<u8>();
            let size = match length {
                -1 => pgrx::varlena::varsize_any(start.cast()),
                -2 => CStr::from_ptr(start.cast()).count_bytes(),
                fixed => usize::try_from(fixed).unwrap_or_default(),
            };
            Some(std::slice::from_raw_parts(start, size).to_vec())
        }
    }

    /// The row that the UPDATE is to write.
    pub fn into_row(mut self) -> PgHeapTuple<'a, AllocatedByPostgres> {
        let mut tuple = self.data.tg_newtuple;
        if !self.columns.is_empty() {
            // SAFETY: the arrays have one entry per changed column, each of that column's type.
            tuple = unsafe {
                pg_sys::heap_modify_tuple_by_cols(
                    tuple,
                    self.descriptor,
                    self.columns.len() as i32,
                    self.columns.as_mut_ptr(),
                    self.values.as_mut_ptr(),
                    self.nulls.as_mut_ptr(),
                )
            };
        }
        // SAFETY: the tuple fits the relation's descriptor, which outlives this call.
        unsafe {
            PgHeapTuple::from_heap_tuple(PgTupleDesc::from_pg_unchecked(self.descriptor), tuple)
        }
    }
}
