//! Groups tokens into statements. A semicolon ends one unless it stands in parentheses
//! or in the body of an SQL-standard function (`BEGIN ATOMIC … END`).

use anyhow::Result;

use super::cursor::Cursor;
use super::tokens::{Kind, Token, tokens};

/// The tokens of one statement, without comments and without the semicolon.
#[derive(Clone, Debug)]
pub struct Statement {
    pub tokens: Vec<Token>,
}

impl Statement {
    /// The line that the statement starts on.
    pub fn line(&self) -> usize {
        self.tokens.first().map_or(1, |token| token.line)
    }

    /// Reads it from its start.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor::new(&self.tokens)
    }

    /// Whether it starts with these keywords.
    pub fn starts_with(&self, words: &[&str]) -> bool {
        self.cursor().words(words)
    }

    /// The token positions at which these keywords stand in a row.
    pub fn find(&self, words: &[&str]) -> Vec<usize> {
        (0..self.tokens.len()).filter(|at| Cursor::new(&self.tokens[*at..]).words(words)).collect()
    }
}

/// The statements of a script.
pub fn statements(text: &str) -> Result<Vec<Statement>> {
    let mut statements = Vec::new();
    let mut current: Vec<Token> = Vec::new();
    let mut depth = 0_usize;
    // Open BEGIN ATOMIC and CASE, each of which ends with END.
    let mut blocks = 0_usize;
    for token in tokens(text)? {
        match token.kind {
            Kind::Comment | Kind::Meta => continue,
            Kind::Symbol => match token.text.as_str() {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                ";" if depth == 0 && blocks == 0 => {
                    push(&mut statements, &mut current);
                    continue;
                }
                _ => {}
            },
            Kind::Word => match token.text.as_str() {
                "atomic" if current.last().is_some_and(|last| last.is_word("begin")) => blocks += 1,
                "case" if blocks > 0 => blocks += 1,
                "end" if blocks > 0 => blocks -= 1,
                _ => {}
            },
            _ => {}
        }
        current.push(token);
    }
    push(&mut statements, &mut current);
    Ok(statements)
}

fn push(statements: &mut Vec<Statement>, tokens: &mut Vec<Token>) {
    if !tokens.is_empty() {
        statements.push(Statement { tokens: std::mem::take(tokens) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_end_statements_but_not_in_bodies() {
        let text = "\\echo x \\quit
            -- a; b
            SELECT ';';
            CREATE FUNCTION s.f() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
            CREATE FUNCTION s.g(x integer) RETURNS integer
            BEGIN ATOMIC SELECT CASE WHEN x > 0 THEN 1 END; SELECT 2; END;
            SELECT 3";
        let statements = statements(text).expect("statements");
        assert_eq!(statements.len(), 4);
        assert!(statements[2].starts_with(&["create", "function"]));
        assert!(statements[3].starts_with(&["select"]));
        assert_eq!(statements[0].line(), 3);
    }
}
