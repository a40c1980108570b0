//! The four levels, and their rights on every object of the extension. This one table is the source
//! for the grants of `grant_access`, for the comparison in `verify()`, and for the check of
//! SECURITY DEFINER in the scripts. An object that is missing in it fails the unit tests of this
//! module.

use super::rights::{
    ADMINISTER, DECIDE, EVERYBODY, Functions, Levels, NOBODY, READ, Relation, Right, Rights, WORK,
    WORK_AND_DECIDE, right, right_with,
};
use super::v7;

/// Functions alone write rows that are resolved, recorded or published. So no level writes into
/// gates, approvals, reviews, runs, audit_events, prompts or the log of tools. Nobody deletes
/// tasks: their approvals would be deleted with them. Functions also change the columns that only a
/// routed task has, the state of a session and the thread of a run.
const RELATIONS: &[Relation] = &[
    (
        "tasks",
        &[
            READ,
            right(
                WORK,
                "INSERT",
                &[
                    "id",
                    "title",
                    "description",
                    "task_type",
                    "status",
                    "config",
                    "metadata",
                    "workspace_path",
                    "thread_id",
                    "priority",
                    "run_after",
                    "max_attempts",
                    "result",
                ],
            ),
            // An ORM names every column. A trigger refuses values other than the defaults.
            right_with(
                "max_attempts",
                WORK,
                "INSERT",
                &[
                    "created_at",
                    "updated_at",
                    "started_at",
                    "completed_at",
                    "error",
                    "from_role",
                    "to_role",
                    "data",
                    "trace_id",
                    "idempotency_key",
                ],
            ),
            right(
                WORK,
                "UPDATE",
                &[
                    "title",
                    "description",
                    "status",
                    "config",
                    "metadata",
                    "workspace_path",
                    "error",
                    "priority",
                    "run_after",
                    "max_attempts",
                    "result",
                ],
            ),
        ],
    ),
    ("queued_tasks", &[READ]),
    ("task_attempts", &[READ]),
    ("task_queue", &[READ]),
    ("task_stats", &[READ]),
    ("tool_stats", &[READ]),
    ("workflow_progress", &[READ]),
    (
        "workflows",
        &[
            READ,
            right(WORK, "INSERT", &["id", "name", "description", "definition", "status"]),
            right(WORK, "UPDATE", &["name", "description", "definition", "status"]),
            right(ADMINISTER, "DELETE", &[]),
        ],
    ),
    (
        "workflow_tasks",
        &[
            READ,
            right(WORK, "INSERT", &["workflow_id", "task_id", "sequence"]),
            // A trigger sets it, whatever is inserted.
            right_with("done", WORK, "INSERT", &["done"]),
            right(WORK, "UPDATE", &["sequence"]),
            right(WORK, "DELETE", &[]),
        ],
    ),
    ("tool_executions", &[READ]),
    (
        "sessions",
        &[
            READ,
            right(
                WORK,
                "INSERT",
                &[
                    "id",
                    "client_id",
                    "user_id",
                    "connection_type",
                    "is_active",
                    "metadata",
                    "role",
                    "task_id",
                ],
            ),
            right(
                WORK,
                "UPDATE",
                &["client_id", "user_id", "connection_type", "is_active", "metadata", "task_id"],
            ),
            right(ADMINISTER, "DELETE", &[]),
        ],
    ),
    (
        "configurations",
        &[
            right(ADMINISTER, "SELECT", &[]),
            right(ADMINISTER, "INSERT", &[]),
            right(ADMINISTER, "UPDATE", &[]),
            right(ADMINISTER, "DELETE", &[]),
        ],
    ),
    ("configuration_listing", &[READ]),
    ("gates", &[READ]),
    ("collaboration_requests", &[READ]),
    ("collaboration_outcomes", &[READ]),
    ("collaboration_status", &[READ]),
    ("prompts", &[READ]),
    ("prompt_activations", &[READ]),
    ("prompt_history", &[READ]),
    ("llm_token_usage", &[READ]),
    ("knowledge_staging", &[READ]),
    ("llm_pricing", &[READ, right(ADMINISTER, "UPDATE", &["status", "notes", "updated_by"])]),
    ("llm_price_components", &[READ]),
    ("llm_model_aliases", &[READ]),
    ("budgets", &[READ]),
    ("budget_windows", &[READ]),
    ("budget_holds", &[READ]),
    ("budget_status", &[READ]),
    ("llm_price_periods", &[READ]),
    ("llm_price_limits", &[READ]),
    ("llm_price_lists", &[READ]),
    ("llm_prices_by_name", &[READ]),
    ("llm_usage_costs", &[READ]),
    ("llm_cost_by_day", &[READ]),
    ("unpriced_usage", &[READ]),
    ("approvals", &[READ]),
    ("audit_events", &[READ]),
    ("audit_seals", &[READ]),
    ("active_sessions", &[READ]),
    ("pending_approvals", &[READ]),
    ("orchestrator_runs", &[READ]),
    ("human_review_queue", &[READ]),
    ("run_summary", &[READ]),
    ("llm_cost_by_run", &[READ]),
    ("llm_cost_by_prompt", &[READ]),
    ("run_costs", &[READ]),
    ("run_cost_differences", &[READ]),
    ("pending_decisions", &[READ]),
    ("decisions", &[READ]),
    ("decision_cards", &[READ]),
    ("decision_rules", &[READ]),
    ("decision_terms", &[READ]),
    ("decision_votes", &[READ]),
];

