//! Compares answers: ids, times and widths may differ from run to run, and `…` on the page is a gap
//! that matches any text.

use std::sync::LazyLock;

use regex::Regex;

/// Patterns of the parts that differ from run to run, each with the text that replaces it.
static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules = [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?( UTC|[+-]\d\d(:\d\d)?)?", "<time>"),
        (r"\d\d:\d\d:\d\d(\.\d+)?", "<duration>"),
        (r"\d+(\.\d+)? ms( \([^)]*\))?", "<duration>"),
        (r"\bPID \d+", "PID <n>"),
        (r"\bOID \d+", "OID <n>"),
        (r"\[\d+\] ", "[<n>] "),
    ];
    compiled(&rules)
});

static NUMBER: LazyLock<Vec<(Regex, &str)>> =
    LazyLock::new(|| compiled(&[(r"\d+(\.\d+)?", "<n>")]));

/// psql's count of the rows below a table.
static FOOTER: LazyLock<Vec<(Regex, &str)>> =
    LazyLock::new(|| compiled(&[(r"(?m)^\(\d+ rows?\)\n", "")]));

/// The rules are constants; a unit test finds one that does not compile.
fn compiled(rules: &[(&str, &'static str)]) -> Vec<(Regex, &'static str)> {
    rules.iter().filter_map(|(rule, instead)| Some((Regex::new(rule).ok()?, *instead))).collect()
}

fn replaced(text: &str, rules: &[(Regex, &str)]) -> String {
    rules.iter().fold(text.to_owned(), |text, (rule, instead)| {
        rule.replace_all(&text, *instead).into_owned()
    })
}

/// An answer as a page shows it: without psql's counts of rows, and without spaces at the end of lines.
pub fn shown(output: &str) -> String {
    let text = replaced(output, &FOOTER);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

/// The lines of an answer with ids, times and the width of columns made equal for every run.
fn comparable(text: &str, numbers_vary: bool) -> Vec<String> {
    let mut text = replaced(&shown(text), &VARYING);
    if numbers_vary {
        text = replaced(&text, &NUMBER);
    }
    text.lines().map(narrowed).collect()
}

/// A line with its columns as narrow as their content.
fn narrowed(line: &str) -> String {
    if !line.is_empty() && line.chars().all(|c| c == '-' || c == '+') {
        return "+".repeat(line.matches('+').count()) + "-";
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether an answer agrees with the expected one. There, `…` matches anything within a line, and
/// any number of lines when it is alone on one; `...` matches the rest of a line.
pub fn agrees(expected: &str, answer: &str, numbers_vary: bool) -> bool {
    lines_agree(&comparable(expected, numbers_vary), &comparable(answer, numbers_vary))
}

fn lines_agree(expected: &[String], answer: &[String]) -> bool {
    match expected.split_first() {
        None => answer.is_empty(),
        Some((gap, rest)) if is_gap(gap) => {
            (0..=answer.len()).any(|skipped| lines_agree(rest, &answer[skipped..]))
        }
        Some((line, rest)) => answer
            .split_first()
            .is_some_and(|(first, others)| line_agrees(line, first) && lines_agree(rest, others)),
    }
}

fn is_gap(line: &str) -> bool {
    line == "…" || line == "..."
}

fn line_agrees(expected: &str, line: &str) -> bool {
    let expected = match expected.strip_suffix("...") {
        Some(beginning) => format!("{beginning}…"),
        None => expected.to_owned(),
    };
    let mut pieces = expected.split('…');
    let Some(mut rest) = pieces.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(place) = rest.find(piece) else { return false };
        rest = &rest[place + piece.len()..];
    }
    rest.ends_with(last)
}

/// The lines that only one of the two answers has, unchanged.
pub fn difference(expected: &str, answer: &str) -> String {
    let (old, new) = (comparable(expected, false), comparable(answer, false));
    let missing = |sign: &str, text: &str, has: &dyn Fn(&str) -> bool| -> String {
        shown(text)
            .lines()
            .filter(|line| !has(line))
            .map(|line| format!("{sign} {line}\n"))
            .collect()
    };
    let one = |line: &str| comparable(line, false).join("");
    let gone = missing("-", expected, &|line| {
        is_gap(line) || new.iter().any(|other| line_agrees(&one(line), other))
    });
    let come = missing("+", answer, &|line| {
        old.iter().any(|other| !is_gap(other) && line_agrees(other, &one(line)))
    });
    if gone.is_empty() && come.is_empty() {
        return format!("the same lines, in another order or repeated:\n{answer}\n");
    }
    gone + &come
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_compiles() {
        assert_eq!((VARYING.len(), NUMBER.len(), FOOTER.len()), (7, 1, 1));
    }

    #[test]
    fn ids_times_and_widths_are_not_compared() {
        let one = " id | n\n----+---\n 0198c5a0-0000-7000-8000-000000000001 | 1\n";
        let other =
            "  id   |   n\n-------+------\n 0198c5a0-aaaa-7000-8000-000000000002 | 1\n(1 row)\n\n";
        assert!(agrees(one, other, false));
        assert!(!agrees(one, &other.replace("| 1", "| 2"), false));
        assert!(!agrees(one, &other.replace('+', "-"), false), "another number of columns");
        let told =
            "Signed by Ada at 2026-11-21 16:34:56.79+00, PID 12, after 00:00:01.5. Time: 84.1 ms";
        let again =
            "Signed by Ada at 2027-01-02 06:34:56+00, PID 9, after 00:02:01. Time: 4.116 ms";
        assert!(agrees(told, again, false));
        assert!(!agrees(told, &again.replace("Ada", "Bob"), false));
    }

    #[test]
    fn gaps_stand_for_the_rest_of_a_line_and_for_lines() {
        let answer = "NOTICE: kept 4 rows\nNOTICE: kept 5 rows\ndone";
        assert!(agrees("NOTICE: kept …\n…\ndone", answer, false));
        assert!(agrees("NOTICE: kept...\n...\ndone", answer, false));
        assert!(agrees("…\nNOTICE: … 5 rows\ndone", answer, false));
        assert!(agrees("…", "", false));
        assert!(!agrees("…\nNOTICE: … 6 rows\n…", answer, false));
        assert!(!agrees("NOTICE: kept …\ndone", answer, false), "a line is missing");
        assert!(!agrees("NOTICE: … 5", answer, false));
        assert!(agrees("a … b … c", "a 1 b 2 c", false));
        assert!(!agrees("a … b … c", "a 1 b 2 d", false));
        assert!(!agrees("aba…aba", "aba", false), "no letter counts twice");
    }

    #[test]
    fn numbers_are_compared_unless_they_vary() {
        assert!(!agrees("gates | 100 | 1.5", "gates | 101 | 1.5", false));
        assert!(agrees("gates | 100 | 1.5", "gates | 101 | 2", true));
        assert!(!agrees("gates | 100", "tasks | 100", true));
    }

    #[test]
    fn a_difference_shows_what_each_side_has_alone() {
        let text =
            difference(" one\n two\n …\n 0198c5a0-0000-7000-8000-000000000001", " two\n three");
        assert_eq!(text, "-  one\n-  0198c5a0-0000-7000-8000-000000000001\n+  three\n");
        assert!(difference("a\nb", "b\na").contains("another order"));
    }
}
