//! `cargo xtask new-version`: the files and lines that every new version needs, so that its author
//! writes only statements, rows and descriptions.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::chain::{Chain, Script, Version};

/// The version to begin.
pub struct NewVersion<'a> {
    pub version: Version,
    /// The contents of the version, in a few words.
    pub about: &'a str,
    /// New tables, each of which gets a page of plans.
    pub tables: &'a [String],
}

/// Writes the files of a version into the checkout at `root`, and adds it to the files that list
/// versions.
///
/// Returns: the files, relative to `root`. Fails before any change if a file exists already, or the
/// version is not newer than the newest.
pub fn write(root: &Path, new: &NewVersion<'_>) -> Result<Vec<PathBuf>> {
    let newest = Chain::read(&root.join("sql"))?.newest();
    let NewVersion { version, about, tables } = new;
    if *version <= newest {
        bail!("version {version} is not newer than {newest}");
    }
    if about.trim().is_empty() || about.contains('\n') {
        bail!("the description of the version must be one line");
    }
    let mut files = vec![
        (sql(Script::Step { from: newest, to: *version }), up(newest, *version, about)),
        (sql(Script::Step { from: *version, to: newest }), down(newest, *version, about)),
        (PathBuf::from(format!("tests/fixtures/{version}.sql")), format!("-- {about}\n")),
        (PathBuf::from(format!("tests/pg_regress/sql/{}.sql", page(*version))), page_of()),
    ];
    files.extend(
        tables.iter().map(|table| {
            (PathBuf::from(format!("tests/plans/{table}.sql")), "-- rows\n".to_owned())
        }),
    );
    if let Some((path, _)) = files.iter().find(|(path, _)| root.join(path).exists()) {
        bail!("{} exists already", path.display());
    }
    let changes: [(&str, Change); 5] = [
        ("sql/manifest.json", in_manifest),
        ("src/lib.rs", included),
        ("Cargo.toml", numbered),
        ("CHANGELOG.md", logged),
        ("README.md", listed),
    ];
    for (path, change) in changes {
        let text =
            fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        let text = change(&text, newest, *version, about)
            .with_context(|| format!("{path} has no place for a version after {newest}"))?;
        files.push((PathBuf::from(path), text));
    }
    for (path, text) in &files {
        fs::write(root.join(path), text)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// The text of a file with the version added; `None` if the text does not name the newest version.
type Change = fn(&str, Version, Version, &str) -> Option<String>;

fn sql(script: Script) -> PathBuf {
    Path::new("sql").join(script.file_name())
}

fn heading(to: Version) -> String {
    format!(
        "\\echo Use \"ALTER EXTENSION orchestrator_schema UPDATE TO '{to}'\" to load this file. \\quit\n\n"
    )
}

fn up(newest: Version, version: Version, about: &str) -> String {
    format!(
        "{}-- {newest} -> {version}: {about}.\n\n\
         SET LOCAL search_path TO pg_catalog, pg_temp;\n\n\
         -- Locks every table that the update needs, before anything else.\n\
         SELECT orchestrator.begin_upgrade('{version}');\n",
        heading(version)
    )
}

fn down(newest: Version, version: Version, about: &str) -> String {
    format!(
        "{}-- {version} -> {newest}: removes {about}; orchestrator_archive keeps the rows.\n\n\
         SET LOCAL search_path TO pg_catalog, pg_temp;\n\n\
         -- Locks every table that the downgrade needs, then stops before any change if a user's object depends\n\
         -- on something that this script removes.\n\
         SELECT orchestrator.begin_downgrade('{newest}');\n",
        heading(newest)
    )
}

fn page(version: Version) -> String {
    format!("version_{}", version.to_string().replace('.', "_"))
}

fn page_of() -> String {
    "\\i head.sql\n".to_owned()
}

/// `sql/manifest.json` with the version, so far without a change: the scripts name it, and
/// `cargo xtask manifest` runs them.
fn in_manifest(text: &str, newest: Version, version: Version, _: &str) -> Option<String> {
    let versions = text.trim_end().strip_suffix("\n]}")?;
    let is_there = versions.contains(&format!("{{\"version\":\"{newest}\","));
    let added = format!("{{\"version\":\"{version}\",\"changes\":{{}},\"columns\":{{}}}}");
    is_there.then(|| format!("{versions},\n{added}\n]}}\n"))
}

/// `src/lib.rs` with the up script included after that of the newest version.
fn included(text: &str, newest: Version, version: Version, _: &str) -> Option<String> {
    let name = |version: Version| format!("version_{}", version.to_string().replace('.', "_"));
    let newest_name = format!("    name = \"{}\",\n", name(newest));
    let at = text.find(&newest_name)?;
    let end = at + text[at..].find(");\n")? + ");\n".len();
    let script = Script::Step { from: newest, to: version }.file_name();
    let include = format!(
        "extension_sql_file!(\n    \"../sql/{script}\",\n    name = \"{}\",\n    requires = [\"{}\"]\n);\n",
        name(version),
        name(newest)
    );
    Some(format!("{}{include}{}", &text[..end], &text[end..]))
}

/// `Cargo.toml` with the version of the extension.
fn numbered(text: &str, newest: Version, version: Version, _: &str) -> Option<String> {
    let (old, new) =
        (format!("\nversion = \"{newest}\"\n"), format!("\nversion = \"{version}\"\n"));
    text.contains(&old).then(|| text.replacen(&old, &new, 1))
}

/// `CHANGELOG.md` with a section for the version before all others.
fn logged(text: &str, _: Version, version: Version, about: &str) -> Option<String> {
    let at = text.find("\n## ")? + 1;
    Some(format!("{}## {version}: {about}\n\n{}", &text[..at], &text[at..]))
}

/// `README.md` with a row in the table of versions.
fn listed(text: &str, newest: Version, version: Version, about: &str) -> Option<String> {
    let is_newest = |line: &&str| {
        line.strip_prefix("| ").and_then(|row| row.split(" |").next()).is_some_and(|versions| {
            versions.rsplit(" to ").next() == Some(newest.to_string().as_str())
        })
    };
    let row = text.lines().find(is_newest)?;
    let row = format!("{row}\n");
    Some(text.replacen(&row, &format!("{row}| {version} | {about} |\n"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkout with a chain of two versions.
    fn checkout() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let files = [
            ("sql/orchestrator_schema--0.0.0.sql", ""),
            ("sql/orchestrator_schema--0.0.0--0.1.0.sql", ""),
            ("sql/orchestrator_schema--0.1.0--0.0.0.sql", ""),
            (
                "src/lib.rs",
                "extension_sql_file!(\n    \"../sql/orchestrator_schema--0.0.0--0.1.0.sql\",\n    name = \"version_0_1_0\",\n    requires = [\"version_0_0_0\"]\n);\nrest\n",
            ),
            ("Cargo.toml", "[package]\nversion = \"0.1.0\"\nother = \"0.1.0\"\n"),
            ("sql/manifest.json", "{\"versions\":[\n{\"version\":\"0.1.0\",\"changes\":{}}\n]}\n"),
            ("CHANGELOG.md", "# Changelog\n\n## 0.1.0: tables\n"),
            ("README.md", "| version | brings |\n|---|---|\n| 0.0.0 to 0.1.0 | tables |\n"),
            ("tests/fixtures/0.1.0.sql", ""),
            ("tests/pg_regress/sql/page.sql", ""),
            ("tests/plans/runs.sql", ""),
        ];
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        folder
    }

    fn read(root: &Path, path: &str) -> String {
        fs::read_to_string(root.join(path)).expect("a file")
    }

    fn new<'a>(version: &str, tables: &'a [String]) -> NewVersion<'a> {
        NewVersion {
            version: version.parse().expect("a version"),
            about: "leases of tasks",
            tables,
        }
    }

    #[test]
    fn every_place_that_lists_versions_gets_the_new_one() -> Result<()> {
        let folder = checkout();
        let root = folder.path();
        let tables = ["leases".to_owned()];
        assert_eq!(write(root, &new("0.2.0", &tables))?.len(), 10);
        let up = read(root, "sql/orchestrator_schema--0.1.0--0.2.0.sql");
        assert!(up.contains("-- 0.1.0 -> 0.2.0: leases of tasks.\n"), "{up}");
        assert!(up.ends_with("SELECT orchestrator.begin_upgrade('0.2.0');\n"), "{up}");
        let down = read(root, "sql/orchestrator_schema--0.2.0--0.1.0.sql");
        assert!(down.ends_with("SELECT orchestrator.begin_downgrade('0.1.0');\n"), "{down}");
        let library = read(root, "src/lib.rs");
        assert!(
            library.ends_with(
                "    name = \"version_0_2_0\",\n    requires = [\"version_0_1_0\"]\n);\nrest\n"
            ),
            "{library}"
        );
        assert_eq!(
            read(root, "sql/manifest.json"),
            "{\"versions\":[\n{\"version\":\"0.1.0\",\"changes\":{}},\n\
             {\"version\":\"0.2.0\",\"changes\":{},\"columns\":{}}\n]}\n"
        );
        assert_eq!(read(root, "Cargo.toml"), "[package]\nversion = \"0.2.0\"\nother = \"0.1.0\"\n");
        assert_eq!(
            read(root, "CHANGELOG.md"),
            "# Changelog\n\n## 0.2.0: leases of tasks\n\n## 0.1.0: tables\n"
        );
        assert!(read(root, "README.md").ends_with("| tables |\n| 0.2.0 | leases of tasks |\n"));
        assert_eq!(read(root, "tests/plans/leases.sql"), "-- rows\n");
        assert_eq!(Chain::read(&root.join("sql"))?.newest(), "0.2.0".parse()?);
        Ok(())
    }

    #[test]
    fn nothing_is_written_when_something_is_in_the_way() -> Result<()> {
        let folder = checkout();
        let root = folder.path();
        let refused = |new: &NewVersion<'_>| write(root, new).expect_err("refused").to_string();
        assert_eq!(refused(&new("0.1.0", &[])), "version 0.1.0 is not newer than 0.1.0");
        let taken = ["runs".to_owned()];
        assert_eq!(refused(&new("0.2.0", &taken)), "tests/plans/runs.sql exists already");
        fs::write(root.join("README.md"), "no table\n")?;
        assert_eq!(refused(&new("0.2.0", &[])), "README.md has no place for a version after 0.1.0");
        assert_eq!(Chain::read(&root.join("sql"))?.newest(), "0.1.0".parse()?);
        assert_eq!(read(root, "Cargo.toml").matches("0.2.0").count(), 0);
        Ok(())
    }
}
