//! V7, the migration of a code base in seven phases: inspection beforehand (snapshots, enum types,
//! preconditions), the plan with its approvals, and verification.

mod approval;
mod candidates;
mod check;
mod dependencies;
mod enum_records;
mod enums;
mod file_audit;
mod file_names;
mod graph;
mod installed;
mod open_tasks;
mod phase;
mod phases;
mod plan;
mod records;
mod rollback;
pub mod sign_offs;
mod similarity;
mod snapshot;
mod snapshot_difference;
mod tasks;
mod verification;
