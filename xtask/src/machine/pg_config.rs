//! One PostgreSQL installation, as its `pg_config` describes it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::machine::process;
use crate::machine::project::EXTENSION;

/// The major version to use if none is requested.
pub const DEFAULT_MAJOR: u32 = 15;
/// The major versions that the crate has a feature for, the preferred one first.
pub const MAJORS: [u32; 5] = [DEFAULT_MAJOR, 18, 17, 16, 14];

/// The major versions on which every check passes, oldest first.
pub const TESTED: [u32; 3] = [DEFAULT_MAJOR, 17, 18];

/// The version of a server or of its headers, such as 15.20.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    pub major: u32,
    pub minor: u32,
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl Release {
    /// Finds the first word that is a version: `PostgreSQL 15.20 (Debian …)`, `17beta1`, `"16.4"`.
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| c.is_whitespace() || c == '"').find_map(|word| {
            let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let major = word.get(..digits)?.parse().ok()?;
            let rest = word.get(digits..)?.strip_prefix('.').unwrap_or_default();
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let minor = rest.get(..digits)?.parse().unwrap_or(0);
            Some(Self { major, minor })
        })
    }
}

/// The output of a `pg_config` program.
#[derive(Clone, Debug)]
pub struct PgConfig {
    /// The program itself.
    pub path: PathBuf,
    pub release: Release,
    pub bindir: PathBuf,
    pub sharedir: PathBuf,
    pub pkglibdir: PathBuf,
    pub server_headers: PathBuf,
    pub pgxs: PathBuf,
}

impl PgConfig {
    /// Runs the program and reads its output.
    pub fn read(path: &Path) -> Result<Self> {
        let ask = |option: &str| -> Result<String> {
            let answer = process::output(Command::new(path).arg(option))?;
            Ok(answer.trim_end().to_owned())
        };
        let version = ask("--version")?;
        let release = Release::find(&version)
            .ok_or_else(|| anyhow!("{} --version printed {version:?}", path.display()))?;
        if !MAJORS.contains(&release.major) {
            bail!(
                "{} is of PostgreSQL {}; supported versions are 14 to 18",
                path.display(),
                release.major
            );
        }
        Ok(Self {
            path: path.to_owned(),
            release,
            bindir: ask("--bindir")?.into(),
            sharedir: ask("--sharedir")?.into(),
            pkglibdir: ask("--pkglibdir")?.into(),
            server_headers: ask("--includedir-server")?.into(),
            pgxs: ask("--pgxs")?.into(),
        })
    }

    /// The crate's feature for this major version, such as `pg15`. pgrx uses it as a label, too.
    pub fn feature(&self) -> String {
        format!("pg{}", self.release.major)
    }

    /// A program of this installation.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bindir.join(name)
    }

    /// The folder of installed extension scripts and control files.
    pub fn extension_folder(&self) -> PathBuf {
        self.sharedir.join("extension")
    }

    /// The installed library of our extension.
    pub fn library(&self) -> PathBuf {
        // Before 16, PostgreSQL looked for .so on macOS too.
        let suffix = if self.release.major < 16 { ".so" } else { std::env::consts::DLL_SUFFIX };
        self.pkglibdir.join(format!("{EXTENSION}{suffix}"))
    }

    /// The driver of PostgreSQL's own regression tests.
    pub fn pg_regress(&self) -> Result<PathBuf> {
        self.pgxs
            .ancestors()
            .nth(2)
            .map(|src| src.join("test/regress/pg_regress"))
            .filter(|program| program.is_file())
            .with_context(|| format!("pg_regress is missing beside {}", self.pgxs.display()))
    }

    /// The release of the server program; `None` if it is missing.
    pub fn server_release(&self) -> Option<Release> {
        let answer = process::output(Command::new(self.program("postgres")).arg("--version"));
        Release::find(&answer.ok()?)
    }

    /// The release of the server's headers; `None` if they are missing.
    pub fn header_release(&self) -> Option<Release> {
        // Debian has a pg_config.h for each architecture in another folder, and includes it here.
        let header = std::fs::read_to_string(self.server_headers.join("pg_config.h")).ok()?;
        let line = header.lines().find(|line| line.starts_with("#define PG_VERSION "))?;
        Release::find(line)
    }
}

/// The path of the `pg_config` of a major version on Debian.
pub fn debian_path(major: u32) -> PathBuf {
    PathBuf::from(format!("/usr/lib/postgresql/{major}/bin/pg_config"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_found_in_what_programs_and_headers_say() {
        let release = |major, minor| Some(Release { major, minor });
        assert_eq!(Release::find("PostgreSQL 15.20 (Debian 15.20-0+deb12u1)"), release(15, 20));
        assert_eq!(Release::find("postgres (PostgreSQL) 16.4"), release(16, 4));
        assert_eq!(Release::find("#define PG_VERSION \"15.20\""), release(15, 20));
        assert_eq!(Release::find("PostgreSQL 19beta1"), release(19, 0));
        assert_eq!(Release::find("nothing here"), None);
    }
}
