//! Debian packages: of the extension for one PostgreSQL major, from what `install` put in place, and of the console; and
//! `META.json` for PGXN.

pub mod console;
mod deb;
pub mod meta;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use self::deb::{Package, copy, empty_tree, pack};
use crate::machine::files::files_below;
use crate::machine::process;
use crate::machine::project::EXTENSION;
use crate::machine::toolchain::Toolchain;

/// Documents that come with the package.
const DOCUMENTS: [&str; 3] = ["README.md", "CHANGELOG.md", "docs/reference.md"];

/// Writes `META.json` and builds the packages; all are named on standard output.
pub fn write(toolchain: &Toolchain) -> Result<()> {
    let meta = meta::write(&toolchain.project)?;
    println!("Wrote {}", meta.display());
    println!("Built {}", build(toolchain)?.display());
    println!("Built {}", console::build(toolchain)?.display());
    Ok(())
}

/// The package's name, as Debian names extensions.
pub fn name(toolchain: &Toolchain) -> String {
    format!("postgresql-{}-{}", toolchain.pg.release.major, EXTENSION.replace('_', "-"))
}

/// Builds the package from the installed extension; its file.
pub fn build(toolchain: &Toolchain) -> Result<PathBuf> {
    let name = name(toolchain);
    let tree = empty_tree(toolchain, &name)?;
    let library = lay_out(toolchain, &tree, &name)?;
    pack(
        toolchain,
        &Package {
            name: &name,
            tree: &tree,
            binary: &library,
            depends: &format!("postgresql-{}, ", toolchain.pg.release.major),
            section: "database",
            description: meta::ABSTRACT,
            long_description: LONG_DESCRIPTION,
        },
    )
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

/// Fails with what is missing to build packages here.
pub fn require_tools() -> Result<()> {
    for tool in ["dpkg-deb", "dpkg-shlibdeps", "strip"] {
        if process::find_program(tool).is_none() {
            bail!("there is no {tool}: Debian packages are built on Debian");
        }
    }
    Ok(())
}
