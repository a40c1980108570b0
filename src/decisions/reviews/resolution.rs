//! A decision about reviews: its words, checked, and the columns that it sets.

use std::borrow::Cow;

use const_format::concatcp;
use pgrx::Uuid;

use crate::audit;
use crate::audit::identity::PERSON_OF_EVENT;
use crate::decisions::terms::{CHANGES_REQUESTED, Vote, caller};
use crate::runs::Row;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::Statement;
use crate::server::{arguments, excerpt, rows};

/// The columns of a review that a resolution sets, by parameters $2 to $4.
pub const RESOLUTION: &str =
    "SET status = $2, resolved_by = $3, resolution_notes = $4, resolved_at = pg_catalog.now() ";

/// The answers that the functions of reviews take.
const ANSWERS: [&str; 2] = ["approved", "rejected"];

/// A decision with its author and notes.
pub struct Resolution<'a> {
    pub decision: &'a str,
    pub resolved_by: &'a str,
    pub notes: Option<&'a str>,
}

impl<'a> Resolution<'a> {
    /// The decision in the arguments.
    ///
    /// Errors: 22004, 22023 unknown decision, blank name, a rejection without notes.
    pub fn of(
        decision: Option<&'a str>,
        resolved_by: Option<&'a str>,
        notes: Option<&'a str>,
    ) -> Result<Self, Error> {
        let decision = arguments::one_of("decision", required("decision", decision)?, &ANSWERS)?;
        let resolved_by = arguments::filled("resolved_by", resolved_by)?;
        if decision == "rejected" && notes.is_none_or(arguments::is_blank) {
            return Err(Error::new(
                Kind::InvalidValue,
                "a review cannot be rejected without notes",
            )
            .hint("Give the reason in argument \"notes\"; it becomes the error of the run."));
        }
        Ok(Resolution { decision, resolved_by, notes })
    }

    /// The request to change something and to ask again. The notes are checked.
    pub fn requesting_changes(resolved_by: &'a str, notes: Option<&'a str>) -> Self {
        Resolution { decision: CHANGES_REQUESTED, resolved_by, notes }
    }

    pub fn approves(&self) -> bool {
        self.decision == "approved"
    }

    pub fn requests_changes(&self) -> bool {
        self.decision == CHANGES_REQUESTED
    }

    /// The vote of its author.
    pub fn vote(&self) -> Vote<'a> {
        Vote::of(self.decision, self.resolved_by, self.notes)
    }

    pub fn event_type(&self) -> &'static str {
        match self.decision {
            "approved" => "review_approved",
            CHANGES_REQUESTED => "review_changes_requested",
            _ => "review_rejected",
        }
    }

    /// The author, cut to the length of a role in the trail.
    pub fn recorded_as(&self) -> Cow<'a, str> {
        excerpt::of(self.resolved_by, audit::LONGEST_ROLE)
    }

    /// The notes, cut to an excerpt for the trail; the review holds the whole text.
    pub fn recorded_notes(&self) -> Option<Cow<'a, str>> {
        self.notes.map(|notes| excerpt::of(notes, audit::LONGEST_EXCERPT))
    }

    /// Those of these reviews about which the same person made the same decision before, as the same
    /// role: their ids and rows.
    pub fn made_before(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, Row)>, Error> {
        static MADE: Statement =
            Statement::new(concatcp!(include_str!("made_before.sql"), PERSON_OF_EVENT, " = $5"));
        let arguments = [
            ids.to_vec().into(),
            self.decision.into(),
            self.resolved_by.into(),
            self.notes.into(),
            caller()?.into(),
        ];
        MADE.update(&arguments, |rows| {
            rows::each(rows, |row| {
                let id = rows::value::<Uuid>(row, 1, "human_review_queue.id")?;
                Ok((id, rows::value::<Row>(row, 2, "human_review_queue.id")?))
            })
        })
    }

    /// The error of a run that a rejection kills.
    pub fn error(&self) -> String {
        format!("review rejected by {}: {}", self.resolved_by, self.notes.unwrap_or_default())
    }
}
