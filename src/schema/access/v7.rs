//! The table of levels for the objects that track a code-base migration. The rules of these objects
//! hold against every UPDATE, so a level may write columns that no function writes. Approvals,
//! signatures and completion need the functions.

use super::rights::{
    ADMINISTER, DECIDE, EVERYBODY, Functions, NOBODY, READ, Relation, Rights, WORK, right,
};

pub const RELATIONS: &[Relation] = &[
    (
        "file_audit",
        &[
            READ,
            right(WORK, "INSERT", &[]),
            right(WORK, "UPDATE", &[]),
            right(ADMINISTER, "DELETE", &[]),
        ],
    ),
    ("file_audit_id_seq", &[]),
    ("file_audit_baseline", &[READ]),
    ("schema_snapshots", &[READ, right(ADMINISTER, "INSERT", &[])]),
    ("enum_usage", &[READ]),
    ("table_dependencies", &[READ]),
    (
        "v7_migration_workflow",
        &[
            READ,
            right(ADMINISTER, "UPDATE", &["status", "lead_persona", "deliverables", "blockers"]),
        ],
    ),
    (
        "v7_enum_migrations",
        &[READ, right(ADMINISTER, "INSERT", &[]), right(ADMINISTER, "UPDATE", &[])],
    ),
    (
        "v7_global_impacts",
        &[
            READ,
            right(
                WORK,
                "INSERT",
                &[
                    "id",
                    "change_type",
                    "change_detail",
                    "affected_workflows",
                    "affected_layers",
                    "impact_description",
                    "risk_assessment",
                    "mitigation_strategy",
                ],
            ),
            right(WORK, "UPDATE", &["mitigation_strategy", "implementation_notes"]),
            right(ADMINISTER, "UPDATE", &["approval_status", "reviewed_by_personas"]),
        ],
    ),
    (
        "v7_subworkflow_tasks",
        &[
            READ,
            right(
                WORK,
                "UPDATE",
                &[
                    "status",
                    "dart_task_id",
                    "dart_task_url",
                    "blockers",
                    "deliverable_urls",
                    "notes",
                ],
            ),
        ],
    ),
    (
        "v7_test_results",
        &[READ, right(WORK, "INSERT", &[]), right(WORK, "UPDATE", &["retest_required", "notes"])],
    ),
    ("migration_sign_offs", &[READ]),
    ("migration_hand_overs", &[READ]),
    ("v7_migration_dashboard", &[READ]),
    ("v7_enum_consolidation_status", &[READ]),
    ("v7_file_migration_readiness", &[READ]),
    ("v7_ready_tasks", &[READ]),
    ("v7_unsynced_tasks", &[READ]),
];

pub const FUNCTIONS: &[Functions] = &[
    (
        EVERYBODY,
        Rights::Caller,
        &[
            "compare_snapshots",
            "enum_duplicates",
            "v7_verify_preconditions",
            "v7_verify_rollback",
            "v7_verify_tables",
            "v7_verify_file_audit",
            "v7_verify_infrastructure",
            "v7_verify_data",
            "v7_verify",
            "v7_parse_file_name",
            "v7_is_valid_file_name",
            "v7_missing_sign_offs",
        ],
    ),
    (
        WORK,
        Rights::Owner,
        &["v7_issue_task", "v7_start_phase", "v7_request_review", "v7_complete_phase"],
    ),
    (DECIDE, Rights::Owner, &["v7_sign", "v7_approve_phase"]),
    // They read the whole database, so they run with the rights of the caller.
    (ADMINISTER, Rights::Caller, &["capture_snapshot", "v7_record_enum_duplicates"]),
    (ADMINISTER, Rights::Owner, &["v7_load_plan", "v7_roll_back_phase"]),
    (NOBODY, Rights::Caller, &["v7_enforce_approval", "v7_enforce_dependencies"]),
    // A role that changes a task needs no rights on the notes that they write.
    (NOBODY, Rights::Owner, &["v7_note_change", "v7_note_hand_over"]),
];
