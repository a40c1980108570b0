//! Arguments of PostgreSQL's object identifier alias types. pgrx maps `Oid` to `oid`, and its
//! `PgRelation` keeps the table open, which would forbid the ALTER TABLE that follows.

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::{FromDatum, pg_sys};

use crate::server::sql_name::sql_name;

macro_rules! oid_alias {
    ($(#[$about:meta])* $name:ident, $sql:literal) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub pg_sys::Oid);

        sql_name!($name, $sql);

        impl FromDatum for $name {
            // SAFETY: the caller promises a datum of an oid alias type, which is read by value.
            unsafe fn from_polymorphic_datum(
                datum: pg_sys::Datum,
                is_null: bool,
                typoid: pg_sys::Oid,
            ) -> Option<Self> {
                // SAFETY: the same promise; an oid alias is an oid.
                unsafe { pg_sys::Oid::from_polymorphic_datum(datum, is_null, typoid) }.map($name)
            }
        }

        // SAFETY: unboxing goes through FromDatum above.
        unsafe impl<'fcx> ArgAbi<'fcx> for $name {
            unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
                // SAFETY: the caller promises an argument of this type.
                unsafe { arg.unbox_arg_using_from_datum().unwrap_or($name(pg_sys::InvalidOid)) }
            }
        }
    };
}

oid_alias! {
    /// A `regclass` argument: the identifier of a relation, which may not exist.
    RegClass, "regclass"
}

oid_alias! {
    /// A `regrole` argument: the identifier of a role, which may not exist.
    RegRole, "regrole"
}
