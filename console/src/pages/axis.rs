//! The axis of time of a picture, from left to right. Long times in which nothing happens are cut short, so that the rest can
//! be seen (idle-times-are-cut).

use super::percent::Percent;

/// The number of cells of an axis without a cut. Nothing is drawn finer.
const CELLS: f64 = 180.0;
/// The width of a cut, and the least width of what lies between two of them.
const CUT: f64 = 2.4;
const LEAST: f64 = 1.0;
const MOST_CUTS: usize = 12;
/// A time is cut if it is this much longer than the usual one, and this part of all that is not cut.
const UNUSUAL: i64 = 10;
const PART: i64 = 16;

/// A time in which nothing happens, drawn shorter than it was.
pub struct Cut {
    pub cell: usize,
    /// In milliseconds.
    pub duration: i64,
}

/// The axis as a row of cells: each begins at a time, in milliseconds since 1970, and at a place.
pub struct Axis {
    begins: Vec<i64>,
    /// One more than cells: the last one is the right edge.
    edges: Vec<f64>,
    last: i64,
    pub cuts: Vec<Cut>,
}

impl Axis {
    /// The axis over all these moments; none without a moment.
    pub fn of(mut moments: Vec<i64>) -> Option<Axis> {
        moments.sort_unstable();
        moments.dedup();
        let last = *moments.last()?;
        let idle = idle(&moments);
        let bounds = [&[0], &idle[..], &[moments.len()]].concat();
        let stretches: Vec<(i64, i64)> =
            bounds.windows(2).map(|pair| (moments[pair[0]], moments[pair[1] - 1])).collect();
        let whole: f64 = stretches.iter().map(|(first, last)| (last - first + 1) as f64).sum();
        let room = 100.0 - CUT * idle.len() as f64 - LEAST * stretches.len() as f64;
        let mut axis = Axis { begins: Vec::new(), edges: Vec::new(), last, cuts: Vec::new() };
        let mut x = 0.0;
        for (place, (first, last)) in stretches.iter().enumerate() {
            let duration = last - first + 1;
            let width = LEAST + room * duration as f64 / whole;
            let cells = ((width / 100.0 * CELLS) as i64).clamp(1, duration);
            for cell in 0..cells {
                axis.begins.push(first + duration * cell / cells);
                axis.edges.push(x + width * cell as f64 / cells as f64);
            }
            x += width;
            if let Some((next, _)) = stretches.get(place + 1) {
                axis.cuts.push(Cut { cell: axis.begins.len(), duration: next - last });
                axis.begins.push(last + 1);
                axis.edges.push(x);
                x += CUT;
            }
        }
        axis.edges.push(100.0);
        Some(axis)
    }

    pub fn cells(&self) -> usize {
        self.begins.len()
    }

    /// The beginnings of the cells.
    pub fn begins(&self) -> impl Iterator<Item = i64> {
        self.begins.iter().copied()
    }

    /// The last moment.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// The cell of a moment; the nearest one for a moment before or after the axis.
    pub fn cell(&self, at: i64) -> usize {
        self.begins.partition_point(|begin| *begin <= at).saturating_sub(1)
    }

    /// The left edge of a cell. The one after the last cell begins at the right edge.
    pub fn x(&self, cell: usize) -> Percent {
        Percent(self.edges.get(cell).copied().unwrap_or(100.0))
    }

    pub fn middle(&self, cell: usize) -> Percent {
        Percent((self.x(cell).0 + self.x(cell + 1).0) / 2.0)
    }

    /// The width from a cell to the end of another one.
    pub fn width(&self, first: usize, last: usize) -> Percent {
        Percent(self.x(last + 1).0 - self.x(first).0)
    }
}

/// The places of the moments that follow a time to be cut.
fn idle(moments: &[i64]) -> Vec<usize> {
    let mut gaps: Vec<(i64, usize)> = moments
        .windows(2)
        .enumerate()
        .map(|(place, pair)| (pair[1] - pair[0], place + 1))
        .collect();
    gaps.sort_unstable_by(|one, other| other.cmp(one));
    let usual = gaps.get(gaps.len() / 2).map_or(0, |(gap, _)| *gap);
    let mut rest: i64 = gaps.iter().map(|(gap, _)| gap).sum();
    let mut idle = Vec::new();
    for (gap, place) in gaps.into_iter().take(MOST_CUTS) {
        if gap <= UNUSUAL * usual || PART * gap <= rest {
            break;
        }
        rest -= gap;
        idle.push(place);
    }
    idle.sort_unstable();
    idle
}

/// A duration in milliseconds, in its greatest unit.
pub fn duration(milliseconds: i64) -> String {
    let parts = |unit: i64| milliseconds as f64 / unit as f64;
    match milliseconds {
        ..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{:.1} s", parts(1_000)),
        60_000..3_600_000 => format!("{:.1} min", parts(60_000)),
        3_600_000..172_800_000 => format!("{:.1} h", parts(3_600_000)),
        172_800_000.. => format!("{:.1} d", parts(86_400_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, Percent, duration};

    const HOUR: i64 = 3_600_000;

    fn axis(moments: &[i64]) -> Axis {
        Axis::of(moments.to_vec()).expect("moments have an axis")
    }

    #[test]
    fn without_moments_there_is_no_axis() {
        assert!(Axis::of(Vec::new()).is_none());
    }

    #[test]
    fn one_moment_fills_the_picture() {
        let axis = axis(&[5, 5]);
        assert_eq!((axis.begins().collect(), axis.cells()), (vec![5], 1));
        assert_eq!(axis.width(0, 0), Percent(100.0));
    }

    #[test]
    fn even_times_are_not_cut() {
        for count in 2..40 {
            let moments: Vec<i64> = (0..count).map(|place| place * HOUR).collect();
            assert!(axis(&moments).cuts.is_empty(), "{count}");
        }
    }

    #[test]
    fn a_night_is_cut() {
        let evening: Vec<i64> = (0..20).map(|place| place * 1000).collect();
        let morning = evening.iter().map(|moment| moment + 9 * HOUR);
        let moments: Vec<i64> = evening.iter().copied().chain(morning).collect();
        let axis = axis(&moments);
        assert_eq!(axis.cuts.len(), 1);
        let cut = &axis.cuts[0];
        assert_eq!(cut.duration, 9 * HOUR - 19_000);
        assert_eq!(axis.cell(19_001), cut.cell);
        assert_eq!(axis.cell(19_000) + 1, cut.cell, "the evening ends before the cut");
        assert_eq!(axis.cell(9 * HOUR), cut.cell + 1, "the morning begins after it");
        let (before, after) = (axis.x(cut.cell).0, 100.0 - axis.x(cut.cell + 1).0);
        assert!((before - after).abs() < 0.001, "{before} and {after} are equally long");
    }

    #[test]
    fn many_nights_leave_room_for_the_days() {
        let day = 24 * HOUR;
        let moments: Vec<i64> =
            (0..30).flat_map(|night| (0..5).map(move |n| night * day + n * 1000)).collect();
        let axis = axis(&moments);
        assert!(axis.cuts.len() <= 12);
        for pair in axis.edges.windows(2) {
            assert!(pair[0] < pair[1], "each cell has a width");
        }
        for pair in axis.begins.windows(2) {
            assert!(pair[0] < pair[1], "each cell has a time");
        }
    }

    #[test]
    fn durations_are_in_their_greatest_unit() {
        let texts = [0, 999, 1_000, 90_000, 3_600_000, 172_800_000].map(duration);
        assert_eq!(texts, ["0 ms", "999 ms", "1.0 s", "1.5 min", "1.0 h", "2.0 d"]);
    }
}
