//! `cargo xtask release`: freezes the scripts of the version, and writes `META.json` and the text of
//! the tag. It changes files only if every check passed on a clean tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::chain::Chain;
use crate::checks::{self, Workbench};
use crate::generate::package::meta;
use crate::machine::project::Project;
use crate::machine::{checksum, process};

/// Releases the version of the checkout.
pub fn run(project: &Project, workbench: &Workbench) -> Result<()> {
    only_on_a_clean_tree(project)?;
    let version = project.version();
    let log = fs::read_to_string(project.root().join("CHANGELOG.md"))?;
    let text = tag_text(&log, version)?;
    if !checks::run_all(workbench)? {
        bail!("a check failed: nothing is released");
    }
    let frozen = freeze(&project.sql_folder())?;
    let meta = meta::write(project)?;
    let tag = project.target().join(format!("tag-{version}.txt"));
    fs::write(&tag, text).with_context(|| format!("cannot write {}", tag.display()))?;
    println!("Froze {frozen} scripts, and wrote {} and {}.", meta.display(), tag.display());
    println!(
        "Now: git commit --all --message 'Release {version}' && git tag --annotate v{version} --file {}",
        tag.display()
    );
    Ok(())
}

fn only_on_a_clean_tree(project: &Project) -> Result<()> {
    let mut status = Command::new("git");
    status.args(["status", "--porcelain"]).current_dir(project.root());
    let changed = process::output(&mut status)?;
    if !changed.trim().is_empty() {
        bail!("the tree has changes that are not committed:\n{}", changed.trim_end());
    }
    Ok(())
}

/// The text of a tag: the section of the changelog for that version.
fn tag_text(log: &str, version: &str) -> Result<String> {
    let mut sections = log.split("\n## ").skip(1);
    let is_of_version = |section: &&str| {
        section.strip_prefix(version).is_some_and(|rest| rest.starts_with([':', '\n', ' ']))
    };
    let section = sections
        .find(is_of_version)
        .with_context(|| format!("CHANGELOG.md has no section \"## {version}\""))?;
    let (title, body) = section.split_once('\n').unwrap_or((section, ""));
    if body.trim().is_empty() {
        bail!("section \"## {title}\" of CHANGELOG.md is empty");
    }
    Ok(format!("orchestrator_schema {}\n\n{}\n", title.trim(), body.trim()))
}

/// Adds the checksum of every script of the chain that is not frozen yet, and returns their number.
fn freeze(folder: &Path) -> Result<usize> {
    let path: PathBuf = folder.join("FROZEN.sha256");
    let mut list =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut added = 0;
    for script in Chain::read(folder)?.scripts() {
        let name = script.file_name();
        let is_frozen = list.lines().any(|line| line.ends_with(&format!("  {name}")));
        if !is_frozen {
            list.push_str(&format!("{}  {name}\n", checksum::of_file(&folder.join(&name))?));
            added += 1;
        }
    }
    fs::write(&path, list).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(added)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_has_the_section_of_its_version() {
        let log =
            "# Changelog\n\n## 1.0.0: first\n\n- all\n\n## 0.9.0: before\n\n- less\n\n## 0.8.0\n";
        assert_eq!(
            tag_text(log, "0.9.0").expect("a text"),
            "orchestrator_schema 0.9.0: before\n\n- less\n"
        );
        assert!(tag_text(log, "0.8.0").expect_err("empty").to_string().contains("is empty"));
        for unknown in ["0.9", "1.0.0.0", "2.0.0"] {
            assert!(tag_text(log, unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn each_script_is_frozen_once() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
        write("FROZEN.sha256", "")?;
        write("orchestrator_schema--0.0.0.sql", "SELECT 1;")?;
        assert_eq!(freeze(folder.path())?, 1);
        write("orchestrator_schema--0.0.0--0.1.0.sql", "SELECT 2;")?;
        write("orchestrator_schema--0.1.0--0.0.0.sql", "SELECT 3;")?;
        assert_eq!(freeze(folder.path())?, 2);
        assert_eq!(freeze(folder.path())?, 0);
        let list = fs::read_to_string(folder.path().join("FROZEN.sha256"))?;
        let sum = checksum::of_file(&folder.path().join("orchestrator_schema--0.1.0--0.0.0.sql"))?;
        assert!(
            list.contains(&format!("{sum}  orchestrator_schema--0.1.0--0.0.0.sql\n")),
            "{list}"
        );
        Ok(())
    }
}
