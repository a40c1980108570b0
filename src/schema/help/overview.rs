//! Everything there is: where to start, then the members by capability.

use super::examples;
use super::groups::{GROUPS, START};
use super::topic::{Topic, has};
use crate::schema::lifecycle;

/// The heading of members that stand in no group, which a test keeps empty.
const OTHERS: &str = "Other members";

/// The lines of `help()`.
pub fn lines(topics: &[Topic]) -> Vec<String> {
    let mut lines = start(topics);
    for (heading, names) in GROUPS {
        // The first form of a function stands for all.
        lines.extend(group(heading, names.iter().filter_map(|name| named(topics, name).next())));
    }
    let grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    lines.extend(group(OTHERS, topics.iter().filter(|topic| !grouped(&topic.name))));
    if has_machines(topics) {
        lines.push(format!("State machines: {}", lifecycle::machine_names()));
    }
    lines.push("More of one: SELECT orchestrator.help('verify');".to_owned());
    lines
}

/// Whether the installed version enforces state machines.
pub fn has_machines(topics: &[Topic]) -> bool {
    has(topics, "allowed_transitions")
}

fn named<'a>(topics: &'a [Topic], name: &str) -> impl Iterator<Item = &'a Topic> {
    topics.iter().filter(move |topic| topic.name == name)
}

/// The first calls, as statements that run one after the other in an empty database.
fn start(topics: &[Topic]) -> Vec<String> {
    let mut lines = vec!["Start here, one after the other".to_owned()];
    for alternatives in START {
        let Some(topic) = alternatives.iter().find_map(|name| named(topics, name).next()) else {
            continue;
        };
        lines.push(format!("      {}", first_sentence(&topic.comment)));
        let example = examples::of(&topic.name).unwrap_or_default();
        lines.extend(example.lines().map(|line| format!("          {line}")));
    }
    lines
}

fn group<'a>(heading: &str, members: impl Iterator<Item = &'a Topic>) -> Vec<String> {
    let mut lines = Vec::new();
    for Topic { kind, name, arguments, comment, .. } in members {
        if lines.is_empty() {
            lines.push(heading.to_owned());
        }
        let suffix = if arguments.is_empty() { format!(" ({kind})") } else { arguments.clone() };
        lines.push(format!("  {name}{suffix}"));
        lines.push(format!("      {}", first_sentence(comment)));
    }
    lines
}

/// The rest of a comment stands in the help on its member.
fn first_sentence(comment: &str) -> &str {
    comment.split_once(". ").map_or(comment, |(first, _)| first)
}
