//! Child processes. Errors show the command line, and an interruption of this process ends them, too.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::machine::interrupt;

/// Runs a command to its end with inherited output. A status other than success is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("{} ended with {status}", describe(command));
    }
    Ok(())
}

/// Runs a command to its end with inherited output and returns its exit status.
pub fn status(command: &mut Command) -> Result<ExitStatus> {
    let mut child =
        command.spawn().with_context(|| format!("cannot start {}", describe(command)))?;
    wait(&mut child, command)
}

/// Runs a command to its end and returns its standard output. The error of a failure contains its
/// standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", describe(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}\n{}",
            describe(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed no UTF-8", describe(command)))
}

/// Whether the command starts and succeeds. Its output is dropped.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Waits for a child; an interruption in the meantime sends it SIGTERM.
fn wait(child: &mut Child, command: &Command) -> Result<ExitStatus> {
    let pid = pid_of(child)?;
    let registration = interrupt::on_exit(move || {
        // Fails only if the child has ended by itself.
        let _ = kill(pid, Signal::SIGTERM);
    })?;
    let status = child.wait().with_context(|| format!("cannot wait for {}", describe(command)))?;
    drop(registration);
    Ok(status)
}

/// The child's process id in the type that signals need.
pub fn pid_of(child: &Child) -> Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(child.id())?))
}

/// The command as a line for a shell.
pub fn describe(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| quoted(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A word for a shell, in quotes if it needs them.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The file of a program, found on PATH.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Removes variables from a command's environment that would point a PostgreSQL program to another
/// server.
pub fn without_postgres_settings(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("PG") && !text.starts_with("PGRX") {
            command.env_remove(&name);
        }
    }
    command
}

/// A command that runs as root, through sudo if this process is not root. sudo may ask for a password.
pub fn as_root(program: impl AsRef<Path>) -> Command {
    if nix::unistd::geteuid().is_root() {
        Command::new(program.as_ref())
    } else {
        let mut command = Command::new("sudo");
        command.arg(program.as_ref());
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_when_a_shell_needs_it() {
        assert_eq!(quoted("/usr/bin/psql"), "/usr/bin/psql");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_failing_command_shows_its_line_and_its_complaint() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo sorry >&2; exit 3"]);
        let error = output(&mut command).unwrap_err().to_string();
        assert!(error.contains("sh -c 'echo sorry"), "{error}");
        assert!(error.ends_with("sorry"), "{error}");
    }
}
