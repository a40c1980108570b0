//! A state machine: its states, the steps between them, and the columns written on entering a state.

/// A value that is written into the row on entering a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The transaction's time, if the column is null.
    Time(&'static str),
    /// The same, but never earlier than the time in column `not_before`. That can be later than the
    /// transaction's time, if a transaction wrote it that began after this one.
    End { column: &'static str, not_before: &'static str },
    /// The transaction's date, if the column is null.
    Date(&'static str),
    /// The milliseconds between two other columns, if the column is null.
    Elapsed { column: &'static str, from: &'static str, to: &'static str },
    /// NULL.
    Clear(&'static str),
}

/// One state, the states that may follow it, and the values written on entering it.
#[derive(Debug)]
pub struct State {
    pub name: &'static str,
    pub next: &'static [&'static str],
    pub stamps: &'static [Stamp],
}

/// A state machine over one column.
#[derive(Debug)]
pub struct Machine {
    pub name: &'static str,
    pub states: &'static [State],
    /// Whether no column of a row in an end state can be changed.
    pub sealed: bool,
}

impl Machine {
    /// The state of that name.
    pub fn state(&self, name: &str) -> Option<&'static State> {
        self.states.iter().find(|state| state.name == name)
    }
}

impl State {
    /// Whether a row may go from this state to `to`. Staying is always allowed.
    pub fn allows(&self, to: &str) -> bool {
        self.name == to || self.next.contains(&to)
    }

    /// Whether the work is over in this state: entering it writes the time of the end.
    pub fn is_over(&self) -> bool {
        self.stamps.iter().any(|stamp| matches!(stamp, Stamp::End { .. }))
    }

    /// The states a row may go to, for a message.
    pub fn allowed_in_words(&self) -> String {
        if self.next.is_empty() {
            format!("\"{}\" is an end state; nothing follows it.", self.name)
        } else {
            format!("\"{}\" can change to: {}.", self.name, self.next.join(", "))
        }
    }
}
