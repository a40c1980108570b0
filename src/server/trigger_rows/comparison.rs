//! Which columns the caller of an UPDATE changed, by the stored bytes of both rows.

use std::ffi::CStr;
use std::mem::offset_of;
use std::slice;

use pgrx::pg_sys;
use pgrx::varlena::varlena_to_byte_slice;

use super::{Rows, has_nulls, stored_columns};

impl Rows<'_> {
    /// Whether the new row, as the caller wrote it, differs from the old one.
    pub fn differs(&self) -> bool {
        (1..=self.descriptor.natts).any(|column| self.changes(column))
    }

    /// Whether the caller changed the value of that column, and of no other.
    pub fn changes_only(&self, column: i32) -> bool {
        (1..=self.descriptor.natts).all(|each| self.changes(each) == (each == column))
    }

    /// Whether the caller changed the value of a column. Equal values may be stored in different bytes,
    /// compressed or not, so their unpacked bytes are compared. Their text is not compared, because it
    /// depends on the session's settings.
    pub fn changes(&self, column: i32) -> bool {
        !self.stored_alike(column) && !self.unpacked_alike(column)
    }

    /// Whether the values of a column of variable length have the same unpacked bytes.
    fn unpacked_alike(&self, column: i32) -> bool {
        let place = usize::try_from(column - 1).unwrap_or(usize::MAX);
        if self.descriptor.get(place).is_none_or(|attribute| attribute.attlen != -1) {
            return false;
        }
        let old = self.datum(self.data.tg_trigtuple, column);
        let new = self.datum(self.data.tg_newtuple, column);
        let (Some(old), Some(new)) = (old, new) else { return false };
        unpacked(&old) == unpacked(&new)
    }

    /// Whether a column of the old and the new row, as the caller wrote it, has the same bytes.
    pub fn stored_alike(&self, column: i32) -> bool {
        if column <= self.alike_to.get() {
            return true;
        }
        let old = self.datum(self.data.tg_trigtuple, column);
        if old.is_some_and(|old| self.alike_up_to(column, &old)) {
            self.alike_to.set(column);
            return true;
        }
        match (old, self.datum(self.data.tg_newtuple, column)) {
            (Some(old), Some(new)) => self.image(column, &old) == self.image(column, &new),
            (old, new) => old.is_none() && new.is_none(),
        }
    }

    /// Whether both rows have the same bytes from their first column to the end of `old`, the old row's
    /// value. In that case the new row has the same value, and finding it, which costs more, is not
    /// necessary. May return `false` for rows that have the same bytes.
    fn alike_up_to(&self, column: i32, old: &pg_sys::Datum) -> bool {
        let image = self.image(column, old);
        let (old, new) = (self.data.tg_trigtuple, self.data.tg_newtuple);
        // SAFETY: both rows are of the same table. If both store the column, both or neither have a
        // bitmap, and their beginnings are equal, the column is at the same place in both. A value that
        // is passed by value is in neither row, and its address is never within the old row's length.
        unsafe {
            let (was, is) = ((*old).t_data, (*new).t_data);
            let start = offset_of!(pg_sys::HeapTupleHeaderData, t_hoff);
            let end = (image.as_ptr_range().end as usize).wrapping_sub(was as usize);
            let bytes =
                |header: pg_sys::HeapTupleHeader| slice::from_raw_parts(header.cast::<u8>(), end);
            (start..=(*old).t_len.min((*new).t_len) as usize).contains(&end)
                && stored_columns(was).min(stored_columns(is)) >= column
                && has_nulls(was) == has_nulls(is)
                && bytes(was)[start..] == bytes(is)[start..]
        }
    }

    /// A value's stored bytes.
    fn image<'d>(&self, column: i32, datum: &'d pg_sys::Datum) -> &'d [u8] {
        let place = usize::try_from(column - 1).unwrap_or(usize::MAX);
        let Some(attribute) = self.descriptor.get(place) else {
            return &[];
        };
        let (start, size) = if attribute.attbyval {
            (std::ptr::from_ref(datum).cast(), size_of::<pg_sys::Datum>())
        } else {
            let start = datum.cast_mut_ptr::<u8>();
            // The length of the column's type: variable (-1), NUL-terminated (-2) or fixed.
            let size = match attribute.attlen {
                // SAFETY: a value of a type of variable length begins with its size.
                -1 => unsafe { pgrx::varlena::varsize_any(start.cast()) },
                // SAFETY: a value of such a type ends with NUL.
                -2 => unsafe { CStr::from_ptr(start.cast()) }.count_bytes(),
                fixed => usize::try_from(fixed).unwrap_or_default(),
            };
            (start.cast_const(), size)
        };
        // SAFETY: the bytes of the datum itself, or of what it points to in the trigger's row.
        unsafe { slice::from_raw_parts(start, size) }
    }
}

/// The bytes of a value of variable length without its header, detoasted if necessary.
fn unpacked(datum: &pg_sys::Datum) -> &[u8] {
    // SAFETY: the value is of variable length. The server's copy of it lives as long as the trigger's
    // memory context, and so longer than the comparison.
    unsafe { varlena_to_byte_slice(pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr())) }
}
