//! The demo: a private PostgreSQL runs the tour step by step, and stays running for the user to try, with the console.

mod console;
mod left_running;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use self::left_running::LeftRunning;
use crate::address::{Address, SUPERUSER};
use crate::cluster::{self, Cluster, Place, Settings};
use crate::install::{self, Build};
use crate::machine::process::{self, quoted};
use crate::machine::project::Project;
use crate::machine::server_user::ServerUser;
use crate::machine::toolchain::Toolchain;

const DATABASE: &str = "demo";

/// Installs the extension, starts a new server, shows the tour, and leaves the server and the console running.
pub fn start(toolchain: &Toolchain) -> Result<()> {
    install::ready(toolchain, Build::Demo)?;
    let project = &toolchain.project;
    end(project)?;

    let folder = choose_folder(project)?;
    fs::create_dir_all(project.scratch())?;
    fs::write(record_file(project), folder.as_os_str().as_encoded_bytes())
        .context("cannot record where the demo runs")?;
    println!("Starting PostgreSQL {} in {}", toolchain.pg.release, folder.display());
    let place = Place::Folder(folder.clone());
    let settings = Settings { durable: true, place, ..Settings::default() };
    let cluster = Cluster::start(&toolchain.pg, &settings)?;
    cluster.create_database(DATABASE)?;
    process::run(&mut tour(project, &cluster, DATABASE))?;
    console::ask(toolchain, &cluster, DATABASE)?;
    let address = cluster.leave_running();
    let console = console::leave_running(toolchain, &address, DATABASE, &folder)?;
    println!();
    println!("The console, with open questions:      {console}");
    println!("The server keeps running. To connect:  {}", psql_line(&address));
    println!("To stop both:                          cargo xtask stop");
    Ok(())
}

/// Stops the demo's server, if it runs, and removes its folder.
pub fn stop(project: &Project) -> Result<()> {
    if end(project)? {
        println!("The demo's server has stopped.");
    } else {
        println!("No demo server was running.");
    }
    Ok(())
}

/// Stops the server of an earlier demo and removes its folder. Returns whether a server was running.
fn end(project: &Project) -> Result<bool> {
    let record = record_file(project);
    let Ok(text) = fs::read_to_string(&record) else {
        return Ok(false);
    };
    let folder = PathBuf::from(text);
    console::stop(&folder)?;
    let server = LeftRunning::find(&cluster::data_folder(&folder));
    let was_running = server.is_some();
    if let Some(server) = server {
        server.stop()?;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::remove_file(&record).with_context(|| format!("cannot remove {}", record.display()))?;
    Ok(was_running)
}

/// The file that holds the path of the demo's folder.
fn record_file(project: &Project) -> PathBuf {
    project.scratch().join("demo-folder")
}

/// `target/demo`, or a temporary folder if a server cannot run there.
fn choose_folder(project: &Project) -> Result<PathBuf> {
    let folder = project.target().join("demo");
    let user = ServerUser::current()?;
    let reason = if !cluster::socket_fits(&folder) {
        "its path is too long for a socket".to_owned()
    } else if !user.can_enter(project.target()) {
        format!("user {} may not enter it", user.other().unwrap_or("of the server"))
    } else {
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        return Ok(folder);
    };
    println!("Using a temporary folder instead of {}: {reason}", folder.display());
    Ok(cluster::temporary_folder()?.keep())
}

/// The tour in psql, which shows each statement before its result, and stops at the first error.
pub fn tour(project: &Project, cluster: &Cluster, database: &str) -> Command {
    let mut psql = cluster.command("psql");
    psql.args(["--no-psqlrc", "--echo-queries", "--set=ON_ERROR_STOP=1", "--pset=pager=off"])
        .arg(format!("--dbname={database}"))
        .args(["--file", "examples/tour.sql"])
        .current_dir(project.root());
    psql
}

/// The command line that connects to the server.
fn psql_line(address: &Address) -> String {
    let psql = match process::find_program("psql") {
        Some(_) => "psql".to_owned(),
        None => quoted(&address.pg_config().program("psql").to_string_lossy()),
    };
    let socket_folder = quoted(&address.socket_folder().to_string_lossy());
    format!("{psql} -h {socket_folder} -p {} -U {SUPERUSER} {DATABASE}", address.port())
}
