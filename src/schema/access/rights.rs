//! Levels, and the rights that one of them can have.

/// What a role may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Sees everything but the values of secrets.
    Reader,
    /// Reads, and does the work: tasks, sessions, tools, runs; asks for decisions.
    Worker,
    /// Reads, and decides what waits for a decision.
    Reviewer,
    /// All of that, and settings, prompts, prices, retention, and the levels of others.
    Admin,
}

impl Level {
    /// All levels. Each is marked by a function that none before it may call.
    pub const ALL: [Level; 4] = [Level::Reader, Level::Worker, Level::Reviewer, Level::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Level::Reader => "reader",
            Level::Worker => "worker",
            Level::Reviewer => "reviewer",
            Level::Admin => "admin",
        }
    }

    /// The function whose EXECUTE tells that a role has this level, unless it has a later one too.
    pub fn mark(self) -> &'static str {
        match self {
            Level::Reader => "access",
            Level::Worker => "route_task",
            Level::Reviewer => "decide",
            Level::Admin => "grant_access",
        }
    }
}

pub type Levels = &'static [Level];

pub const EVERYBODY: Levels = &Level::ALL;
pub const WORK: Levels = &[Level::Worker, Level::Admin];
pub const DECIDE: Levels = &[Level::Reviewer, Level::Admin];
pub const ADMINISTER: Levels = &[Level::Admin];
/// For scripts, triggers and the extension's owner.
pub const NOBODY: Levels = &[];

/// Levels by name, lowest first.
pub fn names(levels: Levels) -> String {
    let names: Vec<_> = levels.iter().map(|level| level.name()).collect();
    names.join(", ")
}

/// A privilege on a table, a view or a sequence.
pub struct Right {
    pub levels: Levels,
    pub privilege: &'static str,
    /// On these columns; empty means on all.
    pub columns: &'static [&'static str],
}

pub const READ: Right = Right { levels: EVERYBODY, privilege: "SELECT", columns: &[] };

pub const fn right(
    levels: Levels,
    privilege: &'static str,
    columns: &'static [&'static str],
) -> Right {
    Right { levels, privilege, columns }
}

/// Name and rights of a table, a view or a sequence.
pub type Relation = (&'static str, &'static [Right]);

/// With whose rights a function does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The caller's.
    Caller,
    /// The owner's (SECURITY DEFINER): the caller may do what the function does, and no more.
    Owner,
}

/// Who may call functions, with whose rights they run, and their names.
pub type Functions = (Levels, Rights, &'static [&'static str]);
