//! The picture of a run over time: its phases, its pauses, its questions, its calls of tools and models, and its trail, each in a
//! lane of its own. However much has happened, a lane has at most one mark for each cell of the axis
//! (a-timeline-has-cells).

use super::axis::{Axis, Cut, duration};
use super::percent::Percent;
use crate::directions::isolated;

/// The height of a lane: its label, its bar, and the gap below.
const LABEL: usize = 16;
const BAR: usize = 20;
const GAP: usize = 8;
/// The height of the line of times above the lanes.
const HEAD: usize = 24;
/// The least distance of two times on the axis, in hundredths of the picture.
const APART: f64 = 17.0;
/// The phases that the label of their lane names.
const NAMED_PHASES: usize = 6;
/// The most questions that are read, as in the statement.
const MOST_QUESTIONS: usize = 1000;
/// The questions that have a lane of their own.
const OWN_LANES: usize = 8;

/// A phase or a pause that begins at a moment.
pub struct Change {
    pub at: i64,
    pub name: String,
}

pub struct Question {
    pub kind: String,
    pub status: String,
    pub decided_by: Option<String>,
    pub asked_at: i64,
    /// None while it is open.
    pub decided_at: Option<i64>,
}

/// Calls of one tool that began in one cell and ended in another.
pub struct Calls {
    /// The rank of the tool: calls with the same rank share a lane.
    pub place: i64,
    /// None for the tools without a lane of their own.
    pub name: Option<String>,
    pub began: usize,
    /// None if they go on.
    pub ended: Option<usize>,
    pub calls: i64,
    pub failed: i64,
}

/// Calls of one model in one cell.
pub struct Tokens {
    pub place: i64,
    pub name: Option<String>,
    pub cell: usize,
    pub calls: i64,
    pub tokens: i64,
}

/// What happened in a run.
pub struct History {
    pub axis: Axis,
    /// The time of each cell, and of the last moment, as texts.
    pub times: Vec<String>,
    pub has_ended: bool,
    pub phases: Vec<Change>,
    /// The names are paused and resumed.
    pub pauses: Vec<Change>,
    /// The newest 1,000, the oldest of them first.
    pub questions: Vec<Question>,
    pub tools: Vec<Calls>,
    pub models: Vec<Tokens>,
    /// The number of events in each cell.
    pub events: Vec<i64>,
}

/// A bar in a lane, with a text in it if it is a phase.
pub struct Mark {
    pub x: Percent,
    pub width: Percent,
    pub y: usize,
    pub height: usize,
    pub class: &'static str,
    pub title: String,
    pub text: Option<String>,
}

impl Mark {
    fn of(axis: &Axis, first: usize, last: usize, class: &'static str, title: String) -> Mark {
        let (x, width) = (axis.x(first), axis.width(first, last.max(first)));
        Mark { x, width, y: 0, height: BAR, class, title, text: None }
    }

    /// A bar that stands on the ground of its lane: as high as its part of the most.
    fn standing(axis: &Axis, cell: usize, amount: i64, most: i64, title: String) -> Mark {
        let part = (amount as f64 / most.max(1) as f64 * BAR as f64) as usize;
        let height = part.clamp(3, BAR);
        let mark = Mark::of(axis, cell, cell, "amount", title);
        Mark { y: BAR - height, height, ..mark }
    }
}

pub struct Lane {
    pub y: usize,
    pub label: String,
    pub label_x: Percent,
    pub is_label_before: bool,
    pub marks: Vec<Mark>,
    /// The places where a call failed.
    pub crosses: Vec<Percent>,
}

impl Lane {
    fn new(label: String, marks: Vec<Mark>) -> Lane {
        Lane {
            y: 0,
            label,
            label_x: Percent(0.0),
            is_label_before: false,
            marks,
            crosses: Vec::new(),
        }
    }
}

/// A time above the lanes.
pub struct Tick<'a> {
    pub x: Percent,
    pub class: &'static str,
    pub text: &'a str,
}

/// A time in which nothing happened.
pub struct Idle {
    pub x: Percent,
    pub middle: Percent,
    pub width: Percent,
    pub duration: String,
    /// Whether there is room for its duration.
    pub is_named: bool,
}

pub struct Timeline<'a> {
    pub height: usize,
    pub idle: Vec<Idle>,
    pub ticks: Vec<Tick<'a>>,
    pub lanes: Vec<Lane>,
    /// The first and the last moment, for those who do not see the picture.
    pub from: &'a str,
    pub until: &'a str,
}

