//! The cases, in the order of the document. A further one is a file here and a line in `ALL`.

mod claim;
mod console;
mod cost_report;
mod dashboards;
mod inbox;
mod install;
mod queue;
mod resolution;
mod routing;
mod rules;
mod seals;
mod tools;
mod triggers;
mod usage;
mod verification;
mod walk;

use super::case::Case;

pub const ALL: &[Case] = &[
    install::CASE,
    walk::CASE,
    triggers::CASE,
    tools::CASE,
    resolution::GATES,
    resolution::REVIEWS,
    resolution::BULK,
    rules::CASE,
    routing::CASE,
    queue::GRAPHILE_WORKER,
    queue::PG_BOSS,
    queue::BEHIND,
    claim::CASE,
    usage::CASE,
    cost_report::CASE,
    inbox::CASE,
    console::CASE,
    verification::CASE,
    seals::CASE,
    dashboards::CASE,
];
