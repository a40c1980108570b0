//! Forms that a person sends.

use serde::Deserialize;

use crate::failure::Failure;
use crate::sessions::Session;

/// The fields of every form that acts; each act uses some of them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Act {
    /// Empty in a form that does not have it, which is refused as one with a wrong token.
    #[serde(default)]
    token: String,
    notes: String,
    acting_as: String,
    assignee: String,
    pub thread: String,
    pub task: String,
    pub workflow: String,
    pub agent_type: String,
    pub version: String,
    pub label: String,
    pub weight: String,
}

impl Act {
    /// Refuses a form that is not from the session.
    pub fn check(&self, session: &Session) -> Result<(), Failure> {
        if session.knows(&self.token) { Ok(()) } else { Err(Failure::NotOurs) }
    }

    pub fn notes(&self) -> Option<&str> {
        filled(&self.notes)
    }

    pub fn acting_as(&self) -> Option<&str> {
        filled(&self.acting_as)
    }

    pub fn assignee(&self) -> Option<&str> {
        filled(&self.assignee)
    }
}

/// A field that was left empty is no value.
pub fn filled(field: &str) -> Option<&str> {
    Some(field.trim()).filter(|field| !field.is_empty())
}
