//! Another PostgreSQL major beside the machine's own. Its packages, and the C library that its
//! programs need, are unpacked from a newer Debian below `target/`, and not installed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::machine::debian;
use crate::machine::files::files_below;
use crate::machine::pg_config::PgConfig;
use crate::machine::process;
use crate::machine::project::Project;
use crate::machine::server_user::ServerUser;
use crate::machine::setup::packages;

/// Debian releases, oldest first. The first that offers the major is used.
const RELEASES: [&str; 3] = ["trixie", "forky", "sid"];
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Unpacks the major, unless that was done before, and returns and prints its `pg_config`.
pub fn unpack(project: &Project, major: u32) -> Result<PgConfig> {
    let place = Place::of(project, major);
    if place.pg_config().is_err() {
        place.fill()?;
    }
    let pg = place.pg_config()?;
    println!("PostgreSQL {}: {}", pg.release, pg.path.display());
    Ok(pg)
}

/// The folder in which one major is unpacked.
struct Place {
    folder: PathBuf,
    major: u32,
}

impl Place {
    fn of(project: &Project, major: u32) -> Self {
        Self { folder: project.unpacked_postgres().join(major.to_string()), major }
    }

    fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    fn programs(&self) -> PathBuf {
        self.root().join(format!("usr/lib/postgresql/{}", self.major))
    }

    /// The installation; an error if it is not complete.
    fn pg_config(&self) -> Result<PgConfig> {
        let pg = PgConfig::read(&self.programs().join("bin/pg_config"))?;
        if pg.server_release().is_none() {
            bail!("{} does not start", pg.program("postgres").display());
        }
        Ok(pg)
    }

    fn fill(&self) -> Result<()> {
        packages::require("patchelf", "points unpacked programs at their C library")?;
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)
                .with_context(|| format!("cannot remove {}", self.folder.display()))?;
        }
        let packages = self.folder.join("packages");
        for folder in ["lists/partial", "cache/archives/partial", "packages"] {
            let folder = self.folder.join(folder);
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        self.download(&packages)?;
        for package in files_below(&packages)? {
            let mut extract = Command::new("dpkg-deb");
            process::output(extract.arg("--extract").arg(&package).arg(self.root()))?;
        }
        fs::remove_dir_all(&packages)?;
        self.without_just_in_time()?;
        self.point_at_own_libraries()?;

        let user = ServerUser::current()?;
        let bin = self.programs().join("bin");
        if !user.can_enter(&bin) {
            let other = user.other().unwrap_or("of the server");
            bail!("user {other} cannot enter {}", bin.display());
        }
        Ok(())
    }

    /// Downloads the server, its headers, and the libraries that it needs, from the first release that
    /// offers them.
    fn download(&self, packages: &Path) -> Result<()> {
        let server = format!("postgresql-{}", self.major);
        let headers = format!("postgresql-server-dev-{}", self.major);
        let release = self.choose_release(&headers)?;
        println!("Unpacking PostgreSQL {} of Debian {release}", self.major);

        let mut simulation = self.apt("apt-get");
        simulation.args(["install", "--no-install-recommends", "--print-uris", "--yes", &server]);
        let answer = process::output(&mut simulation)?;
        let mut names: Vec<&str> = answer.lines().filter_map(package_of).filter(is_used).collect();
        names.push(&headers);
        let mut download = self.apt("apt-get");
        process::output(download.arg("download").args(names).current_dir(packages))?;
        Ok(())
    }

    fn choose_release(&self, package: &str) -> Result<&'static str> {
        for release in RELEASES {
            self.use_release(release)?;
            if process::succeeds(self.apt("apt-cache").args(["show", package])) {
                return Ok(release);
            }
        }
        bail!("none of Debian {} offers {package}", RELEASES.join(", "))
    }

    /// Adds the release to apt's sources, with its security updates if it has them. Two majors may
    /// only work together if each has its newest minor release.
    fn use_release(&self, release: &str) -> Result<()> {
        let main = source(&debian::mirror()?, release);
        let list = self.folder.join("sources.list");
        let update = || process::output(self.apt("apt-get").arg("update")).map(drop);
        if let Some(mirror) = debian::security_mirror()? {
            let security = source(&mirror, &format!("{release}-security"));
            fs::write(&list, format!("{main}{security}")).context("cannot write sources.list")?;
            if update().is_ok() {
                return Ok(());
            }
        }
        fs::write(&list, main).context("cannot write sources.list")?;
        update()
    }

    /// An apt with only our sources, for which no package is installed yet.
    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["--quiet", "--quiet"]);
        let options = [
            ("Dir::Etc::SourceList", self.folder.join("sources.list")),
            ("Dir::Etc::SourceParts", PathBuf::from("/dev/null")),
            ("Dir::State::Lists", self.folder.join("lists")),
            ("Dir::State::Status", PathBuf::from("/dev/null")),
            ("Dir::Cache", self.folder.join("cache")),
        ];
        for (name, value) in options {
            command.arg(format!("--option={name}={}", value.display()));
        }
        // apt's own user for downloads may be unable to enter our folders.
        command.arg("--option=APT::Sandbox::User=root");
        command
    }

    /// Removes the library of just-in-time compilation: it needs LLVM, which is not unpacked. A server
    /// without the library runs every query uncompiled.
    fn without_just_in_time(&self) -> Result<()> {
        for file in files_below(&self.programs().join("lib"))? {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
            if name.is_some_and(|name| name.starts_with("llvmjit")) {
                fs::remove_file(&file)
                    .with_context(|| format!("cannot remove {}", file.display()))?;
            }
        }
        Ok(())
    }

    /// Makes each program use the loader and the libraries that were unpacked with it.
    fn point_at_own_libraries(&self) -> Result<()> {
        let usr = self.root().join("usr");
        let libraries = files_below(&usr.join("lib"))?
            .into_iter()
            .find(|file| file.ends_with("libc.so.6"))
            .and_then(|file| Some(file.parent()?.to_owned()))
            .context("no C library was unpacked")?;
        for program in files_below(&self.programs())? {
            if !is_program(&program)? {
                continue;
            }
            let loader =
                process::output(Command::new("patchelf").arg("--print-interpreter").arg(&program));
            // A shared library has no loader to replace.
            let Ok(loader) = loader else { continue };
            let mut patch = Command::new("patchelf");
            patch
                .arg("--set-interpreter")
                .arg(usr.join(loader.trim().trim_start_matches('/')))
                .args(["--force-rpath", "--set-rpath"])
                .arg(&libraries)
                .arg(&program);
            process::output(&mut patch)?;
        }
        Ok(())
    }
}

