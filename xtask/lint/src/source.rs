//! The input of the rules, and their findings.

use std::fmt;

use anyhow::{Context, Result};
use pg_query::NodeEnum;
use pg_query::protobuf::{ScanToken, Token};
use serde_json::Value;
use xtask::chain::Script;

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

/// A statement as the server's own grammar reads it.
#[derive(Clone, Debug)]
pub struct Statement {
    pub node: NodeEnum,
    /// The same as plain values, for rules that look at every node.
    pub tree: Value,
    /// The line that it starts on, counted from 1.
    pub line: usize,
}

/// A script, parsed.
#[derive(Clone, Debug)]
pub struct Source {
    pub script: Script,
    pub text: String,
    pub statements: Vec<Statement>,
    /// Comments, and the strings in single quotes, with the lines that they start on.
    pub comments: Vec<(usize, String)>,
    pub strings: Vec<(usize, String)>,
}

impl Source {
    pub fn parse(script: Script, text: String) -> Result<Self> {
        let context = || format!("cannot parse {}", script.file_name());
        let sql = for_the_server(&text);
        let tokens = pg_query::scan(&sql).with_context(context)?.tokens;
        let statements = statements(&sql, &tokens).with_context(context)?;
        let of_kind = |kind: Token, start: &str| -> Vec<(usize, String)> {
            tokens
                .iter()
                .filter(|token| token.token() == kind)
                .map(|token| (token.start as usize, &sql[token.start as usize..token.end as usize]))
                .filter(|(_, text)| text.starts_with(start))
                .map(|(at, text)| (line_of(&sql, at), text.to_owned()))
                .collect()
        };
        let comments = of_kind(Token::SqlComment, "--");
        let strings = of_kind(Token::Sconst, "'");
        Ok(Self { script, statements, comments, strings, text })
    }

    pub fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding { file: self.script.file_name(), line, message: message.into() }
    }
}

/// The statements of a text that a server would take.
pub fn statements_of(sql: &str) -> Result<Vec<Statement>> {
    statements(sql, &pg_query::scan(sql)?.tokens)
}

fn statements(sql: &str, tokens: &[ScanToken]) -> Result<Vec<Statement>> {
    let parsed = pg_query::parse(sql)?.protobuf;
    let mut statements = Vec::new();
    for statement in parsed.stmts {
        // Its location is the end of the one before.
        let first = tokens.iter().find(|token| {
            token.start >= statement.stmt_location
                && !matches!(token.token(), Token::SqlComment | Token::CComment)
        });
        let line = first.map_or(1, |token| line_of(sql, token.start as usize));
        let tree = serde_json::to_value(&statement)?;
        let node = statement.stmt.and_then(|node| node.node).context("an empty statement")?;
        statements.push(Statement { node, tree, line });
    }
    Ok(statements)
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The script without its lines for psql, which no server reads; everything stays where it is.
fn for_the_server(text: &str) -> String {
    let blank = |line: &str| match line.starts_with('\\') {
        true => {
            " ".repeat(line.trim_end_matches('\n').len())
                + line.matches('\n').next().unwrap_or_default()
        }
        false => line.to_owned(),
    };
    text.split_inclusive('\n').map(blank).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_comments_and_strings_have_their_lines() {
        let text = "\\echo Use \"x\" \\quit\n-- a; 'b'\nSELECT 'c;\nd';\n\n/* e */ SELECT\n $$ 'f' $$ -- g\n;";
        let source = fixture::script("orchestrator_schema--0.0.0.sql", text);
        let lines: Vec<_> = source.statements.iter().map(|statement| statement.line).collect();
        assert_eq!(lines, [3, 6]);
        assert_eq!(source.comments, [(2, "-- a; 'b'".to_owned()), (7, "-- g".to_owned())]);
        assert_eq!(source.strings, [(3, "'c;\nd'".to_owned())]);
    }
}
