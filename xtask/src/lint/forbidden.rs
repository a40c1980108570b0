//! What no script may say: anything that hides a squatted or missing object, drops more than it names,
//! or cannot be taken back.

use std::collections::BTreeSet;

use super::source::{Finding, Source};
use crate::chain::{Chain, Script};
use crate::sql::{Cursor, Kind, Name, Statement, statements};

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in &source.statements {
        findings.extend(in_statement(source, statement, 0));
        // A DO block is part of the script; the body of a function is not.
        if statement.starts_with(&["do"]) {
            for body in statement.tokens.iter().filter(|token| token.kind == Kind::Dollar) {
                for inner in statements(&body.text).unwrap_or_default() {
                    findings.extend(in_statement(source, &inner, body.line - 1));
                }
            }
        }
    }
    findings
}

fn in_statement(source: &Source, statement: &Statement, lines_before: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |at: usize, message: &str| {
        let line = statement.tokens[at].line + lines_before;
        findings.push(source.finding(line, message));
    };
    for at in statement.find(&["if", "not", "exists"]) {
        report(at, "IF NOT EXISTS would take over an object that somebody else made");
    }
    for at in statement.find(&["if", "exists"]) {
        report(at, "IF EXISTS would hide that an object is missing");
    }
    for at in statement.find(&["cascade"]) {
        let is_action = at >= 2
            && statement.tokens[at - 2].is_word("on")
            && ["delete", "update"].iter().any(|action| statement.tokens[at - 1].is_word(action));
        if !is_action {
            report(at, "CASCADE drops what is not named here");
        }
    }
    for (at, token) in statement.tokens.iter().enumerate() {
        if token.kind == Kind::String && token.text.contains('\\') {
            report(
                at,
                "with standard_conforming_strings off a backslash in a string is an escape: write [.] for \\., [[:space:]] for \\s",
            );
        }
    }
    if statement.starts_with(&["create", "type"]) && !statement.find(&["as", "enum"]).is_empty() {
        report(0, "values of an enum cannot be removed: use text with a CHECK");
    }
    findings
}

/// `OR REPLACE` is for what an earlier version brought; for a new object it would take over a squatted name.
pub fn replacements(chain: &Chain, sources: &[Source]) -> Vec<Finding> {
    let source_of = |script: Script| sources.iter().find(|source| source.script == script);
    let mut findings = Vec::new();
    let mut known: BTreeSet<(String, Name)> = BTreeSet::new();
    let Some(base) = source_of(chain.base()) else {
        return findings;
    };
    findings.extend(new_replacements(base, &known));
    known.extend(created(base));
    for (up, down) in chain.ups().zip(chain.downs()) {
        let (Some(up), Some(down)) = (source_of(up), source_of(down)) else {
            continue;
        };
        findings.extend(new_replacements(up, &known));
        // What the down script gives its old text must have been there before the up script.
        findings.extend(new_replacements(down, &known));
        known.extend(created(up));
    }
    findings
}

fn new_replacements(source: &Source, known: &BTreeSet<(String, Name)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in &source.statements {
        if let Some((kind, name, true)) = creation(statement)
            && !known.contains(&(kind.clone(), name.clone()))
        {
            let message = format!("OR REPLACE, but {kind} {name} exists in no earlier version");
            findings.push(source.finding(statement.line(), message));
        }
    }
    findings
}

fn created(source: &Source) -> impl Iterator<Item = (String, Name)> + '_ {
    source.statements.iter().filter_map(creation).map(|(kind, name, _)| (kind, name))
}

/// Kind and name of what a statement creates, and whether it says `OR REPLACE`.
fn creation(statement: &Statement) -> Option<(String, Name, bool)> {
    let mut cursor: Cursor<'_> = statement.cursor();
    if !cursor.word("create") {
        return None;
    }
    let replaces = cursor.words(&["or", "replace"]);
    let kind = cursor.next()?.text.clone();
    Some((kind, cursor.name()?, replaces))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::lint::source::fixture::{messages, script, up};

    #[test]
    fn forbidden_words_are_found_in_statements_and_do_blocks() {
        let bad = [
            "CREATE TABLE IF NOT EXISTS s.t ();",
            "DROP TABLE IF EXISTS s.t;",
            "DROP TABLE s.t CASCADE;",
            "CREATE TYPE s.e AS ENUM ('a');",
            "DO $$ BEGIN DROP TABLE s.t CASCADE; END $$;",
            r"CREATE TABLE s.t (a text CONSTRAINT t_a_check CHECK (a ~ '\.'));",
        ];
        for text in bad {
            assert_eq!(check(&up(text)).len(), 1, "{text}");
        }
    }

    #[test]
    fn comments_strings_bodies_and_referential_actions_may_say_it() {
        let good = [
            "-- DROP TABLE IF EXISTS s.t CASCADE",
            "COMMENT ON TABLE s.t IS 'CREATE TABLE IF NOT EXISTS … CASCADE';",
            "CREATE FUNCTION s.f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE IF EXISTS x; END $$;",
            "CREATE TABLE s.t (a uuid CONSTRAINT t_a_fkey REFERENCES s.u ON DELETE CASCADE ON UPDATE CASCADE);",
        ];
        for text in good {
            assert!(check(&up(text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn or_replace_needs_an_earlier_version() {
        let replace = "CREATE OR REPLACE FUNCTION s.f() RETURNS text LANGUAGE sql AS '';";
        let create = "CREATE FUNCTION s.f() RETURNS text LANGUAGE sql AS '';";
        let findings = |base: &str, up: &str, down: &str| {
            let sources = [
                script("orchestrator_schema--0.0.0.sql", base),
                script("orchestrator_schema--0.0.0--0.1.0.sql", up),
                script("orchestrator_schema--0.1.0--0.0.0.sql", down),
            ];
            let scripts: BTreeSet<Script> = sources.iter().map(|source| source.script).collect();
            let chain = Chain::of(&scripts).expect("a chain");
            messages(replacements(&chain, &sources))
        };
        assert!(findings(create, replace, replace).is_empty());
        assert_eq!(findings("", replace, "").len(), 1);
        assert_eq!(findings("", create, replace).len(), 1);
        assert_eq!(findings(replace, "", "").len(), 1);
    }
}
