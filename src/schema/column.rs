//! The facts of a column, each with its usual value where it is absent.

use crate::schema::facts::Facts;

/// A column.
#[derive(Clone, Copy)]
pub struct Column<'a>(pub &'a Facts);

impl<'a> Column<'a> {
    /// The type with its collation.
    pub fn type_name(&self) -> String {
        let plain = self.0.text("type").unwrap_or("text");
        match self.0.text("collation") {
            Some(collation) => format!("{plain} COLLATE {collation}"),
            None => plain.to_owned(),
        }
    }

    pub fn not_null(&self) -> bool {
        self.0.holds("not_null")
    }

    pub fn identity(&self) -> Option<&'a str> {
        self.0.text("identity")
    }

    pub fn default(&self) -> Option<&'a str> {
        self.0.text("default")
    }

    /// The expression of a generated column.
    pub fn generated(&self) -> Option<&'a str> {
        self.0.text("generated")
    }

    pub fn is_generated(&self) -> bool {
        self.generated().is_some()
    }

    /// Whether a row that does not name the column cannot be.
    pub fn needs_a_value(&self) -> bool {
        self.not_null()
            && self.default().is_none()
            && self.identity().is_none()
            && !self.is_generated()
    }

    pub fn has_type_of(&self, other: &Column<'_>) -> bool {
        self.type_name() == other.type_name()
    }

    /// Whether each of its values could be in a column like the other one.
    pub fn takes_no_more_than(&self, other: &Column<'_>) -> bool {
        self.has_type_of(other)
            && (self.not_null() || !other.not_null())
            && self.is_generated() == other.is_generated()
    }
}
