//! The `CREATE` statements whose parts checks look at: functions and tables.

use super::cursor::{Cursor, Name};
use super::statements::Statement;
use super::tokens::Token;

/// `CREATE [OR REPLACE] FUNCTION | PROCEDURE`.
#[derive(Clone, Debug)]
pub struct CreateFunction {
    pub name: Name,
    pub replaces: bool,
    /// The C symbol; `None` for other languages.
    pub symbol: Option<String>,
    /// Whether a `SET search_path` is part of it.
    pub pins_search_path: bool,
}

impl CreateFunction {
    /// Reads the statement; `None` when it is another one.
    pub fn read(statement: &Statement) -> Option<Self> {
        let mut cursor = statement.cursor();
        if !cursor.word("create") {
            return None;
        }
        let replaces = cursor.words(&["or", "replace"]);
        if !(cursor.word("function") || cursor.word("procedure")) {
            return None;
        }
        let name = cursor.name()?;
        cursor.parenthesised()?;
        let mut in_c = false;
        let mut library_and_symbol = Vec::new();
        let mut pins_search_path = false;
        while let Some(token) = cursor.next() {
            if token.is_word("language") {
                in_c =
                    cursor.next().is_some_and(|language| language.text.eq_ignore_ascii_case("c"));
            } else if token.is_word("as") {
                library_and_symbol.extend(cursor.string());
                if cursor.symbol(",") {
                    library_and_symbol.extend(cursor.string());
                }
            } else if token.is_word("set") {
                pins_search_path |= cursor.word("search_path");
            } else if token.is_word("atomic") {
                break;
            }
        }
        let symbol =
            in_c.then(|| library_and_symbol.get(1).copied().unwrap_or(&name.object).to_owned());
        Some(Self { name, replaces, symbol, pins_search_path })
    }
}

/// `CREATE TABLE` with its elements.
#[derive(Clone, Debug)]
pub struct CreateTable<'a> {
    pub name: Name,
    pub elements: Vec<Element<'a>>,
}

/// A column or a constraint, as a table's parentheses or an `ALTER TABLE` list it.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    pub tokens: &'a [Token],
}

impl<'a> CreateTable<'a> {
    /// Reads the statement; `None` when it is another one.
    pub fn read(statement: &'a Statement) -> Option<Self> {
        let mut cursor = statement.cursor();
        if !cursor.word("create") {
            return None;
        }
        let _ = cursor.word("unlogged");
        if !cursor.word("table") {
            return None;
        }
        let _ = cursor.words(&["if", "not", "exists"]);
        let name = cursor.name()?;
        let elements = cursor.parenthesised().map(Element::split).unwrap_or_default();
        Some(Self { name, elements })
    }
}

impl<'a> Element<'a> {
    /// Splits at the commas that stand in no parentheses.
    pub fn split(tokens: &'a [Token]) -> Vec<Self> {
        let mut depth = 0_i32;
        tokens
            .split(|token| {
                depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
                depth == 0 && token.is_symbol(",")
            })
            .map(|tokens| Self { tokens })
            .collect()
    }

    /// The name of the column, when it is one.
    pub fn column(&self) -> Option<String> {
        let first = self.tokens.first()?;
        let is_constraint =
            ["constraint", "check", "unique", "primary", "foreign", "exclude", "like"]
                .iter()
                .any(|word| first.is_word(word));
        if is_constraint {
            return None;
        }
        Cursor::new(self.tokens).name().map(|name| name.object)
    }

    /// The tokens that stand in no parentheses.
    pub fn outer(&self) -> Vec<&'a Token> {
        let mut depth = 0_i32;
        self.tokens
            .iter()
            .filter(|token| {
                depth += i32::from(token.is_symbol("("));
                let outside = depth == 0;
                depth -= i32::from(token.is_symbol(")"));
                outside
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::statements;

    #[test]
    fn functions_show_language_symbol_and_search_path() {
        let text = "CREATE OR REPLACE FUNCTION s.f(a text DEFAULT ')') RETURNS TABLE (x text)
                LANGUAGE c SET search_path TO pg_catalog AS 'MODULE_PATHNAME', 'f_wrapper';
            CREATE FUNCTION s.g() RETURNS text LANGUAGE sql AS 'SET search_path TO x';
            CREATE TABLE s.t (x text)";
        let all = statements(text).expect("statements");
        let f = CreateFunction::read(&all[0]).expect("a function");
        assert_eq!(f.name.to_string(), "s.f");
        assert!(f.replaces && f.pins_search_path);
        assert_eq!(f.symbol.as_deref(), Some("f_wrapper"));
        let g = CreateFunction::read(&all[1]).expect("a function");
        assert!(!g.replaces && !g.pins_search_path && g.symbol.is_none());
        assert!(CreateFunction::read(&all[2]).is_none());
    }

    #[test]
    fn tables_are_split_into_columns_and_constraints() {
        let text = "CREATE TABLE s.t (id uuid PRIMARY KEY, n numeric(10, 2), CONSTRAINT t_n_check CHECK (n IN (1, 2)))";
        let all = statements(text).expect("statements");
        let table = CreateTable::read(&all[0]).expect("a table");
        let columns: Vec<_> = table.elements.iter().map(Element::column).collect();
        assert_eq!(columns, [Some("id".to_owned()), Some("n".to_owned()), None]);
        assert_eq!(table.elements[1].outer().len(), 2);
    }
}