impl<'a> Timeline<'a> {
    pub fn of(history: &'a History) -> Timeline<'a> {
        let mut lanes: Vec<Lane> = phases(history).into_iter().chain(pauses(history)).collect();
        lanes.extend(questions(history));
        lanes.extend(tools(history));
        lanes.extend(models(history));
        lanes.extend(trail(history));
        for (place, lane) in lanes.iter_mut().enumerate() {
            lane.y = HEAD + 2 * GAP + place * (LABEL + BAR + GAP);
        }
        let height = HEAD + 2 * GAP + lanes.len() * (LABEL + BAR + GAP);
        let (from, until) = (history.time(0), history.time(history.axis.cells()));
        Timeline { height, idle: idle(&history.axis), ticks: ticks(history), lanes, from, until }
    }
}

impl History {
    /// The time of a cell; that of the last moment after the last cell.
    fn time(&self, cell: usize) -> &str {
        self.times.get(cell).map_or("", String::as_str)
    }

    /// The last cell of something that ended in this one, or goes on.
    fn end(&self, ended: Option<usize>) -> usize {
        ended.unwrap_or(self.axis.cells() - 1)
    }
}

fn phases(history: &History) -> Option<Lane> {
    let axis = &history.axis;
    let names: Vec<&str> = history.phases.iter().map(|change| change.name.as_str()).collect();
    let label = match names.as_slice() {
        [] => return None,
        few if few.len() <= NAMED_PHASES => format!("Phase: {}", names.join(", ")),
        [.., last] => format!("Phase: {} changes, the last one to {last}", names.len()),
    };
    let mut spans: Vec<(usize, &str)> = Vec::new();
    for change in &history.phases {
        let cell = axis.cell(change.at);
        // Of the phases of one cell, the last is shown.
        spans.pop_if(|(first, _)| *first == cell);
        spans.push((cell, &change.name));
    }
    let marks = spans.iter().enumerate().map(|(place, (first, name))| {
        let last = spans.get(place + 1).map_or(axis.cells(), |(next, _)| *next).saturating_sub(1);
        let class = match *name {
            "complete" => "phase complete",
            "failed" => "phase failed",
            _ => "phase",
        };
        let title = format!("{name} from {}", history.time(*first));
        Mark { text: Some((*name).to_owned()), ..Mark::of(axis, *first, last, class, title) }
    });
    Some(Lane::new(label, marks.collect()))
}

fn pauses(history: &History) -> Option<Lane> {
    let axis = &history.axis;
    // A run that has ended is not paused any more.
    let end = history.phases.last().filter(|_| history.has_ended).map(|phase| axis.cell(phase.at));
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let mut is_paused = false;
    for change in &history.pauses {
        let cell = axis.cell(change.at);
        match (is_paused, change.name == "paused", spans.last_mut()) {
            (false, true, Some((_, last))) if *last == cell => *last = history.end(end),
            (false, true, _) => spans.push((cell, history.end(end))),
            (true, false, Some((_, last))) => *last = cell,
            _ => {}
        }
        is_paused = change.name == "paused";
    }
    let mark = |(first, last): &(usize, usize)| {
        let title = format!("paused from {}", history.time(*first));
        Mark::of(axis, *first, *last, "pause", title)
    };
    let marks: Vec<Mark> = spans.iter().map(mark).collect();
    (!marks.is_empty()).then(|| Lane::new("Paused".to_owned(), marks))
}

fn questions(history: &History) -> Vec<Lane> {
    let axis = &history.axis;
    let cells = |question: &Question| {
        let ended = question.decided_at.map(|at| axis.cell(at));
        (axis.cell(question.asked_at), history.end(ended))
    };
    if history.questions.len() > OWN_LANES {
        let mut open = vec![0; axis.cells()];
        for question in &history.questions {
            let (first, last) = cells(question);
            open.iter_mut().take(last + 1).skip(first).for_each(|count| *count += 1);
        }
        let newest = if history.questions.len() == MOST_QUESTIONS { "the newest " } else { "" };
        let count = history.questions.len();
        let label = format!("Questions: {newest}{count}, each while it was open");
        let title = |cell, count| format!("{}: {count} open", history.time(cell));
        return vec![Lane::new(label, standing(axis, &open, title))];
    }
    let lane = |question: &Question| {
        let (first, last) = cells(question);
        let (class, label) = match (question.decided_at, &question.decided_by) {
            (None, _) => ("question open", format!("{}: open", question.kind)),
            (Some(_), by) => {
                let class = match question.status.as_str() {
                    "approved" => "question yes",
                    "rejected" => "question no",
                    _ => "question",
                };
                let by =
                    by.as_ref().map(|name| format!(" by {}", isolated(name))).unwrap_or_default();
                (class, format!("{}: {}{by}", question.kind, question.status))
            }
        };
        let title = format!("{label}, asked {}", history.time(first));
        let marks = vec![Mark::of(axis, first, last, class, title)];
        // The label begins with the bar, or ends with it if there is more room before it.
        let is_label_before = axis.x(first).0 > 40.0;
        let end = axis.x(last + 1).0.max(60.0);
        let label_x = if is_label_before { Percent(end) } else { axis.x(first) };
        Lane { label_x, is_label_before, ..Lane::new(label, marks) }
    };
    history.questions.iter().map(lane).collect()
}

fn tools(history: &History) -> Vec<Lane> {
    let lane = |calls: &[Calls]| {
        let name = calls.first().and_then(|line| line.name.as_deref());
        let name = name.map_or_else(|| "other tools".to_owned(), isolated);
        let sum = calls.iter().map(|line| line.calls).sum();
        let failed = calls.iter().map(|line| line.failed).sum();
        let label = format!("{name}: {}", outcome(sum, failed));
        let mut cells: Vec<usize> = calls
            .iter()
            .filter(|line| line.failed > 0)
            .map(|line| history.end(line.ended))
            .collect();
        cells.sort_unstable();
        cells.dedup();
        let crosses = cells.into_iter().map(|cell| history.axis.middle(cell)).collect();
        Lane { crosses, ..Lane::new(label, busy(history, calls)) }
    };
    history.tools.chunk_by(|one, next| one.place == next.place).map(lane).collect()
}

/// The marks of the calls of a tool, which are in the order of their beginnings: calls that overlap share one.
fn busy(history: &History, calls: &[Calls]) -> Vec<Mark> {
    struct Span {
        first: usize,
        last: usize,
        calls: i64,
        failed: i64,
    }
    let mut spans: Vec<Span> = Vec::new();
    for line in calls {
        let last = history.end(line.ended).max(line.began);
        match spans.last_mut().filter(|span| line.began <= span.last) {
            Some(span) => {
                span.last = span.last.max(last);
                span.calls += line.calls;
                span.failed += line.failed;
            }
            None => {
                let (calls, failed) = (line.calls, line.failed);
                spans.push(Span { first: line.began, last, calls, failed });
            }
        }
    }
    let mark = |span: &Span| {
        let title = format!("{}: {}", history.time(span.first), outcome(span.calls, span.failed));
        Mark::of(&history.axis, span.first, span.last, "call", title)
    };
    spans.iter().map(mark).collect()
}

fn outcome(calls: i64, failed: i64) -> String {
    let calls = counted(calls, "call");
    if failed > 0 { format!("{calls}, {failed} failed") } else { calls }
}

fn models(history: &History) -> Vec<Lane> {
    let most = history.models.iter().map(|line| line.tokens).max().unwrap_or_default();
    let lane = |lines: &[Tokens]| {
        let calls = lines.iter().map(|line| line.calls).sum();
        let tokens = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.tokens));
        let name = lines.first().and_then(|line| line.name.as_deref());
        let name = name.map_or_else(|| "other models".to_owned(), isolated);
        let mark = |line: &Tokens| {
            let calls = counted(line.calls, "call");
            let title = format!("{}: {calls}, {} tokens", history.time(line.cell), line.tokens);
            Mark::standing(&history.axis, line.cell, line.tokens, most, title)
        };
        let label = format!("{name}: {}, {tokens} tokens", counted(calls, "call"));
        Lane::new(label, lines.iter().map(mark).collect())
    };
    history.models.chunk_by(|one, next| one.place == next.place).map(lane).collect()
}

