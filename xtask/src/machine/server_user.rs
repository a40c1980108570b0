//! The account that runs server processes. PostgreSQL does not run as root, so root runs them as the
//! system user `postgres`; any other user runs them under the same account.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::unistd::{Uid, User, geteuid};

use crate::machine::process;

const ACCOUNT: &str = "postgres";

/// The account of server processes; `None` means the current user.
#[derive(Clone, Debug)]
pub struct ServerUser(Option<User>);

impl ServerUser {
    /// The account for servers that this process starts.
    pub fn current() -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        match User::from_name(ACCOUNT).context("cannot read the system users")? {
            Some(user) => Ok(Self(Some(user))),
            None => {
                bail!("PostgreSQL does not run as root, and there is no system user {ACCOUNT}")
            }
        }
    }

    /// The account's name, if it is not the current user.
    pub fn other(&self) -> Option<&str> {
        self.0.as_ref().map(|user| user.name.as_str())
    }

    /// Makes the command run under this account.
    pub fn run<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some(user) = &self.0 {
            command
                .uid(user.uid.as_raw())
                .gid(user.gid.as_raw())
                .env("HOME", &user.dir)
                .env("USER", &user.name)
                .env("LOGNAME", &user.name);
        }
        command
    }

    /// Makes this account the owner of a file or folder.
    pub fn own(&self, path: &Path) -> Result<()> {
        if let Some(user) = &self.0 {
            chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .with_context(|| format!("cannot give {} to {}", path.display(), user.name))?;
        }
        Ok(())
    }

    /// Whether this account can reach files in the folder.
    pub fn can_enter(&self, folder: &Path) -> bool {
        let mut test = Command::new("test");
        test.arg("-x").arg(folder).current_dir("/");
        process::succeeds(self.run(&mut test))
    }
}

/// The name of the user that runs this program.
pub fn own_name() -> Result<String> {
    let user = User::from_uid(Uid::effective()).context("cannot read the system users")?;
    Ok(user.context("the current user has no name")?.name)
}
