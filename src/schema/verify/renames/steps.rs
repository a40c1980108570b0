//! The statements that give columns their names.

use super::places::Pair;

/// The statements that give columns their names, in an order in which none meets a name that is
/// still taken; each as the name that it has and the one that it gets.
#[derive(Debug, PartialEq, Eq)]
pub struct Steps {
    /// The columns that have their names after these, in the order in which they get them.
    pub of: Vec<(String, String)>,
    pub steps: Vec<(String, String)>,
}

/// The renames that give all of `certain` their names; those that depend on each other are together.
/// `quote`: makes an identifier of a name; a parameter, because unit tests run without a server.
pub fn undo(is: &[String], certain: &[Pair<'_>], quote: fn(&str) -> String) -> Vec<Steps> {
    let mut names: Vec<String> = is.iter().filter(|name| !name.is_empty()).cloned().collect();
    let mut open: Vec<Pair<'_>> = certain.iter().filter(|(is, due)| is != due).copied().collect();
    let mut undone = Vec::new();
    while let Some(first) = open.first().copied() {
        let is_free = |(_, due): &Pair<'_>| !names.iter().any(|name| name == due);
        let mut steps = Steps { of: Vec::new(), steps: Vec::new() };
        let (mut at, aside) = match open.iter().position(is_free) {
            Some(at) => (at, None),
            None => {
                // A user's column in the way gets another name for good, one of ours for a while.
                let theirs = |(_, due): &Pair<'_>| open.iter().all(|(is, _)| is != due);
                let at = open.iter().position(theirs).unwrap_or_default();
                let in_the_way = if theirs(&open[at]) { open[at].1 } else { first.0 };
                let aside = free_name(in_the_way, &names, quote);
                steps.steps.push((in_the_way.to_owned(), aside.clone()));
                let at = open.iter().position(|(_, due)| *due == in_the_way).unwrap_or_default();
                (at, Some((in_the_way, aside)))
            }
        };
        loop {
            let (is, due) = open.remove(at);
            let now = match &aside {
                Some((name, aside)) if *name == is => aside,
                _ => is,
            };
            steps.steps.push((now.to_owned(), due.to_owned()));
            steps.of.push((is.to_owned(), due.to_owned()));
            // The next one of a circle.
            match open.iter().position(|(_, next)| *next == is) {
                Some(next) if aside.is_some() => at = next,
                _ => break,
            }
        }
        for (was, name) in &steps.steps {
            names.retain(|known| known != was);
            names.push(name.clone());
        }
        undone.push(steps);
    }
    undone
}

/// A name that no column has.
fn free_name(name: &str, names: &[String], quote: fn(&str) -> String) -> String {
    const LONGEST: usize = 63;
    let bare = name.trim_matches('"').replace("\"\"", "_");
    let mut number = 1;
    loop {
        let end = if number == 1 { "_aside".to_owned() } else { format!("_aside_{number}") };
        let mut free = bare.clone();
        while free.len() + end.len() > LONGEST {
            free.pop();
        }
        let free = quote(&format!("{free}{end}"));
        if !names.contains(&free) {
            return free;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(is, due)| ((*is).to_owned(), (*due).to_owned())).collect()
    }

    #[test]
    fn no_step_meets_a_name_that_is_taken() {
        let is: Vec<String> = ["a", "b", "c", "d", "mine"].map(str::to_owned).to_vec();
        let steps = |certain: &[Pair<'_>]| -> Vec<Vec<(String, String)>> {
            undo(&is, certain, str::to_owned).into_iter().map(|undo| undo.steps).collect()
        };
        assert_eq!(steps(&[("a", "a"), ("b", "x")]), [pairs(&[("b", "x")])]);
        // A shift.
        assert_eq!(
            steps(&[("d", "c"), ("a", "d"), ("c", "x")]),
            [pairs(&[("c", "x")]), pairs(&[("d", "c")]), pairs(&[("a", "d")])]
        );
        // A circle, and beside it a user's column in the way.
        assert_eq!(
            steps(&[("a", "b"), ("b", "a"), ("c", "mine")]),
            [
                pairs(&[("mine", "mine_aside"), ("c", "mine")]),
                pairs(&[("a", "a_aside"), ("b", "a"), ("a_aside", "b")])
            ]
        );
        let circle = undo(&is, &[("a", "b"), ("b", "c"), ("c", "a")], str::to_owned);
        assert_eq!(circle.len(), 1);
        assert_eq!(
            circle[0].steps,
            pairs(&[("a", "a_aside"), ("c", "a"), ("b", "c"), ("a_aside", "b")])
        );
        assert_eq!(circle[0].of, pairs(&[("c", "a"), ("b", "c"), ("a", "b")]));
    }
}
