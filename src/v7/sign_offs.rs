//! Sign-offs: required and given signatures before a phase starts and after it ends.

use pgrx::Uuid;
use pgrx::iter::SetOfIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::phase::{self, Requirement};
use crate::audit;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::Statement;
use crate::server::{arguments, locks, rows, statements};

/// The names of the stages.
pub const STAGES: [&str; 2] = ["before", "after"];

/// The time of a signature: before or after the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Before,
    After,
}

impl Stage {
    fn named(name: &str) -> Result<Self, Error> {
        Ok(match arguments::one_of("stage", name, &STAGES)? {
            "before" => Stage::Before,
            _ => Stage::After,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Stage::Before => "before",
            Stage::After => "after",
        }
    }
}

/// A sign-off that a phase needs.
#[derive(Clone, Copy, Debug)]
pub struct SignOff {
    phase: i32,
    stage: Stage,
    item: &'static str,
    from: &'static str,
}

const fn sign_off(stage: Stage, item: &'static str, from: &'static str) -> SignOff {
    SignOff { phase: 4, stage, item, from }
}

/// The required sign-offs: by three personas before the database changes, and on three facts afterwards.
/// Source: section 9 of the database phase's own workflow.
const REQUIRED: [SignOff; 6] = [
    sign_off(Stage::Before, "The Architect", "The Architect"),
    sign_off(Stage::Before, "DB Team Lead", "DB Team Lead"),
    sign_off(Stage::Before, "Test Sentinel", "Test Sentinel"),
    sign_off(Stage::After, "Validation Complete", "Test Sentinel"),
    sign_off(Stage::After, "Integration Verified", "Dev Team"),
    sign_off(Stage::After, "Phase 4 Complete", "The Architect"),
];

impl SignOff {
    /// The sign-off as a condition of a step.
    pub fn requirement(&self) -> Requirement {
        Requirement { what: self.in_words(), command: self.command() }
    }

    /// Its name in messages, and from whom it is missing.
    fn in_words(&self) -> String {
        let SignOff { phase, stage, item, from } = self;
        format!("sign-off \"{item}\" {} phase {phase}, from {from}", stage.name())
    }

