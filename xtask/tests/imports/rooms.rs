//! The rooms of the library and the floors that they stand on.

use super::graph::Graph;

/// From the ground up. A room knows only rooms of the floors below; `lib` is above all.
const FLOORS: [&[&str]; 8] = [
    &["server"],
    &["schema"],
    &["configuration"],
    &["audit"],
    &["tasks", "agents", "runs", "v7"],
    &["decisions"],
    &["maintenance"],
    &["lib"],
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or(file)
}

/// Every import that leads to the same floor or further up, and every room without a floor.
pub fn upward(graph: &Graph) -> Vec<String> {
    let mut findings = Vec::new();
    for (from, imports) in &graph.imports {
        let Some(own) = floor(room(from)) else {
            findings.push(format!("{from} is in no room"));
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
