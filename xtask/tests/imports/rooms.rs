//! The rooms of each crate and their floors. A room is a folder or a file beside `lib.rs`; it imports
//! only rooms of the floors below.

use super::graph::Graph;

/// The library, from the ground up.
pub const LIBRARY: [&[&str]; 9] = [
    &["server"],
    &["schema"],
    &["configuration"],
    &["audit"],
    &["runs", "v7"],
    &["tasks", "agents"],
    &["decisions"],
    &["maintenance", "value_sets"],
    &["lib"],
];

/// This program, from the ground up.
pub const XTASK: [&[&str]; 7] = [
    &["machine"],
    &["address", "chain"],
    &["cluster", "console", "install"],
    &["bench", "demo", "generate"],
    &["checks"],
    &["release"],
    &["lib"],
];

/// The linter: rules, and what they read.
pub const LINT: [&[&str]; 4] = [
    &["source", "tree"],
    &["functions"],
    &[
        "characters",
        "clocks",
        "constraints",
        "forbidden",
        "grants",
        "heading",
        "inclusion",
        "names",
        "replacements",
        "symbols",
        "tables",
    ],
    &["lib"],
];

/// Every import that leads to the same floor or a higher one, and every room without a floor.
pub fn not_below(graph: &Graph, floors: &[&[&str]]) -> Vec<String> {
    let floor = |room: &str| floors.iter().position(|rooms| rooms.contains(&room));
    let mut findings = Vec::new();
    for (from, imports) in &graph.imports {
        let Some(own) = floor(room(from)) else {
            findings.push(format!("{from} stands on no floor"));
            continue;
        };
        for (to, items) in imports {
            let is_below = floor(room(to)).is_some_and(|other| other < own);
            if room(from) != room(to) && !is_below {
                let items = items.iter().cloned().collect::<Vec<_>>().join(", ");
                findings.push(format!("{from} must not know {to} ({items})"));
            }
        }
    }
    findings
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or(file)
}

#[test]
fn only_imports_from_below_are_silent() {
    let graph = Graph::from_imports(&[
        ("server/error", "server/text"),
        ("tasks", "server/error"),
        ("tasks/sessions", "agents"),
        ("server/text", "tasks"),
        ("attic", "server"),
    ]);
    let floors: [&[&str]; 2] = [&["server"], &["tasks", "agents"]];
    assert_eq!(
        not_below(&graph, &floors),
        [
            "attic stands on no floor",
            "server/text must not know tasks (item)",
            "tasks/sessions must not know agents (item)"
        ]
    );
}
