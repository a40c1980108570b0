//! Reads SQL scripts as far as checks need it: tokens, statements, and the parts
//! of those statements that rules speak about.

mod create;
mod cursor;
mod statements;
mod tokens;

pub use create::{CreateFunction, CreateTable, Element};
pub use cursor::{Cursor, Name};
pub use statements::{Statement, statements};
pub use tokens::{Kind, Token, tokens};
