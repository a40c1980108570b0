//! Work of agents: tool executions, routed tasks, sessions.

pub mod routing;
pub mod sessions;
pub mod tool_executions;
pub mod unfinished;
