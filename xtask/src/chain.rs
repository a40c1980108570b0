//! The chain of version scripts in `sql/`: one base, then an up and a down script
//! between each version and the next.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, bail};

use crate::machine::files::files_below;
use crate::machine::project::EXTENSION;

/// A version of the extension: a semantic version of three numbers, without labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u64, u64, u64);

impl Version {
    /// The first version of every chain.
    pub const BASE: Self = Self(0, 0, 0);
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl FromStr for Version {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let version: semver::Version =
            text.parse().with_context(|| format!("{text:?} is not a version of the form 1.2.3"))?;
        if !version.pre.is_empty() || !version.build.is_empty() {
            bail!("{text:?} has more than the three numbers of a version, as in 1.2.3");
        }
        Ok(Self(version.major, version.minor, version.patch))
    }
}

/// The role of a script, read from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Script {
    Base(Version),
    Step { from: Version, to: Version },
}

impl Script {
    /// Reads the name of a file in `sql/`; `None` if the file is not a script.
    pub fn parse(file_name: &str) -> Option<Result<Self>> {
        let stem = file_name.strip_suffix(".sql")?;
        let Some(rest) = stem.strip_prefix(&format!("{EXTENSION}--")) else {
            return Some(Err(anyhow::anyhow!("{file_name} is not named after the extension")));
        };
        Some(match rest.split_once("--") {
            None => rest.parse().map(Self::Base),
            Some((from, to)) => {
                from.parse().and_then(|from| Ok(Self::Step { from, to: to.parse()? }))
            }
        })
    }

    pub fn file_name(&self) -> String {
        match self {
            Self::Base(version) => format!("{EXTENSION}--{version}.sql"),
            Self::Step { from, to } => format!("{EXTENSION}--{from}--{to}.sql"),
        }
    }

    /// The version that the script leads to.
    pub fn target(&self) -> Version {
        match self {
            Self::Base(version) | Self::Step { to: version, .. } => *version,
        }
    }

    /// Whether the script leads to an older version.
    pub fn is_down(&self) -> bool {
        matches!(self, Self::Step { from, to } if to < from)
    }
}

/// A complete chain: its versions, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    versions: Vec<Version>,
}

impl Chain {
    /// Reads the names of the scripts in the folder. Fails if they do not form a chain.
    pub fn read(folder: &Path) -> Result<Self> {
        Self::of(&scripts_in(folder)?)
    }

    /// Arranges the scripts. Fails if one is missing, or one does not lead between neighbours.
    pub fn of(scripts: &BTreeSet<Script>) -> Result<Self> {
        if !scripts.contains(&Script::Base(Version::BASE)) {
            bail!("{} is missing", Script::Base(Version::BASE).file_name());
        }
        let versions: BTreeSet<Version> = scripts.iter().map(Script::target).collect();
        let chain = Self { versions: versions.into_iter().collect() };
        let expected: BTreeSet<Script> = chain.scripts().collect();
        let names = |scripts: Vec<&Script>| -> String {
            scripts.iter().map(|script| script.file_name()).collect::<Vec<_>>().join(", ")
        };
        let missing: Vec<&Script> = expected.difference(scripts).collect();
        let excess: Vec<&Script> = scripts.difference(&expected).collect();
        match (missing.is_empty(), excess.is_empty()) {
            (true, true) => Ok(chain),
            (false, true) => bail!("missing: {}", names(missing)),
            (true, false) => bail!("not between neighbours: {}", names(excess)),
            (false, false) => {
                bail!("missing: {}; not between neighbours: {}", names(missing), names(excess))
            }
        }
    }

    /// All versions, oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The newest version.
    pub fn newest(&self) -> Version {
        self.versions.last().copied().unwrap_or(Version::BASE)
    }

    pub fn base(&self) -> Script {
        Script::Base(Version::BASE)
    }

