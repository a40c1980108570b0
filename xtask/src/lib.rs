//! Setup, private clusters, demo and checks of orchestrator_schema.
//! The binary `cargo xtask` only reads arguments and calls this library. Server tests use `cluster`
//! and `address`.

pub mod address;
pub mod bench;
pub mod chain;
pub mod checks;
pub mod cluster;
pub mod console;
pub mod demo;
pub mod generate;
pub mod install;
pub mod machine;
pub mod release;
