//! Runs the documents. Every SQL or shell block of a page runs, in order, against a server that only
//! this page uses, and its output is compared with the block below it. `checks/documents/page.rs`
//! lists the comments that steer a page.

mod answer;
mod page;
mod server;

use std::fs;

use anyhow::{Context, Result, bail};

use self::page::{Block, Page, Step};
use self::server::Server;
use crate::checks::check::{Check, Run};
use crate::machine::pg_config::DEFAULT_MAJOR;
use crate::machine::project::Project;
use crate::machine::toolchain::Toolchain;
use crate::machine::workers;

/// The pages that are run, the longest first.
const PAGES: [&str; 8] = [
    "docs/operations.md",
    "docs/v7.md",
    "SECURITY.md",
    "docs/loop.md",
    "docs/decisions-by-people.md",
    "docs/cost.md",
    "docs/prompts.md",
    "README.md",
];

pub const CHECK: Check = Check {
    name: "documents",
    about: "every command of README, SECURITY and the runbooks prints the output shown below it",
    run: Run::WithExtension(check),
};

/// A block whose answer differs from the page, and that answer.
struct Difference<'page> {
    block: &'page Block,
    answer: String,
}

/// Runs every page and compares its answers.
fn check(toolchain: &Toolchain) -> Result<()> {
    if toolchain.pg.release.major != DEFAULT_MAJOR {
        println!("skipped: the pages show the answers of PostgreSQL {DEFAULT_MAJOR}");
        return Ok(());
    }
    run(toolchain, &[], false)
}

/// Runs the named pages, or all, and either compares the answers or writes them into the pages.
pub fn run(toolchain: &Toolchain, names: &[String], accept: bool) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !PAGES.contains(&name.as_str())) {
        bail!("{unknown} is not a page that is run; these are: {}", PAGES.join(", "));
    }
    let chosen: Vec<&str> = PAGES
        .into_iter()
        .filter(|page| names.is_empty() || names.iter().any(|name| name == page))
        .collect();
    let reports = workers::share(
        &chosen,
        || Ok(()),
        |(), name| one(toolchain, name, accept).with_context(|| format!("cannot run {name}")),
    )?;
    let mut differing = Vec::new();
    for (name, report) in chosen.iter().zip(reports) {
        if let Some(report) = report {
            println!("{report}");
            differing.push(*name);
        }
    }
    if !differing.is_empty() {
        bail!(
            "{} differ; if the new answers are right, run: cargo xtask documents --accept PAGE",
            differing.join(", ")
        );
    }
    Ok(())
}

/// Runs one page and returns a report of its differences; `None` when it has none, or they were
/// accepted.
fn one(toolchain: &Toolchain, name: &str, accept: bool) -> Result<Option<String>> {
    let text = read(&toolchain.project, name)?;
    let page = Page::parse(&text)?;
    let differences = differences(toolchain, &page)?;
    println!("{name}: {}", summary(&page, differences.len()));
    if differences.is_empty() {
        return Ok(None);
    }
    if accept {
        let answers = differences.iter().map(|found| (found.block, found.answer.as_str()));
        let new = page::with_answers(&text, answers);
        let file = toolchain.project.root().join(name);
        fs::write(&file, new).with_context(|| format!("cannot write {}", file.display()))?;
        return Ok(None);
    }
    let report = |found: &Difference| {
        let difference = answer::difference(&found.block.expected, &found.answer);
        format!("{name}:{}: another answer\n{difference}", found.block.line)
    };
    Ok(Some(differences.iter().map(report).collect::<Vec<_>>().join("\n")))
}

fn read(project: &Project, name: &str) -> Result<String> {
    let file = project.root().join(name);
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

fn summary(page: &Page, differences: usize) -> String {
    let (mut run, mut not_run) = (0, 0);
    for step in &page.steps {
        if let Step::Block(block) = step {
            *(if block.not_run.is_some() { &mut not_run } else { &mut run }) += 1;
        }
    }
    format!("{run} blocks run, {not_run} not run, {differences} differ")
}

/// Carries out every step of a page on a server that only this page uses.
fn differences<'page>(toolchain: &Toolchain, page: &'page Page) -> Result<Vec<Difference<'page>>> {
    let mut server = Server::start(toolchain)?;
    let mut differences = Vec::new();
    for step in &page.steps {
        match step {
            Step::Database(name) => server.use_database(name)?,
            Step::Hidden { line, statements } => server
                .prepare(statements)
                .with_context(|| format!("the comment in line {line} failed"))?,
            Step::Block(block) if block.not_run.is_none() => {
                let answer = server
                    .answer(block)
                    .with_context(|| format!("the block in line {} cannot run", block.line))?;
                if !answer::agrees(&block.expected, &answer, block.numbers_vary) {
                    differences.push(Difference { block, answer });
                }
            }
            Step::Block(_) => {}
        }
    }
    Ok(differences)
}
