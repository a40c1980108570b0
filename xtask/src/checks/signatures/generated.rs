//! The `CREATE FUNCTION` statements that pgrx derives from the Rust code,
//! from a scratch copy of the crate without `sql = false`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use regex::{NoExpand, Regex};

use super::source::with_generated_sql;
use crate::machine::files::files_below;
use crate::machine::process;
use crate::machine::project::EXTENSION;
use crate::machine::toolchain::Toolchain;

/// The schema into which the statements put their functions.
pub const SCHEMA: &str = "derived";

/// The derived statements, each creating its function in `SCHEMA`.
pub fn statements(toolchain: &Toolchain) -> Result<Vec<String>> {
    let copy = toolchain.project.scratch().join("signatures");
    copy_crate(toolchain.project.root(), &copy)?;
    let output = copy.join("derived.sql");
    let mut schema = toolchain.cargo_pgrx("schema")?;
    schema
        .arg("--manifest-path")
        .arg(copy.join("Cargo.toml"))
        .arg("--pg-config")
        .arg(&toolchain.pg.path)
        .args(toolchain.feature_options())
        .arg("--out")
        .arg(&output)
        .current_dir(&copy);
    process::run(&mut schema)?;
    let text =
        fs::read_to_string(&output).with_context(|| format!("cannot read {}", output.display()))?;
    // An argument that is a keyword of Rust has a prefix there.
    of_functions(&text.replace("\"r#", "\""))
}

/// Copies the sources of the crate. Unchanged files are not written, so that cargo does not rebuild
/// them.
fn copy_crate(root: &Path, copy: &Path) -> Result<()> {
    for folder in ["src", "sql"] {
        let old = copy.join(folder);
        if old.exists() {
            for file in files_below(&old)? {
                if !root.join(file.strip_prefix(copy)?).exists() {
                    fs::remove_file(&file)
                        .with_context(|| format!("cannot remove {}", file.display()))?;
                }
            }
        }
        for file in files_below(&root.join(folder))? {
            let name = file.strip_prefix(root)?;
            let content = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let is_rust = file.extension().is_some_and(|extension| extension == "rs");
            let content = if is_rust { with_generated_sql(&content)? } else { content };
            write_if_changed(&copy.join(name), &content)?;
        }
    }
    let control = format!("{EXTENSION}.control");
    for name in ["Cargo.lock", control.as_str()] {
        write_if_changed(&copy.join(name), &fs::read_to_string(root.join(name))?)?;
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let members = Regex::new(r"(?m)^members\s*=\s*\[[^\]]*\]")?;
    let manifest = members.replace(&manifest, NoExpand("members = []"));
    write_if_changed(&copy.join("Cargo.toml"), &manifest)
}

fn write_if_changed(file: &Path, content: &str) -> Result<()> {
    if fs::read_to_string(file).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

/// The statements that create functions in Rust, with `SCHEMA` as their schema.
fn of_functions(script: &str) -> Result<Vec<String>> {
    let statement = Regex::new(
        r#"(?ms)^CREATE +(?:OR REPLACE )?FUNCTION +(?:"?\w+"?\.)?"(\w+)"(\([^;]*?LANGUAGE c /\* Rust \*/[^;]*;)"#,
    )?;
    let statements: Vec<String> = statement
        .captures_iter(script)
        .map(|found| {
            let definition = found[2].replace("MODULE_PATHNAME", &format!("$libdir/{EXTENSION}"));
            format!("CREATE FUNCTION {SCHEMA}.\"{}\"{definition}", &found[1])
        })
        .collect();
    let expected = script.matches("LANGUAGE c /* Rust */").count();
    if statements.len() != expected {
        bail!("pgrx wrote {expected} functions, but only {} were recognised", statements.len());
    }
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = r#"
CREATE FUNCTION orchestrator.written() RETURNS uuid LANGUAGE c AS 'MODULE_PATHNAME', 'written_wrapper';
-- src/a.rs:1
CREATE  FUNCTION "first"(
	"a" TEXT, /* Option < String > */
	"b" jsonb DEFAULT '{}' /* JsonB */
) RETURNS TABLE ("x" bigint)
STABLE STRICT
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'first_wrapper';
CREATE  FUNCTION orchestrator."second"() RETURNS uuid /* Uuid */
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'second_wrapper';
"#;

    #[test]
    fn derived_functions_are_found_and_put_elsewhere() {
        let found = of_functions(SCRIPT).expect("understood");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("CREATE FUNCTION derived.\"first\"("), "{}", found[0]);
        assert!(found[0].ends_with("AS '$libdir/orchestrator_schema', 'first_wrapper';"));
        assert!(found[1].starts_with("CREATE FUNCTION derived.\"second\"()"), "{}", found[1]);
    }

    #[test]
    fn a_function_in_a_form_not_known_is_an_error() {
        assert!(
            of_functions(&SCRIPT.replace("CREATE  FUNCTION \"first\"", "CREATE THING")).is_err()
        );
    }
}
