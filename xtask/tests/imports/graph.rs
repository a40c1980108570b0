//! The imports between files, and the circles among them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;

use super::paths;
use super::sources::{Module, Sources};

/// The files by name, such as `server/error`, and under each what it imports with the names by which.
#[derive(Default)]
pub struct Graph {
    pub imports: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Graph {
    pub fn of(sources: &Sources) -> Self {
        let modules: BTreeSet<Module> = sources.files.keys().cloned().collect();
        let mut graph = Self::default();
        for (own, file) in &sources.files {
            let imports = graph.imports.entry(name(own)).or_default();
            for path in paths::of(file, own, &modules) {
                let Some(place) =
                    (0..=path.len()).rev().find(|end| modules.contains(&path[..*end]))
                else {
                    continue;
                };
                if path[..place] != own[..] {
                    let item = path[place..].join("::");
                    imports.entry(name(&path[..place])).or_default().insert(item);
                }
            }
        }
        graph
    }

    /// The shortest circle through each pair of files that is in one, each circle once.
    pub fn circles(&self) -> Vec<String> {
        let mut circles = BTreeMap::new();
        for (from, imports) in &self.imports {
            for to in imports.keys() {
                if let Some(mut way) = self.way(to, from) {
                    // A circle begins at the same file for each pair that finds it.
                    let first = way.iter().min().cloned();
                    while way.first() != first.as_ref() {
                        way.rotate_left(1);
                    }
                    circles.insert(way.clone(), self.describe(&way));
                }
            }
        }
        circles.into_values().collect()
    }

    /// The shortest way from one file to another.
    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut ways = VecDeque::from([vec![from.to_owned()]]);
        let mut seen = BTreeSet::from([from.to_owned()]);
        while let Some(way) = ways.pop_front() {
            let last = way.last()?;
            if last == to {
                return Some(way);
            }
            for next in self.imports.get(last).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(next.clone()) {
                    let mut longer = way.clone();
                    longer.push(next.clone());
                    ways.push_back(longer);
                }
            }
        }
        None
    }

    /// `a -> b -> a`, with what each imports of the next.
    fn describe(&self, way: &[String]) -> String {
        let mut text = way.join(" -> ");
        let _ = write!(text, " -> {}", way[0]);
        for (place, from) in way.iter().enumerate() {
            let to = &way[(place + 1) % way.len()];
            let items: Vec<_> = self.imports[from][to].iter().cloned().collect();
            let _ = write!(text, "\n    {from} has of {to}: {}", items.join(", "));
        }
        text
    }
}

fn name(module: &[String]) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("/") }
}

#[cfg(test)]
impl Graph {
    /// A graph of these pairs, each file importing one item of the other.
    pub fn from_imports(pairs: &[(&str, &str)]) -> Self {
        let mut graph = Self::default();
        for (from, to) in pairs {
            graph.imports.entry((*to).to_owned()).or_default();
            let imports = graph.imports.entry((*from).to_owned()).or_default();
            imports.entry((*to).to_owned()).or_default().insert("item".to_owned());
        }
        graph
    }
}

#[test]
fn each_circle_is_named_once_from_its_first_file() {
    let names = |pairs: &[(&str, &str)]| -> Vec<String> {
        let circles = Graph::from_imports(pairs).circles();
        circles.iter().filter_map(|text| Some(text.lines().next()?.to_owned())).collect()
    };
    assert_eq!(names(&[("a", "b"), ("b", "c"), ("a", "c")]), [""; 0]);
    assert_eq!(names(&[("b", "a"), ("a", "b"), ("b", "c")]), ["a -> b -> a"]);
    assert_eq!(
        names(&[("c", "a"), ("a", "b"), ("b", "c"), ("b", "a")]),
        ["a -> b -> a", "a -> b -> c -> a"]
    );
}
