//! A Debian package of the extension for one PostgreSQL major, from what `install` put in place,
//! and `META.json` for PGXN.

pub mod meta;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::machine::files::files_below;
use crate::machine::process;
use crate::machine::project::EXTENSION;
use crate::machine::toolchain::Toolchain;

/// Documents that come with the package.
const DOCUMENTS: [&str; 3] = ["README.md", "CHANGELOG.md", "docs/reference.md"];

/// Writes `META.json` and builds the package; both are named on standard output.
pub fn write(toolchain: &Toolchain) -> Result<()> {
    let meta = meta::write(&toolchain.project)?;
    println!("Wrote {}", meta.display());
    println!("Built {}", build(toolchain)?.display());
    Ok(())
}

/// The package's name, as Debian names extensions.
pub fn name(toolchain: &Toolchain) -> String {
    format!("postgresql-{}-{}", toolchain.pg.release.major, EXTENSION.replace('_', "-"))
}

/// Builds the package from the installed extension; its file.
pub fn build(toolchain: &Toolchain) -> Result<PathBuf> {
    let name = name(toolchain);
    let folder = toolchain.project.target().join("packages");
    let tree = folder.join(&name);
    if tree.exists() {
        fs::remove_dir_all(&tree).with_context(|| format!("cannot remove {}", tree.display()))?;
    }
    let library = lay_out(toolchain, &tree, &name)?;
    process::run(Command::new("strip").arg("--strip-unneeded").arg(&library))?;

    let architecture = process::output(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim_end();
    let version = format!("{}-1", toolchain.project.version());
    let control = tree.join("DEBIAN");
    create(&control)?;
    let depends = format!(
        "postgresql-{}, {}",
        toolchain.pg.release.major,
        shared_libraries(&folder, &library)?
    );
    let installed_kilobytes = bytes_below(&tree)?.div_ceil(1024);
    let sums = checksums(&tree)?;
    place(&control.join("md5sums"), &sums)?;
    let fields = [
        ("Package", name.as_str()),
        ("Version", &version),
        ("Architecture", architecture),
        ("Section", "database"),
        ("Priority", "optional"),
        ("Maintainer", meta::MAINTAINER),
        ("Installed-Size", &installed_kilobytes.to_string()),
        ("Depends", &depends),
        ("Description", meta::ABSTRACT),
    ];
    let text: String = fields.iter().map(|(field, value)| format!("{field}: {value}\n")).collect();
    place(&control.join("control"), &format!("{text}{LONG_DESCRIPTION}"))?;

    let file = folder.join(format!("{name}_{version}_{architecture}.deb"));
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "-Zxz", "--build"]).arg(&tree).arg(&file);
    process::output(&mut build)?;
    Ok(file)
}

const LONG_DESCRIPTION: &str = " Tasks, workflows, sessions, approval gates, prompts, token usage and cost, with\n \
    state machines that hold for whoever changes a row, upgrades and downgrades that\n \
    lose no row, and a schema that can prove what it is.\n .\n \
    In a database: CREATE EXTENSION orchestrator_schema;\n";

/// Copies library, control file, scripts and documents to where Debian has them; the library's file.
fn lay_out(toolchain: &Toolchain, tree: &Path, name: &str) -> Result<PathBuf> {
    let (pg, root) = (&toolchain.pg, toolchain.project.root());
    let major = pg.release.major;
    let library = copy(&pg.library(), &tree.join(format!("usr/lib/postgresql/{major}/lib")))?;
    let extension = tree.join(format!("usr/share/postgresql/{major}/extension"));
    for file in files_below(&pg.extension_folder())? {
        let is_ours =
            file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(EXTENSION));
        if is_ours {
            copy(&file, &extension)?;
        }
    }
    let documents = tree.join("usr/share/doc").join(name);
    for document in DOCUMENTS {
        copy(&root.join(document), &documents)?;
    }
    let licence = copy(&root.join("LICENSE"), &documents)?;
    fs::rename(licence, documents.join("copyright"))?;
    Ok(library)
}

/// What Debian's tools find that the library needs of the system.
fn shared_libraries(folder: &Path, library: &Path) -> Result<String> {
    // They want to stand beside a source package.
    let source = folder.join("dependencies");
    create(&source.join("debian"))?;
    place(&source.join("debian/control"), "Source: x\n\nPackage: x\nArchitecture: any\n")?;
    let mut command = Command::new("dpkg-shlibdeps");
    command.arg("-O").arg("-e").arg(library).current_dir(&source);
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
fn copy(file: &Path, folder: &Path) -> Result<PathBuf> {
    create(folder)?;
    let name = file.file_name().with_context(|| format!("{} has no name", file.display()))?;
    let copy = folder.join(name);
    fs::copy(file, &copy)
        .with_context(|| format!("cannot copy {} to {}", file.display(), folder.display()))?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o644))?;
    Ok(copy)
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

fn place(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Fails with what is missing to build packages here.
pub fn require_tools() -> Result<()> {
    for tool in ["dpkg-deb", "dpkg-shlibdeps", "strip"] {
        if process::find_program(tool).is_none() {
            bail!("there is no {tool}: Debian packages are built on Debian");
        }
    }
    Ok(())
}