/// A line of apt's list of sources.
fn source(mirror: &str, suite: &str) -> String {
    format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n")
}

/// The package that a line of `--print-uris` names: `'URL' libpq5_17.6-1_amd64.deb 229312 SHA256:…`.
fn package_of(line: &str) -> Option<&str> {
    line.split_whitespace().nth(1)?.split_once('_').map(|(name, _)| name)
}

/// Whether a package is unpacked: PostgreSQL itself and shared libraries, without the compiler of
/// just-in-time compilation.
fn is_used(name: &&str) -> bool {
    name.starts_with("postgresql-") || (name.starts_with("lib") && !name.starts_with("libllvm"))
}

/// Whether the file is of the format of programs and shared libraries.
fn is_program(file: &Path) -> Result<bool> {
    if fs::symlink_metadata(file)?.is_symlink() {
        return Ok(false);
    }
    let mut start = Vec::new();
    fs::File::open(file)?.take(4).read_to_end(&mut start)?;
    Ok(start == b"\x7fELF")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_from_apt_and_only_what_is_used_is_taken() {
        let line = "'http://mirror/pool/main/p/postgresql-17/libpq5_17.6-1_amd64.deb' libpq5_17.6-1_amd64.deb 229312 SHA256:00";
        assert_eq!(package_of(line), Some("libpq5"));
        assert_eq!(package_of("The following packages"), None);
        let used = ["libpq5", "postgresql-17", "libc6", "libllvm19", "perl", "ssl-cert"];
        assert_eq!(
            used.iter().copied().filter(is_used).collect::<Vec<_>>(),
            ["libpq5", "postgresql-17", "libc6"]
        );
    }
}
