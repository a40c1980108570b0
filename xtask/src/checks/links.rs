//! Every file, heading and decision that a page refers to exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::checks::check::{Check, Run};
use crate::machine::project::Project;

pub const CHECK: Check = Check {
    name: "links",
    about: "links and paths of the pages exist, and every decision has a name of its own",
    run: Run::OnSources(run),
};

/// Folders whose files pages name in code quotes, and whose comments name decisions.
const FOLDERS: [&str; 6] = ["src", "sql", "tests", "xtask/src", "xtask/lint/src", "examples"];

/// The words before the name of a decision in a comment.
const DECISION: &str = "decision `";

fn run(project: &Project) -> Result<()> {
    let root = project.root();
    let mut pages: Vec<PathBuf> = files(&root.join("docs"))?;
    for entry in fs::read_dir(root).context("cannot list the checkout")? {
        pages.push(entry.context("cannot list the checkout")?.path());
    }
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut findings = Vec::new();
    for page in &pages {
        let text = read(page)?;
        for problem in broken_links(page, &text)?.into_iter().chain(missing_paths(root, &text)) {
            findings.push(format!("{}: {problem}", page.display()));
        }
    }
    findings.extend(decisions(root)?);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    println!("{} pages: every reference exists", pages.len());
    Ok(())
}

/// The links of a page to files or headings that do not exist.
fn broken_links(page: &Path, text: &str) -> Result<Vec<String>> {
    let folder = page.parent().context("a page has no folder")?;
    let prose: String = text.split('`').step_by(2).collect();
    let mut broken = Vec::new();
    for target in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        if target.contains("://") {
            continue;
        }
        let (path, heading) = target.split_once('#').unwrap_or((target, ""));
        let file = folder.join(path);
        let leads = if heading.is_empty() {
            file.exists()
        } else if path.is_empty() {
            anchors(text).contains(heading)
        } else {
            file.exists() && anchors(&read(&file)?).contains(heading)
        };
        if !leads {
            broken.push(format!("a link to {target}, which does not exist"));
        }
    }
    Ok(broken)
}

/// The paths in code quotes that do not exist. A name in capitals is a placeholder.
fn missing_paths(root: &Path, text: &str) -> Vec<String> {
    let paths = text.split('`').skip(1).step_by(2).filter(|quoted| {
        let is_path = FOLDERS
            .iter()
            .chain(&["docs", "types"])
            .any(|folder| quoted.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        is_path
            && !quoted
                .contains(|c: char| c.is_whitespace() || c.is_uppercase() || "…*<{".contains(c))
    });
    paths
        .filter(|path| !root.join(path).exists())
        .map(|path| format!("`{path}` does not exist"))
        .collect()
}

/// Names of decisions that are used twice, missing in the index, or found only in code.
fn decisions(root: &Path) -> Result<Vec<String>> {
    let index = read(&root.join("docs/decisions.md"))?;
    let (mut names, mut findings) = (BTreeSet::new(), Vec::new());
    for page in files(&root.join("docs/decisions"))? {
        let text = read(&page)?;
        let file = page.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        for name in text.lines().filter_map(|line| line.strip_prefix("## ")) {
            if !index.contains(&format!("- [{name}](decisions/{file}#{name})\n")) {
                findings.push(format!("docs/decisions.md does not list {name} of {file}"));
            }
            if !names.insert(name.to_owned()) {
                findings.push(format!("two decisions are named {name}"));
            }
        }
    }
    for folder in FOLDERS {
        for file in files(&root.join(folder))? {
            for name in references(&String::from_utf8_lossy(&fs::read(&file)?)) {
                if !names.contains(name) {
                    findings.push(format!("{}: no decision is named {name}", file.display()));
                }
            }
        }
    }
    Ok(findings)
}

/// The decisions that a text names.
fn references(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |name: &&str| {
        name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    text.split(DECISION).skip(1).filter_map(|rest| rest.split('`').next()).filter(is_name)
}

/// The anchors of the headings of a page, as Markdown renders them.
fn anchors(text: &str) -> BTreeSet<String> {
    let anchor = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

/// All files below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()));
    for entry in entries? {
        let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_make_anchors() {
        let text = "# Up and `down()`\ntext\n## a-name\n";
        assert_eq!(anchors(text), BTreeSet::from(["a-name".to_owned(), "up-and-down".to_owned()]));
    }

    #[test]
    fn links_and_paths_that_lead_nowhere_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let page = root.join("page.md");
        let text = "# Here\n[a](Cargo.toml) [b](#here) [c](#there) [d](none.md) [e](https://example.org/x) `[f](g)`";
        assert_eq!(broken_links(&page, text).expect("links").len(), 2);
        let text = "`src/lib.rs`, `src/none.rs`, `src/TABLE.rs`, `src` and `cargo src/none.rs`";
        assert_eq!(missing_paths(root, text), ["`src/none.rs` does not exist"]);
    }

    #[test]
    fn names_of_decisions_are_found_in_comments() {
        let text = format!("// See {DECISION}one-order-of-locks`. A {DECISION}Is not`.");
        assert_eq!(references(&text).collect::<Vec<_>>(), ["one-order-of-locks"]);
    }
}
