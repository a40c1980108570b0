//! The state machines: the steps between states, and the columns that are written on entering a state.
//! The trigger, `allowed_transitions` and the documentation read this one table.

use super::machine::{Machine, Stamp, State};

const fn state(
    name: &'static str,
    next: &'static [&'static str],
    stamps: &'static [Stamp],
) -> State {
    State { name, next, stamps }
}

const COMPLETED: &[Stamp] = &[Stamp::End { column: "completed_at", not_before: "started_at" }];
const STARTED: &[Stamp] = &[Stamp::Time("started_at")];
const RESOLVED: &[Stamp] = &[Stamp::Time("resolved_at")];
const DECIDED: &[Stamp] = &[Stamp::Time("decision_at")];
const RETRIED: &[Stamp] =
    &[Stamp::Clear("started_at"), Stamp::Clear("completed_at"), Stamp::Clear("error")];
/// A pause ends when the run leaves hold.
const OFF_HOLD: &[Stamp] = &[Stamp::Clear("held_by"), Stamp::Clear("hold_reason")];
/// A new proposal needs a new approval.
const PROPOSED_ANEW: &[Stamp] =
    &[Stamp::Clear("approved_by"), Stamp::Clear("implemented_at"), Stamp::Clear("validated_at")];
const EXECUTED: &[Stamp] = &[
    Stamp::End { column: "completed_at", not_before: "created_at" },
    Stamp::Elapsed { column: "duration_ms", from: "created_at", to: "completed_at" },
];

/// Every machine, in the order in which the versions create their tables.
pub const MACHINES: &[Machine] = &[
    Machine {
        name: "task",
        sealed: false,
        states: &[
            state("pending", &["running", "cancelled", "failed"], RETRIED),
            state("running", &["completed", "failed", "cancelled"], STARTED),
            state("completed", &[], COMPLETED),
            state("failed", &["pending"], COMPLETED),
            state("cancelled", &[], COMPLETED),
        ],
    },
    Machine {
        name: "workflow",
        sealed: false,
        states: &[
            state("draft", &["active", "archived"], &[]),
            state("active", &["paused", "archived"], &[]),
            state("paused", &["active", "archived"], &[]),
            state("archived", &[], &[]),
        ],
    },
    Machine {
        name: "tool_execution",
        sealed: false,
        states: &[
            state("pending", &["running", "failed", "timeout"], &[]),
            state("running", &["completed", "failed", "timeout"], &[]),
            state("completed", &[], EXECUTED),
            state("failed", &[], EXECUTED),
            state("timeout", &[], EXECUTED),
        ],
    },
    Machine {
        name: "session",
        sealed: false,
        states: &[
            state("pending", &["active", "expired"], &[]),
            state("active", &["completed", "failed", "expired"], &[]),
            state("completed", &[], &[]),
            state("failed", &[], &[]),
            state("expired", &[], &[]),
        ],
    },
    Machine {
        name: "gate",
        sealed: true,
        states: &[
            state("pending", &["approved", "denied", "withdrawn"], &[]),
            state("approved", &[], RESOLVED),
            state("denied", &[], RESOLVED),
            state("withdrawn", &[], RESOLVED),
        ],
    },
    Machine {
        name: "approval",
        sealed: true,
        states: &[
            state("pending", &["approved", "rejected", "changes_requested", "withdrawn"], &[]),
            state("approved", &[], DECIDED),
            state("rejected", &[], DECIDED),
            state("changes_requested", &[], DECIDED),
            state("withdrawn", &[], DECIDED),
        ],
    },
    Machine {
        name: "review",
        sealed: true,
        states: &[
            state("pending", &["approved", "rejected", "changes_requested", "withdrawn"], &[]),
            state("approved", &[], RESOLVED),
            state("rejected", &[], RESOLVED),
            state("changes_requested", &[], RESOLVED),
            state("withdrawn", &[], RESOLVED),
        ],
    },
    Machine {
        name: "run_phase",
        sealed: false,
        states: &[
            state("planning", &["development", "failed"], &[]),
            state("development", &["testing", "failed"], &[]),
            state("testing", &["development", "complete", "failed"], &[]),
            state("complete", &[], COMPLETED),
            state("failed", &[], COMPLETED),
        ],
    },
    Machine {
        name: "run_gate",
        sealed: false,
        states: &[
            state("pending", &["go", "hold", "kill", "recycle"], OFF_HOLD),
            state("go", &["hold", "kill", "recycle"], OFF_HOLD),
            state("hold", &["go", "kill", "recycle"], &[]),
            state("recycle", &["pending", "go", "hold", "kill"], OFF_HOLD),
            state("kill", &[], OFF_HOLD),
        ],
    },
    Machine {
        name: "v7_phase",
        sealed: false,
        states: &[
            state("not_started", &["in_progress", "blocked"], &[]),
            state("in_progress", &["review", "blocked", "rolled_back"], STARTED),
            state("review", &["approved", "in_progress", "blocked", "rolled_back"], &[]),
            state("approved", &["completed", "in_progress", "rolled_back"], &[]),
            state("blocked", &["not_started", "in_progress", "rolled_back"], &[]),
            state("completed", &["rolled_back"], COMPLETED),
            state("rolled_back", &["not_started"], &[]),
        ],
    },
    Machine {
        name: "v7_file",
        sealed: false,
        states: &[
            state("pending_assessment", &["assessed"], &[]),
            state("assessed", &["designed", "pending_assessment"], &[]),
            state("designed", &["approved", "assessed"], &[]),
            state("approved", &["implementing", "designed"], &[]),
            state("implementing", &["testing", "approved"], &[]),
            state("testing", &["migrated", "implementing"], &[]),
            state("migrated", &["retired", "testing"], &[]),
            state("retired", &[], &[Stamp::Date("v7_retirement_date")]),
        ],
    },
    Machine {
        name: "v7_enum",
        sealed: false,
        states: &[
            state("proposed", &["approved"], PROPOSED_ANEW),
            state("approved", &["implemented", "rolled_back"], &[]),
            state("implemented", &["validated", "rolled_back"], &[Stamp::Time("implemented_at")]),
            state("validated", &["retired", "rolled_back"], &[Stamp::Time("validated_at")]),
            state("retired", &[], &[Stamp::Time("retired_at")]),
            state("rolled_back", &["proposed"], &[]),
        ],
    },
    Machine {
        name: "v7_task",
        sealed: false,
        states: &[
            state("pending", &["in_progress", "blocked", "cancelled", "deferred"], &[]),
            state(
                "in_progress",
                &["blocked", "review", "completed", "cancelled", "deferred"],
                STARTED,
            ),
            state("review", &["completed", "in_progress"], &[]),
            state("blocked", &["in_progress", "cancelled", "deferred"], &[]),
            state("deferred", &["pending", "cancelled"], &[]),
            state("completed", &[], COMPLETED),
            state("cancelled", &[], &[]),
        ],
    },
    Machine {
        name: "v7_impact",
        sealed: false,
        states: &[
            state("pending", &["reviewing", "rejected"], &[]),
            state("reviewing", &["approved", "rejected"], &[]),
            state("approved", &["implemented"], &[]),
            state("implemented", &[], &[]),
            state("rejected", &["pending"], &[]),
        ],
    },
];