/// The functions that stop a run or let it go on. Before 0.7.0 they are for workers alone.
const STEER: &[&str] = &["pause_run", "resume_run", "kill_run"];

/// A function that the versions have in which reviewers may steer runs.
pub const REVIEWERS_STEER: &str = "ensure_run";

const FUNCTIONS: &[Functions] = &[
    (
        EVERYBODY,
        Rights::Caller,
        &[
            "manifest",
            "help",
            "verify",
            "dump_safety",
            "fingerprint",
            "get_configuration",
            "configuration_value",
            "is_valid_configuration",
            "allowed_transitions",
            "active_prompt",
            "prompt_diff",
            "text_sha256",
            "next_prompt_version",
            "compare_versions",
            "llm_cost",
            "estimate_cost",
            "is_valid_llm_call",
            "llm_call_cost",
            "llm_cost_line",
            "llm_special_call",
            "llm_usage_sums",
            "llm_usage_sums_add",
            "llm_input_units",
            "llm_unpriced_units",
            "model_price",
            "llm_cost_by_day_as_of",
            "typescript_types",
            "json_schema",
            "access",
            "run_trail",
            "verify_audit_seals",
            "audit_head",
            "decision",
        ],
    ),
    // The default of every id.
    (WORK, Rights::Caller, &["uuidv7"]),
    (
        WORK,
        Rights::Owner,
        &[
            "create_task",
            "claim_tasks",
            "renew_claim",
            "complete_task",
            "complete_tasks",
            "fail_task",
            "release_task",
            "reclaim_expired_tasks",
            "begin_step",
            "start_tool_execution",
            "finish_tool_execution",
            "session_heartbeat",
            "deactivate_stale_sessions",
            "open_gate",
            "request_collaboration",
            "answer_collaboration",
            "record_token_usage",
            "record_llm_call",
            "reserve_budget",
            "settle_budget",
            "release_budget",
            "stage_knowledge",
            "claim_knowledge",
            "mark_knowledge_embedded",
            "fail_knowledge",
            "route_task",
            "move_session",
            "request_approval",
            "record_event",
            "start_run",
            "ensure_run",
            "save_run_state",
            "record_run_progress",
            "record_safety",
            "request_review",
            "withdraw_decision",
        ],
    ),
    (WORK_AND_DECIDE, Rights::Owner, STEER),
    (
        WORK_AND_DECIDE,
        Rights::Owner,
        &["cancel_task", "retry_task", "start_workflow", "pause_workflow"],
    ),
    (
        DECIDE,
        Rights::Owner,
        &[
            "resolve_gate",
            "resolve_approval",
            "resolve_review",
            "resolve_reviews",
            "decide",
            "claim_decision",
            "release_decision",
            "assign_decision",
        ],
    ),
    // A job of pg_cron belongs to the role that schedules it.
    (
        ADMINISTER,
        Rights::Caller,
        &["set_configuration", "schedule_maintenance", "unschedule_maintenance"],
    ),
    (
        ADMINISTER,
        Rights::Owner,
        &[
            "archived",
            "restore_archived",
            "downgrade_plan",
            "publish_prompt",
            "activate_prompt",
            "purge_knowledge",
            "restage_knowledge",
            "set_price",
            "load_default_prices",
            "set_model_alias",
            "import_prices",
            "set_budget",
            "raise_budget",
            "expire_sessions",
            "release_idempotency_keys",
            "purge_audit_events",
            "seal_audit_events",
            "set_decision_rule",
            "drop_decision_rule",
            "expire_decisions",
            "run_maintenance",
            "rebuild_task_queue",
            "grant_access",
            "revoke_access",
        ],
    ),
    (
        NOBODY,
        Rights::Caller,
        &[
            "begin_downgrade",
            "begin_upgrade",
            "archive_table",
            "archive_columns",
            "note_filled_in",
            "copy_grants",
            "renew_access",
            "restore_table",
            "restore_columns",
            "enforce_defaults",
            "enforce_lifecycle",
            "enforce_immutable",
            "enforce_append_only",
            "announce_decisions",
            "queue_task",
            "replace_queued_task",
            "queue_tasks_of_run",
            "queue_task_of_approval",
            "write_terms",
            "enforce_published",
            "enforce_activations",
            "follow_activations",
            "record_activation",
            "wait_for_activations",
            "activate_approved",
            "raise_approved",
            "enforce_terms",
            "enforce_votes",
            "enforce_frozen_terms",
            "withdraw_questions",
            "enforce_approvals",
            "queue_tasks_of_workflow",
            "queue_linked_tasks",
            "mark_done",
            "advance_workflows",
        ],
    ),
];

pub fn relations() -> impl Iterator<Item = &'static Relation> {
    RELATIONS.iter().chain(v7::RELATIONS)
}

pub fn functions() -> impl Iterator<Item = &'static Functions> {
    FUNCTIONS.iter().chain(v7::FUNCTIONS)
}

/// The rights on a table, a view or a sequence; `None` if the table of levels lacks it.
pub fn relation(name: &str) -> Option<&'static [Right]> {
    relations().find(|(known, _)| *known == name).map(|(_, rights)| *rights)
}

/// The levels that may call a function; `None` if the table of levels lacks it. `reviewers_steer`:
/// whether reviewers may steer runs in the version.
pub fn function(name: &str, reviewers_steer: bool) -> Option<Levels> {
    let found = functions().find(|(_, _, names)| names.contains(&name));
    let levels = found.map(|(levels, _, _)| *levels);
    if STEER.contains(&name) && !reviewers_steer { Some(WORK) } else { levels }
}