fn trail(history: &History) -> Option<Lane> {
    let count: i64 = history.events.iter().sum();
    let title = |cell, count| format!("{}: {}", history.time(cell), counted(count, "event"));
    let marks = standing(&history.axis, &history.events, title);
    (count > 0).then(|| Lane::new(format!("Trail: {}", counted(count, "event")), marks))
}

/// A bar for each cell with an amount.
fn standing(axis: &Axis, amounts: &[i64], title: impl Fn(usize, i64) -> String) -> Vec<Mark> {
    let most = amounts.iter().copied().max().unwrap_or_default();
    let amounts = amounts.iter().copied().enumerate().filter(|(_, amount)| *amount > 0);
    amounts
        .map(|(cell, amount)| Mark::standing(axis, cell, amount, most, title(cell, amount)))
        .collect()
}

fn counted(count: i64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn idle(axis: &Axis) -> Vec<Idle> {
    let mut room = f64::NEG_INFINITY;
    let cut = |cut: &Cut| {
        let (x, width) = (axis.x(cut.cell), axis.width(cut.cell, cut.cell));
        let is_named = x.0 >= room;
        if is_named {
            room = x.0 + APART;
        }
        Idle { x, middle: axis.middle(cut.cell), width, duration: duration(cut.duration), is_named }
    };
    axis.cuts.iter().map(cut).collect()
}

/// The times of the first and the last moment, and of those between that have room.
fn ticks<'a>(history: &'a History) -> Vec<Tick<'a>> {
    let axis = &history.axis;
    let mut ticks = vec![Tick { x: Percent(0.0), class: "", text: history.time(0) }];
    let mut room = APART;
    let is_one_day = history.time(0).get(..10) == history.time(axis.cells()).get(..10);
    for cell in 0..axis.cells() {
        let x = axis.x(cell);
        let is_cut = axis.cuts.iter().any(|cut| cut.cell == cell);
        if is_cut || x.0 < room || x.0 > 100.0 - 2.0 * APART {
            continue;
        }
        // The time of one day, or the day and the time to the minute.
        let part = if is_one_day { 11..19 } else { 5..16 };
        ticks.push(Tick { x, class: "between", text: history.time(cell).get(part).unwrap_or("") });
        room = x.0 + APART;
    }
    if axis.cells() > 1 {
        ticks.push(Tick { x: Percent(100.0), class: "end", text: history.time(axis.cells()) });
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::{Axis, BAR, Calls, Change, History, Percent, Question, Timeline};

    const MINUTE: i64 = 60_000;

    /// A run of an hour in which nothing but its minutes is known.
    fn hour() -> History {
        let axis = Axis::of((0..=60).map(|minute| minute * MINUTE).collect()).expect("moments");
        History {
            times: (0..=axis.cells()).map(|cell| format!("cell {cell}")).collect(),
            has_ended: false,
            phases: Vec::new(),
            pauses: Vec::new(),
            questions: Vec::new(),
            tools: Vec::new(),
            models: Vec::new(),
            events: vec![0; axis.cells()],
            axis,
        }
    }

    fn change(minute: i64, name: &str) -> Change {
        Change { at: minute * MINUTE, name: name.to_owned() }
    }

    fn question(asked: i64, decided: Option<i64>) -> Question {
        Question {
            kind: "gate".to_owned(),
            status: if decided.is_some() { "approved" } else { "pending" }.to_owned(),
            decided_by: decided.map(|_| "rosa".to_owned()),
            asked_at: asked * MINUTE,
            decided_at: decided.map(|minute| minute * MINUTE),
        }
    }

    fn calls(began: usize, ended: Option<usize>, failed: i64) -> Calls {
        let name = Some("cargo test".to_owned());
        Calls { place: 1, name, began, ended, calls: 2, failed }
    }

    fn labels<'a>(timeline: &'a Timeline<'_>) -> Vec<&'a str> {
        timeline.lanes.iter().map(|lane| lane.label.as_str()).collect()
    }

    /// Where a bar begins and ends, in whole hundredths.
    fn span(timeline: &Timeline<'_>, lane: usize, mark: usize) -> (i64, i64) {
        let mark = &timeline.lanes[lane].marks[mark];
        (mark.x.0.round() as i64, (mark.x.0 + mark.width.0).round() as i64)
    }

    #[test]
    fn a_run_of_which_nothing_is_known_has_its_times() {
        let history = hour();
        let timeline = Timeline::of(&history);
        assert!(timeline.lanes.is_empty());
        assert_eq!((timeline.from, timeline.until), ("cell 0", "cell 180"));
    }

    #[test]
    fn one_event_fills_the_picture() {
        let axis = Axis::of(vec![7]).expect("a moment");
        let times = vec!["now".to_owned(), "now".to_owned()];
        let history = History { axis, times, events: vec![1], ..hour() };
        let timeline = Timeline::of(&history);
        assert_eq!(labels(&timeline), ["Trail: 1 event"]);
        assert_eq!(span(&timeline, 0, 0), (0, 100));
        assert_eq!(timeline.ticks.len(), 1, "the first moment is the last one");
    }

    #[test]
    fn a_phase_lasts_until_the_next() {
        let phases = vec![change(0, "planning"), change(30, "testing")];
        let history = History { phases, ..hour() };
        let timeline = Timeline::of(&history);
        assert_eq!(labels(&timeline), ["Phase: planning, testing"]);
        assert_eq!([span(&timeline, 0, 0), span(&timeline, 0, 1)], [(0, 50), (50, 100)]);
    }

    #[test]
    fn many_phases_have_a_mark_for_each_cell() {
        let phases =
            (0..10_000).map(|n| change(n * 60 / 10_000, ["planning", "testing"][n as usize % 2]));
        let history = History { phases: phases.collect(), ..hour() };
        let timeline = Timeline::of(&history);
        assert_eq!(labels(&timeline), ["Phase: 10000 changes, the last one to testing"]);
        assert_eq!(timeline.lanes[0].marks.len(), 60);
    }

    #[test]
    fn a_pause_ends_with_its_run() {
        let paused = || vec![change(15, "paused"), change(20, "paused")];
        let history = History { pauses: paused(), ..hour() };
        assert_eq!(span(&Timeline::of(&history), 0, 0), (25, 100), "it goes on");
        let resumed = History {
            pauses: paused().into_iter().chain([change(30, "resumed")]).collect(),
            ..hour()
        };
        assert_eq!(span(&Timeline::of(&resumed), 0, 0), (25, 51));
        let often =
            (0..10_000).map(|n| change(n * 60 / 10_000, ["paused", "resumed"][n as usize % 2]));
        let often = History { pauses: often.collect(), ..hour() };
        assert!(Timeline::of(&often).lanes[0].marks.len() <= 180);
        let phases = vec![change(0, "planning"), change(45, "failed")];
        let ended = History { pauses: paused(), phases, has_ended: true, ..hour() };
        assert_eq!(span(&Timeline::of(&ended), 1, 0), (25, 76));
    }

    #[test]
    fn a_few_questions_say_how_they_were_decided() {
        let questions = vec![question(0, Some(15)), question(45, None)];
        let history = History { questions, ..hour() };
        let timeline = Timeline::of(&history);
        assert_eq!(labels(&timeline), ["gate: approved by \u{2068}rosa\u{2069}", "gate: open"]);
        assert_eq!([span(&timeline, 0, 0), span(&timeline, 1, 0)], [(0, 26), (75, 100)]);
    }

    #[test]
    fn many_questions_share_a_lane() {
        let questions = (0..100).map(|number| question(number % 60, None)).collect();
        let history = History { questions, ..hour() };
        let timeline = Timeline::of(&history);
        assert_eq!(labels(&timeline), ["Questions: 100, each while it was open"]);
        let marks = &timeline.lanes[0].marks;
        assert_eq!((marks.len(), marks[179].height), (180, BAR));
        assert_eq!(marks[179].title, "cell 179: 100 open");
    }

    #[test]
    fn calls_that_overlap_share_a_bar_and_each_failure_has_its_cross() {
        let tools = vec![
            calls(0, Some(9), 0),
            calls(5, Some(17), 1),
            calls(90, Some(98), 2),
            calls(171, None, 0),
        ];
        let history = History { tools, ..hour() };
        let timeline = Timeline::of(&history);
        assert_eq!(labels(&timeline), ["\u{2068}cargo test\u{2069}: 8 calls, 3 failed"]);
        let spans: Vec<_> = (0..3).map(|mark| span(&timeline, 0, mark)).collect();
        assert_eq!(spans, [(0, 10), (50, 55), (95, 100)]);
        assert_eq!(timeline.lanes[0].marks[0].title, "cell 0: 4 calls, 1 failed");
        let middles = [17, 98].map(|cell| history.axis.middle(cell));
        assert_eq!(timeline.lanes[0].crosses, middles);
        assert!(middles[0] > Percent(9.0));
    }
}
