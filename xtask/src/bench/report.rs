//! The report of a run: for the terminal with times, for the document with ratios only.

use std::fmt::Write;

use super::case::{self, Case, Measured, Outcome, Target};

/// A case with its medians in milliseconds.
pub fn for_the_terminal(case: &Case, outcome: &Outcome) -> String {
    let mut text = format!("{}: {}\n", case.name, case.title);
    for (at, line) in outcome.lines.iter().enumerate() {
        let _ = write!(
            text,
            "  {:48} {:>16} {:10.3} ms",
            line.what,
            line.scale,
            line.ours.as_secs_f64() * 1e3
        );
        for (baseline, name) in outcome.baselines.iter().enumerate() {
            if let Some(ratio) = line.ratio(baseline) {
                let _ = write!(text, "   {:>7} × {name}", short(ratio));
            }
        }
        if let Some(growth) = outcome.growth(at) {
            let _ = write!(text, "   growth {growth:.2}");
        }
        let _ = writeln!(text, "{}", if outcome.is_missed(at) { "   MISSED" } else { "" });
    }
    text
}

/// The whole document.
pub fn document(measured: &[(&Case, Measured)]) -> String {
    let mut machines: Vec<&str> = measured.iter().map(|(_, case)| case.machine.as_str()).collect();
    machines.dedup();
    let mut text = format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`. {}\n\n\
         Each figure is the median time of the extension divided by the median time of the baseline that heads the column; \
         both run in turn in the same session. Below 1 the extension is faster. *Growth* is the extension's own time divided \
         by its time in the first line of the same name. A target is for the ratio to the first baseline, unless it says \
         growth.\n\n{}",
        machines.join(" Or: "),
        targets(measured)
    );
    for (case, Measured { rows, rounds, outcome, .. }) in measured {
        let _ = write!(
            text,
            "\n## {}\n\n{} {rounds} rounds, tables of up to {}.\n\n{}",
            case.title,
            case.about,
            case::rows(*rows),
            table(outcome)
        );
    }
    text
}

/// The number of targets, and those that are missed.
fn targets(measured: &[(&Case, Measured)]) -> String {
    let (mut all, mut missed) = (0, Vec::new());
    for (case, Measured { outcome, .. }) in measured {
        for (at, line) in outcome.lines.iter().enumerate() {
            let Some((is, at_most)) = outcome.judged(at) else { continue };
            all += 1;
            if outcome.is_missed(at) {
                missed.push(format!(
                    "- {}: {}, {}: {is:.3} instead of {at_most:.2}\n",
                    case.title, line.what, line.scale
                ));
            }
        }
    }
    if missed.is_empty() {
        return format!("All {all} targets are reached.\n");
    }
    format!(
        "{} of {all} targets are reached. These are missed:\n\n{}",
        all - missed.len(),
        missed.concat()
    )
}

fn table(outcome: &Outcome) -> String {
    let mut titles = vec!["".to_owned(), "scale".to_owned()];
    titles.extend(outcome.baselines.iter().map(|name| format!("against {name}")));
    titles.extend(["growth".to_owned(), "target".to_owned()]);
    let mut text = format!("| {} |\n|{}\n", titles.join(" | "), "---|".repeat(titles.len()));
    for (at, line) in outcome.lines.iter().enumerate() {
        let mut cells = vec![line.what.clone(), line.scale.clone()];
        cells.extend((0..outcome.baselines.len()).map(|baseline| figure(line.ratio(baseline))));
        cells.extend([figure(outcome.growth(at)), target(outcome, at)]);
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn target(outcome: &Outcome, at: usize) -> String {
    let Some((_, at_most)) = outcome.judged(at) else { return String::new() };
    let of = match outcome.lines[at].target {
        Some(Target::Growth(_)) => "growth ",
        _ => "",
    };
    let missed = if outcome.is_missed(at) { ", **missed**" } else { "" };
    format!("{of}≤ {at_most:.2}{missed}")
}

fn figure(ratio: Option<f64>) -> String {
    ratio.map(short).unwrap_or_default()
}

/// Two decimals, or two significant figures if the decimals would be zero.
fn short(ratio: f64) -> String {
    match ratio {
        0.0 => "0".to_owned(),
        0.01.. => format!("{ratio:.2}"),
        0.001.. => format!("{ratio:.4}"),
        _ => format!("{ratio:.5}"),
    }
}
