//! The order in which relations are locked. It is the order of the functions, so that an update and
//! a call of one of them never wait for each other in a circle.

/// Every relation of every version, in the order in which the functions use them; views come before
/// the tables that they read. A server test compares this with the locks that the functions take.
const ORDER: [&str; 70] = [
    "workflow_progress",
    "task_queue",
    "task_stats",
    "tool_stats",
    "decision_cards",
    "decisions",
    "pending_decisions",
    "run_summary",
    "run_cost_differences",
    "run_costs",
    "llm_cost_by_run",
    "llm_cost_by_prompt",
    "v7_unsynced_tasks",
    "v7_ready_tasks",
    "v7_file_migration_readiness",
    "v7_enum_consolidation_status",
    "v7_migration_dashboard",
    "table_dependencies",
    "pending_approvals",
    "active_sessions",
    "llm_cost_by_day",
    "unpriced_usage",
    "llm_usage_costs",
    "budget_status",
    "prompt_history",
    "collaboration_status",
    "configuration_listing",
    "prompts",
    "prompt_activations",
    "collaboration_requests",
    "collaboration_outcomes",
    "orchestrator_runs",
    "llm_price_limits",
    "llm_price_lists",
    "llm_prices_by_name",
    "llm_price_periods",
    "llm_model_aliases",
    "llm_price_components",
    "llm_pricing",
    "llm_token_usage",
    "human_review_queue",
    "gates",
    "sessions",
    "tasks",
    "approvals",
    "queued_tasks",
    "task_attempts",
    "workflows",
    "workflow_tasks",
    "decision_rules",
    "decision_terms",
    "decision_votes",
    "budgets",
    "budget_windows",
    "budget_holds",
    "tool_executions",
    "knowledge_staging",
    "schema_snapshots",
    "file_audit",
    "file_audit_baseline",
    "v7_migration_workflow",
    "v7_subworkflow_tasks",
    "migration_sign_offs",
    "migration_hand_overs",
    "v7_enum_migrations",
    "enum_usage",
    "v7_global_impacts",
    "v7_test_results",
    "configurations",
    "audit_seals",
];

/// Every function writes the trail last.
const LAST: &str = "audit_events";

/// The place of a relation of schema orchestrator in the order. A relation that no version has
/// comes last.
pub fn place(name: &str) -> usize {
    let known = ORDER.iter().position(|known| *known == name);
    known.unwrap_or(if name == LAST { ORDER.len() } else { ORDER.len() + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::manifest;

    #[test]
    fn every_relation_has_a_place() {
        let versions = manifest::versions().expect("the manifest can be read").len();
        let mut known: Vec<_> = ORDER.iter().chain([&LAST]).copied().collect();
        for position in 0..versions {
            for change in manifest::changes(position).expect("the version is there") {
                if ["table", "view"].contains(&change.kind) {
                    let name = change.object.trim_start_matches("orchestrator.");
                    assert!(place(name) <= ORDER.len(), "{name} has no place");
                    known.retain(|other| *other != name);
                }
            }
        }
        assert!(known.is_empty(), "no version has {known:?}");
    }
}
