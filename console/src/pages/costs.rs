//! The costs of the last 30 days, calls that have no price, and the budgets.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;
use tokio_postgres::Row;

use super::percent::Percent;
use super::{Frame, rendered};
use crate::app::Visitor;
use crate::database::{Database, flag, number, optional, text};
use crate::failure::Failure;

/// What the chart of the days shows one above the other.
#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Series {
    #[default]
    Model,
    Agent,
    Project,
}

impl Series {
    const ALL: [Series; 3] = [Series::Model, Series::Agent, Series::Project];

    fn name(self) -> &'static str {
        match self {
            Series::Model => "model",
            Series::Agent => "agent",
            Series::Project => "project",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    by: Series,
}

/// The calls of a day, a project, an agent or a model.
struct Line {
    name: String,
    calls: String,
    tokens: String,
    cost: String,
    unpriced: i64,
    /// The cost in 160ths of the greatest of its table.
    height: i64,
    /// The cost in hundredths of all in its table.
    share: i64,
}

/// A colour with a pattern in the chart.
struct Key {
    place: i64,
    name: String,
    cost: String,
}

/// A part of a day.
struct Share {
    day: String,
    place: i64,
    cost: String,
    /// The height of its upper edge.
    height: i64,
}

struct Bar<'a> {
    x: Percent,
    end: Percent,
    day: &'a Line,
    blocks: Vec<Block<'a>>,
    /// The class of its name; none without a name.
    named: Option<&'static str>,
    /// The cost of each key, in their order.
    costs: Vec<&'a str>,
}

struct Block<'a> {
    place: i64,
    name: &'a str,
    cost: &'a str,
    height: i64,
    y: i64,
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
    by: Series,
    all: Option<&'a Line>,
    greatest: Option<&'a Line>,
    keys: &'a [Key],
    bars: Vec<Bar<'a>>,
    tables: [Table<'a>; 3],
    /// None if it takes too long to find them.
    unpriced: Option<Vec<Unpriced>>,
    budgets: Vec<Budget>,
}

pub async fn page(
    Visitor(session): Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    const LINES: &str = include_str!("costs.sql");
    let rows = session.database.rows(LINES, &[Some(asked.by.name())]).await?;
    let part = |part: &'static str| rows.iter().filter(move |row| text(row, "part") == part);
    let lines = |name| part(name).map(line).collect::<Vec<_>>();
    let (all, days) = (lines("all"), lines("day"));
    let (projects, agents, models) = (lines("project"), lines("agent"), lines("model"));
    let key = |row| Key {
        place: number(row, "place"),
        name: optional(row, "name").unwrap_or_else(|| format!("other {}s", asked.by.name())),
        cost: text(row, "cost"),
    };
    let keys: Vec<Key> = part("series").map(key).collect();
    let share = |row| Share {
        day: text(row, "day"),
        place: number(row, "place"),
        cost: text(row, "cost"),
        height: number(row, "height"),
    };
    let shares: Vec<Share> = part("share").map(share).collect();
    let bar = |(place, day)| bar(place, day, &keys, &shares);
    rendered(&Page {
        frame: Frame::of(&session, "/costs"),
        by: asked.by,
        all: all.first(),
        greatest: days.iter().max_by_key(|day| day.height).filter(|day| day.height > 0),
        bars: days.iter().enumerate().map(bar).collect(),
        keys: &keys,
        tables: [
            Table { name: "Project", lines: &projects },
            Table { name: "Agent", lines: &agents },
            Table { name: "Model", lines: &models },
        ],
        unpriced: unpriced(&session.database).await?,
        budgets: budgets(&session.database).await?,
    })
}

fn line(row: &Row) -> Line {
    Line {
        name: text(row, "name"),
        calls: text(row, "calls"),
        tokens: text(row, "tokens"),
        cost: text(row, "cost"),
        unpriced: number(row, "unpriced"),
        height: number(row, "height"),
        share: number(row, "share"),
    }
}

/// The bar of the day at this place of the 30.
fn bar<'a>(place: usize, day: &'a Line, keys: &'a [Key], shares: &'a [Share]) -> Bar<'a> {
    const DAYS: f64 = 30.0;
    let shares: Vec<&Share> = shares.iter().filter(|share| share.day == day.name).collect();
    let of_key = |key: &Key| shares.iter().find(|share| share.place == key.place);
    let mut ground = 0;
    let mut blocks = Vec::new();
    for key in keys {
        let Some(share) = of_key(key) else { continue };
        let (height, y) = (share.height - ground, TOP - share.height);
        blocks.push(Block { place: key.place, name: &key.name, cost: &share.cost, height, y });
        ground = share.height;
    }
    let x = 100.0 * place as f64 / DAYS;
    let named = match place % 10 {
        9 => Some(""),
        4 => Some("between"),
        _ => None,
    };
    Bar {
        x: Percent(x),
        end: Percent(x + 80.0 / DAYS),
        day,
        blocks,
        named,
        costs: keys.iter().map(|key| of_key(key).map_or("0", |share| &*share.cost)).collect(),
    }
}

/// Where the bars stand, below the upper edge of the chart.
const TOP: i64 = 184;

/// Calls of all time without a price. They are counted one by one, which may take longer than a page waits.
async fn unpriced(database: &Database) -> Result<Option<Vec<Unpriced>>, Failure> {
    const UNPRICED: &str = include_str!("costs_unpriced.sql");
    let line = |row: &Row| Unpriced {
        model: text(row, "model"),
        unit: optional(row, "unit"),
        calls: number(row, "calls"),
        tokens: text(row, "tokens"),
        last: text(row, "last"),
        suggested: optional(row, "suggested_model"),
    };
    match database.lines(UNPRICED, &[], line).await {
        Err(failure) if failure.is_slowness() => Ok(None),
        lines => Ok(Some(lines?)),
    }
}

async fn budgets(database: &Database) -> Result<Vec<Budget>, Failure> {
    const BUDGETS: &str = include_str!("costs_budgets.sql");
    database
        .lines(BUDGETS, &[], |row| Budget {
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
        })
        .await
}
