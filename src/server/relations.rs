//! Tables of schema orchestrator, without a statement.

use std::ffi::CStr;

use pgrx::prelude::*;

/// The identifier of a table; `InvalidOid` if there is none.
pub fn identifier_of(table: &CStr) -> pg_sys::Oid {
    // SAFETY: looks up names in the catalog.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"orchestrator".as_ptr(), true);
        pg_sys::get_relname_relid(table.as_ptr(), schema)
    }
}

/// Whether a table has never held a row, as far as its file tells. A table without a block has no row that any
/// transaction could see; one with blocks may have none either. A missing table counts as one that may have rows: the
/// statement that reads it reports the error.
pub fn has_no_blocks(table: &CStr) -> bool {
    let id = identifier_of(table);
    // SAFETY: opens the table with the lock of a reader, which lasts until the transaction ends, and asks for the length
    // of its file.
    unsafe {
        if id == pg_sys::InvalidOid {
            return false;
        }
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        let relation = pg_sys::try_relation_open(id, lock);
        if relation.is_null() {
            return false;
        }
        let is_table = (*(*relation).rd_rel).relkind == pg_sys::RELKIND_RELATION as i8;
        let main = pg_sys::ForkNumber::MAIN_FORKNUM;
        let blocks =
            if is_table { pg_sys::RelationGetNumberOfBlocksInFork(relation, main) } else { 1 };
        pg_sys::relation_close(relation, pg_sys::NoLock as pg_sys::LOCKMODE);
        blocks == 0
    }
}
