//! A Debian package: its files, packed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::meta;
use crate::machine::files::files_below;
use crate::machine::process;
use crate::machine::toolchain::Toolchain;

/// The files of a package, and its words.
pub struct Package<'a> {
    pub name: &'a str,
    pub tree: &'a Path,
    /// The library or the program, whose needs become dependencies.
    pub binary: &'a Path,
    /// Further dependencies.
    pub depends: &'a str,
    pub section: &'a str,
    pub description: &'a str,
    pub long_description: &'a str,
}

/// An empty folder for the files of a package.
pub fn empty_tree(toolchain: &Toolchain, name: &str) -> Result<PathBuf> {
    let tree = toolchain.project.target().join("packages").join(name);
    if tree.exists() {
        fs::remove_dir_all(&tree).with_context(|| format!("cannot remove {}", tree.display()))?;
    }
    Ok(tree)
}

/// Writes the package; its file.
pub fn pack(toolchain: &Toolchain, package: &Package<'_>) -> Result<PathBuf> {
    let Package { name, tree, binary, depends, section, description, long_description } = package;
    let folder = toolchain.project.target().join("packages");
    process::run(Command::new("strip").arg("--strip-unneeded").arg(binary))?;

    let architecture = process::output(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim_end();
    let version = format!("{}-1", toolchain.project.version());
    let control = tree.join("DEBIAN");
    create(&control)?;
    let depends = format!("{depends}{}", shared_libraries(&folder, binary)?);
    let installed_kilobytes = bytes_below(tree)?.div_ceil(1024);
    let sums = checksums(tree)?;
    place(&control.join("md5sums"), &sums)?;
    let fields = [
        ("Package", *name),
        ("Version", &version),
        ("Architecture", architecture),
        ("Section", section),
        ("Priority", "optional"),
        ("Maintainer", meta::MAINTAINER),
        ("Installed-Size", &installed_kilobytes.to_string()),
        ("Depends", &depends),
        ("Description", description),
    ];
    let text: String = fields.iter().map(|(field, value)| format!("{field}: {value}\n")).collect();
    place(&control.join("control"), &format!("{text}{long_description}"))?;

    let file = folder.join(format!("{name}_{version}_{architecture}.deb"));
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "-Zxz", "--build"]).arg(tree).arg(&file);
    process::output(&mut build)?;
    Ok(file)
}

/// The packages whose libraries a binary needs, as Debian's tools find them.
fn shared_libraries(folder: &Path, binary: &Path) -> Result<String> {
    // They want to stand beside a source package.
    let source = folder.join("dependencies");
    create(&source.join("debian"))?;
    place(&source.join("debian/control"), "Source: x\n\nPackage: x\nArchitecture: any\n")?;
    let mut command = Command::new("dpkg-shlibdeps");
    command.arg("-O").arg("-e").arg(binary).current_dir(&source);
    let answer = process::output(&mut command)?;
    let depends = answer.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    Ok(depends.context("dpkg-shlibdeps named no dependencies")?.to_owned())
}

/// The list by which dpkg knows whether a file was changed.
fn checksums(tree: &Path) -> Result<String> {
    let files = files_below(&tree.join("usr"))?;
    let mut command = Command::new("md5sum");
    command.current_dir(tree);
    for file in &files {
        command.arg(file.strip_prefix(tree)?);
    }
    process::output(&mut command)
}

fn bytes_below(folder: &Path) -> Result<u64> {
    files_below(folder)?.iter().map(|file| Ok(fs::metadata(file)?.len())).sum()
}

/// Copies a file into a folder, readable for everyone; the copy.
pub fn copy(file: &Path, folder: &Path) -> Result<PathBuf> {
    copy_as(file, folder, 0o644)
}

/// The same, with other permissions.
pub fn copy_as(file: &Path, folder: &Path, mode: u32) -> Result<PathBuf> {
    create(folder)?;
    let name = file.file_name().with_context(|| format!("{} has no name", file.display()))?;
    let copy = folder.join(name);
    fs::copy(file, &copy)
        .with_context(|| format!("cannot copy {} to {}", file.display(), folder.display()))?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(mode))?;
    Ok(copy)
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

fn place(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
