//! The interface to PostgreSQL: errors, statements, settings, triggers, values. Nothing in this folder
//! depends on the domain.

pub mod aggregate_state;
pub mod arguments;
pub mod backend_state;
pub mod check_expression;
pub mod concurrent_drop;
pub mod dynamic_sql;
pub mod encoding;
pub mod error;
pub mod excerpt;
pub mod ids;
pub mod interrupts;
pub mod jsonb;
pub mod latest;
pub mod locks;
pub mod notifications;
pub mod numbers;
pub mod numeric_array;
pub mod packed;
pub mod plans;
pub mod reg_types;
pub mod relations;
pub mod repeats;
pub mod rows;
pub mod scoped;
pub mod settings;
pub mod snapshot;
pub mod sql_name;
pub mod statements;
pub mod subtransaction;
pub mod time;
pub mod transition_tables;
pub mod trigger_depth;
pub mod trigger_rows;
pub mod triggers;
pub mod unconverted;
