//! The committed manifest is what a fresh walk up gives.

use crate::checks::check::{Check, Run};
use crate::generate::manifest;

pub const CHECK: Check = Check {
    name: "manifest",
    about: "sql/manifest.json is what a fresh walk up gives",
    run: Run::WithExtension(manifest::check),
};
