//! Released scripts never change: `sql/FROZEN.sha256` holds their checksums.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::checks::check::{Check, Run};
use crate::machine::checksum;
use crate::machine::project::Project;

pub const CHECK: Check = Check {
    name: "frozen",
    about: "released scripts are unchanged (sql/FROZEN.sha256)",
    run: Run::OnSources(run),
};

fn run(project: &Project) -> Result<()> {
    let list = project.sql_folder().join("FROZEN.sha256");
    let text =
        fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let frozen = parse(&text)?;
    for (expected, name) in &frozen {
        let actual = checksum::of_file(&project.sql_folder().join(name))?;
        if actual != *expected {
            bail!("{name} has changed since it was released: restore it, and write a new version");
        }
    }
    println!("{} frozen scripts are unchanged", frozen.len());
    Ok(())
}

/// Checksum and file name of each line, in the format of sha256sum.
fn parse(text: &str) -> Result<Vec<(&str, &str)>> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(at, line)| {
            let (sum, name) = line
                .split_once("  ")
                .or_else(|| line.split_once(" *"))
                .with_context(|| format!("line {} is not in the format of sha256sum", at + 1))?;
            if sum.len() != 64 || !sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                bail!("line {} does not start with a checksum", at + 1);
            }
            Ok((sum, name))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_sha256sum_are_read_and_others_refused() {
        let sum = "a".repeat(64);
        let text = format!("# released\n\n{sum}  one.sql\n{sum} *two.sql\n");
        assert_eq!(parse(&text).expect("a list"), [(&*sum, "one.sql"), (&*sum, "two.sql")]);
        assert!(parse("abc  one.sql").is_err());
        assert!(parse(&sum).is_err());
        assert!(parse("").expect("an empty list").is_empty());
    }
}
