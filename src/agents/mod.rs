//! Around agents: collaboration, prompts, knowledge, token usage and its price.

mod amounts;
pub mod budgets;
pub mod collaboration;
pub mod knowledge;
pub mod llm_calls;
pub mod pricing;
pub mod prompts;
pub mod token_usage;
