//! The symbol of a function in C names its version: the first symbol is the function's own name, and each
//! later one has the version of the script that introduced it, `resolve_gate_0_3_0_wrapper`. A form with
//! other arguments has words of its own behind that, `set_price_0_7_3_float_wrapper`. So every reader
//! sees the code of each version. A down script uses only symbols of earlier versions.

use std::collections::BTreeSet;

use pg_query::NodeEnum;
use pg_query::protobuf::CreateFunctionStmt;
use xtask::chain::{Chain, Script, Version};

use super::source::{Finding, Source};
use super::tree::{Name, option, words};

pub fn check(chain: &Chain, sources: &[Source]) -> Vec<Finding> {
    let source_of = |script: &Script| sources.iter().find(|source| source.script == *script);
    let mut findings = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    findings.extend(source_of(&chain.base()).into_iter().flat_map(|base| new(base, &mut known)));
    for (up, down) in chain.ups().zip(chain.downs()) {
        // Before the up script: what it brings is not there after the down script.
        findings.extend(source_of(&down).into_iter().flat_map(|down| old(down, &known)));
        findings.extend(source_of(&up).into_iter().flat_map(|up| new(up, &mut known)));
    }
    findings
}

/// New symbols of an up script whose names are not those of function and version.
fn new(source: &Source, known: &mut BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, name, symbol) in symbols(source) {
        if !known.insert(symbol.clone()) {
            continue;
        }
        let first = format!("{}_wrapper", name.object);
        let later = later_symbol(&name, source.script.target());
        let wanted = if known.contains(&first) && symbol != first { &later } else { &first };
        let is_form =
            *wanted != first && symbol.starts_with(&format!("{}_", without_suffix(wanted)));
        if symbol != *wanted && !(is_form && symbol.ends_with(SUFFIX)) {
            let message = format!("the new symbol of {name} must be {wanted}, not {symbol}");
            findings.push(source.finding(line, message));
        }
    }
    findings
}

/// The end of each symbol.
const SUFFIX: &str = "_wrapper";

fn without_suffix(symbol: &str) -> &str {
    symbol.strip_suffix(SUFFIX).unwrap_or(symbol)
}

fn later_symbol(name: &Name, version: Version) -> String {
    format!("{}_{}_wrapper", name.object, version.to_string().replace('.', "_"))
}

/// Symbols of a down script that the version below does not know.
fn old(source: &Source, known: &BTreeSet<String>) -> Vec<Finding> {
    symbols(source)
        .into_iter()
        .filter(|(_, _, symbol)| !known.contains(symbol))
        .map(|(line, name, symbol)| {
            let version = source.script.target();
            let message = format!("{symbol} is no symbol of {name} at {version}");
            source.finding(line, message)
        })
        .collect()
}

/// The C functions that a script creates, with their symbols.
fn symbols(source: &Source) -> Vec<(usize, Name, String)> {
    let created = source.statements.iter().filter_map(|statement| match &statement.node {
        NodeEnum::CreateFunctionStmt(function) => {
            let symbol = symbol(function)?;
            Some((statement.line, Name::of_words(&function.funcname), symbol))
        }
        _ => None,
    });
    created.collect()
}

/// The second of the two texts after AS, which only C has.
fn symbol(function: &CreateFunctionStmt) -> Option<String> {
    option(function, "as").into_iter().find_map(|value| match value {
        NodeEnum::List(list) => words(&list.items).into_iter().nth(1),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{messages, script};

    fn create(name: &str, symbol: &str) -> String {
        format!("CREATE OR REPLACE FUNCTION s.{name}() RETURNS text LANGUAGE c AS 'm', '{symbol}';")
    }

    /// The findings of a chain whose first version has `f`.
    fn found(up: &str, down: &str) -> Vec<String> {
        let sources = [
            script("orchestrator_schema--0.0.0.sql", &create("f", "f_wrapper")),
            script("orchestrator_schema--0.0.0--0.1.0.sql", up),
            script("orchestrator_schema--0.1.0--0.0.0.sql", down),
        ];
        let scripts = sources.iter().map(|source| source.script).collect();
        messages(check(&Chain::of(&scripts).expect("a chain"), &sources))
    }

    #[test]
    fn symbols_of_function_and_version_are_silent() {
        let up = create("f", "f_0_1_0_wrapper") + &create("g", "g_wrapper");
        assert_eq!(found(&up, &create("f", "f_wrapper")), [""; 0]);
        assert_eq!(found(&create("f", "f_wrapper"), ""), [""; 0]);
        assert_eq!(found(&create("f", "f_0_1_0_float_wrapper"), ""), [""; 0]);
    }

    #[test]
    fn each_other_symbol_is_found() {
        for (name, symbol, wanted) in [
            ("f", "f_and_more_wrapper", "f_0_1_0_wrapper"),
            ("f", "f_0_2_0_wrapper", "f_0_1_0_wrapper"),
            ("f", "f_0_1_0float_wrapper", "f_0_1_0_wrapper"),
            ("g", "g_float_wrapper", "g_wrapper"),
            ("g", "f_g_wrapper", "g_wrapper"),
            ("g", "g_0_1_0_wrapper", "g_wrapper"),
        ] {
            let message = format!("the new symbol of s.{name} must be {wanted}, not {symbol}");
            assert_eq!(found(&create(name, symbol), ""), [message], "{symbol}");
        }
    }

    #[test]
    fn a_down_script_names_no_later_symbol() {
        let up = create("f", "f_0_1_0_wrapper");
        assert_eq!(found(&up, &up), ["f_0_1_0_wrapper is no symbol of s.f at 0.0.0"]);
    }
}
