//! The picture of a workflow: a column of boxes for each sequence, from left to right. All tasks of a column wait for those
//! of the one before, so the links of two columns meet in one line between them.

use std::fmt::Write;

const BOX_WIDTH: usize = 200;
const BOX_HEIGHT: usize = 48;
const GAP_ACROSS: usize = 48;
const GAP_DOWN: usize = 12;
/// The height of the line that names the sequences.
const HEAD: usize = 28;

/// A task of the workflow.
pub struct Step {
    pub sequence: String,
    pub title: String,
    /// One of the statuses of a task, which has a colour.
    pub status: String,
    /// The same for people.
    pub state: String,
}

pub struct Placed<'a> {
    pub x: usize,
    pub y: usize,
    pub step: &'a Step,
}

pub struct Column<'a> {
    pub x: usize,
    pub sequence: &'a str,
    tasks: usize,
}

pub struct Graph<'a> {
    pub width: usize,
    pub height: usize,
    pub columns: Vec<Column<'a>>,
    pub boxes: Vec<Placed<'a>>,
    /// All links as one path of SVG.
    pub links: String,
}

impl<'a> Graph<'a> {
    /// The picture of the steps, which are in their order.
    pub fn of(steps: impl Iterator<Item = &'a Step>) -> Graph<'a> {
        let mut columns: Vec<Column<'a>> = Vec::new();
        let mut boxes = Vec::new();
        for step in steps {
            if columns.last().is_none_or(|column| column.sequence != step.sequence) {
                let x = columns.len() * (BOX_WIDTH + GAP_ACROSS);
                columns.push(Column { x, sequence: &step.sequence, tasks: 0 });
            }
            if let Some(column) = columns.last_mut() {
                boxes.push(Placed { x: column.x, y: top(column.tasks), step });
                column.tasks += 1;
            }
        }
        let tallest = columns.iter().map(|column| column.tasks).max().unwrap_or_default();
        let width = columns.last().map_or(0, |column| column.x + BOX_WIDTH);
        Graph { width, height: top(tallest), links: links(&columns), columns, boxes }
    }
}

/// The upper edge of a box of a column.
fn top(place: usize) -> usize {
    HEAD + place * (BOX_HEIGHT + GAP_DOWN)
}

fn links(columns: &[Column<'_>]) -> String {
    let middle = |place| top(place) + BOX_HEIGHT / 2;
    let mut path = String::new();
    for pair in columns.windows(2) {
        let [before, after] = pair else { continue };
        let (from, to) = (before.x + BOX_WIDTH, after.x);
        let meeting = from + GAP_ACROSS / 2;
        for place in 0..before.tasks {
            let _ = write!(path, "M{from} {}H{meeting}", middle(place));
        }
        let last = before.tasks.max(after.tasks).saturating_sub(1);
        let _ = write!(path, "M{meeting} {}V{}", middle(0), middle(last));
        for place in 0..after.tasks {
            let _ = write!(path, "M{meeting} {}H{to}m-7 -4l7 4l-7 4", middle(place));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::{Graph, Step};

    fn step(sequence: &str) -> Step {
        let word = || "pending".to_owned();
        Step { sequence: sequence.to_owned(), title: word(), status: word(), state: word() }
    }

    #[test]
    fn a_workflow_without_tasks_has_an_empty_picture() {
        let graph = Graph::of([].iter());
        assert_eq!((graph.width, graph.boxes.len(), graph.links.as_str()), (0, 0, ""));
    }

    #[test]
    fn tasks_of_one_sequence_stand_in_one_column() {
        let steps = [step("0"), step("5"), step("5")];
        let graph = Graph::of(steps.iter());
        let places: Vec<_> = graph.boxes.iter().map(|placed| (placed.x, placed.y)).collect();
        assert_eq!(places, [(0, 28), (248, 28), (248, 88)]);
        let sequences: Vec<_> = graph.columns.iter().map(|column| column.sequence).collect();
        assert_eq!(sequences, ["0", "5"]);
        assert_eq!((graph.width, graph.height), (448, 148));
        assert_eq!(
            graph.links,
            "M200 52H224M224 52V112M224 52H248m-7 -4l7 4l-7 4M224 112H248m-7 -4l7 4l-7 4"
        );
    }
}
