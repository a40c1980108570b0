//! `OR REPLACE` is only for objects of an earlier version. For a new object it would take over an object
//! that somebody else created under that name. pgspot reads one script at a time, and does not know the
//! objects of earlier versions.

use std::collections::BTreeSet;

use pg_query::NodeEnum;
use xtask::chain::{Chain, Script};

use super::source::{Finding, Source, Statement};
use super::tree::Name;

/// Kind and name.
type Object = (&'static str, Name);

pub fn check(chain: &Chain, sources: &[Source]) -> Vec<Finding> {
    let source_of = |script: &Script| sources.iter().find(|source| source.script == *script);
    let mut findings = Vec::new();
    let mut known: BTreeSet<Object> = BTreeSet::new();
    let Some(base) = source_of(&chain.base()) else {
        return findings;
    };
    findings.extend(new_replacements(base, &known));
    known.extend(created(base));
    for (up, down) in chain.ups().zip(chain.downs()) {
        let (Some(up), Some(down)) = (source_of(&up), source_of(&down)) else {
            continue;
        };
        findings.extend(new_replacements(up, &known));
        // An object that the down script replaces existed before the up script.
        findings.extend(new_replacements(down, &known));
        known.extend(created(up));
    }
    findings
}

fn new_replacements(source: &Source, known: &BTreeSet<Object>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in &source.statements {
        if let Some((object, true)) = creation(statement)
            && !known.contains(&object)
        {
            let (kind, name) = object;
            let message = format!("OR REPLACE, but {kind} {name} exists in no earlier version");
            findings.push(source.finding(statement.line, message));
        }
    }
    findings
}

fn created(source: &Source) -> impl Iterator<Item = Object> + '_ {
    source.statements.iter().filter_map(creation).map(|(object, _)| object)
}

/// The object that a statement creates, if its kind can be replaced, and whether it has `OR REPLACE`.
fn creation(statement: &Statement) -> Option<(Object, bool)> {
    let on = |relation: &Option<pg_query::protobuf::RangeVar>, name: &str| {
        let table = relation.as_ref().map(Name::of_relation)?;
        Some(Name { schema: table.schema, object: format!("{}.{name}", table.object) })
    };
    Some(match &statement.node {
        NodeEnum::CreateFunctionStmt(function) => {
            (("function", Name::of_words(&function.funcname)), function.replace)
        }
        NodeEnum::ViewStmt(view) => {
            (("view", Name::of_relation(view.view.as_ref()?)), view.replace)
        }
        NodeEnum::CreateTrigStmt(trigger) => {
            (("trigger", on(&trigger.relation, &trigger.trigname)?), trigger.replace)
        }
        NodeEnum::RuleStmt(rule) => (("rule", on(&rule.relation, &rule.rulename)?), rule.replace),
        NodeEnum::DefineStmt(definition) => {
            (("aggregate", Name::of_words(&definition.defnames)), definition.replace)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{messages, script};

    fn found(base: &str, up: &str, down: &str) -> Vec<String> {
        let sources = [
            script("orchestrator_schema--0.0.0.sql", base),
            script("orchestrator_schema--0.0.0--0.1.0.sql", up),
            script("orchestrator_schema--0.1.0--0.0.0.sql", down),
        ];
        let scripts: BTreeSet<Script> = sources.iter().map(|source| source.script).collect();
        let chain = Chain::of(&scripts).expect("a chain");
        messages(check(&chain, &sources))
    }

    #[test]
    fn or_replace_needs_an_earlier_version() {
        for (create, object) in [
            ("CREATE FUNCTION s.f() RETURNS text LANGUAGE sql AS '';", "function s.f"),
            ("CREATE VIEW s.v AS SELECT 1;", "view s.v"),
            ("CREATE TRIGGER g BEFORE UPDATE ON s.t EXECUTE FUNCTION s.f();", "trigger s.t.g"),
            ("CREATE RULE r AS ON INSERT TO s.t DO NOTHING;", "rule s.t.r"),
            ("CREATE AGGREGATE s.a (integer) (sfunc = s.f, stype = integer);", "aggregate s.a"),
        ] {
            let replace = &create.replace("CREATE", "CREATE OR REPLACE");
            let message = format!("OR REPLACE, but {object} exists in no earlier version");
            assert_eq!(found(create, replace, replace), [""; 0]);
            assert_eq!(found("", replace, ""), [message.as_str()]);
            assert_eq!(found("", create, replace), [message.as_str()]);
            assert_eq!(found(replace, "", ""), [message.as_str()]);
        }
    }
}
