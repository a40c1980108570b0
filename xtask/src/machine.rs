//! Processes, users and programs of the machine, and a PostgreSQL to build for.
//! Nothing here depends on the extension's scripts.

pub mod checksum;
pub mod debian;
pub mod files;
pub mod interrupt;
pub mod pg_config;
pub mod postgres;
pub mod process;
pub mod program;
pub mod project;
pub mod server_user;
pub mod setup;
pub mod toolchain;
pub mod workers;
