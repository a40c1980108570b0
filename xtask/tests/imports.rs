//! No files import in a circle, also not through other files, and a room of the library imports only
//! rooms below it. The tests read the paths in the sources and need no build.

#[path = "imports/graph.rs"]
mod graph;
#[path = "imports/paths.rs"]
mod paths;
#[path = "imports/rooms.rs"]
mod rooms;
#[path = "imports/sources.rs"]
mod sources;

use anyhow::Result;
use xtask::machine::project::Project;

use graph::Graph;
use sources::Sources;

/// The crates, with the floors of their rooms.
const CRATES: [(&str, &[&[&str]]); 3] =
    [("src", &rooms::LIBRARY), ("xtask/src", &rooms::XTASK), ("xtask/lint/src", &rooms::LINT)];

/// The crates whose files import in no circle.
const WITHOUT_CIRCLES: [&str; 3] = ["src", "xtask/src", "xtask/lint/src"];

fn graph(folder: &str) -> Result<Graph> {
    let root = Project::find()?.root().join(folder);
    Ok(Graph::of(&Sources::read(&root)?))
}

#[test]
fn no_files_import_in_a_circle() -> Result<()> {
    let mut circles = Vec::new();
    for folder in WITHOUT_CIRCLES {
        circles.extend(graph(folder)?.circles());
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
    Ok(())
}

#[test]
fn a_room_knows_only_rooms_below_it() -> Result<()> {
    let mut findings = Vec::new();
    for (folder, floors) in CRATES {
        findings.extend(rooms::not_below(&graph(folder)?, floors));
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    Ok(())
}

/// Prints the circles of a crate that still has some:
/// `CRATE=src cargo test -p xtask --test imports -- --ignored --nocapture`.
#[test]
#[ignore = "reports, and judges nothing"]
fn report() -> Result<()> {
    let graph = graph(&std::env::var("CRATE").unwrap_or_else(|_| "src".to_owned()))?;
    println!("{}", graph.circles().join("\n"));
    Ok(())
}
