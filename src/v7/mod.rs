//! V7, the migration of a code base in seven phases: what must be known before (snapshots, enums,
//! preconditions), the plan with its approvals, and the proof that everything is where it should be.

mod approval;
mod built;
mod candidates;
mod dependencies;
mod enum_records;
mod enums;
mod file_audit;
mod file_names;
mod phases;
mod plan;
mod records;
mod rollback;
mod sign_offs;
mod similarity;
mod snapshot;
mod tasks;
mod verification;

/// One line of a verification: what was looked at, what should be, what is.
#[derive(Debug)]
struct Check {
    name: &'static str,
    expected: String,
    actual: String,
    passed: bool,
    hint: Option<String>,
}

/// The columns of a verification: check_name, expected, actual, passed, hint.
type CheckRow = (String, String, String, bool, Option<String>);

impl Check {
    /// A check that counts: passed when both numbers are equal.
    fn count(name: &'static str, expected: usize, actual: usize) -> Self {
        Check {
            name,
            expected: expected.to_string(),
            actual: actual.to_string(),
            passed: expected == actual,
            hint: None,
        }
    }

    /// A check that finds what should not be: passed when nothing was found.
    fn none(name: &'static str, found: &[String]) -> Self {
        let actual = if found.is_empty() {
            "0".to_owned()
        } else {
            format!("{}: {}", found.len(), found.join("; "))
        };
        Check { name, expected: "0".to_owned(), actual, passed: found.is_empty(), hint: None }
    }

    /// A check that could not look because what it reads is missing.
    fn unreadable(name: &'static str, expected: impl Into<String>, why: &str) -> Self {
        Check {
            name,
            expected: expected.into(),
            actual: why.to_owned(),
            passed: false,
            hint: Some("SELECT object, problem, hint FROM orchestrator.verify();".to_owned()),
        }
    }

    /// Adds what was found to the actual value of a check that failed.
    fn naming(mut self, found: &[String]) -> Self {
        if !self.passed && !found.is_empty() {
            self.actual = format!("{}: {}", self.actual, found.join(", "));
        }
        self
    }

    /// The next command, which only a failed check shows.
    fn hint(mut self, hint: impl Into<String>) -> Self {
        if !self.passed {
            self.hint = Some(hint.into());
        }
        self
    }

    fn row(self) -> CheckRow {
        (self.name.to_owned(), self.expected, self.actual, self.passed, self.hint)
    }
}
