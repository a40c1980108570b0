// Written by: SELECT orchestrator.typescript_types();
//
// Rows have the types that PostgreSQL writes in JSON: bigint and numeric are numbers, times and
// uuids are strings. Set the parsers of a driver that returns other types. For node's pg:
//   pg.types.setTypeParser(pg.types.builtins.INT8, Number);
//   pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);
//   for (const time of [pg.types.builtins.TIMESTAMPTZ, pg.types.builtins.DATE])
//     pg.types.setTypeParser(time, (text) => text);

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  orchestrator: {
    Tables: {
      /** Requests to a role to approve a task, with the decision; a task may need several */
      approvals: {
        Row: {
          id: string;
          task_id: string;
          /** The role that was asked; a person decides for it, or for the role that it was assigned to */
          approver_role: string;
          /** State of the request. pending: waits for a decision; approved: the role agreed; rejected: the role refused; changes_requested: the role wants changes first; withdrawn: no longer asked */
          status: "pending" | "approved" | "rejected" | "changes_requested" | "withdrawn";
          /** When it was decided; NULL exactly while it is pending */
          decision_at: string | null;
          /** The notes of the request; notes of the decision replace them */
          notes: string;
          created_at: string;
          /** The agent's key of the question: asking again with it requests no second approval */
          request_key: string | null;
          /** Who decided: the person for the role, or the role; NULL for a decision from before this column, or by a plain UPDATE */
          decided_by: string | null;
        };
        Insert: {
          id?: string;
          task_id: string;
          approver_role: string;
          status?: "pending" | "approved" | "rejected" | "changes_requested" | "withdrawn";
          decision_at?: string | null;
          notes?: string;
          created_at?: string;
          request_key?: string | null;
          decided_by?: string | null;
        };
        Update: {
          id?: string;
          task_id?: string;
          approver_role?: string;
          status?: "pending" | "approved" | "rejected" | "changes_requested" | "withdrawn";
          decision_at?: string | null;
          notes?: string;
          created_at?: string;
          request_key?: string | null;
          decided_by?: string | null;
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
      /** The audit trail. An event is written in the transaction that it describes, and never changed; only purge_audit_events deletes events */
      audit_events: {
        Row: {
          id: string;
          /** The kind of event, for example task_routed, approval_rejected, session_active */
          event_type: string;
          /** The role that acted, or that is asked; client for a session without a role, system where no role is involved */
          role: string;
          /** The time of the transaction; events of one transaction are in the order of their ids */
          timestamp: string;
          /** The trail that the event belongs to: the id of the run, or the trace_id of the task or of the context of the gate; without a trace_id the id of the task, session or gate; an id of its own for a purge */
          trace_id: string;
          /** The ids and facts of the event, a JSON object; the recording function writes the login role into its key session_user, the role in force into role, and the subject of request.jwt.claims, if it is set, into subject */
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
      /** Seals over audit_events: each has the SHA-256 of the seal before it and of the events of a span */
      audit_seals: {
        Row: {
          /** The number of the seal, counted from 1 */
          sequence: number;
          sealed_at: string;
          /** The end of the span, which begins with the end of the span before; an event with this time is in the next one */
          sealed_until: string;
          /** The number of events in the span */
          events: number;
          /** The SHA-256 of the digest before, the events, and the other columns of the seal */
          digest: string;
          /** The digest of the seal before; zeros in the first one */
          previous: string;
          /** When the events of the span were purged; NULL while they are there */
          purged_at: string | null;
        };
        Insert: {
          sequence: number;
          sealed_at?: string;
          sealed_until: string;
          events: number;
          digest: string;
          previous: string;
          purged_at?: string | null;
        };
        Update: {
          sequence?: number;
          sealed_at?: string;
          sealed_until?: string;
          events?: number;
          digest?: string;
          previous?: string;
          purged_at?: string | null;
        };
        Relationships: [];
      };
      /** Reservations: what each of them holds in each budget that is about its call */
      budget_holds: {
        Row: {
          /** The reservation, the same in all its budgets */
          reservation_id: string;
          /** The budget */
          budget_id: string;
          /** The window in which it was reserved */
          starts_at: string;
          /** USD that are reserved */
          amount: number;
          /** When it can be taken back */
          expires_at: string;
          /** held: reserved; settled: the call was made; released: the call was not made; expired: taken back, and can still be settled */
          state: "held" | "settled" | "released" | "expired";
          /** USD that the call cost, once it is settled */
          actual: number | null;
        };
        Insert: {
          reservation_id: string;
          budget_id: string;
          starts_at: string;
          amount: number;
          expires_at: string;
          state?: "held" | "settled" | "released" | "expired";
          actual?: number | null;
        };
        Update: {
          reservation_id?: string;
          budget_id?: string;
          starts_at?: string;
          amount?: number;
          expires_at?: string;
          state?: "held" | "settled" | "released" | "expired";
          actual?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: "budget_holds_window_fkey";
            columns: ["budget_id", "starts_at"];
            isOneToOne: false;
            referencedRelation: "budget_windows";
            referencedColumns: ["budget_id", "starts_at"];
          },
        ];
      };
      /** The time in which a budget counts once: what is spent and reserved in it */
      budget_windows: {
        Row: {
          /** The budget */
          budget_id: string;
          /** When the window begins; -infinity for period total */
          starts_at: string;
          /** USD of the calls that were recorded or settled */
          spent: number;
          /** USD of the reservations that are held, with those that have expired and were not yet taken back */
          reserved: number;
          /** USD by which the limit was raised for this window */
          raised: number;
          /** The last question to a human about it: a review, or a gate if no run waits */
          review_id: string | null;
        };
        Insert: {
          budget_id: string;
          starts_at: string;
          spent?: number;
          reserved?: number;
          raised?: number;
          review_id?: string | null;
        };
        Update: {
          budget_id?: string;
          starts_at?: string;
          spent?: number;
          reserved?: number;
          raised?: number;
          review_id?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "budget_windows_budget_id_fkey";
            columns: ["budget_id"];
            isOneToOne: false;
            referencedRelation: "budgets";
            referencedColumns: ["id"];
          },
        ];
      };
      /** Limits for the cost of calls, one for each scope and period; set_budget sets them. A scope with NULL everywhere is every call */
      budgets: {
        Row: {
          id: string;
          /** Only calls of this project; NULL for any */
          project_id: string | null;
          /** Only calls of this agent; NULL for any */
          agent_id: string | null;
          /** Only calls of the run of this thread; NULL for any */
          thread_id: string | null;
          /** Only calls that are charged to this user, key or tag; NULL for any */
          subject: string | null;
          /** How long a window lasts, by the UTC clock. day: from midnight; week: from Monday; month: from the first; total: for ever */
          period: "day" | "week" | "month" | "total";
          /** USD for each window */
          limit_usd: number;
          /** Whether reservations beyond the limit are refused; without it the budget only counts */
          enforce: boolean;
          /** How long a reservation is kept without another time */
          hold: string;
        };
        Insert: {
          id?: string;
          project_id?: string | null;
          agent_id?: string | null;
          thread_id?: string | null;
          subject?: string | null;
          period: "day" | "week" | "month" | "total";
          limit_usd: number;
          enforce?: boolean;
          hold?: string;
        };
        Update: {
          id?: string;
          project_id?: string | null;
          agent_id?: string | null;
          thread_id?: string | null;
          subject?: string | null;
          period?: "day" | "week" | "month" | "total";
          limit_usd?: number;
          enforce?: boolean;
          hold?: string;
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
          /** The specialist's confidence, from 0 to 1 */
          confidence: number;
          /** Tokens that the answer cost; NULL if unknown */
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
      /** Questions of one agent to another; a collaboration may have several rounds */
      collaboration_requests: {
        Row: {
          id: string;
          /** Shared by the requests and outcomes of one collaboration */
          collaboration_id: string;
          /** Subject of the question. model_data: data models; security_review: security; api_clarification: an interface; bug_debugging: a fault; requirements: the requirements of a task; infrastructure: servers and deployment */
          request_type: "model_data" | "security_review" | "api_clarification" | "bug_debugging" | "requirements" | "infrastructure";
          requesting_agent: string;
          /** The agent that is asked */
          specialist_agent: string;
          question: string;
          /** Facts for the answer, a JSON object */
          context: Json;
          /** Urgency. low: can wait; medium: the default; high: soon; critical: work is blocked */
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
      /** Settings of the orchestrator; configuration_value reads one, configuration_listing lists all */
      configurations: {
        Row: {
          key: string;
          /** The value as text, which must parse as value_type */
          value: string;
          /** Type of the value. string: any text; integer: a whole number; float: a number; boolean: true or false; json: a JSON document */
          value_type: "string" | "integer" | "float" | "boolean" | "json";
          description: string | null;
          /** Whether listings mask the value; it is stored in plain text */
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
      /** The rules by which questions are decided; a question follows the rule that stands when it is asked */
      decision_rules: {
        Row: {
          id: string;
          /** The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task */
          kind: "review" | "gate" | "approval";
          /** The review_type, the gate_type, or the approver_role; NULL for every type without a rule of its own */
          type: string | null;
          /** The time for an answer, from the request on */
          respond_within: string | null;
          /** What happens without an answer in time. approve: it is approved; reject: it is rejected; escalate: it goes to escalate_to */
          on_timeout: "approve" | "reject" | "escalate" | null;
          /** The person or role that is asked next */
          escalate_to: string | null;
          /** The number of different people who must approve */
          approvals_needed: number;
          /** The number of different people who must reject */
          rejections_needed: number;
          /** Whether the one who asked may answer */
          requester_may_decide: boolean;
          /** The person or role that is asked first */
          assigned_to: string | null;
          created_at: string;
          updated_at: string;
          /** The database role that set the rule last */
          updated_by: string | null;
        };
        Insert: {
          id?: string;
          kind: "review" | "gate" | "approval";
          type?: string | null;
          respond_within?: string | null;
          on_timeout?: "approve" | "reject" | "escalate" | null;
          escalate_to?: string | null;
          approvals_needed?: number;
          rejections_needed?: number;
          requester_may_decide?: boolean;
          assigned_to?: string | null;
          created_at?: string;
          updated_at?: string;
          updated_by?: string | null;
        };
        Update: {
          id?: string;
          kind?: "review" | "gate" | "approval";
          type?: string | null;
          respond_within?: string | null;
          on_timeout?: "approve" | "reject" | "escalate" | null;
          escalate_to?: string | null;
          approvals_needed?: number;
          rejections_needed?: number;
          requester_may_decide?: boolean;
          assigned_to?: string | null;
          created_at?: string;
          updated_at?: string;
          updated_by?: string | null;
        };
        Relationships: [];
      };
      /** The terms of a question, as its rule was when it was asked; a question without a rule has none until it is claimed or assigned */
      decision_terms: {
        Row: {
          /** The review, gate or approval */
          decision_id: string;
          /** The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task */
          kind: "review" | "gate" | "approval";
          /** When an answer is due; an escalation sets it anew */
          due_at: string | null;
          /** What happens without an answer in time. approve: it is approved; reject: it is rejected; escalate: it goes to escalate_to */
          on_timeout: "approve" | "reject" | "escalate" | null;
          /** The person or role that is asked next */
          escalate_to: string | null;
          /** The number of different people who must approve */
          approvals_needed: number;
          /** The number of different people who must reject */
          rejections_needed: number;
          /** Whether the one who asked may answer */
          requester_may_decide: boolean;
          /** Who asked, as the server knows it: the login, or behind a shared login the subject of the token or the role in force; empty if no event tells */
          requested_as: string;
          /** The person or role that is asked now; an assigned role may decide an approval like the role that was asked first */
          assigned_to: string | null;
          /** Who is working on the answer; others may not answer until claimed_until */
          claimed_by: string | null;
          /** When the claim ends */
          claimed_until: string | null;
          /** How often no answer came in time; after the second time nothing more happens */
          escalations: number;
        };
        Insert: {
          decision_id: string;
          kind: "review" | "gate" | "approval";
          due_at?: string | null;
          on_timeout?: "approve" | "reject" | "escalate" | null;
          escalate_to?: string | null;
          approvals_needed: number;
          rejections_needed: number;
          requester_may_decide: boolean;
          requested_as: string;
          assigned_to?: string | null;
          claimed_by?: string | null;
          claimed_until?: string | null;
          escalations?: number;
        };
        Update: {
          decision_id?: string;
          kind?: "review" | "gate" | "approval";
          due_at?: string | null;
          on_timeout?: "approve" | "reject" | "escalate" | null;
          escalate_to?: string | null;
          approvals_needed?: number;
          rejections_needed?: number;
          requester_may_decide?: boolean;
          requested_as?: string;
          assigned_to?: string | null;
          claimed_by?: string | null;
          claimed_until?: string | null;
          escalations?: number;
        };
        Relationships: [];
      };
      /** The votes about questions with terms, one of each person; a vote can change while the question is open */
      decision_votes: {
        Row: {
          decision_id: string;
          /** The name that the caller gave */
          voter: string;
          /** Who voted, as the server knows it: the login, or behind a shared login the subject of the token or the role in force */
          voted_as: string;
          /** The answer. approved: yes; rejected: no; changes_requested: change it and ask again */
          vote: "approved" | "rejected" | "changes_requested";
          notes: string | null;
          /** When the vote was given its present form */
          cast_at: string;
        };
        Insert: {
          decision_id: string;
          voter: string;
          voted_as: string;
          vote: "approved" | "rejected" | "changes_requested";
          notes?: string | null;
          cast_at?: string;
        };
        Update: {
          decision_id?: string;
          voter?: string;
          voted_as?: string;
          vote?: "approved" | "rejected" | "changes_requested";
          notes?: string | null;
          cast_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: "decision_votes_decision_id_fkey";
            columns: ["decision_id"];
            isOneToOne: false;
            referencedRelation: "decision_terms";
            referencedColumns: ["decision_id"];
          },
        ];
      };
      /** The inventory of the code base: every file with its layer, its workflows and the progress of its audit */
      file_audit: {
        Row: {
          id: number;
          /** Four digits, unique in the inventory */
          file_number: string;
          file_path: string;
          file_name: string;
          /** 1 Models and enums, 2 Schemas, 3 Routers, 4 Services, 5 Configuration, 6 UI, 7 Testing */
          layer_number: number;
          layer_name: string;
          /** Use of the file. NOVEL: serves one workflow; SHARED: serves several workflows; SYSTEM: belongs to no workflow */
          status: "NOVEL" | "SHARED" | "SYSTEM";
          /** The workflows that the file serves, WF1 to WF7; empty for none */
          workflows: (string | null)[];
          has_technical_debt: boolean;
          /** A description of the debt */
          technical_debt: string | null;
          jira_tickets: (string | null)[];
          /** Progress of the audit. NOT_STARTED: to be audited; IN_PROGRESS: being audited; COMPLETED: audited */
          audit_status: "NOT_STARTED" | "IN_PROGRESS" | "COMPLETED";
          /** When the file was last audited */
          audit_date: string | null;
          audited_by: string | null;
          notes: string | null;
          created_at: string;
          updated_at: string;
          /** Progress of the migration of the file. pending_assessment: to be assessed; assessed: impact known; designed: target designed; approved: design approved; implementing: being rewritten; testing: being tested; migrated: in use; retired: the old file is gone */
          v7_workflow_status: "pending_assessment" | "assessed" | "designed" | "approved" | "implementing" | "testing" | "migrated" | "retired";
          /** Its name after the migration: WF[1-7]_V7_L[1-7]_<n>of<m>_<Name>.py */
          v7_target_name: string | null;
          /** The enum types that the file uses */
          v7_database_enums: Json;
          /** The new type of each of these types, and the mapping of their values */
          v7_enum_mappings: Json;
          /** Files that this file needs */
          v7_dependencies: (string | null)[] | null;
          /** Files that need this file */
          v7_dependents: (string | null)[] | null;
          /** How much a fault of the file breaks, 1 to 10 */
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
      /** The values of the old columns of file_audit when the V7 columns were added, one row per file of that time; deleting a row accepts later changes */
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
      /** Approval gates: an agent waits, and a human decides */
      gates: {
        Row: {
          id: string;
          /** The project, which is stored elsewhere */
          project_id: string;
          /** The agent that waits */
          agent_id: string;
          /** Why the agent stopped. loop_detected: it repeats the same error; high_risk: its next step is risky; collaboration_deadlock: agents ask each other in circles; manual: any other reason; prompt_activation: a version of its prompt is to go live */
          gate_type: "loop_detected" | "high_risk" | "collaboration_deadlock" | "manual" | "prompt_activation";
          /** Why a human has to decide */
          reason: string;
          /** Facts for the decision, a JSON object */
          context: Json;
          /** State of the gate. pending: waits for a decision; approved: the agent may go on; denied: the agent may not, and gets the feedback; withdrawn: no longer asked */
          status: "pending" | "approved" | "denied" | "withdrawn";
          created_at: string;
          resolved_at: string | null;
          resolved_by: string | null;
          /** The human's message to the agent, which a denial needs; or the reason of a withdrawal */
          feedback: string | null;
          /** The run that the gate holds while it is pending; if its thread_id changes, this column follows, also in a resolved gate */
          thread_id: string | null;
          /** The agent's key of the question: asking again with it opens no second gate */
          request_key: string | null;
        };
        Insert: {
          id?: string;
          project_id: string;
          agent_id: string;
          gate_type: "loop_detected" | "high_risk" | "collaboration_deadlock" | "manual" | "prompt_activation";
          reason: string;
          context?: Json;
          status?: "pending" | "approved" | "denied" | "withdrawn";
          created_at?: string;
          resolved_at?: string | null;
          resolved_by?: string | null;
          feedback?: string | null;
          thread_id?: string | null;
          request_key?: string | null;
        };
        Update: {
          id?: string;
          project_id?: string;
          agent_id?: string;
          gate_type?: "loop_detected" | "high_risk" | "collaboration_deadlock" | "manual" | "prompt_activation";
          reason?: string;
          context?: Json;
          status?: "pending" | "approved" | "denied" | "withdrawn";
          created_at?: string;
          resolved_at?: string | null;
          resolved_by?: string | null;
          feedback?: string | null;
          thread_id?: string | null;
          request_key?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "gates_thread_id_fkey";
            columns: ["thread_id"];
            isOneToOne: false;
            referencedRelation: "orchestrator_runs";
            referencedColumns: ["thread_id"];
          },
        ];
      };
      /** Questions to a human about a run, with the decision; a run may have several reviews */
      human_review_queue: {
        Row: {
          id: string;
          /** The run; if its thread_id changes, this column follows, also in a resolved review */
          thread_id: string;
          /** Subject of the review. safety: a low safety score; gate_override: whether the run may pass a gate; budget_exceeded: whether the run may spend more */
          review_type: "safety" | "gate_override" | "budget_exceeded";
          /** Why a human has to decide */
          reason: string;
          /** The score that led to the review, from 0 to 1; a lower one that arrives while the review is pending replaces it */
          safety_score: number | null;
          /** Facts for the decision, a JSON object */
          context: Json;
          /** State of the review. pending: waits for a decision; approved: the run may go on; rejected: the run is killed; changes_requested: the run is done again as the notes say; withdrawn: no longer asked */
          status: "pending" | "approved" | "rejected" | "changes_requested" | "withdrawn";
          resolved_by: string | null;
          resolved_at: string | null;
          /** The human's notes on the decision, which every answer but an approval needs */
          resolution_notes: string | null;
          created_at: string;
          /** The agent's key of the question: asking again with it requests no second review */
          request_key: string | null;
        };
        Insert: {
          id?: string;
          thread_id: string;
          review_type: "safety" | "gate_override" | "budget_exceeded";
          reason: string;
          safety_score?: number | null;
          context?: Json;
          status?: "pending" | "approved" | "rejected" | "changes_requested" | "withdrawn";
          resolved_by?: string | null;
          resolved_at?: string | null;
          resolution_notes?: string | null;
          created_at?: string;
          request_key?: string | null;
        };
        Update: {
          id?: string;
          thread_id?: string;
          review_type?: "safety" | "gate_override" | "budget_exceeded";
          reason?: string;
          safety_score?: number | null;
          context?: Json;
          status?: "pending" | "approved" | "rejected" | "changes_requested" | "withdrawn";
          resolved_by?: string | null;
          resolved_at?: string | null;
          resolution_notes?: string | null;
          created_at?: string;
          request_key?: string | null;
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
      /** Lessons that wait to be embedded for retrieval, and those that are embedded */
      knowledge_staging: {
        Row: {
          id: string;
          /** Origin of the lesson. failure_solution: the solution of a failure; gate_rejection: a denied gate; gate_approval: an approved gate; collaboration: the answer of a specialist */
          knowledge_type: "failure_solution" | "gate_rejection" | "gate_approval" | "collaboration";
          /** The text to embed */
          content: string;
          /** Keys to filter by at retrieval: project_id (uuid), agent_type, task_type, technology (text), success_verified (boolean), and any others */
          metadata: Json;
          /** Whether the embedding is stored, elsewhere */
          embedded: boolean;
          created_at: string;
          embedded_at: string | null;
          /** The number of attempts to embed it since it was staged: claims with a lease, and failures of others */
          attempts: number;
          /** Why the last failed attempt failed */
          last_error: string | null;
          /** When it can be claimed again after a failure; NULL for at once */
          retry_at: string | null;
          /** When it was given up: it is not claimed again, unless it is restaged */
          given_up_at: string | null;
          /** The model that embedded it; NULL for unknown */
          embedding_model: string | null;
          /** The embedder that is working on it, until lease_expires_at */
          claimed_by: string | null;
          /** When others can claim it */
          lease_expires_at: string | null;
        };
        Insert: {
          id?: string;
          knowledge_type: "failure_solution" | "gate_rejection" | "gate_approval" | "collaboration";
          content: string;
          metadata?: Json;
          embedded?: boolean;
          created_at?: string;
          embedded_at?: string | null;
          attempts?: number;
          last_error?: string | null;
          retry_at?: string | null;
          given_up_at?: string | null;
          embedding_model?: string | null;
          claimed_by?: string | null;
          lease_expires_at?: string | null;
        };
        Update: {
          id?: string;
          knowledge_type?: "failure_solution" | "gate_rejection" | "gate_approval" | "collaboration";
          content?: string;
          metadata?: Json;
          embedded?: boolean;
          created_at?: string;
          embedded_at?: string | null;
          attempts?: number;
          last_error?: string | null;
          retry_at?: string | null;
          given_up_at?: string | null;
          embedding_model?: string | null;
          claimed_by?: string | null;
          lease_expires_at?: string | null;
        };
        Relationships: [];
      };
      /** Other names of models: calls by a name without a price have the price of the model */
      llm_model_aliases: {
        Row: {
          /** The name that calls use */
          alias: string;
          /** The name of the price; another alias does not count */
          model: string;
        };
        Insert: {
          alias: string;
          model: string;
        };
        Update: {
          alias?: string;
          model?: string;
        };
        Relationships: [];
      };
      /** Unit costs of a price besides those of input and output: for cached tokens, other units, tiers, and long inputs */
      llm_price_components: {
        Row: {
          price_id: string;
          /** A kind of token (input, output, cache_read, cache_write, cache_write_1h, reasoning), or the name of another unit */
          component: string;
          /** The tier for which the cost holds */
          service_tier: string;
          /** The cost holds for calls whose whole input has more tokens than this; 0: for every call */
          above_input: number;
          /** USD per unit, exact */
          unit_cost: number;
        };
        Insert: {
          price_id: string;
          component: string;
          service_tier?: string;
          above_input?: number;
          unit_cost: number;
        };
        Update: {
          price_id?: string;
          component?: string;
          service_tier?: string;
          above_input?: number;
          unit_cost?: number;
        };
        Relationships: [
          {
            foreignKeyName: "llm_price_components_price_id_fkey";
            columns: ["price_id"];
            isOneToOne: false;
            referencedRelation: "llm_pricing";
            referencedColumns: ["id"];
          },
        ];
      };
      /** Prices of language models, each from a day on until the next price of the model */
      llm_pricing: {
        Row: {
          id: string;
          model: string;
          /** USD per million input tokens */
          input_cost_per_million: number;
          /** USD per million output tokens */
          output_cost_per_million: number;
          /** The first UTC day of the price */
          effective_date: string;
          /** Offer of the model. active: still offered; deprecated: no longer offered. The cost of calls does not depend on it */
          status: "active" | "deprecated";
          notes: string | null;
          created_at: string;
          updated_at: string;
          updated_by: string | null;
          /** The moment at which the price begins, on its effective_date; NULL: at the beginning of that UTC day */
          effective_at: string | null;
          /** When another row took the place of this one; NULL while it counts */
          replaced_at: string | null;
          /** The price in whose place this one stands; NULL for none */
          replaces: string | null;
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
          effective_at?: string | null;
          replaced_at?: string | null;
          replaces?: string | null;
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
          effective_at?: string | null;
          replaced_at?: string | null;
          replaces?: string | null;
        };
        Relationships: [];
      };
      /** Calls of language models with the tokens of each; views compute the cost */
      llm_token_usage: {
        Row: {
          id: string;
          /** When the model was called */
          timestamp: string;
          /** The project of the call; NULL for none */
          project_id: string | null;
          /** The agent that called the model; NULL for none */
          agent_id: string | null;
          /** The name of the model, as in llm_pricing */
          model: string;
          /** Tokens of the input that were neither read from the cache nor written to it */
          input_tokens: number;
          /** Tokens of the output without those of reasoning */
          output_tokens: number;
          /** When the row was written */
          created_at: string;
          /** The run of the call, by its name at that time; NULL for none */
          thread_id: string | null;
          /** The task of the call; NULL for none */
          task_id: string | null;
          /** The caller's or the provider's id of the call: reporting it again adds nothing */
          call_id: string | null;
          /** Tokens of the input that were read from the cache */
          cache_read_tokens: number;
          /** Tokens of the input that were written to the cache for five minutes */
          cache_write_tokens: number;
          /** Tokens of the input that were written to the cache for an hour */
          cache_write_1h_tokens: number;
          /** Tokens of the output that the model used for reasoning */
          reasoning_tokens: number;
          /** Everything else that the provider charges for, by the name of its component, such as {"web_search": 2} */
          units: Json;
          /** The tier of the call, such as batch, flex, priority or a region, as the price names it */
          service_tier: string;
          /** USD that the provider says; it is the cost of the call, whatever the price */
          reported_cost: number | null;
          /** The prompt of the call; NULL for none */
          prompt_id: string | null;
          /** The user, key or tag that is charged; NULL for none */
          subject: string | null;
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
          thread_id?: string | null;
          task_id?: string | null;
          call_id?: string | null;
          cache_read_tokens?: number;
          cache_write_tokens?: number;
          cache_write_1h_tokens?: number;
          reasoning_tokens?: number;
          units?: Json;
          service_tier?: string;
          reported_cost?: number | null;
          prompt_id?: string | null;
          subject?: string | null;
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
          thread_id?: string | null;
          task_id?: string | null;
          call_id?: string | null;
          cache_read_tokens?: number;
          cache_write_tokens?: number;
          cache_write_1h_tokens?: number;
          reasoning_tokens?: number;
          units?: Json;
          service_tier?: string;
          reported_cost?: number | null;
          prompt_id?: string | null;
          subject?: string | null;
        };
        Relationships: [];
      };
      /** When a task was handed over to the external tracker, and whether it was changed later; triggers of v7_subworkflow_tasks write it */
      migration_hand_overs: {
        Row: {
          task_id: string;
          dart_task_id: string;
          /** When dart_task_id or dart_task_url was last written */
          handed_over_at: string;
          /** When the task was first changed after that; NULL while the tracker has the present form */
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
      /** Signatures before a phase starts and after its work is done; v7_missing_sign_offs lists the missing ones */
      migration_sign_offs: {
        Row: {
          id: string;
          phase_number: number;
          /** Time of the signature. before: before the phase starts; after: after its work is done */
          stage: "before" | "after";
          /** The signed item: the consent of a persona, or a fact */
          item: string;
          signed_by: string;
          signed_at: string;
          /** Notes; the only column that can be changed later */
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
      /** Runs of the orchestrator, one per thread, with their phase, their use of tokens and money, and whether they may go on */
      orchestrator_runs: {
        Row: {
          id: string;
          /** The orchestrator's own name of the run, by which every function finds it */
          thread_id: string;
          /** The project, which is stored elsewhere */
          project_id: string;
          /** The story of the run, which is stored elsewhere */
          story_id: string;
          /** Phase of the run. planning: begins here; development: being built; testing: being tested; complete: ended with success; failed: ended with an error */
          phase: "planning" | "development" | "testing" | "complete" | "failed";
          /** The agent at work, for example cto, pm, dev, qa or supervisor */
          current_agent: string | null;
          /** Whether the run may go on. pending: not judged yet; go: may go on; hold: waits for a human; kill: ended for good; recycle: sent back to be done again */
          gate_status: "pending" | "go" | "hold" | "kill" | "recycle";
          /** The lowest score so far, from 0 to 1, rounded down */
          safety_score: number;
          /** The findings of the scorers, in the order of their reports */
          violations: string[];
          /** Whether a human has to look at the run */
          requires_human_review: boolean;
          /** Sum of the tokens that its agents reported */
          tokens_used: number;
          /** Sum of the costs that its agents reported, in USD */
          cost_usd: number;
          started_at: string;
          /** When it became complete or failed */
          completed_at: string | null;
          updated_at: string;
          /** The files that its agents created, in the order of their reports */
          files_created: string[];
          /** The error of the run, or the reason why it was killed */
          error: string | null;
          /** Where a worker that comes back goes on, a JSON object of the application */
          state: Json;
          /** The role that paused the run; NULL unless it is paused */
          held_by: string | null;
          /** Why the run was paused; NULL unless it is paused */
          hold_reason: string | null;
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
          state?: Json;
          held_by?: string | null;
          hold_reason?: string | null;
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
          state?: Json;
          held_by?: string | null;
          hold_reason?: string | null;
        };
        Relationships: [];
      };
      /** Which version of a prompt was made live when, and by whom; rows are only added */
      prompt_activations: {
        Row: {
          /** The kind of agent that uses the prompt */
          agent_type: string;
          /** Under which the version is live: production, or another name such as staging or canary */
          label: string;
          /** The version; NULL: from then on none is live */
          prompt_id: string | null;
          /** From when on */
          activated_at: string;
          /** The person who made it live, or the role of a plain UPDATE of is_active; NULL for unknown */
          activated_by: string | null;
          /** Percent of those whom no newer version takes; the oldest takes the rest */
          weight: number;
        };
        Insert: {
          agent_type: string;
          label?: string;
          prompt_id?: string | null;
          activated_at?: string;
          activated_by?: string | null;
          weight?: number;
        };
        Update: {
          agent_type?: string;
          label?: string;
          prompt_id?: string | null;
          activated_at?: string;
          activated_by?: string | null;
          weight?: number;
        };
        Relationships: [
          {
            foreignKeyName: "prompt_activations_prompt_id_fkey";
            columns: ["prompt_id"];
            isOneToOne: false;
            referencedRelation: "prompts";
            referencedColumns: ["id"];
          },
        ];
      };
      /** Published prompts; a published prompt never changes, and a correction is a new version */
      prompts: {
        Row: {
          id: string;
          /** The kind of agent that uses the prompt */
          agent_type: string;
          /** major.minor.patch, unique per agent type */
          version: string;
          prompt_text: string;
          /** Whether callers of active_prompt without a key get this version in production; true for at most one version */
          is_active: boolean;
          created_at: string;
          created_by: string | null;
          notes: string | null;
          /** The SHA-256 of the text in the encoding of the database */
          text_sha256: string | null;
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
          text_sha256?: never;
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
          text_sha256?: never;
        };
        Relationships: [];
      };
      /** The pending tasks in the order of claims; kept up by triggers, and written by nothing else */
      queued_tasks: {
        Row: {
          task_id: string;
          /** The first 200 characters of the task's */
          task_type: string;
          /** The first 200 characters of the task's */
          to_role: string | null;
          priority: number;
          run_after: string;
          /** When the task was created */
          created_at: string;
          /** The number of the last attempt, or 0 */
          attempts: number;
          /** Whether neither its run, nor a workflow, nor an approval keeps it back */
          ready: boolean;
        };
        Insert: {
          task_id: string;
          task_type: string;
          to_role?: string | null;
          priority: number;
          run_after: string;
          created_at: string;
          attempts: number;
          ready: boolean;
        };
        Update: {
          task_id?: string;
          task_type?: string;
          to_role?: string | null;
          priority?: number;
          run_after?: string;
          created_at?: string;
          attempts?: number;
          ready?: boolean;
        };
        Relationships: [
          {
            foreignKeyName: "queued_tasks_task_id_fkey";
            columns: ["task_id"];
            isOneToOne: true;
            referencedRelation: "tasks";
            referencedColumns: ["id"];
          },
        ];
      };
      /** The schema of the database at one moment; capture_snapshot writes snapshots, compare_snapshots compares them */
      schema_snapshots: {
        Row: {
          id: string;
          /** The name of the snapshot, for example before V7 */
          label: string;
          taken_at: string;
          taken_by: string;
          /** Definitions by kind and name: tables, columns, types, enums, constraints, indexes, views, triggers, functions; and the number of objects left out because the caller may not see them */
          catalog: Json;
          /** Rows (by the statistics), bytes and scans of tables and indexes, totals of the database, and under scope the requested schemas, null for all */
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
          /** The client; one client may have several sessions, and the session of a role may have no client */
          client_id: string | null;
          user_id: string | null;
          /** Protocol of the client. websocket: WebSocket; http: HTTP requests; grpc: gRPC */
          connection_type: "websocket" | "http" | "grpc";
          /** Whether a client is attached; the state of the work is in status */
          is_active: boolean;
          metadata: Json;
          created_at: string;
          updated_at: string;
          /** The client's last heartbeat */
          last_heartbeat: string;
          /** The role that works, for example finance or manager */
          role: string | null;
          /** The task of the session */
          task_id: string | null;
          /** State of the work. pending: not begun; active: in progress; completed: done; failed: ended with an error; expired: ended after a long silence */
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
      /** Each claim of a task, with its lease and its end; the open one is the claim that holds the task */
      task_attempts: {
        Row: {
          task_id: string;
          /** The number of the claim of its task, from 1 */
          attempt: number;
          /** The name that the worker gave itself */
          worker: string;
          claimed_at: string;
          /** From this time on the task can be taken back, unless the lease is renewed */
          lease_expires_at: string;
          /** When the attempt ended; NULL exactly while the worker holds the task */
          ended_at: string | null;
          /** End of the attempt. completed: the task is done; failed: the worker reported an error; released: the worker gave the task back; expired: the lease ran out; cancelled: the task was cancelled */
          outcome: "completed" | "failed" | "released" | "expired" | "cancelled" | null;
          /** The error that the worker reported, or the reason of the cancellation */
          error: string | null;
          /** The database role that was logged in */
          claimed_as: string;
        };
        Insert: {
          task_id: string;
          attempt: number;
          worker: string;
          claimed_at?: string;
          lease_expires_at: string;
          ended_at?: string | null;
          outcome?: "completed" | "failed" | "released" | "expired" | "cancelled" | null;
          error?: string | null;
          claimed_as?: string;
        };
        Update: {
          task_id?: string;
          attempt?: number;
          worker?: string;
          claimed_at?: string;
          lease_expires_at?: string;
          ended_at?: string | null;
          outcome?: "completed" | "failed" | "released" | "expired" | "cancelled" | null;
          error?: string | null;
          claimed_as?: string;
        };
        Relationships: [
          {
            foreignKeyName: "task_attempts_task_id_fkey";
            columns: ["task_id"];
            isOneToOne: false;
            referencedRelation: "tasks";
            referencedColumns: ["id"];
          },
        ];
      };
      /** Units of work, from the request to the end */
      tasks: {
        Row: {
          id: string;
          /** The name for people; may be blank on a routed task, which has its description */
          title: string;
          description: string | null;
          /** The kind of work; free text, for example tool, script, validation */
          task_type: string;
          /** State of the task. pending: waits to be started; running: in progress; completed: done; failed: ended with an error, can become pending again; cancelled: ended without being done */
          status: "pending" | "running" | "completed" | "failed" | "cancelled";
          /** The worker's instructions, a JSON object */
          config: Json;
          /** Any further data of the caller */
          metadata: Json;
          /** The directory of the work */
          workspace_path: string | null;
          created_at: string;
          updated_at: string;
          /** When it last became running; NULL again while it waits for the next attempt */
          started_at: string | null;
          /** When it became completed, failed or cancelled */
          completed_at: string | null;
          /** Why it failed or was cancelled; task_attempts has the errors of earlier attempts */
          error: string | null;
          /** The role that routed the task; set only on routed tasks */
          from_role: string | null;
          /** The role that has to do the task */
          to_role: string | null;
          /** Input for the role, a JSON object */
          data: Json;
          /** The trace of the task; audit_events with this trace_id are its history */
          trace_id: string | null;
          /** The caller's key: routing twice with it creates one task; NULL after it was released */
          idempotency_key: string | null;
          /** The run that the task belongs to; if its thread_id changes, this column follows */
          thread_id: string | null;
          /** Tasks with a greater number are claimed first */
          priority: number;
          /** No worker claims the task before this time */
          run_after: string;
          /** The number of attempts after which a failure is final; released attempts do not count */
          max_attempts: number;
          /** The result of the work, any JSON value of the application */
          result: Json;
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
          thread_id?: string | null;
          priority?: number;
          run_after?: string;
          max_attempts?: number;
          result?: Json;
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
          thread_id?: string | null;
          priority?: number;
          run_after?: string;
          max_attempts?: number;
          result?: Json;
        };
        Relationships: [
          {
            foreignKeyName: "tasks_thread_id_fkey";
            columns: ["thread_id"];
            isOneToOne: false;
            referencedRelation: "orchestrator_runs";
            referencedColumns: ["thread_id"];
          },
        ];
      };
      /** The log of tools: every call by a task, and its end */
      tool_executions: {
        Row: {
          id: string;
          task_id: string;
          tool_name: string;
          /** The arguments of the call */
          arguments: Json;
          /** The output of the tool */
          output: string | null;
          /** State of the call. pending: not started; running: in progress; completed: the tool returned; failed: the tool returned an error; timeout: the tool did not return in time */
          status: "pending" | "running" | "completed" | "failed" | "timeout";
          error: string | null;
          created_at: string;
          /** When it became completed, failed or timeout */
          completed_at: string | null;
          /** Milliseconds from created_at to completed_at */
          duration_ms: number | null;
          /** The worker's key of the step within its task: begin_step finds the completed execution by it */
          step_key: string | null;
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
          step_key?: string | null;
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
          step_key?: string | null;
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
      /** Consolidation of enum types: each row replaces one type by another, reversibly */
      v7_enum_migrations: {
        Row: {
          id: string;
          /** The type to replace, as schema.name */
          current_enum_name: string;
          current_enum_values: (string | null)[];
          /** The type that replaces it */
          v7_enum_name: string;
          v7_enum_values: (string | null)[];
          /** Further types that the same type replaces */
          consolidates_with: (string | null)[];
          affected_tables: (string | null)[];
          /** The columns of each table that use the type, a JSON object of arrays */
          affected_columns: Json;
          migration_script: string | null;
          /** The script that undoes the change; required from approval on */
          rollback_script: string | null;
          /** State of the replacement. proposed: waits for an approver; approved: may be implemented; implemented: in place, to be validated; validated: tested; retired: the old type is gone; rolled_back: undone, can be proposed again */
          status: "proposed" | "approved" | "implemented" | "validated" | "retired" | "rolled_back";
          /** Risk of the replacement. low: little can break; medium: the default; high: much can break; critical: everything can break */
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
      /** Changes that reach beyond one file: their reach, their risk and their approval */
      v7_global_impacts: {
        Row: {
          id: string;
          /** Subject of the change. enum: an enum type; file: a file; api: an interface; schema: the database schema; config: configuration; dependency: a dependency */
          change_type: "enum" | "file" | "api" | "schema" | "config" | "dependency";
          change_detail: Json;
          /** WF1 to WF7 */
          affected_workflows: (string | null)[];
          /** 1 to 7, as in file_audit.layer_number */
          affected_layers: (number | null)[];
          impact_description: string;
          /** Risk of the change. low: little can break; medium: something can break; high: much can break, needs a mitigation; critical: everything can break, needs a mitigation */
          risk_assessment: "low" | "medium" | "high" | "critical";
          /** The plan against the risk; high and critical impacts need it before they are approved */
          mitigation_strategy: string | null;
          reviewed_by_personas: (string | null)[];
          /** State of the impact, which is open until it is implemented or rejected. pending: not looked at; reviewing: under review; approved: may be implemented; rejected: will not be implemented; implemented: done */
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
      /** The phases of the migration, one row each, with state, leader and approval */
      v7_migration_workflow: {
        Row: {
          id: string;
          phase_number: number;
          phase_name: string;
          /** State of the phase. not_started: waits for the phase before; in_progress: work is going on; review: waits for approval; approved: can be completed; completed: done; blocked: held up; rolled_back: undone, can start again */
          status: "not_started" | "in_progress" | "review" | "approved" | "completed" | "blocked" | "rolled_back";
          /** The persona who is responsible for the phase */
          lead_persona: string;
          started_at: string | null;
          completed_at: string | null;
          /** Approval of the present run of the phase. pending: not given; approved: given, the next phase may start; rejected: refused */
          approval_status: "pending" | "approved" | "rejected";
          approved_by: string | null;
          /** The written approval, and why earlier ones ended */
          approval_notes: string | null;
          /** The results for the review, a JSON array */
          deliverables: Json;
          /** Reasons why the phase is held up, a JSON array */
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
      /** The tasks of each phase, in the form in which they are handed to the external tracker */
      v7_subworkflow_tasks: {
        Row: {
          id: string;
          parent_phase: number;
          task_number: number;
          task_name: string;
          responsible_persona: string;
          /** State of the task. pending: waits to be started; in_progress: being done; blocked: held up; review: under review; completed: done; cancelled: will not be done; deferred: put off */
          status: "pending" | "in_progress" | "blocked" | "review" | "completed" | "cancelled" | "deferred";
          /** The id of the task in the external tracker; NULL before it is there */
          dart_task_id: string | null;
          dart_task_url: string | null;
          started_at: string | null;
          completed_at: string | null;
          blockers: (string | null)[];
          /** The ids of tasks that must be completed before this one is ready */
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
      /** Results of tests of the migrated code, one row per test run */
      v7_test_results: {
        Row: {
          id: string;
          /** Kind of test. unit: one component; integration: several components together; system: the whole; performance: speed; regression: that older features still work; smoke: that it starts */
          test_type: "unit" | "integration" | "system" | "performance" | "regression" | "smoke";
          component_tested: string;
          v7_file_path: string | null;
          /** Result of the test. pass: passed; fail: failed; skip: did not run; error: could not run; timeout: did not end in time. A failure is open until the same test of the same component passes */
          test_status: "pass" | "fail" | "skip" | "error" | "timeout";
          error_details: string | null;
          performance_metrics: Json;
          /** Whether earlier users of the component still work; NULL if that was not tested */
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
      /** The tasks of each workflow; a workflow has a task at most once */
      workflow_tasks: {
        Row: {
          workflow_id: string;
          task_id: string;
          /** Place in the order of the workflow, from 0; tasks with the same number may run side by side */
          sequence: number;
          created_at: string;
          /** Whether the task is completed or cancelled, and later ones may begin; kept up by triggers */
          done: boolean;
        };
        Insert: {
          workflow_id: string;
          task_id: string;
          sequence?: number;
          created_at?: string;
          done?: boolean;
        };
        Update: {
          workflow_id?: string;
          task_id?: string;
          sequence?: number;
          created_at?: string;
          done?: boolean;
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
      /** Definitions of work in several tasks; workflow_tasks lists the tasks of each */
      workflows: {
        Row: {
          id: string;
          /** The name for people; several definitions may share it */
          name: string;
          description: string | null;
          /** Nodes and edges in the orchestrator's own form, a JSON object */
          definition: Json;
          /** State of the definition. draft: being written; active: in use; paused: not in use for now; archived: out of use for good */
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
      /** Active sessions, the last updated first */
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
      /** Each budget in its present window: spent, reserved and available */
      budget_status: {
        Row: {
          /** The budget */
          budget_id: string | null;
          /** Only calls of this project; NULL for any */
          project_id: string | null;
          /** Only calls of this agent; NULL for any */
          agent_id: string | null;
          /** Only calls of the run of this thread; NULL for any */
          thread_id: string | null;
          /** Only calls that are charged to this user, key or tag; NULL for any */
          subject: string | null;
          /** day, week, month or total */
          period: string | null;
          /** When the present window begins; -infinity for period total */
          starts_at: string | null;
          /** When the next one begins; infinity for period total */
          ends_at: string | null;
          /** USD for each window */
          limit_usd: number | null;
          /** USD by which the limit was raised for this window */
          raised: number | null;
          /** USD of the calls that were recorded or settled */
          spent: number | null;
          /** USD of the reservations that are held and have not expired */
          reserved: number | null;
          /** USD that are left; less than 0 if more was spent than allowed */
          available: number | null;
          /** Whether reservations beyond the limit are refused */
          enforce: boolean | null;
          /** The last question to a human about the window */
          review_id: string | null;
        };
        Relationships: [];
      };
      /** Every collaboration: its first question with agents and urgency, the number of requests and outcomes, and whether the last request is answered */
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
          /** Tokens of all answers, as far as they are known */
          tokens_used: number | null;
          opened_at: string | null;
          last_request_at: string | null;
          last_answer_at: string | null;
          /** answered: no request since the last answer; open: a request waits for an answer */
          status: string | null;
        };
        Relationships: [];
      };
      /** Every setting, with the values of secrets masked */
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
      /** Everything that waits for a human, what is overdue first, then the oldest, with all that a person needs to decide. Filter by id for one card, or LIMIT a page as in pending_decisions */
      decision_cards: {
        Row: {
          /** The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task. decide() takes the id of each */
          kind: string | null;
          id: string | null;
          /** The subject in words */
          subject: string | null;
          /** The reason or the notes of the question, else the description of the task */
          asks: string | null;
          /** The project of the run, or of the gate; NULL for an approval of a task without a run */
          project_id: string | null;
          /** The run; for a gate without one the thread that its context names */
          thread_id: string | null;
          requested_at: string | null;
          /** How long it has waited */
          waiting: string | null;
          /** The facts that came with a review or a gate, a JSON object */
          context: Json;
          /** The findings of the scorers about the run */
          violations: (string | null)[] | null;
          /** The task of an approval */
          task_id: string | null;
          task_title: string | null;
          task_description: string | null;
          /** Input for the role of the task, a JSON object */
          task_data: Json;
          /** Phase of the run; NULL without a run, as in the other columns of the run */
          run_phase: string | null;
          /** The agent at work */
          run_agent: string | null;
          /** Sum of the costs of the run, in USD */
          run_cost_usd: number | null;
          run_tokens_used: number | null;
          /** The last five audit events of the run, without a run those of the task, the newest first: at, event_type, role, metadata. Longer metadata is a text of 2,000 characters */
          last_events: Json;
          /** The last five tool calls of the run, without a run those of the task, the newest first: at, tool_name, status, arguments, output, error, duration_ms. Texts are cut to 2,000 characters */
          last_tool_calls: Json;
          /** The role that is asked to approve: acting_as of decide(); NULL if anyone who may decide is asked */
          asked_role: string | null;
          /** Whether decide() rejects it only with notes */
          rejection_needs_notes: boolean | null;
          /** The consequence of a yes, in words */
          if_approved: string | null;
          /** The consequence of a no, in words */
          if_rejected: string | null;
          /** When an answer is due; NULL without a deadline */
          due_at: string | null;
          /** Whether the time has passed */
          overdue: boolean | null;
          /** The person or role that is asked now; NULL for anyone who may decide, or the role of an approval */
          assigned_to: string | null;
          /** Who is working on the answer; NULL if nobody is */
          claimed_by: string | null;
          /** When the claim ends */
          claimed_until: string | null;
          /** The number of approvals so far */
          votes: number | null;
          /** The number of approvals that are needed */
          votes_needed: number | null;
        };
        Relationships: [];
      };
      /** Every question to a human, open or decided, in one vocabulary. pending_decisions lists the open ones in order */
      decisions: {
        Row: {
          /** The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task */
          kind: string | null;
          id: string | null;
          /** State of the question. pending: waits for a decision; approved: yes; rejected: no, also of a denied gate; changes_requested: change it and ask again; withdrawn: no longer asked, both since 0.8.0 */
          status: string | null;
          /** The subject in words */
          subject: string | null;
          /** The reason of the question; for an approval its notes while it is pending, else the description of the task */
          asks: string | null;
          /** The agent that waits at a gate, or the role that routed the task of an approval; NULL for a review, whose event review_requested has the role that was logged in */
          requested_by: string | null;
          requested_at: string | null;
          /** The person who decided or withdrew it, or timeout at a deadline; for an approval that no person decided, the role that was asked */
          decided_by: string | null;
          decided_at: string | null;
          /** The notes of the decision, or the feedback of a gate; for an approval that was decided without notes those of the request */
          notes: string | null;
          /** The project of the run, or of the gate; NULL for an approval of a task without a run */
          project_id: string | null;
          /** The run; for a gate without one the thread that its context names */
          thread_id: string | null;
          /** The task of an approval */
          task_id: string | null;
        };
        Relationships: [];
      };
      /** Every enum type outside system schemas that the caller may see, with its labels in order and the columns that use it */
      enum_usage: {
        Row: {
          schema_name: string | null;
          enum_name: string | null;
          labels: (string | null)[] | null;
          /** The columns of that type, of an array of it or of a domain over it, as schema.table.column */
          used_by: (string | null)[] | null;
          use_count: number | null;
          /** The number of further columns that use it in tables that the caller may not see */
          hidden_uses: number | null;
        };
        Relationships: [];
      };
      /** The cost of each project, agent and model on each UTC day */
      llm_cost_by_day: {
        Row: {
          day: string | null;
          project_id: string | null;
          agent_id: string | null;
          model: string | null;
          calls: number | null;
          /** Tokens of the input that were neither read from a cache nor written to it */
          input_tokens: number | null;
          output_tokens: number | null;
          /** All tokens, those of caches and of reasoning too */
          tokens: number | null;
          /** USD, exact, of the calls that have a cost; NULL if none has */
          cost: number | null;
          /** Calls without a cost, because the model or one of the units had no price */
          unpriced_calls: number | null;
          cache_read_tokens: number | null;
          cache_write_tokens: number | null;
          cache_write_1h_tokens: number | null;
          reasoning_tokens: number | null;
        };
        Relationships: [];
      };
      /** The calls with each prompt, and their cost */
      llm_cost_by_prompt: {
        Row: {
          prompt_id: string | null;
          agent_type: string | null;
          /** The version of the prompt; NULL if there is no such prompt */
          version: string | null;
          calls: number | null;
          /** USD, exact, of the calls that have a cost; NULL if none has */
          cost: number | null;
          /** USD, the average of the calls that have a cost; rounded */
          cost_per_call: number | null;
          /** Calls without a cost */
          unpriced_calls: number | null;
        };
        Relationships: [];
      };
      /** The calls of each run with every kind of token and their cost */
      llm_cost_by_run: {
        Row: {
          /** The name of the run when the calls were recorded */
          thread_id: string | null;
          calls: number | null;
          input_tokens: number | null;
          output_tokens: number | null;
          cache_read_tokens: number | null;
          cache_write_tokens: number | null;
          cache_write_1h_tokens: number | null;
          reasoning_tokens: number | null;
          /** USD, exact, of the calls that have a cost; NULL if none has */
          cost: number | null;
          /** Calls without a cost */
          unpriced_calls: number | null;
          first_call: string | null;
          last_call: string | null;
        };
        Relationships: [];
      };
      /** One row: where a unit cost or a price begins within the calls of a UTC day, over all models */
      llm_price_limits: {
        Row: {
          /** The lengths of the input above which a unit cost begins, in order; NULL for none */
          steps: (number | null)[] | null;
          /** The times within a UTC day at which a price begins, in order; NULL for none */
          moments: (string | null)[] | null;
        };
        Relationships: [];
      };
      /** All prices of each name that a call can use, in the order of the times from which they are in force */
      llm_price_lists: {
        Row: {
          name: string | null;
          /** The time from which each price is in force, until the next one */
          begins: (string | null)[] | null;
          /** Each price in llm_pricing */
          price_ids: (string | null)[] | null;
          /** The unit costs of each price, as in llm_prices_by_name */
          unit_costs: Json;
        };
        Relationships: [];
      };
      /** Every price that was not replaced, with the time in which it is in force */
      llm_price_periods: {
        Row: {
          model: string | null;
          /** The first UTC day */
          valid_from: string | null;
          /** The UTC day of the next price, not included; NULL if there is none yet */
          valid_until: string | null;
          input_cost_per_million: number | null;
          output_cost_per_million: number | null;
          price_id: string | null;
          /** The moment from which the price is in force */
          begins: string | null;
          /** The moment of the next price, not included; NULL if there is none yet */
          ends: string | null;
        };
        Relationships: [];
      };
      /** The prices of each name that a call can use, of models and of aliases, with the time in which they are in force and all unit costs */
      llm_prices_by_name: {
        Row: {
          /** The name that calls use */
          name: string | null;
          begins: string | null;
          /** The moment of the next price, not included; NULL if there is none yet */
          ends: string | null;
          /** The model of the price */
          model: string | null;
          price_id: string | null;
          /** Arrays of component, service tier, length of the input above which it holds, and USD per unit */
          unit_costs: Json;
        };
        Relationships: [];
      };
      /** Every call with its cost: the one that the provider reported, else that by the price in force when it was made */
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
          /** USD, exact; NULL if there was no price, or none for one of the units */
          cost: number | null;
          /** The price in llm_pricing; NULL if there was none */
          price_id: string | null;
          cache_read_tokens: number | null;
          cache_write_tokens: number | null;
          cache_write_1h_tokens: number | null;
          reasoning_tokens: number | null;
          units: Json;
          service_tier: string | null;
          /** Tokens of the whole input, which decide the step of the price: new, read, written, and those of audio and images */
          n: number | null;
          thread_id: string | null;
          prompt_id: string | null;
          /** Units of the call that the price has no cost for; NULL if there was no price */
          unpriced_units: (string | null)[] | null;
        };
        Relationships: [];
      };
      /** Pending approvals with their tasks, the oldest first */
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
      /** Everything that waits for a human, what is overdue first, then the oldest. The next page is WHERE (NOT overdue, requested_at, id) > (those of the last row). Never poll with it, because a late commit has an earlier requested_at. To poll, LISTEN orchestrator_decisions, read all rows after each connect, and after each notification the ids that it holds, or all rows if its count is greater */
      pending_decisions: {
        Row: {
          /** The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task. decide() takes the id of each */
          kind: string | null;
          id: string | null;
          /** The subject in words */
          subject: string | null;
          /** The reason or the notes of the question, else the description of the task */
          asks: string | null;
          /** The project of the run, or of the gate; NULL for an approval of a task without a run */
          project_id: string | null;
          /** The run; for a gate without one the thread that its context names */
          thread_id: string | null;
          requested_at: string | null;
          /** How long it has waited */
          waiting: string | null;
          /** When an answer is due; NULL without a deadline */
          due_at: string | null;
          /** Whether the time has passed */
          overdue: boolean | null;
          /** The person or role that is asked now; NULL for anyone who may decide, or the role of an approval */
          assigned_to: string | null;
          /** Who is working on the answer; NULL if nobody is */
          claimed_by: string | null;
          /** When the claim ends */
          claimed_until: string | null;
          /** The number of approvals so far */
          votes: number | null;
          /** The number of approvals that are needed */
          votes_needed: number | null;
        };
        Relationships: [];
      };
      /** Every prompt, for each agent type the highest version first; 1.10.0 is higher than 1.9.0 */
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
      /** Runs whose cost is not the sum of the costs of their calls, for example because a price was corrected, or a cost was reported without a call */
      run_cost_differences: {
        Row: {
          thread_id: string | null;
          /** USD that the run says */
          run_cost: number | null;
          /** USD, the sum of the costs of its calls */
          calls_cost: number | null;
          /** USD that the run says beyond its calls */
          difference: number | null;
          calls: number | null;
          unpriced_calls: number | null;
        };
        Relationships: [];
      };
      /** The recorded calls of each run with their tokens and exact cost */
      run_costs: {
        Row: {
          /** The name of the run when the calls were recorded */
          thread_id: string | null;
          calls: number | null;
          input_tokens: number | null;
          output_tokens: number | null;
          /** USD, exact; calls without a price add nothing */
          cost: number | null;
          /** Calls of models that had no price on their day */
          unpriced_calls: number | null;
        };
        Relationships: [];
      };
      /** Every run with the number of its audit events and of its open questions, and who paused it */
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
          project_id: string | null;
          story_id: string | null;
          started_at: string | null;
          updated_at: string | null;
          completed_at: string | null;
          error: string | null;
          /** Open gates of the run */
          pending_gates: number | null;
          /** Pending approvals of its tasks */
          pending_approvals: number | null;
          /** The role that paused the run */
          held_by: string | null;
          hold_reason: string | null;
        };
        Relationships: [];
      };
      /** Every foreign key between tables outside system schemas that the caller may see, with its place in the graph; capture_snapshot counts the tables that the caller may not see */
      table_dependencies: {
        Row: {
          constraint_name: string | null;
          from_table: string | null;
          from_columns: (string | null)[] | null;
          to_table: string | null;
          to_columns: (string | null)[] | null;
          /** 1 for a key to a table without foreign keys, else one more than the deepest key of the referenced table; edges of a cycle do not count */
          depth: number | null;
          /** Whether the key is part of a cycle of references; such tables cannot be loaded one after the other */
          in_cycle: boolean | null;
        };
        Relationships: [];
      };
      /** Open tasks by type and role: claimable, due later, kept back, and held by workers */
      task_queue: {
        Row: {
          task_type: string | null;
          to_role: string | null;
          /** Tasks that a worker can claim now, unless their run is to be done again and waits for another answer */
          waiting: number | null;
          /** Tasks that can be claimed after their run_after */
          scheduled: number | null;
          /** Tasks whose run is on hold or was killed, or which wait in a workflow */
          blocked: number | null;
          /** Tasks that a worker holds */
          running: number | null;
          /** Those of them whose lease has expired: the next claim takes them back */
          expired_leases: number | null;
          /** How long the longest waiting of the claimable tasks has been claimable */
          oldest_wait: string | null;
        };
        Relationships: [];
      };
      /** Attempts of tasks that ended in the last 24 hours, by type of task; released and cancelled ones are left out */
      task_stats: {
        Row: {
          task_type: string | null;
          count: number | null;
          /** Attempts that failed, or whose lease expired */
          failures: number | null;
          /** The median time from the claim to the end of an attempt */
          p50: string | null;
          /** The time that 95 of 100 attempts took at most */
          p95: string | null;
        };
        Relationships: [];
      };
      /** Tool executions that were started in the last 24 hours and have ended, by tool */
      tool_stats: {
        Row: {
          tool_name: string | null;
          count: number | null;
          /** Executions that failed or timed out */
          failures: number | null;
          /** The median time of an execution */
          p50: string | null;
          /** The time that 95 of 100 executions took at most */
          p95: string | null;
        };
        Relationships: [];
      };
      /** Models, and units of models, with calls that have no cost, and the number of those calls */
      unpriced_usage: {
        Row: {
          model: string | null;
          calls: number | null;
          input_tokens: number | null;
          output_tokens: number | null;
          tokens: number | null;
          first_call: string | null;
          last_call: string | null;
          /** The unit that the price has no cost for; NULL if the model had no price */
          unit: string | null;
          /** A model with a price whose name is the beginning or the end of this one, for set_model_alias; nobody has decided that it is the same */
          suggested_model: string | null;
        };
        Relationships: [];
      };
      /** The planned replacements of enum types, grouped by target enum, status and risk, with the replaced types and the affected tables; the highest risk first */
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
      /** For each layer: the migration progress of its workflow files. A workflow file is one that serves a workflow, whatever its path */
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
          /** Files with an impact score above 7 that are neither migrated nor retired */
          high_impact_not_migrated: number | null;
          /** Files without a target name, whose own name breaks the rule of V7 */
          names_breaking_rule: number | null;
          /** The highest risk among impacts on the layer that are neither implemented nor rejected */
          highest_open_risk: string | null;
        };
        Relationships: [];
      };
      /** One row per phase: its state, its tasks, its missing sign-offs, and the open test failures and impacts of its time; each of these is counted on one row only */
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
          /** Completed tasks in percent of the tasks that are not cancelled; NULL if there is none */
          percent_done: number | null;
          /** Required sign-offs that nobody has given, with their stage */
          missing_sign_offs: (string | null)[] | null;
          /** Tests whose last result is fail, error or timeout, from the time of the phase: from its start to the start of the next one */
          open_test_failures: number | null;
          days_in_phase: number | null;
          /** Impacts recorded in the time of the phase that are neither implemented nor rejected */
          open_impacts: number | null;
          /** The highest risk among them, by rank: low, medium, high, critical */
          highest_open_risk: string | null;
        };
        Relationships: [];
      };
      /** Pending tasks whose dependencies are all completed */
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
      /** Tasks that the external tracker does not have, or has in an older form. An UPDATE of dart_task_id or dart_task_url, even to the same value, marks a task as up to date there */
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
      /** How far each workflow is: its tasks by status, and the ones that stop it */
      workflow_progress: {
        Row: {
          workflow_id: string | null;
          name: string | null;
          /** State of the workflow; its tasks are claimed only while it is active */
          status: string | null;
          /** Tasks of the workflow; the next five columns count them by status */
          tasks: number | null;
          pending: number | null;
          running: number | null;
          completed: number | null;
          failed: number | null;
          cancelled: number | null;
          /** The lowest sequence with a task that is neither completed nor cancelled; NULL if there is none */
          current_sequence: number | null;
          /** The failed tasks, which stop those of a higher sequence until retry_task or cancel_task; NULL if there is none */
          blocked_by: (string | null)[] | null;
          /** When the first of its tasks began, also if it waits again since */
          started_at: string | null;
          /** When the workflow or one of its tasks last changed */
          last_change_at: string | null;
        };
        Relationships: [];
      };
    };
    Functions: {
      /** Every role with privileges on the extension's objects: reader, worker, reviewer or admin; custom for privileges without a level */
      access: {
        Args: Record<PropertyKey, never>;
        Returns: { grantee: string; level: string }[];
      };
      /** Makes a published version live under a label, for all who ask or a part of them; an older one is rolled back to in the same way. Returns the row */
      activate_prompt: {
        Args: {
          agent_type: string;
          version: string;
          label?: string;
          weight?: number;
          activated_by?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["prompts"]["Row"];
      };
      /** The text of the prompt that was live at a time; in a split the same key always has the same version */
      active_prompt: {
        Args: {
          agent_type: string;
          label?: string;
          at?: string;
          key?: string;
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
      /** Answers a collaboration. Returns the id of the outcome */
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
      /** For down scripts: keeps the values of columns, with the key of their row, before the columns are dropped. Returns the number of rows kept */
      archive_columns: {
        Args: {
          relation: string;
          columns: string[];
        };
        Returns: number;
      };
      /** For down scripts: moves a table to schema orchestrator_archive and takes it out of the extension. Returns the number of rows kept */
      archive_table: {
        Args: {
          relation: string;
        };
        Returns: number;
      };
      /** The tables and columns in schema orchestrator_archive that downgrades kept and no upgrade has restored yet */
      archived: {
        Args: Record<PropertyKey, never>;
        Returns: { object: string; from_version: string; archived_at: string; rows: number }[];
      };
      /** Assigns a question to a person or role, which may then decide an approval like the role that was asked. Returns the row of view decisions */
      assign_decision: {
        Args: {
          decision_id: string;
          assignee: string;
          assigned_by: string;
          notes?: string;
        };
        Returns: Database["orchestrator"]["Views"]["decisions"]["Row"];
      };
      /** Returns the last seal over the audit events, to be kept outside of the database; verify_audit_seals takes its digest */
      audit_head: {
        Args: Record<PropertyKey, never>;
        Returns: { sequence: number; sealed_until: string; digest: string }[];
      };
      /** For down scripts: locks every table that the downgrade needs, and stops if a user's object depends on something that the script removes */
      begin_downgrade: {
        Args: {
          target: string;
        };
        Returns: undefined;
      };
      /** Starts the tool of a step, or returns the output of the step if it is done already. Finish it with finish_tool_execution */
      begin_step: {
        Args: {
          task_id: string;
          step_key: string;
          tool_name: string;
          arguments?: Json;
        };
        Returns: { execution_id: string; done: boolean; output: string }[];
      };
      /** For up scripts: locks every table that the update needs */
      begin_upgrade: {
        Args: {
          target: string;
        };
        Returns: undefined;
      };
      /** Cancels a task that has not ended; the claim of a worker ends with it. Returns the row */
      cancel_task: {
        Args: {
          task_id: string;
          reason: string;
        };
        Returns: Database["orchestrator"]["Tables"]["tasks"]["Row"];
      };
      /** Stores the present schema under a new label: definitions, sizes and use of all user schemas or of the named ones. Returns its id. A NOTICE counts the objects that the caller may not see */
      capture_snapshot: {
        Args: {
          label: string;
          schemas?: string[];
        };
        Returns: string;
      };
      /** Keeps others from answering a question for a while, or extends the caller's claim. Returns the end of the claim */
      claim_decision: {
        Args: {
          decision_id: string;
          claimed_by: string;
          for_how_long?: string;
        };
        Returns: string;
      };
      /** The oldest knowledge to embed that nobody else has claimed. The claim lasts as long as the lease; without one it ends with the transaction */
      claim_knowledge: {
        Args: {
          batch?: number;
          worker?: string;
          lease?: string;
        };
        Returns: { id: string; knowledge_type: string; content: string; metadata: Json }[];
      };
      /** Takes waiting tasks for a worker, the most urgent first, until their lease expires. Returns their rows */
      claim_tasks: {
        Args: {
          worker: string;
          task_types?: string[];
          to_role?: string;
          batch?: number;
          lease?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["tasks"]["Row"][];
      };
      /** Objects that were added, removed or changed between two snapshots, given by label; no row if their schemas are equal */
      compare_snapshots: {
        Args: {
          before: string;
          after: string;
        };
        Returns: { object: string; change: string; was: string; now: string }[];
      };
      /** Compares two versions major.minor.patch. Returns -1 if a is lower than b, 0 if they are equal, 1 if a is higher */
      compare_versions: {
        Args: {
          a: string;
          b: string;
        };
        Returns: number;
      };
      /** Completes a task that the worker holds. Repeating the call changes nothing. Returns the row */
      complete_task: {
        Args: {
          task_id: string;
          worker: string;
          result?: Json;
        };
        Returns: Database["orchestrator"]["Tables"]["tasks"]["Row"];
      };
      /** Completes tasks that the worker holds: all of them, or none. Returns the number that this call completed */
      complete_tasks: {
        Args: {
          task_ids: string[];
          worker: string;
          results?: Json[];
        };
        Returns: number;
      };
      /** The value of a setting as JSON of its type; for an unknown key the fallback, or an error without one. A secret is an error for a role that may not read the table */
      configuration_value: {
        Args: {
          key: string;
          fallback?: Json;
        };
        Returns: Json;
      };
      /** For scripts: copies the grants on function or view source to target, which takes its place. Returns the number of grants */
      copy_grants: {
        Args: {
          source: string;
          target: string;
        };
        Returns: number;
      };
      /** Creates a task for workers to claim, once per idempotency key. Returns its id, and whether this call created it */
      create_task: {
        Args: {
          task_type: string;
          title: string;
          config?: Json;
          thread_id?: string;
          priority?: number;
          run_after?: string;
          max_attempts?: number;
          description?: string;
          metadata?: Json;
          workspace_path?: string;
          idempotency_key?: string;
        };
        Returns: { task_id: string; created: boolean }[];
      };
      /** Marks sessions without a heartbeat for longer than silent_for as inactive. Returns their ids */
      deactivate_stale_sessions: {
        Args: {
          silent_for?: string;
        };
        Returns: string[];
      };
      /** Approves or rejects a pending review, gate or approval by the rules of its kind and its terms, or requests changes. Returns its kind, id and status, which is pending while more votes are needed */
      decide: {
        Args: {
          decision_id: string;
          decision: string;
          decided_by: string;
          notes?: string;
          acting_as?: string;
        };
        Returns: { kind: string; id: string; status: string }[];
      };
      /** The question with this id, open or decided: the row of view decisions */
      decision: {
        Args: {
          decision_id: string;
        };
        Returns: Database["orchestrator"]["Views"]["decisions"]["Row"];
      };
      /** Everything that a downgrade to that version would archive, drop or replace, and the objects that would stop it; changes nothing */
      downgrade_plan: {
        Args: {
          target: string;
        };
        Returns: { step: string; object: string; action: string; rows: number }[];
      };
      /** Removes a rule; questions that were asked before keep their terms. Returns whether there was one */
      drop_decision_rule: {
        Args: {
          kind: string;
          type?: string;
        };
        Returns: boolean;
      };
      /** Additions of users to the extension's tables that pg_dump would lose; severity error means that rows would be lost */
      dump_safety: {
        Args: Record<PropertyKey, never>;
        Returns: { object: string; kind: string; severity: string; consequence: string; hint: string }[];
      };
      /** Starts the run of a thread, or finds it. Returns its id, and whether this call started it */
      ensure_run: {
        Args: {
          thread_id: string;
          project_id: string;
          story_id: string;
        };
        Returns: { run_id: string; created: boolean }[];
      };
      /** Pairs of enum types that are probably duplicates: their names agree apart from case, underscores and a trailing enum, or differ by one letter, or they share at least that part of their labels */
      enum_duplicates: {
        Args: {
          minimum_similarity?: number;
        };
        Returns: { enum_a: string; enum_b: string; reason: string; similarity: number; only_in_a: string[]; only_in_b: string[] }[];
      };
      /** The cost of a call by the price in force now, to be reserved; NULL if there is none */
      estimate_cost: {
        Args: {
          model: string;
          input_tokens: number;
          max_output_tokens: number;
          service_tier?: string;
        };
        Returns: number;
      };
      /** Approves, rejects or escalates the questions without an answer in time, as their terms say. Returns each with its outcome */
      expire_decisions: {
        Args: Record<PropertyKey, never>;
        Returns: { decision_id: string; kind: string; outcome: string }[];
      };
      /** Expires pending and active sessions without heartbeat or update for longer than the argument says, and records each. Returns the number of sessions. The session of a task that is pending, running or waits for an approval is kept. NULL: configuration session_retention_days, else 7 days */
      expire_sessions: {
        Args: {
          retention?: string;
        };
        Returns: number;
      };
      /** Records that knowledge could not be embedded; it waits for another attempt, or is given up after knowledge_max_attempts. Returns the number of entries that failed */
      fail_knowledge: {
        Args: {
          ids: string[];
          error: string;
          retry_in?: string;
          worker?: string;
        };
        Returns: number;
      };
      /** Ends the attempt of a task that the worker holds with an error: the task waits for its next attempt, or failed if none is left. Returns the row */
      fail_task: {
        Args: {
          task_id: string;
          worker: string;
          error: string;
          retry_in?: string;
          final?: boolean;
        };
        Returns: Database["orchestrator"]["Tables"]["tasks"]["Row"];
      };
      /** SHA-256 of every live member and its definition; equal schemas have equal fingerprints, whatever upgrades led to them */
      fingerprint: {
        Args: Record<PropertyKey, never>;
        Returns: string;
      };
      /** Records that a tool call ended as completed, failed or timeout, once. Returns the row */
      finish_tool_execution: {
        Args: {
          execution_id: string;
          status: string;
          output?: string;
          error?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["tool_executions"]["Row"];
      };
      /** The value of a setting as text; an unknown key is an error, and so is a secret for a role that may not read the table */
      get_configuration: {
        Args: {
          key: string;
        };
        Returns: string;
      };
      /** Gives a role exactly the privileges of a level, including those of functions that updates brought. Returns the number of changed privileges */
      grant_access: {
        Args: {
          grantee: string;
          level: string;
        };
        Returns: number;
      };
      /** Lists everything that exists, or describes one table, view, function or state machine in full, with an example; lines of text */
      help: {
        Args: {
          topic?: string;
        };
        Returns: string[];
      };
      /** Sets the prices of LiteLLM's price file from a UTC day on (by default today). Returns one row per entry: added, changed, unchanged, alias, or skipped with the reason */
      import_prices: {
        Args: {
          document: Json;
          effective_date?: string;
        };
        Returns: { model: string; outcome: string; reason: string }[];
      };
      /** Whether a text is a value of that type: string, integer, float, boolean or json */
      is_valid_configuration: {
        Args: {
          value: string;
          value_type: string;
        };
        Returns: boolean;
      };
      /** Whether tokens are from 0 to 10^18, units are an object of such numbers, a reported cost is from 0 to below 10^12 USD, and no name is blank. The check of llm_token_usage uses it */
      is_valid_llm_call: {
        Args: {
          cache_read_tokens: number;
          cache_write_tokens: number;
          cache_write_1h_tokens: number;
          reasoning_tokens: number;
          units: Json;
          service_tier: string;
          reported_cost: number;
          subject: string;
        };
        Returns: boolean;
      };
      /** JSON Schema (2020-12) of a row of a table or view of the schema, in the form of to_jsonb */
      json_schema: {
        Args: {
          table_name: string;
        };
        Returns: Json;
      };
      /** Ends a run as failed, with the reason as its error. Returns the row */
      kill_run: {
        Args: {
          thread_id: string;
          reason: string;
        };
        Returns: Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
      };
      /** The exact cost of a call in USD; NULL if no price was in force or a unit has no cost. The views over calls use it */
      llm_call_cost: {
        Args: {
          unit_costs: Json;
          place: number;
          service_tier: string;
          n: number;
          input_tokens: number;
          output_tokens: number;
          cache_read_tokens: number;
          cache_write_tokens: number;
          cache_write_1h_tokens: number;
          reasoning_tokens: number;
          units: Json;
        };
        Returns: number;
      };
      /** The exact cost of a call in USD, by the price in force at that time; NULL if there is no price */
      llm_cost: {
        Args: {
          model: string;
          input_tokens: number;
          output_tokens: number;
          at?: string;
        };
        Returns: number;
      };
      /** View llm_cost_by_day as it was at a moment: with the calls and the prices that were recorded until then */
      llm_cost_by_day_as_of: {
        Args: {
          moment: string;
        };
        Returns: { day: string; project_id: string; agent_id: string; model: string; calls: number; input_tokens: number; output_tokens: number; tokens: number; cost: number; unpriced_calls: number; cache_read_tokens: number; cache_write_tokens: number; cache_write_1h_tokens: number; reasoning_tokens: number }[];
      };
      /** The exact cost in USD, the calls without a cost, and the tokens besides input and output, of the calls of one model on one UTC day. The views over calls use it */
      llm_cost_line: {
        Args: {
          begins: string[];
          unit_costs: Json;
          day: string;
          calls: number;
          input_tokens: number;
          output_tokens: number;
          sums: string;
          reported_cost: number;
        };
        Returns: number[];
      };
      /** The tokens among the units of a call that belong to its input, such as those of audio. The views over calls use it */
      llm_input_units: {
        Args: {
          units: Json;
        };
        Returns: number;
      };
      /** A call for llm_usage_sums; NULL if its cost depends on nothing but its model, its day, and its tokens of input and output. The views over calls use it */
      llm_special_call: {
        Args: {
          input_tokens: number;
          output_tokens: number;
          cache_read_tokens: number;
          cache_write_tokens: number;
          cache_write_1h_tokens: number;
          reasoning_tokens: number;
          units: Json;
          service_tier: string;
          reported_cost: number;
          at: string;
          steps: number[];
          moments: string[];
        };
        Returns: string;
      };
      /** The units of a call that have no cost at the price in force. The views over calls use it */
      llm_unpriced_units: {
        Args: {
          unit_costs: Json;
          place: number;
          service_tier: string;
          n: number;
          units: Json;
        };
        Returns: string[];
      };
      /** Adds a call, or sums, to the sums of llm_usage_sums. Only that aggregate calls it */
      llm_usage_sums_add: {
        Args: {
          sums: string;
          others: string;
        };
        Returns: string;
      };
      /** Adds the list prices of eleven models from today (UTC) on, except for models that have a price. Returns the number of prices added */
      load_default_prices: {
        Args: Record<PropertyKey, never>;
        Returns: number;
      };
      /** Every member of a version with its definition; NULL means the installed version */
      manifest: {
        Args: {
          version?: string;
        };
        Returns: Json;
      };
      /** Marks knowledge as embedded, and ends its claim. Returns the number of entries that were not embedded before */
      mark_knowledge_embedded: {
        Args: {
          ids: string[];
          embedding_model?: string;
        };
        Returns: number;
      };
      /** The price in force for a name, which is that of a model or an alias; no row if there is none */
      model_price: {
        Args: {
          name: string;
          at?: string;
        };
        Returns: { price_id: string; model: string; input_cost_per_million: number; output_cost_per_million: number; begins: string; ends: string; components: Json }[];
      };
      /** Moves a session by activate, complete, fail or expire, and records it. Returns the row */
      move_session: {
        Args: {
          session_id: string;
          event: string;
        };
        Returns: Database["orchestrator"]["Tables"]["sessions"]["Row"];
      };
      /** The version after the highest one of an agent type, by a major, minor or patch step; 1.0.0 if there is none */
      next_prompt_version: {
        Args: {
          agent_type: string;
          bump?: string;
        };
        Returns: string;
      };
      /** For down scripts: records the values that the script wrote into archived columns that stay. Returns the number of rows recorded */
      note_filled_in: {
        Args: {
          relation: string;
          columns: string[];
        };
        Returns: number;
      };
      /** Opens a gate, at which an agent waits, and holds its run. The same request_key finds the first gate. Returns its id */
      open_gate: {
        Args: {
          project_id: string;
          agent_id: string;
          gate_type: string;
          reason: string;
          context?: Json;
          request_key?: string;
          thread_id?: string;
        };
        Returns: string;
      };
      /** Holds a run until resume_run, also beyond the answers to its questions. Returns the row */
      pause_run: {
        Args: {
          thread_id: string;
          reason: string;
        };
        Returns: Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
      };
      /** Keeps the tasks of a workflow from being claimed, until it is started again. Tasks that workers hold go on. Returns the row */
      pause_workflow: {
        Args: {
          workflow_id: string;
          reason: string;
        };
        Returns: Database["orchestrator"]["Tables"]["workflows"]["Row"];
      };
      /** The lines that two versions of a prompt do not have in common: removed or added, with their number */
      prompt_diff: {
        Args: {
          agent_type: string;
          a: string;
          b: string;
        };
        Returns: { line: number; change: string; text: string }[];
      };
      /** Publishes a version of a prompt, and activates it on request. Returns its id */
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
      /** Deletes the events of the seals that end before older_than ago, at least one day; events that are not sealed yet are sealed first. Returns the number of deleted events */
      purge_audit_events: {
        Args: {
          older_than: string;
        };
        Returns: number;
      };
      /** Deletes knowledge that was embedded longer ago than the argument says. Returns the number of deleted entries */
      purge_knowledge: {
        Args: {
          embedded_for?: string;
        };
        Returns: number;
      };
      /** Raises the limit of one window of a budget. Returns the row */
      raise_budget: {
        Args: {
          budget_id: string;
          starts_at: string;
          amount: number;
          raised_by: string;
        };
        Returns: Database["orchestrator"]["Tables"]["budget_windows"]["Row"];
      };
      /** Writes queued_tasks again from the pending tasks, marks the links of tasks that are over, and ends open attempts of tasks that are not running. Needed only if triggers were off. Returns the number of rows */
      rebuild_task_queue: {
        Args: Record<PropertyKey, never>;
        Returns: number;
      };
      /** Takes tasks with an expired lease back: they wait for their next attempt, or failed if none is left. Returns their number */
      reclaim_expired_tasks: {
        Args: Record<PropertyKey, never>;
        Returns: number;
      };
      /** Adds an event to the audit trail, with the rights of the owner of the trail. Returns its id. The function adds the keys session_user, role and subject to the metadata */
      record_event: {
        Args: {
          event_type: string;
          role: string;
          trace_id: string;
          metadata?: Json;
        };
        Returns: string;
      };
      /** Records a call of a language model with every kind of token, and adds its tokens and cost to its run. A call_id counts once. Returns the id of the row */
      record_llm_call: {
        Args: {
          model: string;
          input_tokens: number;
          output_tokens: number;
          cache_read_tokens?: number;
          cache_write_tokens?: number;
          cache_write_1h_tokens?: number;
          reasoning_tokens?: number;
          units?: Json;
          service_tier?: string;
          inclusive?: boolean;
          call_id?: string;
          project_id?: string;
          agent_id?: string;
          thread_id?: string;
          task_id?: string;
          prompt_id?: string;
          subject?: string;
          at?: string;
          reported_cost?: number;
          reservation_id?: string;
        };
        Returns: string;
      };
      /** Adds tokens, cost and files to a run, and sets its phase, agent or error if given. A run on hold takes no phase but failed. Returns the row */
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
      /** Records a safety score. A score below safety_block_below (0.70) holds the run and requests a review; a score below safety_review_below (0.85) only requests a review. Returns the row */
      record_safety: {
        Args: {
          thread_id: string;
          score: number;
          violations?: string[];
        };
        Returns: Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
      };
      /** Records a call of a language model, and adds its tokens and cost to its run. A call_id counts once. Returns the id of the row */
      record_token_usage: {
        Args: {
          model: string;
          input_tokens: number;
          output_tokens: number;
          project_id?: string;
          agent_id?: string;
          at?: string;
          thread_id?: string;
          task_id?: string;
          call_id?: string;
        };
        Returns: string;
      };
      /** Gives a reservation back whose call is not made. Returns whether it was still held */
      release_budget: {
        Args: {
          reservation_id: string;
        };
        Returns: boolean;
      };
      /** Ends a claim of a question. Returns whether there was one */
      release_decision: {
        Args: {
          decision_id: string;
          claimed_by: string;
        };
        Returns: boolean;
      };
      /** Releases the keys of ended tasks that are older than ttl, so that the keys can be used again. Returns the number of keys. A task that is pending, running or waits for an approval keeps its key. NULL: configuration idempotency_ttl_seconds, else 86400 seconds */
      release_idempotency_keys: {
        Args: {
          ttl?: string;
        };
        Returns: number;
      };
      /** Puts a task that the worker holds back into the queue; the attempt does not count. Returns the row */
      release_task: {
        Args: {
          task_id: string;
          worker: string;
          retry_in?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["tasks"]["Row"];
      };
      /** For scripts: grants each role with a level the privileges that its level gains from version origin to version target, and revokes those that it loses. Returns the number of roles */
      renew_access: {
        Args: {
          origin: string;
          target: string;
        };
        Returns: number;
      };
      /** Extends the lease of a task that the worker holds. Returns its new end */
      renew_claim: {
        Args: {
          task_id: string;
          worker: string;
          lease?: string;
        };
        Returns: string;
      };
      /** Asks a role to approve a task. The same request_key finds the first approval. Returns its id */
      request_approval: {
        Args: {
          task_id: string;
          approver_role: string;
          notes?: string;
          request_key?: string;
        };
        Returns: string;
      };
      /** Asks another agent. Returns the collaboration_id, which is new unless the caller passes one to ask again within it */
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
      /** Asks a human about a run. The same request_key finds the first review. Returns its id */
      request_review: {
        Args: {
          thread_id: string;
          review_type: string;
          reason: string;
          safety_score?: number;
          context?: Json;
          request_key?: string;
        };
        Returns: string;
      };
      /** Reserves an amount in every budget that is about a call, or in none. A refusal is an answer, and asks a human */
      reserve_budget: {
        Args: {
          amount: number;
          project_id?: string;
          agent_id?: string;
          thread_id?: string;
          subject?: string;
          hold_for?: string;
          reservation_id?: string;
        };
        Returns: { reservation_id: string; admitted: boolean; refused_by: string; available: number; review_id: string }[];
      };
      /** Decides a pending approval as approved or rejected, only by the role that was asked, and records it. Returns the row */
      resolve_approval: {
        Args: {
          approval_id: string;
          decision: string;
          approver_role: string;
          notes?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["approvals"]["Row"];
      };
      /** Resolves a pending gate as approved or denied, once. Returns the row. A denial needs feedback */
      resolve_gate: {
        Args: {
          gate_id: string;
          decision: string;
          resolved_by: string;
          feedback?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["gates"]["Row"];
      };
      /** Resolves a pending review as approved or rejected, once: the last approval frees the run, a rejection kills it. Returns the row */
      resolve_review: {
        Args: {
          review_id: string;
          decision: string;
          resolved_by: string;
          notes?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["human_review_queue"]["Row"];
      };
      /** Resolves many reviews by one decision. Returns for each id resolved, already_resolved or unknown */
      resolve_reviews: {
        Args: {
          review_ids: string[];
          decision: string;
          resolved_by: string;
          notes?: string;
        };
        Returns: { review_id: string; outcome: string }[];
      };
      /** Lets knowledge wait again that another model embedded, or that was given up. Returns the number of entries */
      restage_knowledge: {
        Args: {
          embedding_model: string;
          given_up_only?: boolean;
        };
        Returns: number;
      };
      /** Restores by hand the rows that an upgrade would restore, for example after a dump with an archive was restored */
      restore_archived: {
        Args: Record<PropertyKey, never>;
        Returns: { object: string; restored: number; left_behind: number }[];
      };
      /** For up scripts: restores the values of columns that a downgrade kept. Returns the number of rows whose values were restored */
      restore_columns: {
        Args: {
          relation: string;
          columns: string[];
        };
        Returns: number;
      };
      /** For up scripts: restores the rows of a table that a downgrade kept. Returns the number of restored rows */
      restore_table: {
        Args: {
          relation: string;
        };
        Returns: number;
      };
      /** Lets a run without open questions go on. A pause by a reviewer or an admin is lifted only by one. Returns the row */
      resume_run: {
        Args: {
          thread_id: string;
        };
        Returns: Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
      };
      /** Lets a task that failed be claimed again, for one more attempt or up to a number of attempts. Returns the row */
      retry_task: {
        Args: {
          task_id: string;
          max_attempts?: number;
        };
        Returns: Database["orchestrator"]["Tables"]["tasks"]["Row"];
      };
      /** Revokes all privileges of a role on the extension's objects. Returns their number */
      revoke_access: {
        Args: {
          grantee: string;
        };
        Returns: number;
      };
      /** Routes a task from one role to another. The same idempotency_key with the same content returns the first task again, with created false */
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
      /** Expires, releases and purges, each by its configured age. Returns every task with the number of rows */
      run_maintenance: {
        Args: Record<PropertyKey, never>;
        Returns: { task: string; affected: number }[];
      };
      /** The audit events of a run, of its tasks and of its gates, the oldest first */
      run_trail: {
        Args: {
          thread_id: string;
        };
        Returns: Database["orchestrator"]["Tables"]["audit_events"]["Row"][];
      };
      /** Saves where a worker that comes back goes on: merged into the state key by key, or in its place. Returns the row */
      save_run_state: {
        Args: {
          thread_id: string;
          state: Json;
          merge?: boolean;
        };
        Returns: Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"];
      };
      /** Makes pg_cron call run_maintenance() as the caller. Returns the id of the job. A second call replaces the schedule */
      schedule_maintenance: {
        Args: {
          cron?: string;
        };
        Returns: number;
      };
      /** Seals the audit events to which no transaction can add any more. Returns the seal; no row if there is nothing new */
      seal_audit_events: {
        Args: Record<PropertyKey, never>;
        Returns: Database["orchestrator"]["Tables"]["audit_seals"]["Row"][];
      };
      /** Records that the client of a session is alive and attached. Returns the time of this heartbeat */
      session_heartbeat: {
        Args: {
          session_id: string;
        };
        Returns: string;
      };
      /** Sets the limit of a scope and a period, from now on. Returns the row */
      set_budget: {
        Args: {
          limit_usd: number;
          period: string;
          project_id?: string;
          agent_id?: string;
          thread_id?: string;
          subject?: string;
          enforce?: boolean;
          hold?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["budgets"]["Row"];
      };
      /** Sets a new or existing setting. Returns the row. NULL keeps its type, description or secrecy */
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
      /** Sets the rule by which questions of a kind and type are decided that are asked from now on. Returns the row */
      set_decision_rule: {
        Args: {
          kind: string;
          type?: string;
          respond_within?: string;
          on_timeout?: string;
          escalate_to?: string;
          approvals_needed?: number;
          rejections_needed?: number;
          requester_may_decide?: boolean;
          assigned_to?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["decision_rules"]["Row"];
      };
      /** Lets calls by a name have the price of a model; NULL as the model ends that. Returns the row */
      set_model_alias: {
        Args: {
          alias: string;
          model: string;
        };
        Returns: Database["orchestrator"]["Tables"]["llm_model_aliases"]["Row"];
      };
      /** Sets the price of a model from a UTC day or a moment on (by default from today), in USD per million tokens, with components. A price that has begun stays, marked as replaced. Returns the row */
      set_price: {
        Args: {
          model: string;
          input_cost_per_million: number;
          output_cost_per_million: number;
          effective_date?: string;
          notes?: string;
          updated_by?: string;
          components?: Json;
          effective_at?: string;
        };
        Returns: Database["orchestrator"]["Tables"]["llm_pricing"]["Row"];
      };
      /** Settles a reservation at the cost of its call, also after it has expired. Returns the first of its holds */
      settle_budget: {
        Args: {
          reservation_id: string;
          cost: number;
        };
        Returns: Database["orchestrator"]["Tables"]["budget_holds"]["Row"];
      };
      /** Stages knowledge for embedding. Returns its id */
      stage_knowledge: {
        Args: {
          knowledge_type: string;
          content: string;
          metadata?: Json;
        };
        Returns: string;
      };
      /** Starts the one run of a thread, in phase planning. Returns its id */
      start_run: {
        Args: {
          thread_id: string;
          project_id: string;
          story_id: string;
        };
        Returns: string;
      };
      /** Records that a tool call of a task starts now. Returns the id of the execution */
      start_tool_execution: {
        Args: {
          task_id: string;
          tool_name: string;
          arguments?: Json;
        };
        Returns: string;
      };
      /** Lets the first tasks of a workflow be claimed, or those at which a pause stopped it. Returns the row */
      start_workflow: {
        Args: {
          workflow_id: string;
        };
        Returns: Database["orchestrator"]["Tables"]["workflows"]["Row"];
      };
      /** The SHA-256 of a text in the encoding of the database. Column prompts.text_sha256 uses it */
      text_sha256: {
        Args: {
          value: string;
        };
        Returns: string;
      };
      /** The schema as TypeScript types: Database["orchestrator"], and names for the most used ones */
      typescript_types: {
        Args: Record<PropertyKey, never>;
        Returns: string;
      };
      /** Removes the caller's job from pg_cron. Returns whether there was one */
      unschedule_maintenance: {
        Args: Record<PropertyKey, never>;
        Returns: boolean;
      };
      /** A new time-ordered UUID (version 7), greater than every earlier one of the same backend */
      uuidv7: {
        Args: Record<PropertyKey, never>;
        Returns: string;
      };
      /** Approves a phase under review, in writing. Returns the row */
      v7_approve_phase: {
        Args: {
          phase_number: number;
          approved_by: string;
          notes: string;
        };
        Returns: Database["orchestrator"]["Tables"]["v7_migration_workflow"]["Row"];
      };
      /** Completes an approved phase, if no task is open and no sign-off is missing. Returns the row */
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
      /** Issues a task of a phase with the next number. Returns its id */
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
      /** Loads the seven phases and the tasks of phases 1 and 4; existing rows stay unchanged */
      v7_load_plan: {
        Args: Record<PropertyKey, never>;
        Returns: { loaded: string; rows: number }[];
      };
      /** The required sign-offs before or after a phase that nobody has given */
      v7_missing_sign_offs: {
        Args: {
          phase_number: number;
          stage: string;
        };
        Returns: string[];
      };
      /** The parts of a file name that follows the rule of V7; no row if the name breaks it */
      v7_parse_file_name: {
        Args: {
          file_name: string;
        };
        Returns: { workflow: number; layer: number; part: number; parts: number; name: string }[];
      };
      /** Records every pair of duplicate enum types as a proposal, none twice. Returns the number of new proposals */
      v7_record_enum_duplicates: {
        Args: {
          minimum_similarity?: number;
        };
        Returns: number;
      };
      /** Puts a phase in progress under review, with its results, a JSON array. Returns the row */
      v7_request_review: {
        Args: {
          phase_number: number;
          deliverables: Json;
        };
        Returns: Database["orchestrator"]["Tables"]["v7_migration_workflow"]["Row"];
      };
      /** Rolls a phase back: cancels its open tasks with the reason, and ends its approval. Returns the row */
      v7_roll_back_phase: {
        Args: {
          phase_number: number;
          reason: string;
        };
        Returns: Database["orchestrator"]["Tables"]["v7_migration_workflow"]["Row"];
      };
      /** Signs an item before or after a phase, once. Returns the id of the sign-off */
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
      /** Starts a phase, if the phase before is completed and approved and no sign-off is missing. Returns the row */
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
      /** Checks the rows of the V7 tables: seven phases, enum mappings, owners, dependencies, and no phase started or completed without approval */
      v7_verify_data: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** Checks the inventory under V7: its twelve columns, a V7 status on every row, and no old value changed or row deleted since the upgrade */
      v7_verify_file_audit: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** Compares the tables, columns, views, indexes and triggers of the V7 versions with the manifest */
      v7_verify_infrastructure: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** Checks before the V7 versions: no v7_ table in any schema but the archive, and every name that they need is free */
      v7_verify_preconditions: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** Checks after a downgrade to 0.4.0: nothing named v7_ is left in any schema but the archive */
      v7_verify_rollback: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** Checks the five V7 tables: base tables with all their columns, and no other table named v7_ in any schema; a view does not count as a table */
      v7_verify_tables: {
        Args: Record<PropertyKey, never>;
        Returns: { check_name: string; expected: string; actual: string; passed: boolean; hint: string }[];
      };
      /** Every difference between the live schema and the manifest of the installed version, with the statement that repairs it; no row if there is none */
      verify: {
        Args: Record<PropertyKey, never>;
        Returns: { object: string; kind: string; problem: string; expected: string; actual: string; hint: string }[];
      };
      /** Compares the audit events with their seals. Returns what was changed, deleted or added since; no row if nothing was */
      verify_audit_seals: {
        Args: {
          from_sequence?: number;
          expected_head?: string;
        };
        Returns: { sequence: number; problem: string; expected: string; actual: string }[];
      };
      /** Withdraws an open question, by who asked it or an admin. Returns the row of view decisions */
      withdraw_decision: {
        Args: {
          decision_id: string;
          withdrawn_by: string;
          reason: string;
        };
        Returns: Database["orchestrator"]["Views"]["decisions"]["Row"];
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
export type ReviewStatus = "pending" | "approved" | "rejected" | "changes_requested" | "withdrawn";
export type OrchestratorRunWithReviews = OrchestratorRun & { reviews: HumanReview[] };
export type OrchestratorRunSummary = Pick<Database["orchestrator"]["Tables"]["orchestrator_runs"]["Row"], "thread_id" | "phase" | "current_agent" | "safety_score" | "gate_status" | "tokens_used" | "cost_usd" | "project_id" | "story_id" | "started_at" | "updated_at" | "completed_at" | "error" | "held_by" | "hold_reason"> & { actions: number; pending_reviews: number; pending_gates: number; pending_approvals: number };
