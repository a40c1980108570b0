//! Constraints have names of their own, so that a later version and an error message can refer to them.
//! A primary key is always named after its table, and every table has one: a publication refuses to
//! update and delete the rows of a table without.

use super::source::{Finding, Source};
use crate::sql::{CreateTable, Element, Statement, Token};

/// Words that start a constraint.
const STARTS: [&str; 5] = ["check", "unique", "foreign", "exclude", "references"];

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in &source.statements {
        if let Some(table) = CreateTable::read(statement)
            && !table.elements.iter().any(is_primary_key)
        {
            findings.push(
                source
                    .finding(statement.line(), format!("table {} needs a PRIMARY KEY", table.name)),
            );
        }
        for element in elements(statement) {
            for token in unnamed(&element) {
                let what = token.text.to_uppercase();
                findings.push(
                    source.finding(token.line, format!("{what} needs a name: CONSTRAINT … {what}")),
                );
            }
        }
    }
    findings
}

fn elements(statement: &Statement) -> Vec<Element<'_>> {
    if let Some(table) = CreateTable::read(statement) {
        return table.elements;
    }
    if statement.starts_with(&["alter", "table"]) {
        return Element::split(&statement.tokens);
    }
    Vec::new()
}

fn is_primary_key(element: &Element<'_>) -> bool {
    element.outer().windows(2).any(|words| words[0].is_word("primary") && words[1].is_word("key"))
}

/// The words that start a constraint without a name.
fn unnamed<'a>(element: &Element<'a>) -> Vec<&'a Token> {
    let tokens = element.outer();
    let mut is_foreign_key = false;
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        is_foreign_key |= token.is_word("foreign");
        let starts = STARTS.iter().any(|word| token.is_word(word));
        let is_part_of_foreign_key = is_foreign_key && token.is_word("references");
        let is_named = at >= 2 && tokens[at - 2].is_word("constraint");
        if starts && !is_part_of_foreign_key && !is_named {
            found.push(*token);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::fixture::{messages, up};

    #[test]
    fn named_constraints_and_primary_keys_are_silent() {
        let text = "CREATE TABLE s.t (
                id uuid PRIMARY KEY,
                a uuid NOT NULL CONSTRAINT t_a_fkey REFERENCES s.u (id) ON DELETE CASCADE,
                b integer DEFAULT 0 CONSTRAINT t_b_check CHECK (b >= 0),
                PRIMARY KEY (a, b),
                CONSTRAINT t_a_b_key UNIQUE (a, b),
                CONSTRAINT t_c_fkey FOREIGN KEY (a) REFERENCES s.u (id)
            );
            ALTER TABLE s.t ADD COLUMN c text, ADD CONSTRAINT t_c_check CHECK (c <> '');
            ALTER TABLE s.t VALIDATE CONSTRAINT t_c_check;";
        assert_eq!(messages(check(&up(text))), Vec::<String>::new());
    }

    #[test]
    fn nameless_constraints_are_found() {
        let bad = [
            "CREATE TABLE s.t (a integer PRIMARY KEY CHECK (a > 0));",
            "CREATE TABLE s.t (a integer PRIMARY KEY, b integer UNIQUE);",
            "CREATE TABLE s.t (a uuid PRIMARY KEY REFERENCES s.u);",
            "CREATE TABLE s.t (a uuid PRIMARY KEY, FOREIGN KEY (a) REFERENCES s.u);",
            "ALTER TABLE s.t ADD UNIQUE (a);",
            "ALTER TABLE s.t ADD COLUMN b text CONSTRAINT t_b_check CHECK (b <> ''), ADD CHECK (a > 0);",
        ];
        for text in bad {
            assert_eq!(check(&up(text)).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_table_without_a_primary_key_is_found() {
        for text in [
            "CREATE TABLE s.t (a integer NOT NULL CONSTRAINT t_a_key UNIQUE);",
            "CREATE TABLE s.t (\"primary key\" text, a integer DEFAULT (1));",
            "CREATE TABLE s.t AS SELECT 1 AS a;",
        ] {
            assert_eq!(messages(check(&up(text))), ["table s.t needs a PRIMARY KEY"], "{text}");
        }
    }
}
