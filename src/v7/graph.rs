//! The graph of the tasks and those that they wait for: circles in it, and what they keep from being ready.

use std::collections::BTreeMap;

use pgrx::Uuid;

use crate::server::error::Error;
use crate::server::interrupts;

/// A task's id as its bytes, which have an order.
pub type Id = [u8; 16];

/// For each task the tasks it waits for.
pub type Graph = BTreeMap<Id, Vec<Id>>;

/// Whether following the dependencies from `start` leads in a circle.
pub fn has_circle(graph: &Graph, start: Id) -> bool {
    // Tasks on the way here, and whether all that follows them has been seen.
    let mut done: BTreeMap<Id, bool> = BTreeMap::new();
    let mut stack = vec![(start, 0usize)];
    done.insert(start, false);
    while let Some((id, place)) = stack.pop() {
        interrupts::allow();
        let Some(next) = graph.get(&id).and_then(|ids| ids.get(place)) else {
            done.insert(id, true);
            continue;
        };
        stack.push((id, place + 1));
        match done.get(next) {
            Some(false) => return true,
            Some(true) => {}
            None => {
                done.insert(*next, false);
                stack.push((*next, 0));
            }
        }
    }
    false
}

/// Tasks that can never be ready, because they wait for themselves, directly or through others.
pub fn never_ready(graph: &Graph) -> Vec<Id> {
    let mut waiting: BTreeMap<Id, usize> =
        graph.iter().map(|(id, after)| (*id, after.len())).collect();
    let mut waited_for: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    for (id, after) in graph {
        for other in after {
            interrupts::allow();
            waited_for.entry(*other).or_default().push(*id);
        }
    }
    // What waits for nothing is met, and so is, step by step, what waits for such tasks only.
    let mut met: Vec<Id> =
        waited_for.keys().filter(|id| !graph.contains_key(*id)).copied().collect();
    met.extend(graph.iter().filter(|(_, after)| after.is_empty()).map(|(id, _)| *id));
    while let Some(id) = met.pop() {
        waiting.remove(&id);
        for next in waited_for.get(&id).into_iter().flatten() {
            interrupts::allow();
            if let Some(left) = waiting.get_mut(next) {
                *left -= 1;
                if *left == 0 {
                    met.push(*next);
                }
            }
        }
    }
    waiting.into_keys().collect()
}

/// The edges of a result with the task and one that it waits for.
pub fn graph_of(rows: pgrx::spi::SpiTupleTable<'_>) -> Result<Graph, Error> {
    let mut graph = Graph::new();
    for row in rows {
        interrupts::allow();
        if let (Some(from), Some(to)) = (row.get::<Uuid>(1)?, row.get::<Uuid>(2)?) {
            graph.entry(*from.as_bytes()).or_default().push(*to.as_bytes());
        }
    }
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::interrupts::steps;
    use proptest::prelude::*;

    fn id(number: u8) -> Id {
        [number; 16]
    }

    fn graph(edges: &[(u8, u8)]) -> Graph {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry(id(*from)).or_default().push(id(*to));
        }
        graph
    }

    #[test]
    fn a_long_chain_takes_a_step_or_two_for_each_task() {
        let task = |number: u32| {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            id
        };
        let chain: Graph =
            (0..20_000).map(|number| (task(number), vec![task(number + 1)])).collect();
        let (steps_of_circle, found) = steps(|| has_circle(&chain, task(0)));
        assert!(!found && (20_000..100_000).contains(&steps_of_circle), "{steps_of_circle}");
        let (steps_of_rest, stuck) = steps(|| never_ready(&chain));
        assert!(stuck.is_empty() && (20_000..100_000).contains(&steps_of_rest), "{steps_of_rest}");
    }

    #[test]
    fn circles_are_found_and_diamonds_are_none() {
        assert!(!has_circle(&graph(&[(1, 2), (1, 3), (2, 4), (3, 4)]), id(1)));
        assert!(has_circle(&graph(&[(1, 1)]), id(1)));
        assert!(has_circle(&graph(&[(1, 2), (2, 3), (3, 1)]), id(1)));
        assert!(has_circle(&graph(&[(1, 2), (2, 3), (3, 2)]), id(1)), "also further on");
        assert!(!has_circle(&graph(&[(1, 2), (3, 3)]), id(1)), "but only what is reached");
        assert!(!has_circle(&graph(&[]), id(1)));
    }

    #[test]
    fn what_waits_for_itself_is_never_ready() {
        assert_eq!(never_ready(&graph(&[(1, 2), (1, 3), (2, 4), (3, 4)])), Vec::<Id>::new());
        assert_eq!(never_ready(&graph(&[(1, 1), (2, 3)])), [id(1)]);
        assert_eq!(never_ready(&graph(&[(1, 2), (2, 3), (3, 2), (4, 9)])), [id(1), id(2), id(3)]);
    }

    proptest! {
        #[test]
        fn something_is_never_ready_where_there_is_a_circle(edges in prop::collection::vec((1u8..9, 1u8..9), 0..14)) {
            let graph = graph(&edges);
            let circle = (1..9).any(|start| has_circle(&graph, id(start)));
            prop_assert_eq!(!never_ready(&graph).is_empty(), circle);
        }

        #[test]
        fn what_only_leads_downwards_has_no_circle(edges in prop::collection::vec((1u8..30, 1u8..30), 0..60)) {
            let down: Vec<_> = edges.into_iter().filter(|(from, to)| from > to).collect();
            prop_assert!((1..30).all(|start| !has_circle(&graph(&down), id(start))));
        }

        #[test]
        fn closing_a_chain_makes_a_circle(length in 1u8..50) {
            let mut chain: Vec<_> = (0..length).map(|at| (at, at + 1)).collect();
            prop_assert!(!has_circle(&graph(&chain), id(0)));
            chain.push((length, 0));
            prop_assert!((0..=length).all(|start| has_circle(&graph(&chain), id(start))));
        }
    }
}
