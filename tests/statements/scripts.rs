//! The functions that the scripts create, and whether they pin their search_path.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use pg_query::NodeEnum;
use pg_query::protobuf::{CreateFunctionStmt, DefElem, Node};
use xtask::machine::files::files_below;

/// The only search_path that finds no object of the caller.
const PINNED: [&str; 2] = ["pg_catalog", "pg_temp"];

pub struct Function {
    pub name: String,
    pub is_pinned: bool,
    /// Its symbol in the library, if its language is C.
    pub symbol: Option<String>,
}

/// Every function that any script creates.
pub fn functions(folder: &Path) -> Result<Vec<Function>> {
    let mut functions = Vec::new();
    for path in files_below(folder)? {
        if path.extension().is_some_and(|extension| extension == "sql") {
            let text = fs::read_to_string(&path)?;
            functions.extend(created(&text).with_context(|| format!("{}", path.display()))?);
        }
    }
    Ok(functions)
}

/// The functions that a script creates, in its order.
pub fn created(script: &str) -> Result<Vec<Function>> {
    // Only psql reads the first line; the server would not.
    let sql: Vec<_> = script.lines().filter(|line| !line.starts_with('\\')).collect();
    let tree = pg_query::parse(&sql.join("\n"))?.protobuf;
    let nodes = tree.stmts.iter().filter_map(|statement| statement.stmt.as_ref());
    Ok(nodes
        .filter_map(|node| match node.node.as_ref() {
            Some(NodeEnum::CreateFunctionStmt(function)) => Some(function_of(function)),
            _ => None,
        })
        .collect())
}

fn function_of(function: &CreateFunctionStmt) -> Function {
    let options = || function.options.iter().filter_map(option);
    let mut sets = options().filter(|option| option.defname == "set").filter_map(|option| {
        match option.arg.as_ref()?.node.as_ref()? {
            NodeEnum::VariableSetStmt(set) if set.name == "search_path" => Some(words(&set.args)),
            _ => None,
        }
    });
    let body = options().find(|option| option.defname == "as").and_then(|option| {
        match option.arg.as_ref()?.node.as_ref()? {
            NodeEnum::List(list) => words(&list.items).into_iter().nth(1),
            _ => None,
        }
    });
    Function {
        name: words(&function.funcname).join("."),
        is_pinned: sets.next_back().is_some_and(|path| path == PINNED),
        symbol: body,
    }
}

fn option(node: &Node) -> Option<&DefElem> {
    match node.node.as_ref() {
        Some(NodeEnum::DefElem(option)) => Some(option),
        _ => None,
    }
}

/// Names and texts of a list.
fn words(nodes: &[Node]) -> Vec<String> {
    let word = |node: &Node| match node.node.as_ref()? {
        NodeEnum::String(text) => Some(text.sval.clone()),
        NodeEnum::AConst(constant) => match constant.val.as_ref()? {
            pg_query::protobuf::a_const::Val::Sval(text) => Some(text.sval.clone()),
            _ => None,
        },
        _ => None,
    };
    nodes.iter().filter_map(word).collect()
}

#[test]
fn only_that_path_counts_as_pinned() -> Result<()> {
    for (option, is_pinned) in [
        ("", false),
        ("SET search_path = pg_catalog, pg_temp", true),
        ("SET search_path TO pg_catalog, pg_temp", true),
        ("SET search_path = pg_catalog, orchestrator, pg_temp", false),
        ("SET search_path = pg_temp, pg_catalog", false),
        ("SET search_path = pg_catalog", false),
        ("SET search_path FROM CURRENT", false),
        ("SET work_mem = '1MB'", false),
    ] {
        let script = format!(
            "\\echo Use \"this\"\nCREATE FUNCTION s.f() RETURNS text LANGUAGE c {option} AS 'MODULE_PATHNAME', 'f_wrapper';"
        );
        let found = created(&script)?;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].is_pinned, is_pinned, "{option}");
        assert_eq!(
            (found[0].name.as_str(), found[0].symbol.as_deref()),
            ("s.f", Some("f_wrapper"))
        );
    }
    Ok(())
}
