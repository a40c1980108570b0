//! Folders for clusters: short enough for a socket, and in memory if it has room.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::statvfs::statvfs;
use tempfile::TempDir;

/// The longest path of a socket that every platform accepts.
const SOCKET_PATH_LIMIT: usize = 107;
/// The free bytes that a cluster in memory needs. The largest checks, three side by side, take 1 GB.
const MEMORY_NEEDED: u128 = 4 << 30;

/// The folder, inside a cluster's folder, that holds the server's data.
pub fn data_folder(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Whether the path of a socket in the folder is short enough.
pub fn socket_fits(folder: &Path) -> bool {
    folder.join(".s.PGSQL.65535").as_os_str().len() <= SOCKET_PATH_LIMIT
}

/// A new folder with a path short enough for sockets.
pub fn temporary_folder() -> Result<TempDir> {
    let base = std::env::temp_dir();
    let base =
        if socket_fits(&base.join("orchestrator-xxxxxx")) { base } else { PathBuf::from("/tmp") };
    temporary_folder_in(&base)
}

/// A new folder: in memory, if it has room.
pub fn fast_folder() -> Result<TempDir> {
    roomy_memory_folder().map_or_else(temporary_folder, Ok)
}

/// A new folder in memory; `None` if TMPDIR names another place, memory has too little room, or this
/// user may not write there. Tests create and drop many databases of some hundred files each, and
/// on some file systems that takes a third of the whole time.
fn roomy_memory_folder() -> Option<TempDir> {
    let shared_memory = Path::new("/dev/shm");
    let state = statvfs(shared_memory).ok()?;
    let room = u128::from(state.blocks_available()) * u128::from(state.fragment_size());
    if room < MEMORY_NEEDED || std::env::var_os("TMPDIR").is_some() {
        return None;
    }
    temporary_folder_in(shared_memory).ok()
}

fn temporary_folder_in(base: &Path) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("orchestrator-")
        .tempdir_in(base)
        .with_context(|| format!("cannot make a temporary folder in {}", base.display()))
}
