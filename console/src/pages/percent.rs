//! Places and widths in a picture that is as wide as its page.

use std::fmt::{self, Display, Formatter};

/// A place or a width, in hundredths of the picture.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Percent(pub f64);

impl Display for Percent {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.2}%", self.0)
    }
}
