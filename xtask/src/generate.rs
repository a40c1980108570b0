//! Files that a command writes and a check compares: nobody edits them by hand.

mod committed;
mod history;
pub mod manifest;
pub mod new_version;
pub mod package;
pub mod reference;
mod relation;
pub mod schema_sql;
pub mod types;