    /// The command that gives it.
    fn command(&self) -> String {
        let SignOff { phase, stage, item, from } = self;
        format!("SELECT orchestrator.v7_sign({phase}, '{}', '{item}', '{from}');", stage.name())
    }
}

/// The required sign-offs that nobody has given yet, as everybody sees them now.
pub fn missing(phase: i32, stage: Stage) -> Result<Vec<SignOff>, Error> {
    Ok(required_for(phase, stage, SIGNED.update(&given(phase, stage), statements::column)?))
}

/// The same, as the calling statement sees them.
pub fn missing_in_statement(phase: i32, stage: Stage) -> Result<Vec<SignOff>, Error> {
    Ok(required_for(phase, stage, SIGNED.select(&given(phase, stage), statements::column)?))
}

static SIGNED: Statement = Statement::new(
    "SELECT s.item FROM orchestrator.migration_sign_offs AS s \
     WHERE s.phase_number = $1 AND s.stage = $2",
);

fn given(phase: i32, stage: Stage) -> [pgrx::datum::DatumWithOid<'static>; 2] {
    [phase.into(), stage.name().into()]
}

fn required_for(phase: i32, stage: Stage, signed: Vec<String>) -> Vec<SignOff> {
    REQUIRED
        .iter()
        .filter(|item| item.phase == phase && item.stage == stage)
        .filter(|item| signed.iter().all(|signed| signed != item.item))
        .copied()
        .collect()
}

/// Records that somebody signs an item before or after a phase. An item is signed once.
///
/// `stage`: before or after; `item`: what is signed, at most 500 characters; `signed_by`: who signs.
/// Returns: the id of the sign-off.
/// Errors: 22004, 22023 another stage, a blank text, P0002 no such phase, 55000 already signed, and
/// by whom. Since 0.4.3; replaced in 0.8.1.
#[pg_extern(sql = false, volatile)]
fn v7_sign(
    phase_number: Option<i32>,
    stage: Option<&str>,
    item: Option<&str>,
    signed_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    Ok(sign(phase_number, stage, item, signed_by, notes)?)
}

/// Records that somebody signs an item before or after a phase, and records `migration_signed_off` in the trail. An
/// item is signed once.
///
/// `stage`: before or after; `item`: what is signed, at most 500 characters; `signed_by`: who signs.
/// Returns: the id of the sign-off.
/// Errors: 22004, 22023 another stage, a blank text, P0002 no such phase, 55000 already signed, and
/// by whom. Since 0.8.1.
#[pg_extern(sql = false, volatile)]
fn v7_sign_0_8_1(
    phase_number: Option<i32>,
    stage: Option<&str>,
    item: Option<&str>,
    signed_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    let id = sign(phase_number, stage, item, signed_by, notes)?;
    let facts = json!({
        "sign_off_id": id.to_string(), "phase_number": phase_number, "stage": stage, "item": item, "notes": notes,
    });
    audit::record_fact("migration_signed_off", signed_by.unwrap_or(audit::SYSTEM), facts)?;
    Ok(id)
}

fn sign(
    phase_number: Option<i32>,
    stage: Option<&str>,
    item: Option<&str>,
    signed_by: Option<&str>,
    notes: Option<&str>,
) -> Result<Uuid, Error> {
    static SIGN: Statement = Statement::new(
        "INSERT INTO orchestrator.migration_sign_offs (phase_number, stage, item, signed_by, notes) \
         SELECT w.phase_number, $2, $3, $4, $5 FROM orchestrator.v7_migration_workflow AS w \
         WHERE w.phase_number = $1 FOR KEY SHARE \
         ON CONFLICT (phase_number, stage, item) DO NOTHING RETURNING id",
    );
    // In the order of updates, which lock the same tables.
    locks::in_order(&[c"v7_migration_workflow"]);
    let number = phase::number(phase_number)?;
    let stage = Stage::named(required("stage", stage)?)?;
    let item = arguments::name("item", item)?;
    let signed_by = arguments::filled("signed_by", signed_by)?;
    let arguments =
        [number.into(), stage.name().into(), item.into(), signed_by.into(), notes.into()];
    match SIGN.update(&arguments, statements::one::<Uuid>)? {
        Some(id) => Ok(id),
        None => Err(not_signed(number, stage, item)?),
    }
}

/// The error for an item that could not be signed.
fn not_signed(number: i32, stage: Stage, item: &str) -> Result<Error, Error> {
    static SIGNER: Statement = Statement::new(
        "SELECT s.signed_by, s.signed_at::text FROM orchestrator.migration_sign_offs AS s \
         WHERE s.phase_number = $1 AND s.stage = $2 AND s.item = $3",
    );
    let arguments = [number.into(), stage.name().into(), item.into()];
    let signer = SIGNER.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let signed_by = rows::value::<String>(row, 1, "migration_sign_offs.signed_by")?;
            Ok((signed_by, rows::value::<String>(row, 2, "migration_sign_offs.signed_at")?))
        })
    })?;
    Ok(match signer {
        Some((signed_by, signed_at)) => Error::new(
            Kind::NotReady,
            format!("\"{item}\" is already signed {} phase {number}", stage.name()),
        )
        .detail(format!("Signed by {signed_by} at {signed_at}."))
        .hint("An item is signed once; SELECT * FROM orchestrator.migration_sign_offs shows all."),
        None if phase::exists(number)? => {
            Error::no_row(format!("\"{item}\" could not be signed"), "migration_sign_offs")
        }
        None => phase::unknown(number),
    })
}

/// The required sign-offs of a phase that nobody has given yet.
///
/// `stage`: before or after. Returns: the items, in the order in which they are asked for.
/// Errors: 22004, 22023 another stage, P0002 no such phase. Since 0.4.3.
#[pg_extern(sql = false, stable)]
fn v7_missing_sign_offs(
    phase_number: Option<i32>,
    stage: Option<&str>,
) -> Result<SetOfIterator<'static, String>, ErrorReport> {
    let number = phase::number(phase_number)?;
    let stage = Stage::named(required("stage", stage)?)?;
    let missing = missing_in_statement(number, stage)?;
    Ok(SetOfIterator::new(missing.into_iter().map(|item| item.item.to_owned())))
}
