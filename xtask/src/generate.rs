//! Generated files: a command writes each, a check compares it, and nobody edits it by hand.

mod committed;
mod history;
pub mod manifest;
pub mod new_version;
pub mod package;
pub mod reference;
mod relation;
pub mod schema_sql;
pub mod types;
