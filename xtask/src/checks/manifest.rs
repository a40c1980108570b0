//! The committed manifest agrees with a new walk up.

use crate::checks::check::{Check, Run};
use crate::generate::manifest;

pub const CHECK: Check = Check {
    name: "manifest",
    about: "sql/manifest.json agrees with a new walk up",
    run: Run::WithExtension(manifest::check),
};
