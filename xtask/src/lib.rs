//! Setup, private clusters, demo and checks of orchestrator_schema.
//! The binary `cargo xtask` is a thin front; server tests use `cluster` and `address`.

pub mod address;
pub mod bench;
pub mod chain;
pub mod checks;
pub mod checksum;
pub mod cluster;
pub mod debian;
pub mod demo;
pub mod documents;
pub mod install;
pub mod interrupt;
pub mod lint;
pub mod manifest;
pub mod package;
pub mod pg_config;
pub mod postgres;
pub mod process;
pub mod project;
pub mod reference;
pub mod rust_source;
pub mod server_user;
pub mod setup;
pub mod sql;
pub mod types;
mod workers;
