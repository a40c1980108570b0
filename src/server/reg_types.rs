//! Arguments of PostgreSQL's object identifier alias types. pgrx maps `Oid` to `oid`, and its
//! `PgRelation` keeps the table open, which would forbid the ALTER TABLE that follows.

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, pg_sys};

macro_rules! oid_alias {
    ($(#[$about:meta])* $name:ident, $sql:literal) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub pg_sys::Oid);

        // SAFETY: an alias type is an oid on the wire, and the SQL name is the type's own.
        unsafe impl SqlTranslatable for $name {
            const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!($name);
            const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
            const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
                Ok(SqlMappingRef::literal($sql));
            const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
                Ok(ReturnsRef::One(SqlMappingRef::literal($sql)));
        }

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
