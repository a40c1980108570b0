//! The package on a clean machine: debootstrap makes a new Debian, apt resolves the package's
//! dependencies, and Debian's own scripts start the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use crate::checks::check::{Check, Run};
use crate::generate::package;
use crate::machine::debian;
use crate::machine::process::{self, quoted};
use crate::machine::toolchain::Toolchain;

pub const CHECK: Check = Check {
    name: "clean-machine",
    about: "apt installs the package on a new Debian, and the tour runs there (root, network)",
    run: Run::WithExtension(run),
};

fn run(toolchain: &Toolchain) -> Result<()> {
    if !geteuid().is_root() {
        bail!("only root can make a new Debian");
    }
    let package = package::build(toolchain)?;
    let folder = toolchain.project.scratch().join("clean-machine");
    let base = base(&folder)?;

    // Each run gets a copy of its own, free of files from the run before.
    let root = folder.join("root");
    remove(&root)?;
    process::output(Command::new("cp").arg("--archive").arg(&base).arg(&root))?;
    process::output(Command::new("cp").args(["--recursive", "/etc/apt"]).arg(root.join("etc")))?;
    place(&package, &root.join("package.deb"))?;
    place(&toolchain.project.root().join("examples/tour.sql"), &root.join("tour.sql"))?;
    let script = script(toolchain.pg.release.major);
    fs::write(root.join("install-and-run.sh"), script).context("cannot write into the root")?;
    let outcome = process::run(&mut inside(&root, "/install-and-run.sh"));
    remove(&root)?;
    outcome
}

/// The Debian that each run copies. It is made once, because that takes a minute.
fn base(folder: &Path) -> Result<PathBuf> {
    let release = debian::codename()?;
    let base = folder.join(&release);
    if base.join("made").exists() {
        return Ok(base);
    }
    remove(&base)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", "--include=ca-certificates", &release]);
    process::run(debootstrap.arg(&base).arg(debian::mirror()?))?;
    fs::write(base.join("made"), "").context("cannot write into the root")?;
    Ok(base)
}

fn script(major: u32) -> String {
    format!(
        "set -e\n\
         export DEBIAN_FRONTEND=noninteractive\n\
         apt-get --quiet --quiet update\n\
         apt-get --quiet --quiet --yes --no-install-recommends install /package.deb\n\
         pg_ctlcluster {major} main start\n\
         tour='psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=postgres'\n\
         su postgres --command \"$tour --file=/tour.sql\"\n\
         left=$(su postgres --command \"$tour --tuples-only --no-align --command='SELECT count(*) FROM orchestrator.verify()'\")\n\
         pg_ctlcluster {major} main stop --mode=fast\n\
         echo \"verify() after the tour: $left differences\"\n\
         [ \"$left\" = 0 ]\n"
    )
}

/// A command that runs a script of the root inside it; processes and mounts end with the script.
fn inside(root: &Path, script: &str) -> Command {
    let root = quoted(&root.to_string_lossy());
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c"]).arg(format!(
        "set -e; mount -t proc proc {root}/proc; mount -t tmpfs tmpfs {root}/dev/shm; exec chroot {root} sh {script}"
    ));
    command
}

fn place(file: &Path, to: &Path) -> Result<()> {
    fs::copy(file, to).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}
