//! The costs of the last 30 days, calls that have no price, and the budgets.

use askama::Template;
use axum::response::Response;

use super::{Frame, rendered};
use crate::app::Visitor;
use crate::database::{Database, flag, number, optional, text};
use crate::failure::Failure;

/// The calls of a day, a project, an agent or a model.
struct Line {
    name: String,
    calls: String,
    tokens: String,
    cost: String,
    unpriced: i64,
    /// The cost in 160ths of the greatest of its table.
    height: i64,
}

struct Bar<'a> {
    x: usize,
    day: &'a Line,
    is_named: bool,
}

struct Table<'a> {
    name: &'static str,
    lines: &'a [Line],
}

struct Unpriced {
    model: String,
    unit: Option<String>,
    calls: i64,
    tokens: String,
    last: String,
    suggested: Option<String>,
}

struct Budget {
    project: Option<String>,
    agent: Option<String>,
    thread: Option<String>,
    subject: Option<String>,
    period: String,
    limit: String,
    raised: String,
    spent: String,
    reserved: String,
    available: String,
    ends: Option<String>,
    enforce: bool,
    /// The part that is spent or reserved, in hundredths.
    used: i64,
    is_used_up: bool,
    /// The last question about the window.
    review: Option<String>,
    /// None if the question was removed since.
    review_status: Option<String>,
}

#[derive(Template)]
#[template(path = "costs.html")]
struct Page<'a> {
    frame: Frame<'a>,
    all: Option<&'a Line>,
    greatest: Option<&'a Line>,
    bars: Vec<Bar<'a>>,
    days: &'a [Line],
    tables: [Table<'a>; 3],
    /// None if it takes too long to find them.
    unpriced: Option<Vec<Unpriced>>,
    budgets: Vec<Budget>,
}

pub async fn page(Visitor(session): Visitor) -> Result<Response, Failure> {
    const LINES: &str = include_str!("costs.sql");
    let rows = session.database.rows(LINES, &[]).await?;
    let part = |part: &str| -> Vec<Line> {
        let rows = rows.iter().filter(|row| text(row, "part") == part);
        rows.map(|row| Line {
            name: text(row, "name"),
            calls: text(row, "calls"),
            tokens: text(row, "tokens"),
            cost: text(row, "cost"),
            unpriced: number(row, "unpriced"),
            height: number(row, "height"),
        })
        .collect()
    };
    let (all, days) = (part("all"), part("day"));
    let (projects, agents, models) = (part("project"), part("agent"), part("model"));
    let bar = |(place, day): (usize, _)| Bar { x: 4 + 24 * place, day, is_named: place % 5 == 4 };
    rendered(&Page {
        frame: Frame::of(&session, "/costs"),
        all: all.first(),
        greatest: days.iter().max_by_key(|day| day.height).filter(|day| day.height > 0),
        bars: days.iter().enumerate().map(bar).collect(),
        days: &days,
        tables: [
            Table { name: "Project", lines: &projects },
            Table { name: "Agent", lines: &agents },
            Table { name: "Model", lines: &models },
        ],
        unpriced: unpriced(&session.database).await?,
        budgets: budgets(&session.database).await?,
    })
}

/// Calls of all time without a price. They are counted one by one, which may take longer than a page waits.
async fn unpriced(database: &Database) -> Result<Option<Vec<Unpriced>>, Failure> {
    const UNPRICED: &str = include_str!("costs_unpriced.sql");
    let rows = match database.rows(UNPRICED, &[]).await {
        Err(failure) if failure.is_slowness() => return Ok(None),
        rows => rows?,
    };
    let unpriced = rows.iter().map(|row| Unpriced {
        model: text(row, "model"),
        unit: optional(row, "unit"),
        calls: number(row, "calls"),
        tokens: text(row, "tokens"),
        last: text(row, "last"),
        suggested: optional(row, "suggested_model"),
    });
    Ok(Some(unpriced.collect()))
}

async fn budgets(database: &Database) -> Result<Vec<Budget>, Failure> {
    const BUDGETS: &str = include_str!("costs_budgets.sql");
    let rows = database.rows(BUDGETS, &[]).await?;
    let budgets = rows.iter().map(|row| Budget {
        project: optional(row, "project_id"),
        agent: optional(row, "agent_id"),
        thread: optional(row, "thread_id"),
        subject: optional(row, "subject"),
        period: text(row, "period"),
        limit: text(row, "limit_usd"),
        raised: text(row, "raised"),
        spent: text(row, "spent"),
        reserved: text(row, "reserved"),
        available: text(row, "available"),
        ends: optional(row, "ends"),
        enforce: flag(row, "enforce"),
        used: number(row, "used"),
        is_used_up: flag(row, "used_up"),
        review: optional(row, "review_id"),
        review_status: optional(row, "review_status"),
    });
    Ok(budgets.collect())
}
