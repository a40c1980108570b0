//! The members of the extension in each version: catalog and manifest, archives of downgrades,
//! verification, access levels, help, types for clients, state machines.

pub mod access;
pub mod archive;
pub mod catalog;
pub mod client_types;
pub mod column;
pub mod definition;
pub mod difference;
pub mod facts;
pub mod help;
pub mod lifecycle;
pub mod manifest;
pub mod verify;
