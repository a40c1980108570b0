//! The state of an aggregate that is a `bytea`, which its transition function changes in place: a copy for every row would
//! take longer than the function does.

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pg_sys;

use crate::server::sql_name::sql_name;

/// The server's function that looks at the call and raises no error. It is called for every row of a report.
mod unguarded {
    use pgrx::pg_sys;

    unsafe extern "C-unwind" {
        pub fn AggCheckCallContext(
            fcinfo: pg_sys::FunctionCallInfo,
            context: *mut pg_sys::MemoryContext,
        ) -> std::ffi::c_int;
    }
}

/// A `bytea` of the server's that nothing else refers to.
pub struct State(*mut pg_sys::varlena);

impl State {
    /// A copy of the parts, one after the other. A longer one than the server can hold is refused by the server.
    pub fn new(parts: &[&[u8]]) -> State {
        let size = parts.iter().map(|part| part.len()).sum::<usize>() + pg_sys::VARHDRSZ;
        // SAFETY: the server's allocation has the length that is written; its header takes the first bytes.
        unsafe {
            let copy = pg_sys::palloc(size).cast::<pg_sys::varlena>();
            pgrx::set_varsize_4b(copy, i32::try_from(size).unwrap_or(i32::MAX));
            let mut data = copy.cast::<u8>().add(pg_sys::VARHDRSZ);
            for part in parts {
                std::ptr::copy_nonoverlapping(part.as_ptr(), data, part.len());
                data = data.add(part.len());
            }
            State(copy)
        }
    }

    /// The state that is passed to a call: that of the aggregate itself, or a copy if anything else calls, because only an
    /// aggregate owns the value that it passes.
    ///
    /// # Safety
    ///
    /// The call information is that of the running call, and the datum is a bytea among its arguments.
    pub unsafe fn passed(call: pg_sys::FunctionCallInfo, datum: pg_sys::Datum) -> State {
        let value = datum.cast_mut_ptr::<pg_sys::varlena>();
        // SAFETY: a whole value of variable length; the server makes a flat copy of one that is not flat. The server's
        // function only reads the call information.
        unsafe {
            let state = if pgrx::varlena::varatt_is_4b_u(value) {
                State(value)
            } else {
                State(pg_sys::pg_detoast_datum(value))
            };
            if unguarded::AggCheckCallContext(call, std::ptr::null_mut()) == 0 {
                return State::new(&[state.bytes()]);
            }
            state
        }
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: a whole value of variable length, which lives as long as the running call.
        unsafe { pgrx::varlena_to_byte_slice(self.0) }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the same; nothing else refers to it, because it is the aggregate's own or a copy.
        unsafe {
            let length = pgrx::varsize_any_exhdr(self.0);
            std::slice::from_raw_parts_mut(pgrx::vardata_any(self.0).cast_mut().cast(), length)
        }
    }
}

// SAFETY: the datum that is returned is a bytea of the server's.
unsafe impl BoxRet for State {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: the datum is of the type that the function returns.
        unsafe { fcinfo.return_raw_datum(pg_sys::Datum::from(self.0)) }
    }
}

sql_name!(State, "bytea");
