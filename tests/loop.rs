//! The working loop with real processes: workers in Rust, Python and TypeScript claim tasks, are killed in
//! any line, and others go on where they were. Programs that pay from budgets are killed likewise.

#[path = "loop/crew.rs"]
mod crew;
#[path = "loop/given_back.rs"]
mod given_back;
#[path = "loop/lines.rs"]
mod lines;
#[path = "loop/load.rs"]
mod load;
#[path = "loop/payers.rs"]
mod payers;
#[path = "loop/place.rs"]
mod place;
#[path = "loop/pooler.rs"]
mod pooler;
#[path = "loop/program.rs"]
mod program;
#[path = "loop/wire.rs"]
mod wire;

/// The page shows the programs that are killed here.
#[test]
fn the_page_shows_the_programs() -> anyhow::Result<()> {
    let root = xtask::machine::project::Project::find()?.root().to_owned();
    let page = std::fs::read_to_string(root.join("docs/loop.md"))?;
    for program in ["tests/loop/worker.py", "tests/loop/worker.ts"] {
        let text = std::fs::read_to_string(root.join(program))?;
        assert!(page.contains(text.trim_end()), "docs/loop.md does not show {program}");
    }
    Ok(())
}
