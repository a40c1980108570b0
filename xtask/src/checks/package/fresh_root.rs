//! A copy of a PostgreSQL installation in which our extension was never installed.
//! PostgreSQL finds its files relative to its programs, so the copy works where it stands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use nix::unistd::geteuid;
use tempfile::TempDir;

use crate::cluster;
use crate::machine::files::files_below;
use crate::machine::pg_config::PgConfig;
use crate::machine::process;
use crate::machine::project::EXTENSION;
use crate::machine::server_user::ServerUser;

/// The copied root; removed when dropped.
pub struct FreshRoot {
    folder: TempDir,
    major: u32,
}

impl FreshRoot {
    /// Copies programs, libraries and shared files of the installation, as Debian lays them out.
    pub fn of(pg: &PgConfig) -> Result<Self> {
        let major = pg.release.major;
        let folder = cluster::temporary_folder()?;
        // Root makes it, and another user runs servers from it.
        if geteuid().is_root() {
            ServerUser::current()?.own(folder.path())?;
        }
        let parts = [
            (&pg.bindir, format!("usr/lib/postgresql/{major}/bin")),
            (&pg.pkglibdir, format!("usr/lib/postgresql/{major}/lib")),
            (&pg.sharedir, format!("usr/share/postgresql/{major}")),
        ];
        for (from, to) in parts {
            let to = folder.path().join(to);
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)
                    .with_context(|| format!("cannot create {}", parent.display()))?;
            }
            // Links may lead out of the installation.
            process::output(
                Command::new("cp").args(["--recursive", "--dereference"]).arg(from).arg(to),
            )?;
        }
        let root = Self { folder, major };
        root.forget()?;
        Ok(root)
    }

    /// Removes what an earlier installation of ours left in the original.
    fn forget(&self) -> Result<()> {
        for file in files_below(&self.path().join("usr"))? {
            let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            if name.starts_with(EXTENSION) {
                fs::remove_file(&file)
                    .with_context(|| format!("cannot remove {}", file.display()))?;
            }
        }
        Ok(())
    }

    /// Unpacks a package over the root.
    pub fn unpack(&self, package: &Path) -> Result<()> {
        process::output(Command::new("dpkg-deb").arg("--extract").arg(package).arg(self.path()))
            .map(drop)
    }

    /// The installation in the root.
    pub fn pg_config(&self) -> Result<PgConfig> {
        let program = format!("usr/lib/postgresql/{}/bin/pg_config", self.major);
        PgConfig::read(&self.path().join(program))
    }

    fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}
