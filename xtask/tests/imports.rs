//! Files are rooms with doors in one direction: no file imports another that, over whatever detour,
//! imports the first; and a room of the library knows only rooms below it. Read from the paths in the
//! sources, so that neither needs a build.

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

/// The crates whose files must not import in a circle.
const CRATES: [&str; 1] = ["xtask/src"];

fn graph(folder: &str) -> Result<Graph> {
    let root = Project::find()?.root().join(folder);
    Ok(Graph::of(&Sources::read(&root)?))
}

#[test]
fn no_files_import_in_a_circle() -> Result<()> {
    let mut circles = Vec::new();
    for folder in CRATES {
        circles.extend(graph(folder)?.circles());
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
    Ok(())
}

/// Writes the circles of a crate that is not held to it yet, such as `CRATE=src`.
#[test]
#[ignore = "a tool for opening circles"]
fn circles_of() -> Result<()> {
    let graph = graph(&std::env::var("CRATE")?)?;
    println!("{}", graph.circles().join("\n"));
    println!("{}", graph.knots());
    println!("{}", rooms::upward(&graph).join("\n"));
    Ok(())
}
