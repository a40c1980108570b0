//! The SQL names of our own types of arguments and results.

/// Declares the name under which a type stands in the signatures of functions.
macro_rules! sql_name {
    ($name:ident $(<$life:lifetime>)?, $sql:literal) => {
        const _: () = {
            use pgrx::pgrx_sql_entity_graph::metadata::{
                ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
            };

            // SAFETY: the SQL name is that of the type.
            unsafe impl SqlTranslatable for $name $(<$life>)? {
                const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!($name);
                const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
                const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
                    Ok(SqlMappingRef::literal($sql));
                const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
                    Ok(ReturnsRef::One(SqlMappingRef::literal($sql)));
            }
        };
    };
}

pub(crate) use sql_name;
