//! A generated file: written, or compared with its committed form.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Writes a file.
pub fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("Wrote {}", path.display());
    Ok(())
}

/// Fails if the committed file differs from `current`. The error shows the first line that differs,
/// and `command`, which writes the file.
pub fn compare(path: &Path, current: &str, command: &str) -> Result<()> {
    let committed =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    if committed == current {
        return Ok(());
    }
    let different = committed.lines().zip(current.lines()).position(|(old, new)| old != new);
    let line = different.unwrap_or_else(|| committed.lines().count().min(current.lines().count()));
    bail!(
        "{} is stale: line {} should be\n{}\nRun `{command}`.",
        path.display(),
        line + 1,
        current.lines().nth(line).unwrap_or("(the end)")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("page");
        write(&path, "a\nb\n")?;
        compare(&path, "a\nb\n", "make")?;
        for (current, place, there) in [
            ("a\nc\n", "line 2", "c"),
            ("a\n", "line 2", "(the end)"),
            ("a\nb\nd\n", "line 3", "d"),
        ] {
            let error = compare(&path, current, "make").expect_err("it differs").to_string();
            assert!(error.contains(place) && error.contains(there), "{error}");
        }
        Ok(())
    }
}
