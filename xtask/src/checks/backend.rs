//! Tests inside the backend (`cargo pgrx test`). As root, the server runs as another user.
//! pgrx installs a debug build with test functions, so the release build is installed again afterwards.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{AccessFlags, Pid, access};

use crate::checks::check::{Check, Run};
use crate::cluster;
use crate::install::{self, Build};
use crate::machine::interrupt;
use crate::machine::process;
use crate::machine::server_user::{self, ServerUser};
use crate::machine::toolchain::Toolchain;

pub const CHECK: Check = Check {
    name: "backend",
    about: "Rust tests, inside a server where they need one (cargo pgrx test)",
    run: Run::WithTools(run),
};

/// The longest time for a server to stop after the tests were interrupted.
const STOP_LIMIT: Duration = Duration::from_secs(10);

fn run(toolchain: &Toolchain) -> Result<()> {
    let user = ServerUser::current()?;
    let folder = cluster::temporary_folder()?;
    user.own(folder.path())?;
    let path = folder.path().to_owned();
    // pgrx stops its server only at a normal exit, so an interruption must stop it here.
    let registration = interrupt::on_exit(move || {
        stop_servers_below(&path);
        // A failure leaves a temporary folder, no more.
        let _ = fs::remove_dir_all(&path);
    })?;

    let mut test = toolchain.cargo_pgrx("test")?;
    test.args(toolchain.feature_options())
        .arg(toolchain.pg.feature())
        .env("CARGO_PGRX_TEST_PGDATA", folder.path());
    process::without_postgres_settings(&mut test);
    let run_as = match user.other() {
        Some(name) => Some(name.to_owned()),
        // pgrx installs through sudo when an account is given to it.
        None if access(&toolchain.pg.pkglibdir, AccessFlags::W_OK).is_err() => {
            Some(server_user::own_name()?)
        }
        None => None,
    };
    if let Some(name) = run_as {
        test.env("CARGO_PGRX_TEST_RUNAS", name);
    }
    let outcome = process::run(&mut test);
    stop_servers_below(folder.path());
    drop(registration);
    outcome.and(install::ready(toolchain, Build::Release))
}

/// Stops the servers whose data folders are in the folder, and waits for them up to `STOP_LIMIT`.
fn stop_servers_below(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let pid_file = entry.path().join("postmaster.pid");
        let pid =
            fs::read_to_string(&pid_file).ok().and_then(|text| text.lines().next()?.parse().ok());
        if let Some(pid) = pid {
            // Fails only if the server has ended by itself.
            let _ = kill(Pid::from_raw(pid), Signal::SIGQUIT);
            let deadline = Instant::now() + STOP_LIMIT;
            while pid_file.exists() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}
