//! The working loop with real processes: workers in Rust, Python and TypeScript claim tasks, are killed in
//! any line, and others go on where they were.

#[path = "loop/crew.rs"]
mod crew;
#[path = "loop/given_back.rs"]
mod given_back;
#[path = "loop/lines.rs"]
mod lines;
#[path = "loop/load.rs"]
mod load;
#[path = "loop/place.rs"]
mod place;
#[path = "loop/pooler.rs"]
mod pooler;
#[path = "loop/program.rs"]
mod program;
#[path = "loop/wire.rs"]
mod wire;
