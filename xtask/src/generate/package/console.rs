//! The Debian package of the console: the program, and a unit of systemd that runs it.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::deb::{Package, copy, copy_as, empty_tree, pack};
use crate::console::{self, Build, NAME};
use crate::machine::toolchain::Toolchain;

const LONG_DESCRIPTION: &str = " One inbox over the reviews, gates and approvals of an orchestrator_schema database,\n \
    with the run, its trail and its cost beside each question. Who signs in does so as\n \
    a role of the database, and the console works as that role.\n .\n \
    Settings: /etc/default/orchestrator-console\n";

/// Builds the program and its package; the package's file.
pub fn build(toolchain: &Toolchain) -> Result<PathBuf> {
    let project = &toolchain.project;
    let program = console::build(toolchain, Build::Release)?;
    let tree = empty_tree(toolchain, NAME)?;
    let program = copy_as(&program, &tree.join("usr/bin"), 0o755)?;
    let unit = project.root().join("console/orchestrator-console.service");
    copy(&unit, &tree.join("usr/lib/systemd/system"))?;
    let documents = tree.join("usr/share/doc").join(NAME);
    copy(&project.root().join("docs/console.md"), &documents)?;
    let licence = copy(&project.root().join("LICENSE"), &documents)?;
    fs::rename(licence, documents.join("copyright"))?;
    pack(
        toolchain,
        &Package {
            name: NAME,
            tree: &tree,
            binary: &program,
            depends: "",
            section: "web",
            description: "The page on which people decide the questions of their agents",
            long_description: LONG_DESCRIPTION,
        },
    )
}
