//! Values of variable length that are read where they stand, for functions that run once per row: a copy of a value, and
//! the guard that pgrx puts around each call of the server, would cost more than the functions do.

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::{FromDatum, pg_sys, varlena};

use crate::server::sql_name::sql_name;

/// The bytes of a value, without a copy unless it is compressed or stored elsewhere.
///
/// # Safety
///
/// The datum is a value of variable length that lives as long as the result.
#[inline]
pub unsafe fn bytes<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    let mut value = datum.cast_mut_ptr::<pg_sys::varlena>();
    // SAFETY: the caller promises such a value; the server makes a flat copy of one that is not flat.
    unsafe {
        if !(varlena::varatt_is_4b_u(value)
            || varlena::varatt_is_1b(value) && !varlena::varatt_is_1b_e(value))
        {
            value = pg_sys::pg_detoast_datum(value);
        }
        pgrx::varlena_to_byte_slice(value)
    }
}

/// An argument of a type of variable length.
macro_rules! packed {
    ($(#[$about:meta])* $name:ident, $sql:literal) => {
        $(#[$about])*
        #[derive(Clone, Copy)]
        pub struct $name<'a>(pub &'a [u8]);

        impl FromDatum for $name<'_> {
            // SAFETY: the caller promises a datum of this type.
            unsafe fn from_polymorphic_datum(
                datum: pg_sys::Datum,
                is_null: bool,
                _: pg_sys::Oid,
            ) -> Option<Self> {
                // SAFETY: the same promise.
                (!is_null).then(|| $name(unsafe { bytes(datum) }))
            }
        }

        // SAFETY: unboxing goes through FromDatum above.
        unsafe impl<'fcx> ArgAbi<'fcx> for $name<'fcx> {
            unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
                // SAFETY: the caller promises an argument of this type.
                unsafe { arg.unbox_arg_using_from_datum().unwrap_or($name(&[])) }
            }
        }

        sql_name!($name<'_>, $sql);
    };
}

packed!(
    /// The bytes of a text.
    Text,
    "text"
);
packed!(
    /// The bytes of a jsonb value, in the form of the server.
    Jsonb,
    "jsonb"
);

impl Jsonb<'_> {
    /// Whether it is `{}`.
    pub fn is_empty_object(self) -> bool {
        let header = <[u8; 4]>::try_from(self.0);
        header.is_ok_and(|header| u32::from_ne_bytes(header) == pg_sys::JB_FOBJECT)
    }
}
