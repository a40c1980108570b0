//! Files that a command writes and a check compares: nobody edits them by hand.

pub mod manifest;
pub mod package;
pub mod reference;
pub mod types;
