//! Whether the extension is as it was installed: differences, rows that wait in the archive, additions that no dump
//! keeps, the seals of the trail, retention and versions. Each part is read on its own.

use askama::Template;
use axum::response::Response;
use tokio_postgres::Row;

use super::section::Section;
use super::{Frame, rendered};
use crate::app::Visitor;
use crate::database::{optional, text};
use crate::failure::Failure;

/// The lines of a part that are shown, as in the statements.
const SHOWN: usize = 200;

struct Versions {
    installed: String,
    /// None if the server does not have the files of the extension any more.
    default: Option<String>,
    server: String,
}

struct Difference {
    object: String,
    kind: String,
    problem: String,
    expected: Option<String>,
    actual: Option<String>,
    hint: Option<String>,
}

struct Archived {
    object: String,
    from_version: String,
    at: String,
    rows: String,
}

/// An addition that a dump does not keep.
struct Addition {
    object: String,
    kind: String,
    severity: String,
    consequence: String,
    hint: String,
}

/// A seal. The digest of the newest one stands for the whole trail before it, as audit_head() says.
struct Seal {
    sequence: String,
    sealed: String,
    until: String,
    events: String,
    digest: String,
    purged: Option<String>,
}

struct Retention {
    key: String,
    /// None if it is not set.
    value: Option<String>,
    default: String,
    description: Option<String>,
}

#[derive(Template)]
#[template(path = "health.html")]
struct Page<'a> {
    frame: Frame<'a>,
    versions: Section<Versions>,
    differences: Section<Difference>,
    archived: Section<Archived>,
    additions: Section<Addition>,
    seals: Section<Seal>,
    retention: Section<Retention>,
}

pub async fn page(Visitor(session): Visitor) -> Result<Response, Failure> {
    const VERSIONS: &str = include_str!("health_versions.sql");
    const DIFFERENCES: &str = include_str!("health_differences.sql");
    const ARCHIVED: &str = include_str!("health_archived.sql");
    const ADDITIONS: &str = include_str!("health_additions.sql");
    const SEALS: &str = include_str!("health_seals.sql");
    const RETENTION: &str = include_str!("health_retention.sql");
    let database = &session.database;
    let page = Page {
        frame: Frame::of(&session, "/health"),
        versions: Section::read(database, VERSIONS, &[], versions).await?,
        differences: Section::read(database, DIFFERENCES, &[], difference).await?,
        archived: Section::read(database, ARCHIVED, &[], archived).await?,
        additions: Section::read(database, ADDITIONS, &[], addition).await?,
        seals: Section::read(database, SEALS, &[], seal).await?,
        retention: Section::read(database, RETENTION, &[], retention).await?,
    };
    rendered(&page)
}

fn versions(row: &Row) -> Versions {
    Versions {
        installed: text(row, "installed"),
        default: optional(row, "default_version"),
        server: text(row, "server"),
    }
}

fn difference(row: &Row) -> Difference {
    Difference {
        object: text(row, "object"),
        kind: text(row, "kind"),
        problem: text(row, "problem"),
        expected: optional(row, "expected"),
        actual: optional(row, "actual"),
        hint: optional(row, "hint"),
    }
}

fn archived(row: &Row) -> Archived {
    Archived {
        object: text(row, "object"),
        from_version: text(row, "from_version"),
        at: text(row, "at"),
        rows: text(row, "rows"),
    }
}

fn addition(row: &Row) -> Addition {
    Addition {
        object: text(row, "object"),
        kind: text(row, "kind"),
        severity: text(row, "severity"),
        consequence: text(row, "consequence"),
        hint: text(row, "hint"),
    }
}

fn seal(row: &Row) -> Seal {
    Seal {
        sequence: text(row, "sequence"),
        sealed: text(row, "sealed"),
        until: text(row, "until"),
        events: text(row, "events"),
        digest: text(row, "digest"),
        purged: optional(row, "purged"),
    }
}

fn retention(row: &Row) -> Retention {
    Retention {
        key: text(row, "key"),
        value: optional(row, "value"),
        default: text(row, "default"),
        description: optional(row, "description"),
    }
}
