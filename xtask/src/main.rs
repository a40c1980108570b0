//! `cargo xtask`: sets up the machine, builds, installs, demonstrates and checks the extension.
//! Each command is a line here that calls the library.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use xtask::chain::Version;
use xtask::checks::{self, Workbench};
use xtask::checks::{documents, regress};
use xtask::generate::new_version::{self, NewVersion};
use xtask::generate::{manifest, package, reference, schema_sql, types};
use xtask::install::Build;
use xtask::machine::project::Project;
use xtask::machine::{interrupt, postgres, setup};
use xtask::{bench, demo, install, release};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Sets up, builds, demonstrates and checks orchestrator_schema"
)]
struct Arguments {
    /// The pg_config of the PostgreSQL to use [default: PostgreSQL 15 of Debian, else the one on PATH]
    #[arg(long, global = true, value_name = "PATH")]
    pg_config: Option<PathBuf>,

    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install the system packages that are missing
    Setup,
    /// Build the extension in release mode and install it into PostgreSQL
    Install,
    /// Start a private PostgreSQL, show the tour in it step by step, and leave it running
    Demo,
    /// Stop the demo's PostgreSQL
    Stop,
    /// Run every check, those with many cases over few of these
    Test {
        /// Run every check over all its cases: takes twice as long
        #[arg(long)]
        all_cases: bool,
    },
    /// Run the named checks over all their cases and show their output
    #[command(after_help = checks::overview())]
    Check {
        #[arg(required = true, value_name = "NAME", value_parser = PossibleValuesParser::new(checks::names()), hide_possible_values = true)]
        names: Vec<String>,
    },
    /// Write sql/manifest.json from a new walk up
    Manifest,
    /// Begin a version: write its scripts, fixture and pages, and add it to every list of versions
    NewVersion {
        /// The new version, such as 0.7.0
        version: Version,
        /// The contents of the version, in a few words
        about: String,
        /// A new table of the version, which gets a page of plans
        #[arg(long = "table", value_name = "NAME")]
        tables: Vec<String>,
    },
    /// Freeze the scripts, write META.json and the text of the tag; refuses a dirty tree or a failing check
    Release,
    /// Write docs/reference.md and docs/schema.sql from a live database
    Docs,
    /// Run the commands of the documents; --accept writes their answers into the pages
    Documents {
        /// Write the answers into the pages
        #[arg(long)]
        accept: bool,
        /// Only these pages, such as docs/operations.md [default: all]
        #[arg(value_name = "PAGE")]
        pages: Vec<String>,
    },
    /// Unpack another PostgreSQL major below target/ and print its pg_config
    Postgres {
        /// The major, such as 17
        #[arg(value_parser = clap::value_parser!(u32).range(14..=18))]
        major: u32,
    },
    /// Build a Debian package for the PostgreSQL in use, and write META.json
    Package,
    /// Measure the cost of the extension and write docs/benchmarks.md
    #[command(after_help = bench::overview())]
    Bench {
        /// The largest number of rows in a table
        #[arg(long, default_value_t = 1_000_000)]
        rows: u64,
        /// The number of runs of each variant
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u8).range(1..))]
        rounds: u8,
        /// Only these cases [default: all]
        #[arg(value_name = "CASE")]
        cases: Vec<String>,
    },
    /// Write types/orchestrator.ts from a new installation
    Types,
    /// Run the SQL regression tests; --accept accepts their results as the expected ones
    Regress {
        /// Copy the results to tests/pg_regress/expected
        #[arg(long)]
        accept: bool,
        /// Only these tests [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = run(Arguments::parse());
    interrupt::hold_if_pending();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let project = Project::find()?;
    let pg_config = arguments.pg_config.map(std::path::absolute).transpose()?;
    let toolchain = || setup::ready(&project, pg_config.as_deref());
    let workbench = || Workbench::new(project.clone(), pg_config.clone());
    match arguments.task {
        Task::Setup => {
            let pg = toolchain()?.pg;
            println!("Ready: PostgreSQL {} ({})", pg.release, pg.path.display());
        }
        Task::Install => install::install(&toolchain()?, Build::Release)?,
        Task::Demo => demo::start(&toolchain()?)?,
        Task::Stop => demo::stop(&project)?,
        Task::Test { all_cases } => {
            // The summary has reported the failures, so no error follows it.
            if !checks::run_all(&workbench(), !all_cases)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Task::Check { names } => checks::run_named(&workbench(), &names)?,
        Task::Manifest => {
            let toolchain = toolchain()?;
            install::ready(&toolchain, Build::Release)?;
            manifest::write(&toolchain)?;
        }
        Task::NewVersion { version, about, tables } => {
            let new = NewVersion { version, about: &about, tables: &tables };
            for path in new_version::write(project.root(), &new)? {
                println!("{}", path.display());
            }
            println!("CONTRIBUTING.md lists the steps that follow.");
        }
        Task::Release => release::run(&project, &workbench())?,
        Task::Docs => {
            let toolchain = toolchain()?;
            install::ready(&toolchain, Build::Release)?;
            reference::write(&toolchain)?;
            schema_sql::write(&toolchain)?;
        }
        Task::Documents { accept, pages } => {
            let toolchain = toolchain()?;
            install::ready(&toolchain, Build::Release)?;
            documents::run(&toolchain, &pages, accept)?;
        }
        Task::Postgres { major } => drop(postgres::unpack(&project, major)?),
        Task::Package => {
            package::require_tools()?;
            let toolchain = toolchain()?;
            install::ready(&toolchain, Build::Release)?;
            package::write(&toolchain)?;
        }
        Task::Bench { rows, rounds, cases } => {
            let toolchain = toolchain()?;
            install::ready(&toolchain, Build::Release)?;
            bench::run(&toolchain, &bench::Options { cases, rows, rounds: rounds.into() })?;
        }
        Task::Types => {
            let toolchain = toolchain()?;
            install::ready(&toolchain, Build::Release)?;
            types::write(&toolchain)?;
        }
        Task::Regress { accept, names } => {
            let toolchain = toolchain()?;
            install::ready(&toolchain, Build::Release)?;
            regress::run(&toolchain, &names, accept)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
