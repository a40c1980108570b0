//! The committed reference is what a live database says.

use crate::checks::check::{Check, Run};
use crate::generate::reference;

pub const CHECK: Check = Check {
    name: "docs",
    about: "docs/reference.md is what a live database says",
    run: Run::WithExtension(reference::check),
};
