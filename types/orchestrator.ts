// Written by: SELECT orchestrator.typescript_types();
//
// Rows are as PostgreSQL writes them in JSON: bigint and numeric are numbers, times and uuids are
// strings. A driver that parses them otherwise has to be told so; node's pg for example:
//   pg.types.setTypeParser(pg.types.builtins.INT8, Number);
//   pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);
//   for (const time of [pg.types.builtins.TIMESTAMPTZ, pg.types.builtins.DATE])
//     pg.types.setTypeParser(time, (text) => text);

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  orchestrator: {
    Tables: {
      /** What a role is asked to approve, and what it decided; a task may need several */
      approvals: {
        Row: {
          id: string;
          task_id: string;
          /** The one role that may decide */
          approver_role: string;
          status: "pending" | "approved" | "rejected";
          /** When it was decided; NULL exactly while it is pending */
          decision_at: string | null;
          /** What the one who asked wrote, until the one who decided wrote something else */
          notes: string;
          created_at: string;
        };
        Insert: {
          id?: string;
          task_id: string;
          approver_role: string;
          status?: "pending" | "approved" | "rejected";
          decision_at?: string | null;
          notes?: string;
          created_at?: string;
        };
        Update: {
          id?: string;
          task_id?: string;
          approver_role?: string;
          status?: "pending" | "approved" | "rejected";
          decision_at?: string | null;
          notes?: string;
          created_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: "approvals_task_id_fkey";
            columns: ["task_id"];
            isOneToOne: false;
            referencedRelation: "tasks";
            referencedColumns: ["id"];
          },
        ];
      };
      /** What happened, in the transaction in which it happened; rows are added, never changed, and deleted by purge_audit_events only */
      audit_events: {
        Row: {
          id: string;
          /** What happened, for example task_routed, approval_rejected, session_active */
          event_type: string;
          /** The role that did it, or that is asked; client for a session of a client alone, system where no role stands behind it */
          role: string;
          /** The time of the transaction; events of one transaction are in the order of their ids */
          timestamp: string;
          /** The trail: the trace_id of the task; a task without one, and a session without a task, is its own */
          trace_id: string;
          /** The ids and facts of the event, a JSON object; session_user in it is the database role that was logged in, written by the function that records */
          metadata: Json;
        };
        Insert: {
          id?: string;
          event_type: string;
          role: string;
          timestamp?: string;
          trace_id: string;
          metadata?: Json;
        };
        Update: {
          id?: string;
          event_type?: string;
          role?: string;
          timestamp?: string;
          trace_id?: string;
          metadata?: Json;
        };
        Relationships: [];
      };
      /** Answers of specialists to the requests of a collaboration */
      collaboration_outcomes: {
        Row: {
          id: string;
          collaboration_id: string;
          /** The agent that answered */
          specialist_agent: string;
          response: string;
          /** How sure the specialist is, from 0 to 1 */
          confidence: number;
          /** Tokens that the answer cost, when known */
          tokens_used: number | null;
          created_at: string;
        };
        Insert: {
          id?: string;
          collaboration_id: string;
          specialist_agent: string;
          response: string;
          confidence: number;
          tokens_used?: number | null;
          created_at?: string;
        };
        Update: {
          id?: string;
          collaboration_id?: string;
          specialist_agent?: string;
          response?: string;
          confidence?: number;
          tokens_used?: number | null;
          created_at?: string;
        };
        Relationships: [];
      };
      /** Questions of one agent to another; a collaboration may take several rounds */
      collaboration_requests: {
        Row: {
          id: string;
          /** What the requests and outcomes of one collaboration share */
          collaboration_id: string;
          request_type: "model_data" | "security_review" | "api_clarification" | "bug_debugging" | "requirements" | "infrastructure";
          requesting_agent: string;
          /** The agent that is asked */
          specialist_agent: string;
          question: string;
          /** What the specialist needs to know to answer, a JSON object */
          context: Json;
          urgency: "low" | "medium" | "high" | "critical";
          created_at: string;
        };
        Insert: {
          id?: string;
          collaboration_id?: string;
          request_type: "model_data" | "security_review" | "api_clarification" | "bug_debugging" | "requirements" | "infrastructure";
          requesting_agent: string;
          specialist_agent: string;
          question: string;
          context?: Json;
          urgency?: "low" | "medium" | "high" | "critical";
          created_at?: string;
        };
        Update: {
          id?: string;
          collaboration_id?: string;
          request_type?: "model_data" | "security_review" | "api_clarification" | "bug_debugging" | "requirements" | "infrastructure";
          requesting_agent?: string;
          specialist_agent?: string;
          question?: string;
          context?: Json;
          urgency?: "low" | "medium" | "high" | "critical";
          created_at?: string;
        };
        Relationships: [];
      };
      /** Settings of the orchestrator; read them with configuration_value, list them with configuration_listing */
      configurations: {
        Row: {
          key: string;
          /** The value as text; it parses as value_type */
          value: string;
          value_type: "string" | "integer" | "float" | "boolean" | "json";
          description: string | null;
          /** Whether listings mask the value; it is stored as it is */
          is_secret: boolean;
          created_at: string;
          updated_at: string;
        };
        Insert: {
          key: string;
          value: string;
          value_type?: "string" | "integer" | "float" | "boolean" | "json";
          description?: string | null;
          is_secret?: boolean;
          created_at?: string;
          updated_at?: string;
        };
        Update: {
          key?: string;
          value?: string;
          value_type?: "string" | "integer" | "float" | "boolean" | "json";
          description?: string | null;
          is_secret?: boolean;
          created_at?: string;
          updated_at?: string;
        };
        Relationships: [];
      };
      /** The inventory of the code base: every file with its layer, its workflows and how far its audit is */
      file_audit: {
        Row: {
          id: number;
          /** Four digits; the first tells the layer */
          file_number: string;
          file_path: string;
          file_name: string;
          /** 1 Models and enums, 2 Schemas, 3 Routers, 4 Services, 5 Configuration, 6 UI, 7 Testing */
          layer_number: number;
          layer_name: string;
          /** NOVEL serves one workflow, SHARED several, SYSTEM none of its own */
          status: "NOVEL" | "SHARED" | "SYSTEM";
          /** The workflows the file serves, WF1 to WF7; empty for what belongs to none */
          workflows: (string | null)[];
          has_technical_debt: boolean;
          /** What the debt is */
          technical_debt: string | null;
          jira_tickets: (string | null)[];
          audit_status: "NOT_STARTED" | "IN_PROGRESS" | "COMPLETED";
          /** When the file was last audited */
          audit_date: string | null;
          audited_by: string | null;
          notes: string | null;
          created_at: string;
          updated_at: string;
          /** How far the file is migrated */
          v7_workflow_status: "pending_assessment" | "assessed" | "designed" | "approved" | "implementing" | "testing" | "migrated" | "retired";
          /** Its name after the migration: WF[1-7]_V7_L[1-7]_<n>of<m>_<Name>.py */
          v7_target_name: string | null;
          /** The enum types that the file uses */
          v7_database_enums: Json;
          /** Which of them becomes which, and how their values map */
          v7_enum_mappings: Json;
          /** What this file needs */
          v7_dependencies: (string | null)[] | null;
          /** What needs this file */
          v7_dependents: (string | null)[] | null;
          /** How much breaks when it breaks, 1 to 10 */
          v7_impact_score: number | null;
          v7_review_status: string | null;
          v7_reviewed_by: (string | null)[] | null;
          v7_implementation_status: string | null;
          v7_test_status: string | null;
          /** The day on which the old file was retired */
          v7_retirement_date: string | null;
        };
        Insert: {
          id?: number;
          file_number: string;
          file_path: string;
          file_name: string;
          layer_number: number;
          layer_name: string;
          status: "NOVEL" | "SHARED" | "SYSTEM";
          workflows?: (string | null)[];
          has_technical_debt?: boolean;
          technical_debt?: string | null;
          jira_tickets?: (string | null)[];
          audit_status?: "NOT_STARTED" | "IN_PROGRESS" | "COMPLETED";
          audit_date?: string | null;
          audited_by?: string | null;
          notes?: string | null;
          created_at?: string;
          updated_at?: string;
          v7_workflow_status?: "pending_assessment" | "assessed" | "designed" | "approved" | "implementing" | "testing" | "migrated" | "retired";
          v7_target_name?: string | null;
          v7_database_enums?: Json;
          v7_enum_mappings?: Json;
          v7_dependencies?: (string | null)[] | null;
          v7_dependents?: (string | null)[] | null;
          v7_impact_score?: number | null;
          v7_review_status?: string | null;
          v7_reviewed_by?: (string | null)[] | null;
          v7_implementation_status?: string | null;
          v7_test_status?: string | null;
          v7_retirement_date?: string | null;
        };
        Update: {
          id?: number;
          file_number?: string;
          file_path?: string;
          file_name?: string;
          layer_number?: number;
          layer_name?: string;
          status?: "NOVEL" | "SHARED" | "SYSTEM";
          workflows?: (string | null)[];
          has_technical_debt?: boolean;
          technical_debt?: string | null;
          jira_tickets?: (string | null)[];
          audit_status?: "NOT_STARTED" | "IN_PROGRESS" | "COMPLETED";
          audit_date?: string | null;
          audited_by?: string | null;
          notes?: string | null;
          created_at?: string;
          updated_at?: string;
          v7_workflow_status?: "pending_assessment" | "assessed" | "designed" | "approved" | "implementing" | "testing" | "migrated" | "retired";
          v7_target_name?: string | null;
          v7_database_enums?: Json;
          v7_enum_mappings?: Json;
          v7_dependencies?: (string | null)[] | null;
          v7_dependents?: (string | null)[] | null;
          v7_impact_score?: number | null;
          v7_review_status?: string | null;
          v7_reviewed_by?: (string | null)[] | null;
          v7_implementation_status?: string | null;
          v7_test_status?: string | null;
          v7_retirement_date?: string | null;
        };
        Relationships: [];
      };
      /** What the old columns of file_audit held when the V7 columns were added, one row per file that was there; deleting a row accepts what was changed since */
      file_audit_baseline: {
        Row: {
          id: number;
          file_number: string;
          file_path: string;
          file_name: string;
          layer_number: number;
          layer_name: string;
          status: string;
          workflows: (string | null)[];
          has_technical_debt: boolean;
          technical_debt: string | null;
          jira_tickets: (string | null)[];
          audit_status: string;
          audit_date: string | null;
          audited_by: string | null;
          notes: string | null;
          created_at: string;
        };
        Insert: {
          id: number;
          file_number: string;
          file_path: string;
          file_name: string;
          layer_number: number;
          layer_name: string;
          status: string;
          workflows: (string | null)[];
          has_technical_debt: boolean;
          technical_debt?: string | null;
          jira_tickets: (string | null)[];
          audit_status: string;
          audit_date?: string | null;
          audited_by?: string | null;
          notes?: string | null;
          created_at: string;
        };
        Update: {
          id?: number;
          file_number?: string;
          file_path?: string;
          file_name?: string;
          layer_number?: number;
          layer_name?: string;
          status?: string;
          workflows?: (string | null)[];
          has_technical_debt?: boolean;
          technical_debt?: string | null;
          jira_tickets?: (string | null)[];
          audit_status?: string;
          audit_date?: string | null;
          audited_by?: string | null;
          notes?: string | null;
          created_at?: string;
        };
        Relationships: [];
      };
      /** Approval gates: what an agent waits for, and what a human decided about it */
      gates: {
        Row: {
          id: string;
          /** The project, which is kept elsewhere */
          project_id: string;
          /** The agent that waits */
          agent_id: string;
          /** What stopped the agent: loop_detected, high_risk, collaboration_deadlock or manual */
          gate_type: "loop_detected" | "high_risk" | "collaboration_deadlock" | "manual";
          /** Why a human has to decide */
          reason: string;
          /** What the human needs to know to decide, a JSON object */
          context: Json;
          status: "pending" | "approved" | "denied";
          created_at: string;
          resolved_at: string | null;
          resolved_by: string | null;
          /** What the human told the agent; a denial has one */
          feedback: string | null;
        };
        Insert: {
          id?: string;
          project_id: string;
          agent_id: string;
          gate_type: "loop_detected" | "high_risk" | "collaboration_deadlock" | "manual";
          reason: string;
          context?: Json;
          status?: "pending" | "approved" | "denied";
          created_at?: string;
          resolved_at?: string | null;
          resolved_by?: string | null;
          feedback?: string | null;
        };
        Update: {
          id?: string;
          project_id?: string;
          agent_id?: string;
          gate_type?: "loop_detected" | "high_risk" | "collaboration_deadlock" | "manual";
          reason?: string;
          context?: Json;
          status?: "pending" | "approved" | "denied";
          created_at?: string;
          resolved_at?: string | null;
          resolved_by?: string | null;
          feedback?: string | null;
        };
        Relationships: [];
      };
      /** What a human is asked about a run, and what the human decided; a run may have several reviews */
      human_review_queue: {
        Row: {
          id: string;
          /** The run it is about; follows when the run's thread_id changes, also in a resolved review */
          thread_id: string;
          /** What it is about: safety, gate_override or budget_exceeded */
          review_type: "safety" | "gate_override" | "budget_exceeded";
          /** Why a human has to decide */
          reason: string;
          /** The score that led to it, from 0 to 1; a lower one that comes while it is pending takes its place */
          safety_score: number | null;
          /** What the human needs to know to decide, a JSON object */
          context: Json;
          status: "pending" | "approved" | "rejected";
          resolved_by: string | null;
          resolved_at: string | null;
          /** What the human said about the decision; a rejection has some */
          resolution_notes: string | null;
          created_at: string;
        };
        Insert: {
          id?: string;
          thread_id: string;
          review_type: "safety" | "gate_override" | "budget_exceeded";
          reason: string;
          safety_score?: number | null;
          context?: Json;
          status?: "pending" | "approved" | "rejected";
          resolved_by?: string | null;
          resolved_at?: string | null;
          resolution_notes?: string | null;
          created_at?: string;
        };
        Update: {
          id?: string;
          thread_id?: string;
          review_type?: "safety" | "gate_override" | "budget_exceeded";
          reason?: string;
          safety_score?: number | null;
          context?: Json;
          status?: "pending" | "approved" | "rejected";
          resolved_by?: string | null;
          resolved_at?: string | null;
          resolution_notes?: string | null;
          created_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: "human_review_queue_thread_id_fkey";
            columns: ["thread_id"];
            isOneToOne: false;
            referencedRelation: "orchestrator_runs";
            referencedColumns: ["thread_id"];
          },
        ];
      };
      /** What was learned and waits to be embedded for retrieval, and what has been */
      knowledge_staging: {
        Row: {
          id: string;
          knowledge_type: "failure_solution" | "gate_rejection" | "gate_approval" | "collaboration";
          /** The text to embed */
          content: string;
          /** What retrieval filters by: project_id (uuid), agent_type, task_type, technology (text), success_verified (boolean), and whatever else */
          metadata: Json;
          /** Whether the embedding has been stored, elsewhere */
          embedded: boolean;
          created_at: string;
          embedded_at: string | null;
        };
        Insert: {
          id?: string;
          knowledge_type: "failure_solution" | "gate_rejection" | "gate_approval" | "collaboration";
          content: string;
          metadata?: Json;
          embedded?: boolean;
          created_at?: string;
          embedded_at?: string | null;
        };
        Update: {
          id?: string;
          knowledge_type?: "failure_solution" | "gate_rejection" | "gate_approval" | "collaboration";
          content?: string;
          metadata?: Json;
          embedded?: boolean;
          created_at?: string;
          embedded_at?: string | null;
        };
        Relationships: [];
      };
      /** What language models cost, each price from a day on until the next price of the model */
      llm_pricing: {
        Row: {
          id: string;
          model: string;
          /** USD per million input tokens */
          input_cost_per_million: number;
          /** USD per million output tokens */
          output_cost_per_million: number;
          /** The first UTC day on which calls cost that much */
          effective_date: string;
          /** Whether the model is still offered; what calls of it cost does not depend on it */
          status: "active" | "deprecated";
          notes: string | null;
          created_at: string;
          updated_at: string;
          updated_by: string | null;
        };
        Insert: {
          id?: string;
          model: string;
          input_cost_per_million: number;
          output_cost_per_million: number;
          effective_date?: string;
          status?: "active" | "deprecated";
          notes?: string | null;
          created_at?: string;
          updated_at?: string;
          updated_by?: string | null;
        };
        Update: {
          id?: string;
          model?: string;
          input_cost_per_million?: number;
          output_cost_per_million?: number;
          effective_date?: string;
          status?: "active" | "deprecated";
          notes?: string | null;
          created_at?: string;
          updated_at?: string;
          updated_by?: string | null;
        };
        Relationships: [];
      };
      /** Calls of language models with the tokens that each took; what they cost is computed when it is read */
      llm_token_usage: {
        Row: {
          id: string;
          /** When the model was called */
          timestamp: string;
          /** The project it was called for; NULL for none */
          project_id: string | null;
          /** The agent that called it; NULL for none */
          agent_id: string | null;
          /** The model by the name under which llm_pricing prices it */
          model: string;
          input_tokens: number;
          output_tokens: number;
          /** When the row was written */
          created_at: string;
        };
        Insert: {
          id?: string;
          timestamp?: string;
          project_id?: string | null;
          agent_id?: string | null;
          model: string;
          input_tokens: number;
          output_tokens: number;
          created_at?: string;
        };
        Update: {
          id?: string;
          timestamp?: string;
          project_id?: string | null;
          agent_id?: string | null;
          model?: string;
          input_tokens?: number;
          output_tokens?: number;
          created_at?: string;
        };
        Relationships: [];
      };
      /** When a task was handed over to the external tracker, and whether it was changed since; kept by triggers of v7_subworkflow_tasks */
      migration_hand_overs: {
        Row: {
          task_id: string;
          dart_task_id: string;
          /** When dart_task_id or dart_task_url was last written */
          handed_over_at: string;
          /** When the task was first changed after that; NULL while the tracker has it as it is */
          changed_at: string | null;
        };
        Insert: {
          task_id: string;
          dart_task_id: string;
          handed_over_at?: string;
          changed_at?: string | null;
        };
        Update: {
          task_id?: string;
          dart_task_id?: string;
          handed_over_at?: string;
          changed_at?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "migration_hand_overs_task_id_fkey";
            columns: ["task_id"];
            isOneToOne: true;
            referencedRelation: "v7_subworkflow_tasks";
            referencedColumns: ["id"];
          },
        ];
      };
      /** Who signed what before a phase starts and after it is done; v7_missing_sign_offs tells what is still to be signed */
      migration_sign_offs: {
        Row: {
          id: string;
          phase_number: number;
          /** before the phase starts, or after its work is done */
          stage: "before" | "after";
          /** What is signed: a persona's consent, or a fact */
          item: string;
          signed_by: string;
          signed_at: string;
          /** The only column that can be changed afterwards */
          notes: string | null;
        };
        Insert: {
          id?: string;
          phase_number: number;
          stage: "before" | "after";
          item: string;
          signed_by: string;
          signed_at?: string;
          notes?: string | null;
        };
        Update: {
          id?: string;
          phase_number?: number;
          stage?: "before" | "after";
          item?: string;
          signed_by?: string;
          signed_at?: string;
          notes?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "migration_sign_offs_phase_number_fkey";
            columns: ["phase_number"];
            isOneToOne: false;
            referencedRelation: "v7_migration_workflow";
            referencedColumns: ["phase_number"];
          },
        ];
      };
      /** Runs of the orchestrator, one per thread: how far each is, what it used, and whether it may go on */
      orchestrator_runs: {
        Row: {
          id: string;
          /** The orchestrator's own name of the run; every function finds it by this */
          thread_id: string;
          /** The project, which is kept elsewhere */
          project_id: string;
          /** The story it works on, which is kept elsewhere */
          story_id: string;
          /** planning, development or testing; complete and failed are its ends */
          phase: "planning" | "development" | "testing" | "complete" | "failed";
          /** The agent at work, for example cto, pm, dev, qa or supervisor */
          current_agent: string | null;
          /** Whether it may go on: pending, go, hold, recycle; kill is the end */
          gate_status: "pending" | "go" | "hold" | "kill" | "recycle";
          /** The lowest score seen, from 0 to 1, rounded down */
          safety_score: number;
          /** What the scorers found, in the order in which they told it */
          violations: string[];
          /** Whether a human has to look at it */
          requires_human_review: boolean;
          /** Sum of what its agents reported */
          tokens_used: number;
          /** Sum of what its agents reported, in USD */
          cost_usd: number;
          started_at: string;
          /** When it became complete or failed */
          completed_at: string | null;
          updated_at: string;
          /** What its agents created, in the order in which they told it */
          files_created: string[];
          /** What went wrong; of a run that was killed, why */
          error: string | null;
        };
        Insert: {
          id?: string;
          thread_id: string;
          project_id: string;
          story_id: string;
          phase?: "planning" | "development" | "testing" | "complete" | "failed";
          current_agent?: string | null;
          gate_status?: "pending" | "go" | "hold" | "kill" | "recycle";
          safety_score?: number;
          violations?: string[];
          requires_human_review?: boolean;
          tokens_used?: number;
          cost_usd?: number;
          started_at?: string;
          completed_at?: string | null;
          updated_at?: string;
          files_created?: string[];
          error?: string | null;
        };
        Update: {
          id?: string;
          thread_id?: string;
          project_id?: string;
          story_id?: string;
          phase?: "planning" | "development" | "testing" | "complete" | "failed";
          current_agent?: string | null;
          gate_status?: "pending" | "go" | "hold" | "kill" | "recycle";
          safety_score?: number;
          violations?: string[];
          requires_human_review?: boolean;
          tokens_used?: number;
          cost_usd?: number;
          started_at?: string;
          completed_at?: string | null;
          updated_at?: string;
          files_created?: string[];
          error?: string | null;
        };
        Relationships: [];
      };
      /** Published prompts; what is published never changes, a correction is a new version */
      prompts: {
        Row: {
          id: string;
          /** The kind of agent that works with the prompt */
          agent_type: string;
          /** major.minor.patch, unique per agent type */
          version: string;
          prompt_text: string;
          /** Whether agents of the type work with this version; true for one version at most */
          is_active: boolean;
          created_at: string;
          created_by: string | null;
          notes: string | null;
        };
        Insert: {
          id?: string;
          agent_type: string;
          version: string;
          prompt_text: string;
          is_active?: boolean;
          created_at?: string;
          created_by?: string | null;
          notes?: string | null;
        };
        Update: {
          id?: string;
          agent_type?: string;
          version?: string;
          prompt_text?: string;
          is_active?: boolean;
          created_at?: string;
          created_by?: string | null;
          notes?: string | null;
        };
        Relationships: [];
      };
      /** What the database looked like at one moment; orchestrator.capture_snapshot writes, orchestrator.compare_snapshots compares */
      schema_snapshots: {
        Row: {
          id: string;
          /** What people call the moment, for example before V7 */
          label: string;
          taken_at: string;
          taken_by: string;
          /** Definitions by kind and name: tables, columns, types, enums, constraints, indexes, views, triggers, functions; and how much was left out because the caller may not see it */
          catalog: Json;
          /** Rows (as the statistics know them), bytes and scans of tables and indexes, totals of the database, and under scope the schemas that were asked for, null for all */
          metrics: Json;
          /** SHA-256 of the catalog, in hexadecimal; equal for equal schemas */
          fingerprint: string;
        };
        Insert: {
          id?: string;
          label: string;
          taken_at?: string;
          taken_by?: string;
          catalog: Json;
          metrics: Json;
          fingerprint: string;
        };
        Update: {
          id?: string;
          label?: string;
          taken_at?: string;
          taken_by?: string;
          catalog?: Json;
          metrics?: Json;
          fingerprint?: string;
        };
        Relationships: [];
      };
      /** Work of a role or of a client, and the client connection that carries it */
      sessions: {
        Row: {
          id: string;
          /** Who is connected; one client may have several sessions, that of a role may have none */
          client_id: string | null;
          user_id: string | null;
          connection_type: "websocket" | "http" | "grpc";
          /** Whether a client is attached; status says where the work stands */
          is_active: boolean;
          metadata: Json;
          created_at: string;
          updated_at: string;
          /** When the client was last heard of */
          last_heartbeat: string;
          /** The role whose work it is, for example finance or manager */
          role: string | null;
          /** The task that is worked on */
          task_id: string | null;
          /** Where the work stands; is_active says whether a client is attached */
          status: "pending" | "active" | "completed" | "failed" | "expired";
        };
        Insert: {
          id?: string;
          client_id?: string | null;
          user_id?: string | null;
          connection_type?: "websocket" | "http" | "grpc";
          is_active?: boolean;
          metadata?: Json;
          created_at?: string;
          updated_at?: string;
          last_heartbeat?: string;
          role?: string | null;
          task_id?: string | null;
          status?: "pending" | "active" | "completed" | "failed" | "expired";
        };
        Update: {
          id?: string;
          client_id?: string | null;
          user_id?: string | null;
          connection_type?: "websocket" | "http" | "grpc";
          is_active?: boolean;
          metadata?: Json;
          created_at?: string;
          updated_at?: string;
          last_heartbeat?: string;
          role?: string | null;
          task_id?: string | null;
          status?: "pending" | "active" | "completed" | "failed" | "expired";
        };
        Relationships: [
          {
            foreignKeyName: "sessions_task_id_fkey";
            columns: ["task_id"];
            isOneToOne: false;
            referencedRelation: "tasks";
            referencedColumns: ["id"];
          },
        ];
      };
      /** Units of work, from the moment they are wanted until they end */
      tasks: {
        Row: {
          id: string;
          /** What people call it; may be blank on a routed task, which has its description */
          title: string;
          description: string | null;
          /** What kind of work; free text, for example tool, script, validation */
          task_type: string;
          status: "pending" | "running" | "completed" | "failed" | "cancelled";
          /** What the worker needs to know to do it, a JSON object */
          config: Json;
          /** Whatever else the caller wants to keep with it */
          metadata: Json;
          /** The directory in which the work happens */
          workspace_path: string | null;
          created_at: string;
          updated_at: string;
          /** When it last began to run */
          started_at: string | null;
          /** When it ended, however it ended */
          completed_at: string | null;
          /** Why it failed */
          error: string | null;
          /** The role that routed it; set exactly on routed tasks */
          from_role: string | null;
          /** The role that is to do it */
          to_role: string | null;
          /** What the role needs to do it, a JSON object */
          data: Json;
          /** The trail that it belongs to; audit_events of the same trace_id tell it */
          trace_id: string | null;
          /** The caller's key: routing twice with it makes one task; NULL once it was released */
          idempotency_key: string | null;
        };
        Insert: {
          id?: string;
          title?: string;
          description?: string | null;
          task_type: string;
          status?: "pending" | "running" | "completed" | "failed" | "cancelled";
          config?: Json;
          metadata?: Json;
          workspace_path?: string | null;
          created_at?: string;
          updated_at?: string;
          started_at?: string | null;
          completed_at?: string | null;
          error?: string | null;
          from_role?: string | null;
          to_role?: string | null;
          data?: Json;
          trace_id?: string | null;
          idempotency_key?: string | null;
        };
        Update: {
          id?: string;
          title?: string;
          description?: string | null;
          task_type?: string;
          status?: "pending" | "running" | "completed" | "failed" | "cancelled";
          config?: Json;
          metadata?: Json;
          workspace_path?: string | null;
          created_at?: string;
          updated_at?: string;
          started_at?: string | null;
          completed_at?: string | null;
          error?: string | null;
          from_role?: string | null;
          to_role?: string | null;
          data?: Json;
          trace_id?: string | null;
          idempotency_key?: string | null;
        };
        Relationships: [];
      };
      /** The audit log of tools: every call a task made, and how it ended */
      tool_executions: {
        Row: {
          id: string;
          task_id: string;
          tool_name: string;
          /** What the tool was called with */
          arguments: Json;
          /** What the tool answered */
          output: string | null;
          status: "pending" | "running" | "completed" | "failed" | "timeout";
          error: string | null;
          created_at: string;
          /** When it ended, however it ended */
          completed_at: string | null;
          /** Milliseconds from created_at to completed_at */
          duration_ms: number | null;
        };
        Insert: {
          id?: string;
          task_id: string;
          tool_name: string;
          arguments?: Json;
          output?: string | null;
          status?: "pending" | "running" | "completed" | "failed" | "timeout";
          error?: string | null;
          created_at?: string;
          completed_at?: string | null;
          duration_ms?: number | null;
        };
        Update: {
          id?: string;
          task_id?: string;
          tool_name?: string;
          arguments?: Json;
          output?: string | null;
          status?: "pending" | "running" | "completed" | "failed" | "timeout";
          error?: string | null;
          created_at?: string;
          completed_at?: string | null;
          duration_ms?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: "tool_executions_task_id_fkey";
            columns: ["task_id"];
            isOneToOne: false;
            referencedRelation: "tasks";
            referencedColumns: ["id"];
          },
        ];
      };
      /** Enum types that are to become one: each row replaces one type by another, reversibly */
      v7_enum_migrations: {
        Row: {
          id: string;
          /** The type to replace, as schema.name */
          current_enum_name: string;
          current_enum_values: (string | null)[];
          /** The type that replaces it */
          v7_enum_name: string;
          v7_enum_values: (string | null)[];
          /** Types that become the same one */
          consolidates_with: (string | null)[];
          affected_tables: (string | null)[];
          /** For each table the columns that use the type, a JSON object of arrays */
          affected_columns: Json;
          migration_script: string | null;
          /** How it is taken back; needed from approval on */
          rollback_script: string | null;
          status: "proposed" | "approved" | "implemented" | "validated" | "retired" | "rolled_back";
          risk_level: "low" | "medium" | "high" | "critical";
          approved_by: string | null;
          implemented_at: string | null;
          validated_at: string | null;
          retired_at: string | null;
          created_at: string;
          updated_at: string;
        };
        Insert: {
          id?: string;
          current_enum_name: string;
          current_enum_values: (string | null)[];
          v7_enum_name: string;
          v7_enum_values: (string | null)[];
          consolidates_with?: (string | null)[];
          affected_tables?: (string | null)[];
          affected_columns?: Json;
          migration_script?: string | null;
          rollback_script?: string | null;
          status?: "proposed" | "approved" | "implemented" | "validated" | "retired" | "rolled_back";
          risk_level?: "low" | "medium" | "high" | "critical";
          approved_by?: string | null;
          implemented_at?: string | null;
          validated_at?: string | null;
          retired_at?: string | null;
          created_at?: string;
          updated_at?: string;
        };
        Update: {
          id?: string;
          current_enum_name?: string;
          current_enum_values?: (string | null)[];
          v7_enum_name?: string;
          v7_enum_values?: (string | null)[];
          consolidates_with?: (string | null)[];
          affected_tables?: (string | null)[];
          affected_columns?: Json;
          migration_script?: string | null;
          rollback_script?: string | null;
          status?: "proposed" | "approved" | "implemented" | "validated" | "retired" | "rolled_back";
          risk_level?: "low" | "medium" | "high" | "critical";
          approved_by?: string | null;
          implemented_at?: string | null;
          validated_at?: string | null;
          retired_at?: string | null;
          created_at?: string;
          updated_at?: string;
        };
        Relationships: [];
      };
      /** Changes that reach beyond one file: what they touch, how risky they are, and whether they are approved */
      v7_global_impacts: {
        Row: {
          id: string;
          change_type: "enum" | "file" | "api" | "schema" | "config" | "dependency";
          change_detail: Json;
          /** WF1 to WF7 */
          affected_workflows: (string | null)[];
          /** 1 to 7, as in file_audit.layer_number */
          affected_layers: (number | null)[];
          impact_description: string;
          risk_assessment: "low" | "medium" | "high" | "critical";
          /** What is done about the risk; high and critical ones need it before they are approved */
          mitigation_strategy: string | null;
          reviewed_by_personas: (string | null)[];
          /** An impact is open until it is implemented or rejected */
          approval_status: "pending" | "reviewing" | "approved" | "rejected" | "implemented";
          implementation_notes: string | null;
          created_at: string;
          updated_at: string;
        };
        Insert: {
          id?: string;
          change_type: "enum" | "file" | "api" | "schema" | "config" | "dependency";
          change_detail: Json;
          affected_workflows: (string | null)[];
          affected_layers: (number | null)[];
          impact_description: string;
          risk_assessment: "low" | "medium" | "high" | "critical";
          mitigation_strategy?: string | null;
          reviewed_by_personas?: (string | null)[];
          approval_status?: "pending" | "reviewing" | "approved" | "rejected" | "implemented";
          implementation_notes?: string | null;
          created_at?: string;
          updated_at?: string;
        };
        Update: {
          id?: string;
          change_type?: "enum" | "file" | "api" | "schema" | "config" | "dependency";
          change_detail?: Json;
          affected_workflows?: (string | null)[];
          affected_layers?: (number | null)[];
          impact_description?: string;
          risk_assessment?: "low" | "medium" | "high" | "critical";
          mitigation_strategy?: string | null;
          reviewed_by_personas?: (string | null)[];
          approval_status?: "pending" | "reviewing" | "approved" | "rejected" | "implemented";
          implementation_notes?: string | null;
          created_at?: string;
          updated_at?: string;
        };
        Relationships: [];
      };
      /** The phases of the migration, one row each: where it stands, who leads it, who approved it */
      v7_migration_workflow: {
        Row: {
          id: string;
          phase_number: number;
          phase_name: string;
          status: "not_started" | "in_progress" | "review" | "approved" | "completed" | "blocked" | "rolled_back";
          /** Who answers for the phase */
          lead_persona: string;
          started_at: string | null;
          completed_at: string | null;
          /** Of the present run of the phase; the phase after it waits for approved */
          approval_status: "pending" | "approved" | "rejected";
          approved_by: string | null;
          /** The approval in writing, and why earlier ones ended */
          approval_notes: string | null;
          /** What the phase delivered for its review, a JSON array */
          deliverables: Json;
          /** What holds it up, a JSON array */
          blockers: Json;
          created_at: string;
          updated_at: string;
        };
        Insert: {
          id?: string;
          phase_number: number;
          phase_name: string;
          status?: "not_started" | "in_progress" | "review" | "approved" | "completed" | "blocked" | "rolled_back";
          lead_persona: string;
          started_at?: string | null;
          completed_at?: string | null;
          approval_status?: "pending" | "approved" | "rejected";
          approved_by?: string | null;
          approval_notes?: string | null;
          deliverables?: Json;
          blockers?: Json;
          created_at?: string;
          updated_at?: string;
        };
        Update: {
          id?: string;
          phase_number?: number;
          phase_name?: string;
          status?: "not_started" | "in_progress" | "review" | "approved" | "completed" | "blocked" | "rolled_back";
          lead_persona?: string;
          started_at?: string | null;
          completed_at?: string | null;
          approval_status?: "pending" | "approved" | "rejected";
          approved_by?: string | null;
          approval_notes?: string | null;
          deliverables?: Json;
          blockers?: Json;
          created_at?: string;
          updated_at?: string;
        };
        Relationships: [];
      };
      /** The tasks of each phase, as they are handed to the external tracker */
      v7_subworkflow_tasks: {
        Row: {
          id: string;
          parent_phase: number;
          task_number: number;
          task_name: string;
          responsible_persona: string;
          status: "pending" | "in_progress" | "blocked" | "review" | "completed" | "cancelled" | "deferred";
          /** The task's id in the external tracker, once it is there */
          dart_task_id: string | null;
          dart_task_url: string | null;
          started_at: string | null;
          completed_at: string | null;
          blockers: (string | null)[];
          /** Tasks, by id, that must be completed before this one is ready */
          dependencies: (string | null)[];
          deliverable_urls: (string | null)[];
          notes: string | null;
          created_at: string;
          updated_at: string;
        };
        Insert: {
          id?: string;
          parent_phase: number;
          task_number: number;
          task_name: string;
          responsible_persona: string;
          status?: "pending" | "in_progress" | "blocked" | "review" | "completed" | "cancelled" | "deferred";
          dart_task_id?: string | null;
          dart_task_url?: string | null;
          started_at?: string | null;
          completed_at?: string | null;
          blockers?: (string | null)[];
          dependencies?: (string | null)[];
          deliverable_urls?: (string | null)[];
          notes?: string | null;
          created_at?: string;
          updated_at?: string;
        };
        Update: {
          id?: string;
          parent_phase?: number;
          task_number?: number;
          task_name?: string;
          responsible_persona?: string;
          status?: "pending" | "in_progress" | "blocked" | "review" | "completed" | "cancelled" | "deferred";
          dart_task_id?: string | null;
          dart_task_url?: string | null;
          started_at?: string | null;
          completed_at?: string | null;
          blockers?: (string | null)[];
          dependencies?: (string | null)[];
          deliverable_urls?: (string | null)[];
          notes?: string | null;
          created_at?: string;
          updated_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: "v7_subworkflow_tasks_parent_phase_fkey";
            columns: ["parent_phase"];
            isOneToOne: false;
            referencedRelation: "v7_migration_workflow";
            referencedColumns: ["phase_number"];
          },
        ];
      };
      /** What tests of the migrated code found, one row per run */
      v7_test_results: {
        Row: {
          id: string;
          test_type: "unit" | "integration" | "system" | "performance" | "regression" | "smoke";
          component_tested: string;
          v7_file_path: string | null;
          /** fail, error and timeout are failures; one is open until the same test of the same component passes */
          test_status: "pass" | "fail" | "skip" | "error" | "timeout";
          error_details: string | null;
          performance_metrics: Json;
          /** Whether what used the component before still works; NULL when that was not tested */
          backwards_compatible: boolean | null;
          tested_by: string | null;
          tested_at: string;
          retest_required: boolean;
          notes: string | null;
        };
        Insert: {
          id?: string;
          test_type: "unit" | "integration" | "system" | "performance" | "regression" | "smoke";
          component_tested: string;
          v7_file_path?: string | null;
          test_status: "pass" | "fail" | "skip" | "error" | "timeout";
          error_details?: string | null;
          performance_metrics?: Json;
          backwards_compatible?: boolean | null;
          tested_by?: string | null;
          tested_at?: string;
          retest_required?: boolean;
          notes?: string | null;
        };
        Update: {
          id?: string;
          test_type?: "unit" | "integration" | "system" | "performance" | "regression" | "smoke";
          component_tested?: string;
          v7_file_path?: string | null;
          test_status?: "pass" | "fail" | "skip" | "error" | "timeout";
          error_details?: string | null;
          performance_metrics?: Json;
          backwards_compatible?: boolean | null;
          tested_by?: string | null;
          tested_at?: string;
          retest_required?: boolean;
          notes?: string | null;
        };
        Relationships: [];
      };
      /** The tasks of each workflow; a task stands in a workflow at most once */
      workflow_tasks: {
        Row: {
          workflow_id: string;
          task_id: string;
          /** Place in the order of the workflow, from 0; tasks that share one may run side by side */
          sequence: number;
          created_at: string;
        };
        Insert: {
          workflow_id: string;
          task_id: string;
          sequence?: number;
          created_at?: string;
        };
        Update: {
          workflow_id?: string;
          task_id?: string;
          sequence?: number;
          created_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: "workflow_tasks_task_id_fkey";
            columns: ["task_id"];
            isOneToOne: false;
            referencedRelation: "tasks";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "workflow_tasks_workflow_id_fkey";
            columns: ["workflow_id"];
            isOneToOne: false;
            referencedRelation: "workflows";
            referencedColumns: ["id"];
          },
        ];
      };
      /** Definitions of work in several tasks; the tasks of one stand in workflow_tasks */
      workflows: {
        Row: {
          id: string;
          /** What people call it; several definitions may share a name */
          name: string;
          description: string | null;
          /** Nodes and edges as the orchestrator reads them, a JSON object */
          definition: Json;
          status: "draft" | "active" | "archived" | "paused";
          created_at: string;
          updated_at: string;
        };
        Insert: {
          id?: string;
          name: string;
          description?: string | null;
          definition: Json;
          status?: "draft" | "active" | "archived" | "paused";
          created_at?: string;
          updated_at?: string;
        };
        Update: {
          id?: string;
          name?: string;
          description?: string | null;
          definition?: Json;
          status?: "draft" | "active" | "archived" | "paused";
          created_at?: string;
          updated_at?: string;
        };
        Relationships: [];
      };
    };
    Views: {
      /** Sessions at work, the one that moved last first */
      active_sessions: {
        Row: {
          id: string | null;
          role: string | null;
          task_id: string | null;
          created_at: string | null;
          updated_at: string | null;
        };
        Relationships: [];
      };
      /** Every collaboration: its first question with agents and urgency, how many requests and outcomes, and whether the last request has been answered */
      collaboration_status: {
        Row: {
          collaboration_id: string | null;
          question: string | null;
          requesting_agent: string | null;
          specialist_agent: string | null;
          urgency: string | null;
          requests: number | null;
          outcomes: number | null;
          best_confidence: number | null;
          /** Tokens of all answers that told theirs */
          tokens_used: number | null;
          opened_at: string | null;
          last_request_at: string | null;
          last_answer_at: string | null;
          /** answered when nothing was asked since the last answer, else open */
          status: string | null;
        };
        Relationships: [];
      };
      /** Every setting, the values of secrets masked */
      configuration_listing: {
        Row: {
          key: string | null;
          value: string | null;
          value_type: string | null;
          description: string | null;
          is_secret: boolean | null;
          created_at: string | null;
          updated_at: string | null;
        };
        Relationships: [];
      };
      /** Every enum type of the database outside system schemas that the caller may see, its labels in order, and the columns that use it */
      enum_usage: {
        Row: {
          schema_name: string | null;
          enum_name: string | null;
          labels: (string | null)[] | null;
          /** The columns of that type, of an array of it or of a domain over it, as schema.table.column */
          used_by: (string | null)[] | null;
          use_count: number | null;
          /** How many more columns use it in tables that the caller may not see */
          hidden_uses: number | null;
        };
        Relationships: [];
      };
      /** What each project, agent and model cost on each UTC day */
      llm_cost_by_day: {
        Row: {
          day: string | null;
          project_id: string | null;
          agent_id: string | null;
          model: string | null;
          calls: number | null;
          input_tokens: number | null;
          output_tokens: number | null;
          tokens: number | null;
          /** USD, exact; NULL when the model had no price on that day */
          cost: number | null;
          /** Calls that no price covers: all of the line, or none */
          unpriced_calls: number | null;
        };
        Relationships: [];
      };
      /** Every price with the UTC days on which it is in force */
      llm_price_periods: {
        Row: {
          model: string | null;
          /** The first UTC day */
          valid_from: string | null;
          /** The UTC day of the next price, no longer included; NULL when there is none yet */
          valid_until: string | null;
          input_cost_per_million: number | null;
          output_cost_per_million: number | null;
          price_id: string | null;
        };
        Relationships: [];
      };
      /** Every call with its cost by the price in force on its UTC day */
      llm_usage_costs: {
        Row: {
          id: string | null;
          timestamp: string | null;
          /** The UTC day of the call */
          day: string | null;
          project_id: string | null;
          agent_id: string | null;
          model: string | null;
          input_tokens: number | null;
          output_tokens: number | null;
          /** USD, exact; NULL when the model had no price on that day */
          cost: number | null;
          /** The price in llm_pricing; NULL when there was none */
          price_id: string | null;
        };
        Relationships: [];
      };
      /** What waits for a decision, the oldest first, with the task that it is about */
      pending_approvals: {
        Row: {
          id: string | null;
          task_id: string | null;
          approver_role: string | null;
          created_at: string | null;
          description: string | null;
          from_role: string | null;
          to_role: string | null;
        };
        Relationships: [];
      };
      /** Everything that waits for a human, the oldest first. The next page is WHERE (requested_at, id) > (those of the last row): for paging, never for polling, because what commits late has an earlier requested_at. To poll: LISTEN orchestrator_decisions, read all pending ones after each notification and connect, and keep the ids that were seen */
      pending_decisions: {
        Row: {
          /** review, gate or approval; decide() takes the id of any */
          kind: string | null;
          id: string | null;
          /** What it is about, in words */
          subject: string | null;
          /** What the one who asked wrote: the reason, or the notes, or else what the task is */
          asks: string | null;
          /** The project; an approval has none */
          project_id: string | null;
          /** The run of a review; of a gate the one that its context names */
          thread_id: string | null;
          requested_at: string | null;
          /** For how long */
          waiting: string | null;
        };
        Relationships: [];
      };
      /** Every prompt, per agent type the highest version first: 1.10.0 comes after 1.9.0 */
      prompt_history: {
        Row: {
          agent_type: string | null;
          version: string | null;
          is_active: boolean | null;
          created_at: string | null;
          created_by: string | null;
          notes: string | null;
          prompt_text: string | null;
          id: string | null;
        };
        Relationships: [];
      };
      /** Where each run stands, how many events its trail has, and how many reviews it waits for */
      run_summary: {
        Row: {
          thread_id: string | null;
          phase: string | null;
          current_agent: string | null;
          safety_score: number | null;
          gate_status: string | null;
          tokens_used: number | null;
          cost_usd: number | null;
          /** Audit events whose metadata names the thread */
          actions: number | null;
          pending_reviews: number | null;
        };
        Relationships: [];
      };
      /** Every foreign key between tables outside system schemas that the caller may see, with its place in the graph; capture_snapshot says how many tables the caller may not see */
      table_dependencies: {
        Row: {
          constraint_name: string | null;
          from_table: string | null;
          from_columns: (string | null)[] | null;
          to_table: string | null;
          to_columns: (string | null)[] | null;
          /** 1 for a key to a table that refers to nothing, else one more than the deepest key of the table it refers to; edges of a cycle count as none */
          depth: number | null;
          /** Whether the key is part of a circle of references; such tables cannot be loaded one after the other */
          in_cycle: boolean | null;
        };
        Relationships: [];
      };
      /** Models that were called on days on which they had no price, with those calls */
      unpriced_usage: {
        Row: {
          model: string | null;
          calls: number | null;
          input_tokens: number | null;
          output_tokens: number | null;
          tokens: number | null;
          first_call: string | null;
          last_call: string | null;
        };
        Relationships: [];
      };
      /** Per target enum, status and risk: which types it replaces and which tables that touches; the highest risk first */
      v7_enum_consolidation_status: {
        Row: {
          v7_enum_name: string | null;
          status: string | null;
          risk_level: string | null;
          source_count: number | null;
          sources: (string | null)[] | null;
          table_count: number | null;
          affected_tables: (string | null)[] | null;
        };
        Relationships: [];
      };
      /** Per layer: how far its workflow files are migrated. A workflow file is one that serves a workflow, whatever its path */
      v7_file_migration_readiness: {
        Row: {
          layer_number: number | null;
          layer_name: string | null;
          files: number | null;
          pending_assessment: number | null;
          assessed: number | null;
          designed: number | null;
          approved: number | null;
          implementing: number | null;
          testing: number | null;
          migrated: number | null;
          retired: number | null;
          average_impact: number | null;
          /** Files with an impact over 7 that are neither migrated nor retired */
          high_impact_not_migrated: number | null;
          /** Files without a target name, whose own name breaks the rule of V7 */
          names_breaking_rule: number | null;
          /** The highest risk among impacts on the layer that are neither implemented nor rejected */
          highest_open_risk: string | null;
        };
        Relationships: [];
      };
      /** One row per phase: where it stands, its tasks, what is unsigned, and the open test failures and impacts of its time; each of them on one row only */
      v7_migration_dashboard: {
        Row: {
          phase_number: number | null;
          phase_name: string | null;
          status: string | null;
          approval_status: string | null;
          lead_persona: string | null;
          total_tasks: number | null;
          completed_tasks: number | null;
          blocked_tasks: number | null;
          /** Completed of all tasks that are not cancelled; NULL when there is none */
          percent_done: number | null;
          /** Required sign-offs that nobody has given, with their stage */
          missing_sign_offs: (string | null)[] | null;
          /** Tests whose last result is fail, error or timeout, and was found in the time of the phase: from its start to the start of the next one */
          open_test_failures: number | null;
          days_in_phase: number | null;
          /** Impacts recorded in the time of the phase and neither implemented nor rejected */
          open_impacts: number | null;
          /** The highest risk among them, by rank: low, medium, high, critical */
          highest_open_risk: string | null;
        };
        Relationships: [];
      };
      /** Pending tasks of which every dependency is completed */
      v7_ready_tasks: {
        Row: {
          id: string | null;
          parent_phase: number | null;
          task_number: number | null;
          task_name: string | null;
          responsible_persona: string | null;
          dart_task_id: string | null;
          created_at: string | null;
        };
        Relationships: [];
      };
      /** Tasks that the external tracker does not have, or has in an older form. Writing dart_task_id or dart_task_url, the same value too, says that it has the task as it is */
      v7_unsynced_tasks: {
        Row: {
          id: string | null;
          parent_phase: number | null;
          task_number: number | null;
          task_name: string | null;
          responsible_persona: string | null;
          status: string | null;
          dart_task_id: string | null;
          dart_task_url: string | null;
          reason: string | null;
          handed_over_at: string | null;
          changed_at: string | null;
        };
        Relationships: [];
      };
    };
    Functions: {
      /** Every role that holds anything here: reader, worker, reviewer or admin; custom for privileges without a level */
      access: {
        Args: Record<PropertyKey, never>;
        Returns: { grantee: string; level: string }[];
      };
      /** Makes a published version the active one of its agent type, in place of the one before; the row */
      activate_prompt: {
        Args: {
          agent_type: string;
          version: string;
        };
        Returns: Database["orchestrator"]["Tables"]["prompts"]["Row"];
      };
      /** The text of the active prompt of an agent type; none is an error */
      active_prompt: {
        Args: {
          agent_type: string;
        };
        Returns: string;
      };
      /** The steps that a state machine allows: task, workflow, tool_execution, session, gate, approval, review, run_phase, run_gate, v7_phase, v7_file, v7_enum, v7_task or v7_impact */
      allowed_transitions: {
        Args: {
          machine: string;
        };
        Returns: { from_status: string; to_status: string }[];
      };
      /** Answers a collaboration; the id of the outcome */
      answer_collaboration: {
        Args: {
          collaboration_id: string;
          specialist_agent: string;
          response: string;
          confidence: number;
          tokens_used?: number;
        };
        Returns: string;
      };
      /** For down scripts: keeps the values of columns, with the key of their row, before they are dropped; the rows kept */
      archive_columns: {
        Args: {
          relation: string;
          columns: string[];
        };
        Returns: number;
      };
      /** For down scripts: keeps a table in schema orchestrator_archive and takes it out of the extension; the rows kept */
      archive_table: {
        Args: {
          relation: string;
        };
        Returns: number;
      };
      /** What downgrades kept in schema orchestrator_archive and no upgrade has brought back yet */
      archived: {
        Args: Record<PropertyKey, never>;
        Returns: { object: string; from_version: string; archived_at: string; rows: number }[];
      };
      /** For down scripts: locks every table that the downgrade needs, and stops it if a user's object depends on something that goes */
      begin_downgrade: {
        Args: {
          target: string;
        };
        Returns: undefined;
      };
      /** For up scripts: locks every table that the update needs */
      begin_upgrade: {
        Args: {
          target: string;
        };
        Returns: undefined;
      };
      /** Keeps what the database looks like now under a label that is new: definitions, sizes and use of all user schemas or of these; its id. A NOTICE says what the caller may not see */
      capture_snapshot: {
        Args: {
          label: string;
          schemas?: string[];
        };
        Returns: string;
      };
      /** The oldest knowledge that waits to be embedded and nobody else holds; it is the caller's until the transaction ends */
      claim_knowledge: {
        Args: {
          batch?: number;
        };
        Returns: { id: string; knowledge_type: string; content: string; metadata: Json }[];
      };
      /** What was added, removed or changed between two snapshots, given by label; no row when their schemas are equal */
      compare_snapshots: {
        Args: {
          before: string;
          after: string;
        };
        Returns: { object: string; change: string; was: string; now: string }[];
      };
      /** Compares two versions major.minor.patch: -1 when a comes before b, 0 when they are equal, 1 when a comes after b */
      compare_versions: {
        Args: {
          a: string;
          b: string;
        };
        Returns: number;
      };
      /** A configuration value as number, boolean, text or document; the fallback for an unknown key, else an error; a secret is an error to who may not read the table */
      configuration_value: {
        Args: {
          key: string;
          fallback?: Json;
        };
        Returns: Json;
      };
      /** Marks sessions without a heartbeat for that long as inactive; their ids */
      deactivate_stale_sessions: {
        Args: {
          silent_for?: string;
        };
        Returns: string[];
      };
      /** Decides whatever waits under that id by its own rules: approve or reject; its kind, id and status */
      decide: {
        Args: {
          decision_id: string;
          decision: string;
          decided_by: string;
          notes?: string;
        };
        Returns: { kind: string; id: string; status: string }[];
      };
      /** What a downgrade to that version would archive, drop or replace, and what would stop it; changes nothing */
      downgrade_plan: {
        Args: {
          target: string;
        };
        Returns: { step: string; object: string; action: string; rows: number }[];
      };
      /** What users added to the extension's tables and pg_dump would lose; an error row means that rows would be lost */
      dump_safety: {
        Args: Record<PropertyKey, never>;
        Returns: { object: string; kind: string; severity: string; consequence: string; hint: string }[];
      };
      /** Pairs of enum types that look like one: names that agree but for case, underscores and a trailing enum, or differ by one letter, or label sets of which at least that share is common */
      enum_duplicates: {
        Args: {
          minimum_similarity?: number;
        };
        Returns: { enum_a: string; enum_b: string; reason: string; similarity: number; only_in_a: string[]; only_in_b: string[] }[];
      };
      /** Expires pending and active sessions without heartbeat or update for that long, and records each; how many. The session of a task that is pending, running or waits for an approval is kept. NULL: configuration session_retention_days, else 7 days */
      expire_sessions: {
        Args: {
          retention?: string;
        };
        Returns: number;
      };
      /** SHA-256 of every live member and its definition; equal schemas have equal fingerprints, whatever path led there */
      fingerprint: {
        Args: Record<PropertyKey, never>;
        Returns: string;
      };
      /** Logs that a tool ended as completed, failed or timeout; the row. An execution ends once */
      finish_tool_execution: {
        Args: {
          execution_id: string;
          status: string;
          output?: string;
          error?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["tool_executions"]["Row"];
      };
      /** The text of a configuration value; an unknown key is an error, and so is a secret to who may not read the table */
      get_configuration: {
        Args: {
          key: string;
        };
        Returns: string;
      };
      /** Gives a role a level in place of the one it has, and what updates brought to it; how many privileges changed */
      grant_access: {
        Args: {
          grantee: string;
          level: string;
        };
        Returns: number;
      };
      /** What exists, or one table, view, function or state machine in full, with an example; lines of text */
      help: {
        Args: {
          topic?: string;
        };
        Returns: string[];
      };
      /** Whether a text is a value of that type: string, integer, float, boolean or json */
      is_valid_configuration: {
        Args: {
          value: string;
          value_type: string;
        };
        Returns: boolean;
      };
      /** JSON Schema (2020-12) of a row of a table or view of the schema, as to_jsonb gives it */
      json_schema: {
        Args: {
          table_name: string;
        };
        Returns: Json;
      };
      /** Ends a run as failed, with the reason as its error; the row */
      kill_run: {
        Args: {
          thread_id: string;
          reason: string;
        };
        Returns: Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
      };
      /** What a call costs in USD by the price in force on its UTC day, exact; NULL when there is no price */
      llm_cost: {
        Args: {
          model: string;
          input_tokens: number;
          output_tokens: number;
          at?: string;
        };
        Returns: number;
      };
      /** Adds the list price of eleven models from today (UTC) on, except of models that have a price; how many it added */
      load_default_prices: {
        Args: Record<PropertyKey, never>;
        Returns: number;
      };
      /** Every member that a version consists of, with its definition; NULL means the installed version */
      manifest: {
        Args: {
          version?: string;
        };
        Returns: Json;
      };
      /** Marks knowledge as embedded; how many of them were not before */
      mark_knowledge_embedded: {
        Args: {
          ids: string[];
        };
        Returns: number;
      };
      /** Moves a session by activate, complete, fail or expire, and records it; the row */
      move_session: {
        Args: {
          session_id: string;
          event: string;
        };
        Returns: Database["orchestrator"]["Tables"]["sessions"]["Row"];
      };
      /** The version that follows the highest one of an agent type by a major, minor or patch step; 1.0.0 when there is none */
      next_prompt_version: {
        Args: {
          agent_type: string;
          bump?: string;
        };
        Returns: string;
      };
      /** For down scripts: notes what the script wrote into columns that it has archived and that stay; the rows noted */
      note_filled_in: {
        Args: {
          relation: string;
          columns: string[];
        };
        Returns: number;
      };
      /** Stops an agent at a gate until a human decides; the id of the gate */
      open_gate: {
        Args: {
          project_id: string;
          agent_id: string;
          gate_type: string;
          reason: string;
          context?: Json;
        };
        Returns: string;
      };
      /** Holds a run; the row */
      pause_run: {
        Args: {
          thread_id: string;
          reason: string;
        };
        Returns: Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
      };
      /** Publishes a version of a prompt, and makes it the active one when asked; its id */
      publish_prompt: {
        Args: {
          agent_type: string;
          version: string;
          prompt_text: string;
          created_by?: string;
          notes?: string;
          activate?: boolean;
        };
        Returns: string;
      };
      /** The only way to delete from audit_events: what is older than that, at least one day; records that it did; how many */
      purge_audit_events: {
        Args: {
          older_than: string;
        };
        Returns: number;
      };
      /** Deletes knowledge that has been embedded for longer than that, and nothing that waits; how much */
      purge_knowledge: {
        Args: {
          embedded_for?: string;
        };
        Returns: number;
      };
      /** Adds an event to the audit trail, with the rights of its owner; the id. Its metadata gets the key session_user */
      record_event: {
        Args: {
          event_type: string;
          role: string;
          trace_id: string;
          metadata?: Json;
        };
        Returns: string;
      };
      /** Adds tokens, cost and files to a run, and moves it to a phase, an agent or an error where one is given; the row */
      record_run_progress: {
        Args: {
          thread_id: string;
          phase?: string;
          current_agent?: string;
          tokens?: number;
          cost?: number;
          files?: string[];
          error?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
      };
      /** Keeps the lowest score of a run and asks for a safety review of a low one, holding the run below safety_block_below (0.70), letting it go on below safety_review_below (0.85); the row */
      record_safety: {
        Args: {
          thread_id: string;
          score: number;
          violations?: string[];
        };
        Returns: Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
      };
      /** Records a call of a language model with its tokens; the id of the row */
      record_token_usage: {
        Args: {
          model: string;
          input_tokens: number;
          output_tokens: number;
          project_id?: string;
          agent_id?: string;
          at?: string;
        };
        Returns: string;
      };
      /** Releases the keys of tasks that are over and that old, so that they can be used again; how many. A task that is pending, running or waits for an approval keeps its key. NULL: configuration idempotency_ttl_seconds, else 86400 seconds */
      release_idempotency_keys: {
        Args: {
          ttl?: string;
        };
        Returns: number;
      };
      /** Asks a role to approve a task, and records it; the id of the approval */
      request_approval: {
        Args: {
          task_id: string;
          approver_role: string;
          notes?: string;
        };
        Returns: string;
      };
      /** Asks another agent; the collaboration_id, a new one unless one is given to ask again within it */
      request_collaboration: {
        Args: {
          request_type: string;
          requesting_agent: string;
          specialist_agent: string;
          question: string;
          context?: Json;
          urgency?: string;
          collaboration_id?: string;
        };
        Returns: string;
      };
      /** Asks a human about a run; the id of the review */
      request_review: {
        Args: {
          thread_id: string;
          review_type: string;
          reason: string;
          safety_score?: number;
          context?: Json;
        };
        Returns: string;
      };
      /** Decides a pending approval as approved or rejected, by the role that was asked and no other, and records it; the row */
      resolve_approval: {
        Args: {
          approval_id: string;
          decision: string;
          approver_role: string;
          notes?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["approvals"]["Row"];
      };
      /** Resolves a pending gate as approved or denied, once; the row. A denial needs feedback */
      resolve_gate: {
        Args: {
          gate_id: string;
          decision: string;
          resolved_by: string;
          feedback?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["gates"]["Row"];
      };
      /** Resolves a pending review as approved or rejected, once: the last approval frees the run, a rejection kills it; the row */
      resolve_review: {
        Args: {
          review_id: string;
          decision: string;
          resolved_by: string;
          notes?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["human_review_queue"]["Row"];
      };
      /** Resolves many reviews by one decision; of each id resolved, already_resolved or unknown */
      resolve_reviews: {
        Args: {
          review_ids: string[];
          decision: string;
          resolved_by: string;
          notes?: string;
        };
        Returns: { review_id: string; outcome: string }[];
      };
      /** Brings back by hand what an upgrade would have: call it after a dump with an archive in it was restored */
      restore_archived: {
        Args: Record<PropertyKey, never>;
        Returns: { object: string; restored: number; left_behind: number }[];
      };
      /** For up scripts: brings back the values of columns that a downgrade kept; the rows whose values came back */
      restore_columns: {
        Args: {
          relation: string;
          columns: string[];
        };
        Returns: number;
      };
      /** For up scripts: brings back the rows of a table that a downgrade kept; the rows that came back */
      restore_table: {
        Args: {
          relation: string;
        };
        Returns: number;
      };
      /** Lets a run go on that waits for no review; the row */
      resume_run: {
        Args: {
          thread_id: string;
        };
        Returns: Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
      };
      /** Takes away all that a role holds on the extension's objects; how many privileges */
      revoke_access: {
        Args: {
          grantee: string;
        };
        Returns: number;
      };
      /** Routes a task from one role to another; the same idempotency_key with the same content gives the first task again, created false */
      route_task: {
        Args: {
          task_type: string;
          description: string;
          from_role: string;
          to_role: string;
          data?: Json;
          trace_id?: string;
          idempotency_key?: string;
        };
        Returns: { task_id: string; created: boolean }[];
      };
      /** Expires, releases and purges, each in its configured age; every task with the rows it touched */
      run_maintenance: {
        Args: Record<PropertyKey, never>;
        Returns: { task: string; affected: number }[];
      };
      /** Has pg_cron call run_maintenance() as the caller; the id of the job. Calling it again replaces the schedule */
      schedule_maintenance: {
        Args: {
          cron?: string;
        };
        Returns: number;
      };
      /** Notes that the client of a session is alive, and attached; the time of this heartbeat */
      session_heartbeat: {
        Args: {
          session_id: string;
        };
        Returns: string;
      };
      /** Sets a configuration value, new or not; the row. NULL keeps the type, description or secrecy it had */
      set_configuration: {
        Args: {
          key: string;
          value: string;
          value_type?: string;
          description?: string;
          is_secret?: boolean;
        };
        Returns: Database["orchestrator"]["Tables"]["configurations"]["Row"];
      };
      /** Sets what a model costs from a day on, in UTC and today unless it is named, in USD per million tokens; the row. The days before keep their price */
      set_price: {
        Args: {
          model: string;
          input_cost_per_million: number;
          output_cost_per_million: number;
          effective_date?: string;
          notes?: string;
          updated_by?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["llm_pricing"]["Row"];
      };
      /** Stages knowledge for embedding; its id */
      stage_knowledge: {
        Args: {
          knowledge_type: string;
          content: string;
          metadata?: Json;
        };
        Returns: string;
      };
      /** Starts the one run of a thread, in phase planning; its id */
      start_run: {
        Args: {
          thread_id: string;
          project_id: string;
          story_id: string;
        };
        Returns: string;
      };
      /** Logs that a tool starts now for a task; the id of the execution */
      start_tool_execution: {
        Args: {
          task_id: string;
          tool_name: string;
          arguments?: Json;
        };
        Returns: string;
      };
      /** The schema as TypeScript types: Database["orchestrator"], and names for what applications use most */
      typescript_types: {
        Args: Record<PropertyKey, never>;
        Returns: string;
      };
      /** Takes the caller's job from pg_cron; whether there was one */
      unschedule_maintenance: {
        Args: Record<PropertyKey, never>;
        Returns: boolean;
      };
      /** A new time-ordered UUID (version 7), greater than every one this backend made before */
      uuidv7: {
        Args: Record<PropertyKey, never>;
        Returns: string;
      };
      /** Approves a phase under review, in writing; the row */
      v7_approve_phase: {
        Args: {
          phase_number: number;
          approved_by: string;
          notes: string;
        };
        Returns: Database["orchestrator"]["Tables"]["v7_migration_workflow"]["Row"];
      };
      /** Completes an approved phase: no task is open, and no sign-off is missing; the row */
      v7_complete_phase: {
        Args: {
          phase_number: number;
        };
        Returns: Database["orchestrator"]["Tables"]["v7_migration_workflow"]["Row"];
      };
      /** Whether a file name is WF[1-7]_V7_L[1-7]_<n>of<m>_<Name>.py with 1 <= n <= m */
      v7_is_valid_file_name: {
        Args: {
          file_name: string;
        };
        Returns: boolean;
      };
      /** Issues a task of a phase with the next number; its id */
      v7_issue_task: {
        Args: {
          phase_number: number;
          task_name: string;
          responsible_persona: string;
          dependencies?: string[];
          dart_task_id?: string;
          dart_task_url?: string;
        };
        Returns: string;
      };
      /** Loads the seven phases and the tasks of phases 1 and 4; what is there already stays as it is */
      v7_load_plan: {
        Args: Record<PropertyKey, never>;
        Returns: { loaded: string; rows: number }[];
      };
      /** The sign-offs that a phase needs before it starts or after its work, and nobody has given */
      v7_missing_sign_offs: {
        Args: {
          phase_number: number;
          stage: string;
        };
        Returns: string[];
      };
      /** The parts of a file name that follows the rule of V7; no row when it breaks the rule */
      v7_parse_file_name: {
        Args: {
          file_name: string;
        };
        Returns: { workflow: number; layer: number; part: number; parts: number; name: string }[];
      };
      /** Records every pair of enum types that look like one as a proposal, none twice; how many were added */
      v7_record_enum_duplicates: {
        Args: {
          minimum_similarity?: number;
        };
        Returns: number;
      };
      /** Puts a phase in progress under review, with what it delivered, a JSON array; the row */
      v7_request_review: {
        Args: {
          phase_number: number;
          deliverables: Json;
        };
        Returns: Database["orchestrator"]["Tables"]["v7_migration_workflow"]["Row"];
      };
      /** Rolls a phase back: cancels its open tasks with the reason, and ends its approval; the row */
      v7_roll_back_phase: {
        Args: {
          phase_number: number;
          reason: string;
        };
        Returns: Database["orchestrator"]["Tables"]["v7_migration_workflow"]["Row"];
      };
      /** Signs an item before or after a phase, once; the id of the sign-off */
      v7_sign: {
        Args: {
          phase_number: number;
          stage: string;
          item: string;
          signed_by: string;
          notes?: string;
        };
        Returns: string;
      };
      /** Starts a phase: the one before is completed and approved, and no sign-off is missing; the row */
      v7_start_phase: {
        Args: {
          phase_number: number;
        };
        Returns: Database["orchestrator"]["Tables"]["v7_migration_workflow"]["Row"];
      };
      /** Every check of V7, each once: tables, inventory, infrastructure, data */
      v7_verify: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** What the V7 tables hold: seven phases, enum mappings, owners, dependencies, and nothing started or completed without approval */
      v7_verify_data: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** The inventory under V7: its twelve columns, a V7 status on every row, and no old value changed or row gone since the upgrade */
      v7_verify_file_audit: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** What the V7 versions built, each as the manifest defines it: tables, columns, monitoring views, indexes, triggers */
      v7_verify_infrastructure: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** Before the V7 versions: no v7_ table in any schema but the archive, and every name they need is free */
      v7_verify_preconditions: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** After a downgrade to 0.4.0: nothing named v7_ is left in any schema but the archive */
      v7_verify_rollback: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** The five V7 tables: base tables with all their columns, and no other table named v7_ in any schema; a view never makes up for a missing table */
      v7_verify_tables: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** Every difference between the live schema and the manifest of the installed version; no row when it is intact */
      verify: {
        Args: Record<PropertyKey, never>;
        Returns: { object: string; kind: string; problem: string; expected: string; actual: string; hint: string }[];
      };
    };
    Enums: { [_ in never]: never };
    CompositeTypes: { [_ in never]: never };
  };
};

export type OrchestratorRun = Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
export type OrchestratorRunInsert = Database["orchestrator"]["Tables"]["orchestrator_runs"]["Insert"];
export type OrchestratorRunUpdate = Database["orchestrator"]["Tables"]["orchestrator_runs"]["Update"];
export type HumanReview = Database["orchestrator"]["Tables"]["human_review_queue"]["Row"];
export type HumanReviewInsert = Database["orchestrator"]["Tables"]["human_review_queue"]["Insert"];
export type HumanReviewUpdate = Database["orchestrator"]["Tables"]["human_review_queue"]["Update"];
export type OrchestratorPhase = "planning" | "development" | "testing" | "complete" | "failed";
export type GateStatus = "pending" | "go" | "hold" | "kill" | "recycle";
export type ReviewType = "safety" | "gate_override" | "budget_exceeded";
export type ReviewStatus = "pending" | "approved" | "rejected";
export type OrchestratorRunWithReviews = OrchestratorRun & { reviews: HumanReview[] };
export type OrchestratorRunSummary = Pick<Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"], "thread_id" | "phase" | "current_agent" | "safety_score" | "gate_status" | "tokens_used" | "cost_usd"> & { actions: number; pending_reviews: number };
