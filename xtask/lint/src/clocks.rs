//! Tests assert no time: a busy machine would make them fail. A test that waits for something does
//! so in `tests/support/deadline.rs`; work is counted by `tests/support/work.rs`.

use super::source::Finding;

/// Words of Rust that read a clock or wait for time to pass.
const CLOCKS: [&str; 4] = ["Instant", "SystemTime", ".elapsed(", "thread::sleep"];

/// The exceptions: the deadline of hanging tests, and the times at which faults are injected, which are
/// spread over the duration of the work.
const ALLOWED: [&str; 2] = ["tests/support/deadline.rs", "tests/faults.rs"];

/// Every line of a Rust file of `tests/` that asks for the time.
pub fn test(file: &str, text: &str) -> Vec<Finding> {
    if ALLOWED.contains(&file) {
        return Vec::new();
    }
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    text.lines()
        .enumerate()
        .filter_map(|(number, line)| {
            let clock = CLOCKS.into_iter().find(|clock| code(line).contains(clock))?;
            Some(Finding {
                file: file.to_owned(),
                line: number + 1,
                message: format!(
                    "{clock}: no test asserts a time; wait with support::deadline, count with support::work"
                ),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_found_where_it_is_not_the_deadline() {
        let text = "// Instant\nlet start = Instant::now();\nassert!(start.elapsed() < limit);\n";
        let lines: Vec<usize> =
            test("tests/versions.rs", text).into_iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [2, 3]);
        assert!(test("tests/support/deadline.rs", text).is_empty());
        assert!(test("tests/versions.rs", "thread::yield_now();").is_empty());
    }
}