    /// The up scripts, oldest first.
    pub fn ups(&self) -> impl Iterator<Item = Script> + '_ {
        self.versions.windows(2).map(|pair| Script::Step { from: pair[0], to: pair[1] })
    }

    /// The down scripts, in the order of their up scripts.
    pub fn downs(&self) -> impl Iterator<Item = Script> + '_ {
        self.versions.windows(2).map(|pair| Script::Step { from: pair[1], to: pair[0] })
    }

    /// Base, every up, every down.
    pub fn scripts(&self) -> impl Iterator<Item = Script> + '_ {
        std::iter::once(self.base()).chain(self.ups()).chain(self.downs())
    }
}

/// The scripts in the folder. A file with another name that ends in `.sql` is an error.
pub fn scripts_in(folder: &Path) -> Result<BTreeSet<Script>> {
    let mut scripts = BTreeSet::new();
    for file in files_below(folder)? {
        let name = file.strip_prefix(folder)?.to_string_lossy().into_owned();
        if let Some(script) = Script::parse(&name) {
            scripts.insert(script?);
        }
    }
    Ok(scripts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(names: &[&str]) -> Result<Chain> {
        let scripts = names
            .iter()
            .filter_map(|name| Script::parse(&format!("{EXTENSION}--{name}.sql")))
            .collect::<Result<_>>()?;
        Chain::of(&scripts)
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let mut versions: Vec<Version> =
            ["0.10.0", "0.2.0", "0.0.0"].iter().filter_map(|text| text.parse().ok()).collect();
        versions.sort();
        assert_eq!(versions, [Version(0, 0, 0), Version(0, 2, 0), Version(0, 10, 0)]);
        for wrong in
            ["", "1", "1.2", "1.2.3.4", "1.02.3", "1.2.x", "1.2.-3", "1.2.3-rc1", "1.2.3+a"]
        {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_chain_is_put_in_order() {
        let chain =
            chain(&["0.1.0--0.2.0", "0.0.0", "0.2.0--0.1.0", "0.0.0--0.1.0", "0.1.0--0.0.0"])
                .expect("a chain");
        assert_eq!(chain.newest(), Version(0, 2, 0));
        let names: Vec<String> = chain.ups().map(|script| script.file_name()).collect();
        assert_eq!(
            names,
            ["orchestrator_schema--0.0.0--0.1.0.sql", "orchestrator_schema--0.1.0--0.2.0.sql"]
        );
    }

    #[test]
    fn gaps_missing_pairs_and_shortcuts_are_refused() {
        let refused = |names: &[&str]| chain(names).expect_err("no chain").to_string();
        assert!(refused(&["0.0.0--0.1.0", "0.1.0--0.0.0"]).contains("0.0.0.sql is missing"));
        assert!(
            refused(&["0.0.0", "0.0.0--0.1.0"])
                .contains("missing: orchestrator_schema--0.1.0--0.0.0.sql")
        );
        let shortcut = [
            "0.0.0",
            "0.0.0--0.1.0",
            "0.1.0--0.0.0",
            "0.1.0--0.2.0",
            "0.2.0--0.1.0",
            "0.0.0--0.2.0",
        ];
        assert!(
            refused(&shortcut)
                .contains("not between neighbours: orchestrator_schema--0.0.0--0.2.0.sql")
        );
        assert!(refused(&["0.0.0", "0.1.0"]).contains("missing"));
    }

    #[test]
    fn file_names_are_read_and_written_alike() {
        for name in ["orchestrator_schema--0.0.0.sql", "orchestrator_schema--0.1.0--0.0.0.sql"] {
            let script = Script::parse(name).expect("a script").expect("well named");
            assert_eq!(script.file_name(), name);
        }
        assert!(Script::parse("FROZEN.sha256").is_none());
        assert!(Script::parse("notes.sql").is_some_and(|script| script.is_err()));
        assert!(
            Script::parse("orchestrator_schema--0.1.sql").is_some_and(|script| script.is_err())
        );
    }
}
