//! A state machine as a Mermaid diagram, made from the same table that the trigger reads.

use super::machines;

/// The lines of the diagram; `None` if no machine has that name.
pub fn diagram(machine: &str) -> Option<Vec<String>> {
    let machine = machines::machine(machine)?;
    let mut lines = vec!["stateDiagram-v2".to_owned()];
    for state in machine.states {
        lines.extend(state.next.iter().map(|next| format!("    {} --> {next}", state.name)));
        if state.next.is_empty() {
            lines.push(format!("    {} --> [*]", state.name));
        }
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_has_a_line_per_step() {
        for machine in machines::MACHINES {
            let lines = diagram(machine.name).unwrap_or_default();
            let steps: usize = machine.states.iter().map(|state| state.next.len().max(1)).sum();
            assert_eq!(lines.len(), steps + 1, "{}", machine.name);
        }
        assert_eq!(diagram("nothing"), None);
    }
}
