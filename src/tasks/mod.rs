//! Work of agents: tasks with their claims and steps, tool executions, routed tasks, sessions.

mod approved;
mod claims;
mod create;
mod defaults;
mod idempotency_key;
mod queue;
pub mod routing;
pub mod sessions;
mod steps;
pub mod tool_executions;
pub mod unfinished;
mod workflows;

pub use claims::expired::reclaim_expired_tasks;
