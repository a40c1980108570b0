//! What the rules read, and what they report.

use std::fmt;

use anyhow::{Context, Result};

use crate::chain::Script;
use crate::sql::{self, Statement};

/// A rule that is broken, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub file: String,
    pub line: usize,
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// A script, parsed.
#[derive(Clone, Debug)]
pub struct Source {
    pub script: Script,
    pub text: String,
    pub statements: Vec<Statement>,
}

impl Source {
    pub fn parse(script: Script, text: String) -> Result<Self> {
        let statements = sql::statements(&text)
            .with_context(|| format!("cannot parse {}", script.file_name()))?;
        Ok(Self { script, text, statements })
    }

    pub fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding { file: self.script.file_name(), line, message: message.into() }
    }
}

#[cfg(test)]
pub mod fixture {
    use super::*;

    /// A script of the first step with a proper heading and this content.
    pub fn up(content: &str) -> Source {
        let heading = "\\echo Use \"ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.0'\" to load this file. \\quit\n\
            \n-- 0.0.0 -> 0.1.0: an example.\n\nSET LOCAL search_path TO pg_catalog, pg_temp;\n\
            SELECT orchestrator.begin_upgrade('0.1.0');\n";
        script("orchestrator_schema--0.0.0--0.1.0.sql", &format!("{heading}{content}"))
    }

    pub fn script(file_name: &str, text: &str) -> Source {
        let script = Script::parse(file_name).expect("a script").expect("well named");
        Source::parse(script, text.to_owned()).expect("well formed")
    }

    /// The messages, for comparison.
    pub fn messages(findings: Vec<Finding>) -> Vec<String> {
        findings.into_iter().map(|finding| finding.message).collect()
    }
}
