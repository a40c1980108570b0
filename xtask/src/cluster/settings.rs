//! Settings of a cluster.

use std::path::PathBuf;

/// The settings of a new cluster.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whether its data survive a crash of the machine. Tests do not need that.
    pub durable: bool,
    pub place: Place,
    /// Whether every role but the superuser needs its password to connect.
    pub passwords: bool,
    /// Further lines for `postgresql.conf`.
    pub parameters: Vec<(String, String)>,
}

/// The place of a cluster's folder.
#[derive(Clone, Debug, Default)]
pub enum Place {
    /// A temporary folder, in memory if it has room.
    #[default]
    Anywhere,
    /// A temporary folder in the system's usual place.
    Disk,
    /// This folder, empty or missing. It is not removed.
    Folder(PathBuf),
}
