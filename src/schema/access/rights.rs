//! The levels, and the rights that one of them can have.

/// The rights of a role as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Sees everything but the values of secrets.
    Reader,
    /// Reads, and does the work: tasks, sessions, tools, runs; asks for decisions.
    Worker,
    /// Reads, and makes pending decisions.
    Reviewer,
    /// All of that, and manages settings, prompts, prices, retention, and the levels of others.
    Admin,
}

impl Level {
    /// All levels. Each is recognised by EXECUTE on one function that no lower level has.
    pub const ALL: [Level; 4] = [Level::Reader, Level::Worker, Level::Reviewer, Level::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Level::Reader => "reader",
            Level::Worker => "worker",
            Level::Reviewer => "reviewer",
            Level::Admin => "admin",
        }
    }

    /// The function that marks this level: a role with EXECUTE on it has this level, unless it has
    /// a later one too.
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
pub const WORK_AND_DECIDE: Levels = &[Level::Worker, Level::Reviewer, Level::Admin];
pub const DECIDE: Levels = &[Level::Reviewer, Level::Admin];
pub const ADMINISTER: Levels = &[Level::Admin];
/// No level: for scripts, triggers and the extension's owner.
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
    /// Only where the relation has this column.
    pub with: Option<&'static str>,
}

pub const READ: Right = right(EVERYBODY, "SELECT", &[]);

pub const fn right(
    levels: Levels,
    privilege: &'static str,
    columns: &'static [&'static str],
) -> Right {
    Right { levels, privilege, columns, with: None }
}

/// The same for the versions in which the relation has column `with`.
pub const fn right_with(
    with: &'static str,
    levels: Levels,
    privilege: &'static str,
    columns: &'static [&'static str],
) -> Right {
    Right { levels, privilege, columns, with: Some(with) }
}

/// Name and rights of a table, a view or a sequence.
pub type Relation = (&'static str, &'static [Right]);

/// The role whose rights a function uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The caller's.
    Caller,
    /// The owner's (SECURITY DEFINER): the caller may do what the function does, and no more.
    Owner,
}

/// Functions by name, with the levels that may call them and the role whose rights they use.
pub type Functions = (Levels, Rights, &'static [&'static str]);
