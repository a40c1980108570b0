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

/// The files of a release.
struct Prepared {
    frozen: usize,
    meta: PathBuf,
    tag: PathBuf,
}

/// Releases the version of the checkout.
pub fn run(project: &Project, workbench: &Workbench) -> Result<()> {
    let Prepared { frozen, meta, tag } = prepare(project, || checks::run_all(workbench, false))?;
    let version = project.version();
    println!("Froze {frozen} scripts, and wrote {} and {}.", meta.display(), tag.display());
    println!(
        "Now: git commit --all --message 'Release {version}' && git tag --annotate v{version} --file {}",
        process::quoted(&tag.to_string_lossy())
    );
    Ok(())
}

/// Writes the files of a release, unless something speaks against it.
fn prepare(project: &Project, all_checks_pass: impl FnOnce() -> Result<bool>) -> Result<Prepared> {
    let version = project.version();
    let changed = git(project, &["status", "--porcelain"])?;
    if !changed.is_empty() {
        bail!("the tree has changes that are not committed:\n{changed}");
    }
    if !git(project, &["tag", "--list", &format!("v{version}")])?.is_empty() {
        bail!("version {version} is released: there is a tag v{version}");
    }
    let log = fs::read_to_string(project.root().join("CHANGELOG.md"))
        .context("cannot read CHANGELOG.md")?;
    let text = tag_text(&log, version)?;
    if !all_checks_pass()? {
        bail!("a check failed: nothing is released");
    }
    let frozen = freeze(&project.sql_folder())?;
    let meta = meta::write(project)?;
    let tag = project.target().join(format!("tag-{version}.txt"));
    fs::write(&tag, text).with_context(|| format!("cannot write {}", tag.display()))?;
    Ok(Prepared { frozen, meta, tag })
}

/// The answer of a git command in the checkout.
fn git(project: &Project, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    let answer = process::output(command.args(arguments).current_dir(project.root()))?;
    Ok(answer.trim_end().to_owned())
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

    /// A checkout at 0.0.0, and a folder for built files.
    fn checkout() -> Result<(tempfile::TempDir, tempfile::TempDir, Project)> {
        let (root, target) = (tempfile::tempdir()?, tempfile::tempdir()?);
        fs::create_dir(root.path().join("sql"))?;
        for (file, text) in [
            ("CHANGELOG.md", "# Changelog\n\n## 0.0.0: first\n\n- all\n"),
            ("META.json", "{}\n"),
            ("sql/FROZEN.sha256", ""),
            ("sql/orchestrator_schema--0.0.0.sql", "SELECT 1;\n"),
        ] {
            fs::write(root.path().join(file), text)?;
        }
        let version = "0.0.0".to_owned();
        let project = Project::at(root.path().to_owned(), target.path().to_owned(), version);
        git(&project, &["init", "--quiet"])?;
        commit(&project)?;
        Ok((root, target, project))
    }

    fn commit(project: &Project) -> Result<()> {
        let author =
            ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
        git(project, &["add", "--all"])?;
        git(project, &[&author[..], &["commit", "--quiet", "--message", "all"]].concat()).map(drop)
    }

    fn refusal(project: &Project, checks: impl FnOnce() -> Result<bool>) -> String {
        prepare(project, checks).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_release_freezes_and_describes_what_was_checked() -> Result<()> {
        let (_root, _target, project) = checkout()?;
        let prepared = prepare(&project, || Ok(true))?;
        assert_eq!(prepared.frozen, 1);
        let tag = fs::read_to_string(&prepared.tag)?;
        assert_eq!(tag, "orchestrator_schema 0.0.0: first\n\n- all\n");
        let changed = git(&project, &["status", "--porcelain"])?;
        assert_eq!(changed, " M META.json\n M sql/FROZEN.sha256");
        Ok(())
    }

    #[test]
    fn a_changed_tree_a_red_check_and_a_second_release_are_refused() -> Result<()> {
        let (root, _target, project) = checkout()?;
        assert_eq!(refusal(&project, || Ok(false)), "a check failed: nothing is released");
        assert_eq!(git(&project, &["status", "--porcelain"])?, "");

        let never = || -> Result<bool> { bail!("the checks ran") };
        fs::write(root.path().join("new"), "")?;
        let found = refusal(&project, never);
        assert_eq!(found, "the tree has changes that are not committed:\n?? new");
        commit(&project)?;
        git(&project, &["tag", "v0.0.0"])?;
        assert_eq!(refusal(&project, never), "version 0.0.0 is released: there is a tag v0.0.0");
        Ok(())
    }

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
