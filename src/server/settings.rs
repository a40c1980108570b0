//! The two settings, `orchestrator_schema.downgrade` and `orchestrator_schema.notify`.

use std::cell::RefCell;
use std::ffi::CStr;

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::prelude::*;

use crate::server::error::{Error, Kind};

/// The treatment of rows that the older version cannot hold, in a down script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PostgresGucEnum)]
pub enum Downgrade {
    /// Keep them in schema orchestrator_archive.
    #[name = c"archive"]
    Archive,
    /// Raise an error that names them.
    #[name = c"refuse"]
    Refuse,
}

const DOWNGRADE: &CStr = c"orchestrator_schema.downgrade";

static DOWNGRADE_SETTING: GucSetting<Downgrade> = GucSetting::<Downgrade>::new(Downgrade::Archive);
static NOTIFY_SETTING: GucSetting<bool> = GucSetting::<bool>::new(true);

thread_local! {
    /// An invalid value that was set before the library was loaded. The server only warns and uses the
    /// default, although the user requested something else.
    static UNKNOWN_DOWNGRADE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Registers both settings and reserves their prefix.
pub fn register() {
    let given = placeholder(DOWNGRADE);
    // SAFETY: the hook only clears a variable of this backend.
    unsafe {
        GucRegistry::define_enum_guc_with_hooks(
            DOWNGRADE,
            c"Treatment of rows that the older version cannot hold, in a downgrade.",
            c"archive keeps them in schema orchestrator_archive, refuse raises an error that names them.",
            &DOWNGRADE_SETTING,
            GucContext::Userset,
            GucFlags::default(),
            None,
            Some(forget_unknown),
            None,
        );
    }
    GucRegistry::define_bool_guc(
        c"orchestrator_schema.notify",
        c"Announces requested and made decisions, and claimable tasks, with NOTIFY.",
        c"Each statement sends one notification on channel orchestrator_decisions or orchestrator_tasks; equal notifications of a transaction arrive once.",
        &NOTIFY_SETTING,
        GucContext::Userset,
        GucFlags::default(),
    );
    let known =
        |value: &String| ["archive", "refuse"].iter().any(|name| value.eq_ignore_ascii_case(name));
    UNKNOWN_DOWNGRADE.set(given.filter(|value| !known(value)));
    reserve_prefix(c"orchestrator_schema");
}

/// Whether NOTIFY announces requested and made decisions, and claimable tasks.
pub fn notify() -> bool {
    NOTIFY_SETTING.get()
}

/// The treatment of rows in a downgrade.
///
/// Errors: 22023 the session, role or database has set an invalid value.
pub fn downgrade() -> Result<Downgrade, Error> {
    match UNKNOWN_DOWNGRADE.with_borrow(Clone::clone) {
        None => Ok(DOWNGRADE_SETTING.get()),
        Some(value) => Err(Error::new(
            Kind::InvalidValue,
            format!("invalid value for parameter \"orchestrator_schema.downgrade\": \"{value}\""),
        )
        .hint("Available values: archive, refuse.")),
    }
}

/// Assign hook: forgets an earlier invalid value. From now on, the server checks every new value at
/// once.
unsafe extern "C-unwind" fn forget_unknown(
    _value: core::ffi::c_int,
    _extra: *mut core::ffi::c_void,
) {
    UNKNOWN_DOWNGRADE.set(None);
}

/// The text of a setting that was set before the library defined it.
fn placeholder(name: &CStr) -> Option<String> {
    // SAFETY: the name is NUL-terminated; a missing option gives NULL; the text is copied at once.
    unsafe {
        let value = pg_sys::GetConfigOption(name.as_ptr(), true, false);
        (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
    }
}

fn reserve_prefix(prefix: &CStr) {
    // SAFETY: the prefix is NUL-terminated and static.
    unsafe {
        #[cfg(feature = "pg14")]
        pg_sys::EmitWarningsOnPlaceholders(prefix.as_ptr());
        #[cfg(not(feature = "pg14"))]
        pg_sys::MarkGUCPrefixReserved(prefix.as_ptr());
    }
}
