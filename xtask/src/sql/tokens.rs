//! Splits a script into tokens, so that comments, strings, quoted names and
//! function bodies cannot be mistaken for statements.

use anyhow::{Result, bail};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or a plain name, in lower case.
    Word,
    /// A name in double quotes, without them.
    Quoted,
    /// A string in single quotes, without them.
    String,
    /// A string in dollar quotes, without them.
    Dollar,
    Number,
    /// One character of punctuation or of an operator.
    Symbol,
    /// A comment, without its marks.
    Comment,
    /// A line for psql, from its backslash.
    Meta,
}

/// One token and the line it starts on, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub text: String,
    pub line: usize,
}

impl Token {
    /// Whether this is that keyword, written in lower case.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// Whether this is that character.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }
}

/// All tokens of a script, comments included.
pub fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut reader = Reader { rest: text, line: 1, at_line_start: true };
    let mut tokens = Vec::new();
    while let Some(token) = reader.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    at_line_start: bool,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<Token>> {
        self.skip_space();
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let line = self.line;
        let line_start = std::mem::replace(&mut self.at_line_start, false);
        let token = |kind, text: &str| Ok(Some(Token { kind, text: text.to_owned(), line }));
        if first == '\\' && line_start {
            return token(Kind::Meta, self.take_line().trim_end());
        }
        if let Some(after) = self.rest.strip_prefix("--") {
            self.rest = after;
            return token(Kind::Comment, self.take_line().trim());
        }
        if self.rest.starts_with("/*") {
            return token(Kind::Comment, self.block_comment()?.trim());
        }
        if first == '\'' {
            return token(Kind::String, &self.enclosed('\'', false)?);
        }
        if first == '"' {
            return token(Kind::Quoted, &self.enclosed('"', false)?);
        }
        if matches!(first, 'e' | 'E') && self.rest[1..].starts_with('\'') {
            self.take(1);
            return token(Kind::String, &self.enclosed('\'', true)?);
        }
        if first == '$'
            && let Some(tag) = dollar_tag(self.rest)
        {
            self.take(tag.len());
            let Some(end) = self.rest.find(tag) else {
                bail!("line {line}: a string that starts with {tag} does not end");
            };
            let body = self.take(end);
            self.take(tag.len());
            return token(Kind::Dollar, body);
        }
        if first.is_alphabetic() || first == '_' {
            let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
            let word = self.take(end.unwrap_or(self.rest.len())).to_lowercase();
            return token(Kind::Word, &word);
        }
        if first.is_ascii_digit() {
            let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
            return token(Kind::Number, self.take(end.unwrap_or(self.rest.len())));
        }
        token(Kind::Symbol, self.take(first.len_utf8()))
    }

    fn skip_space(&mut self) {
        let end = self.rest.find(|c: char| !c.is_whitespace()).unwrap_or(self.rest.len());
        if self.take(end).contains('\n') {
            self.at_line_start = true;
        }
    }

    /// Consumes that many bytes.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn take_line(&mut self) -> &'a str {
        self.take(self.rest.find('\n').unwrap_or(self.rest.len()))
    }

    /// A string or a quoted name: a doubled mark stands for one.
    fn enclosed(&mut self, mark: char, escapes: bool) -> Result<String> {
        let line = self.line;
        self.take(1);
        let mut content = String::new();
        loop {
            let special = |c: char| c == mark || (escapes && c == '\\');
            let Some(end) = self.rest.find(special) else {
                bail!("line {line}: what starts with {mark} does not end");
            };
            content.push_str(self.take(end));
            if self.rest.starts_with('\\') {
                let escaped = self.rest[1..].chars().next().map_or(0, char::len_utf8);
                content.push_str(self.take(1 + escaped));
                continue;
            }
            self.take(1);
            if !self.rest.starts_with(mark) {
                return Ok(content);
            }
            content.push_str(self.take(1));
        }
    }

    /// Comments between `/*` and `*/` nest.
    fn block_comment(&mut self) -> Result<&'a str> {
        let (start, line) = (self.rest, self.line);
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
                if depth == 0 {
                    return Ok(&start[2..start.len() - self.rest.len() - 2]);
                }
            } else if let Some(next) = self.rest.chars().next() {
                self.take(next.len_utf8());
            } else {
                bail!("line {line}: a comment does not end");
            }
        }
    }
}

/// `$$` or `$name$` at the start of the text.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text.get(1..)?.find('$')? + 1;
    let name = &text[1..end];
    let mut characters = name.chars();
    let starts_well = characters.next().is_none_or(|c| c.is_alphabetic() || c == '_');
    (starts_well && characters.all(|c| c.is_alphanumeric() || c == '_')).then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Kind, String)> {
        let tokens = tokens(text).expect("tokens");
        tokens.into_iter().map(|token| (token.kind, token.text)).collect()
    }

    fn pairs(expected: &[(Kind, &str)]) -> Vec<(Kind, String)> {
        expected.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect()
    }

    #[test]
    fn strings_names_and_comments_keep_their_content_together() {
        assert_eq!(
            read(
                "SELECT 'it''s; -- no', \"Odd \"\"name\"\"\", E'a\\'b' /* x /* y */ ; */ ; -- end"
            ),
            pairs(&[
                (Kind::Word, "select"),
                (Kind::String, "it's; -- no"),
                (Kind::Symbol, ","),
                (Kind::Quoted, "Odd \"name\""),
                (Kind::Symbol, ","),
                (Kind::String, "a\\'b"),
                (Kind::Comment, "x /* y */ ;"),
                (Kind::Symbol, ";"),
                (Kind::Comment, "end"),
            ])
        );
    }

    #[test]
    fn dollar_quotes_hold_other_dollar_quotes() {
        assert_eq!(
            read("$do$ SELECT $$x;$$ $do$ $1 a$b"),
            pairs(&[
                (Kind::Dollar, " SELECT $$x;$$ "),
                (Kind::Symbol, "$"),
                (Kind::Number, "1"),
                (Kind::Word, "a$b"),
            ])
        );
    }

    #[test]
    fn a_backslash_line_is_psqls_and_lines_are_counted() {
        let tokens = tokens("\\echo Use \"it\" \\quit\n\nSELECT\n1").expect("tokens");
        assert_eq!(tokens[0].kind, Kind::Meta);
        assert_eq!(tokens[0].text, "\\echo Use \"it\" \\quit");
        assert_eq!(tokens.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 3, 4]);
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        for text in ["'abc", "\"abc", "/* abc", "$x$ abc $$"] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }
}
