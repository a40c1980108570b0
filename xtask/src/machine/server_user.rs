//! Who runs server processes: PostgreSQL refuses root, so root hands them to
//! the system user `postgres`; everyone else runs them as themselves.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::unistd::{Uid, User, geteuid};

use crate::machine::process;

const ACCOUNT: &str = "postgres";

/// The account of server processes; `None` inside is the current user.
#[derive(Clone, Debug)]
pub struct ServerUser(Option<User>);

impl ServerUser {
    /// The account that servers started by us run as.
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

    /// The account's name when it is another than ours.
    pub fn other(&self) -> Option<&str> {
        self.0.as_ref().map(|user| user.name.as_str())
    }

    /// Lets the command run as this account.
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

    /// Gives a file or folder to this account.
    pub fn own(&self, path: &Path) -> Result<()> {
        if let Some(user) = &self.0 {
            chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .with_context(|| format!("cannot give {} to {}", path.display(), user.name))?;
        }
        Ok(())
    }

    /// Whether this account can reach what lies in the folder.
    pub fn can_enter(&self, folder: &Path) -> bool {
        let mut test = Command::new("test");
        test.arg("-x").arg(folder).current_dir("/");
        process::succeeds(self.run(&mut test))
    }
}

/// The name of the user that runs us.
pub fn own_name() -> Result<String> {
    let user = User::from_uid(Uid::effective()).context("cannot read the system users")?;
    Ok(user.context("the current user has no name")?.name)
}
