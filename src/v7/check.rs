//! Checks of a verification, each a line of its result.

use crate::server::error::Error;
use crate::server::rows;

/// A check: its name, the expected and the actual value.
#[derive(Debug)]
pub struct Check {
    pub name: &'static str,
    pub expected: String,
    pub actual: String,
    pub passed: bool,
    pub hint: Option<String>,
}

/// The columns of a verification: check_name, expected, actual, passed, hint.
pub type CheckRow = (String, String, String, bool, Option<String>);

impl Check {
    /// A check that counts: passed when both numbers are equal.
    pub fn count(name: &'static str, expected: usize, actual: usize) -> Self {
        Check {
            name,
            expected: expected.to_string(),
            actual: actual.to_string(),
            passed: expected == actual,
            hint: None,
        }
    }

    /// A check that finds what should not be: passed when nothing was found.
    pub fn none(name: &'static str, found: &[String]) -> Self {
        let actual = if found.is_empty() {
            "0".to_owned()
        } else {
            format!("{}: {}", found.len(), found.join("; "))
        };
        Check { name, expected: "0".to_owned(), actual, passed: found.is_empty(), hint: None }
    }

    /// A check that could not read its table or column.
    pub fn unreadable(name: &'static str, expected: impl Into<String>, why: &str) -> Self {
        Check {
            name,
            expected: expected.into(),
            actual: why.to_owned(),
            passed: false,
            hint: Some("SELECT object, problem, hint FROM orchestrator.verify();".to_owned()),
        }
    }

    /// Adds the faults to the actual value of a check that failed.
    pub fn naming(mut self, found: &[String]) -> Self {
        if !self.passed && !found.is_empty() {
            self.actual = format!("{}: {}", self.actual, found.join(", "));
        }
        self
    }

    /// The next command, which only a failed check shows.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if !self.passed {
            self.hint = Some(hint.into());
        }
        self
    }

    pub fn row(self) -> CheckRow {
        (self.name.to_owned(), self.expected, self.actual, self.passed, self.hint)
    }

    /// A check that finds what should not be. Its hint is the command of the first finding.
    pub fn no_finding(name: &'static str, found: Vec<Finding>) -> Self {
        let hint = found.first().map(|finding| finding.command.clone());
        let names: Vec<String> = found.into_iter().map(|finding| finding.what).collect();
        Check::none(name, &names).hint(hint.unwrap_or_default())
    }
}

/// A fault in words, and the command that mends it.
#[derive(Debug)]
pub struct Finding {
    pub what: String,
    pub command: String,
}

/// The findings of a statement that returns their words and commands.
pub fn findings(rows: pgrx::spi::SpiTupleTable<'_>) -> Result<Vec<Finding>, Error> {
    rows::each(rows, |row| {
        Ok(Finding { what: rows::value(row, 1, "what")?, command: rows::value(row, 2, "command")? })
    })
}
