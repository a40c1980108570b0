//! Steps through the tokens of a statement.

use std::fmt;

use super::tokens::{Kind, Token};

/// A name, perhaps with its schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub schema: Option<String>,
    pub object: String,
}

impl Name {
    /// Reads `schema.object` or `object` as it stands in a string.
    pub fn parse(text: &str) -> Self {
        match text.split_once('.') {
            Some((schema, object)) => {
                Self { schema: Some(schema.to_owned()), object: object.to_owned() }
            }
            None => Self { schema: None, object: text.to_owned() },
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(formatter, "{schema}.{}", self.object),
            None => formatter.write_str(&self.object),
        }
    }
}

/// A place in a statement.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    tokens: &'a [Token],
}

impl<'a> Iterator for Cursor<'a> {
    type Item = &'a Token;

    /// Steps over one token.
    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }
}

impl<'a> Cursor<'a> {
    pub fn new(tokens: &'a [Token]) -> Self {
        Self { tokens }
    }

    /// The token here.
    pub fn peek(&self) -> Option<&'a Token> {
        self.tokens.first()
    }

    /// Steps over the keyword if it stands here.
    pub fn word(&mut self, word: &str) -> bool {
        let here = self.peek().is_some_and(|token| token.is_word(word));
        if here {
            self.next();
        }
        here
    }

    /// Steps over these keywords if all stand here in a row.
    pub fn words(&mut self, words: &[&str]) -> bool {
        let mut ahead = self.clone();
        let here = words.iter().all(|word| ahead.word(word));
        if here {
            *self = ahead;
        }
        here
    }

    /// Steps over the character if it stands here.
    pub fn symbol(&mut self, symbol: &str) -> bool {
        let here = self.peek().is_some_and(|token| token.is_symbol(symbol));
        if here {
            self.next();
        }
        here
    }

    /// Reads a name.
    pub fn name(&mut self) -> Option<Name> {
        let first = self.identifier()?;
        if self.symbol(".") {
            let object = self.identifier()?;
            return Some(Name { schema: Some(first), object });
        }
        Some(Name { schema: None, object: first })
    }

    fn identifier(&mut self) -> Option<String> {
        let token = self.peek()?;
        if !matches!(token.kind, Kind::Word | Kind::Quoted) {
            return None;
        }
        self.next();
        Some(token.text.clone())
    }

    /// Reads a string.
    pub fn string(&mut self) -> Option<&'a str> {
        let token = self.peek()?;
        if !matches!(token.kind, Kind::String | Kind::Dollar) {
            return None;
        }
        self.next();
        Some(&token.text)
    }

    /// Reads what the parenthesis that stands here holds, without the parentheses.
    pub fn parenthesised(&mut self) -> Option<&'a [Token]> {
        if !self.symbol("(") {
            return None;
        }
        let inside = self.tokens;
        let mut depth = 1;
        while let Some(token) = self.next() {
            if token.is_symbol("(") {
                depth += 1;
            } else if token.is_symbol(")") {
                depth -= 1;
            }
            if depth == 0 {
                return Some(&inside[..inside.len() - self.tokens.len() - 1]);
            }
        }
        None
    }

    /// What is left.
    pub fn rest(&self) -> &'a [Token] {
        self.tokens
    }
}
