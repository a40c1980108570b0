//! A version that `cargo xtask new-version` began keeps every rule; its author writes only statements,
//! rows and words.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;
use xtask::chain::{Chain, Version};
use xtask::generate::new_version::{self, NewVersion};
use xtask::machine::files::files_below;
use xtask::machine::project::{EXTENSION, Project};

/// The files that the command changes and the rules read.
fn copy_of_the_checkout() -> Result<TempDir> {
    let copy = tempfile::tempdir()?;
    let project = Project::find()?;
    let mut files: Vec<_> =
        ["Cargo.toml", "CHANGELOG.md", "README.md", &format!("{EXTENSION}.control")]
            .iter()
            .map(|name| project.root().join(name))
            .collect();
    for folder in ["sql", "src", "tests"] {
        files.extend(files_below(&project.root().join(folder))?);
    }
    for file in files {
        let to = copy.path().join(file.strip_prefix(project.root())?);
        fs::create_dir_all(to.parent().context("a file has a folder")?)?;
        fs::copy(&file, &to).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(copy)
}

fn messages(root: &Path) -> Result<Vec<String>> {
    Ok(lint::tree(root)?.iter().map(ToString::to_string).collect())
}

#[test]
fn the_linter_is_content_with_a_version_that_has_just_begun() -> Result<()> {
    let copy = copy_of_the_checkout()?;
    let root = copy.path();
    let newest = Chain::read(&root.join("sql"))?.newest();
    let version: Version = "99.0.0".parse()?;
    let about = "leases of tasks";
    new_version::write(root, &NewVersion { version, about, tables: &["leases".to_owned()] })?;
    assert_eq!(messages(root)?, [""; 0]);

    // It does read the new scripts.
    let up = root.join(format!("sql/{EXTENSION}--{newest}--{version}.sql"));
    let text = fs::read_to_string(&up)?;
    fs::write(&up, text.replace("begin_upgrade", "begin_downgrade"))?;
    let found = messages(root)?;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("the second statement must be"), "{}", found[0]);
    Ok(())
}
