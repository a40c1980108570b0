//! What the documents show is what happens.

use crate::checks::{Check, Run};
use crate::documents;

pub const CHECK: Check = Check {
    name: "documents",
    about: "every command of README, SECURITY and the runbooks answers as it stands there",
    run: Run::WithExtension(documents::check),
};