/// The machine of that name.
pub fn machine(name: impl AsRef<[u8]>) -> Option<&'static Machine> {
    MACHINES.iter().find(|machine| machine.name.as_bytes() == name.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_step_leads_to_a_state_of_its_machine_and_not_to_itself() {
        for machine in MACHINES {
            for state in machine.states {
                for next in state.next {
                    assert!(machine.state(next).is_some(), "{}: {next}", machine.name);
                    assert_ne!(*next, state.name, "{}", machine.name);
                }
            }
        }
    }

    #[test]
    fn names_of_machines_and_states_are_unique() {
        for (place, machine) in MACHINES.iter().enumerate() {
            assert!(MACHINES[place + 1..].iter().all(|other| other.name != machine.name));
            for (place, state) in machine.states.iter().enumerate() {
                assert!(machine.states[place + 1..].iter().all(|other| other.name != state.name));
            }
        }
    }

    proptest! {
        /// A row that takes any number of steps is in a state that the listed steps lead to.
        #[test]
        fn walks_follow_listed_steps_only(index in 0..MACHINES.len(), steps in prop::collection::vec(0usize..16, 0..50)) {
            let machine = &MACHINES[index];
            let mut at = &machine.states[0];
            for step in steps {
                let wanted = &machine.states[step % machine.states.len()];
                if at.allows(wanted.name) {
                    prop_assert!(at.name == wanted.name || at.next.contains(&wanted.name));
                    at = wanted;
                } else {
                    prop_assert!(!at.next.contains(&wanted.name));
                }
            }
        }

        #[test]
        fn nothing_leaves_the_end_of_a_sealed_machine(name in "[a-z_]{1,12}") {
            for machine in MACHINES.iter().filter(|machine| machine.sealed) {
                for end in machine.states.iter().filter(|state| state.next.is_empty()) {
                    prop_assert!(!end.allows(&name) || end.name == name);
                }
            }
        }
    }
}
