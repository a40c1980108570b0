//! Random rules, questions, votes, claims, assignments, withdrawals, moved clocks and crashes against a second,
//! independent model of the terms. After every step the whole state of the last questions is compared.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use postgres::{Client, Error};
use proptest::collection;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use support::Database;
use support::extension::{differences, newest, walked_to};
use support::random::Random;
use support::roles;
use xtask::checks::cases;

use crate::meeting::text;
use crate::run_calls::PROJECT;

/// The number of walks. `PROPTEST_CASES` replaces it.
const WALKS: usize = 4;

/// The greatest number of steps of a walk.
const STEPS: usize = 700;

/// How long a walk that fails may be tried with fewer steps, in milliseconds.
const SHRINKING: u32 = 120_000;

/// The number of questions that are compared, and that the steps are about.
const WATCHED: usize = 10;

const HOUR: i64 = 3_600_000_000;

/// Names that people give. None of them is a role of the database.
const NAMES: [&str; 3] = ["m ann", "m bob", "m boss"];

/// The kinds with their types: an approval has the role that is asked.
const KINDS: [(&str, [&str; 2]); 3] = [
    ("review", ["gate_override", "budget_exceeded"]),
    ("gate", ["manual", "high_risk"]),
    ("approval", ["m boss", "m chief"]),
];

const WORDS: [&str; 3] = ["approve", "reject", "request_changes"];

/// Whom a rule or an assignment asks.
const ASSIGNEES: [&str; 3] = ["m boss", "m dora", "m bob"];

#[derive(Clone, Debug)]
struct Rule {
    hours: Option<i64>,
    on_timeout: Option<&'static str>,
    escalate_to: Option<&'static str>,
    approvals: i64,
    rejections: i64,
    may_own: bool,
    assigned: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Terms {
    due: Option<i64>,
    on_timeout: Option<&'static str>,
    escalate_to: Option<&'static str>,
    approvals: i64,
    rejections: i64,
    may_own: bool,
    asked_as: String,
    assigned: Option<String>,
    /// The holder, and whether the claim runs.
    claim: Option<(String, bool)>,
    escalations: i64,
}

impl Terms {
    /// Refuses a name while the claim of another one runs.
    fn free_for(&self, name: &str) -> Result<(), &'static str> {
        match &self.claim {
            Some((holder, true)) if holder != name => Err(LATE),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Vote {
    voter: String,
    vote: &'static str,
    notes: Option<String>,
}

#[derive(Clone, Debug)]
struct Question {
    id: String,
    kind: &'static str,
    subtype: &'static str,
    created: i64,
    /// The number of the run; those of tasks without a run have none.
    run: Option<usize>,
    task: Option<String>,
    status: &'static str,
    decided_by: Option<String>,
    decided_at: i64,
    notes: Option<String>,
    /// The login that decided, if an event tells.
    decided_login: Option<String>,
    /// The person who asked, if an event tells.
    asked_by: Option<String>,
    terms: Option<Terms>,
    votes: BTreeMap<String, Vote>,
    /// The number of events about votes.
    voted: usize,
}

const PENDING: &str = "pending";
const LATE: &str = "55000";
const FORBIDDEN: &str = "42501";
const WRONG: &str = "22023";
const UNKNOWN: &str = "P0002";

impl Question {
    fn is_open(&self) -> bool {
        self.status == PENDING
    }

    fn count(&self, vote: &str) -> i64 {
        self.votes.values().filter(|cast| cast.vote == vote).count() as i64
    }

    /// Whether somebody who gives this name, or acts as this role, may decide.
    fn may(&self, name: &str, acting: Option<&str>) -> bool {
        let role = acting.unwrap_or(name);
        let assigned = self.terms.as_ref().and_then(|terms| terms.assigned.as_deref());
        self.kind != "approval" || self.subtype == role || assigned == Some(role)
    }

    /// The person who asked, as the terms say, or the event.
    fn asker(&self) -> Option<&str> {
        let known = self.terms.as_ref().map(|terms| terms.asked_as.as_str());
        known.filter(|name| !name.is_empty()).or(self.asked_by.as_deref())
    }

    /// The terms; some that change nothing if there were none.
    fn terms_or_plain(&mut self) -> &mut Terms {
        let asked_as = self.asked_by.clone().unwrap_or_default();
        self.terms.get_or_insert(Terms {
            due: None,
            on_timeout: None,
            escalate_to: None,
            approvals: 1,
            rejections: 1,
            may_own: true,
            asked_as,
            assigned: None,
            claim: None,
            escalations: 0,
        })
    }

    /// `at`: the beginning of the transaction that answers.
    fn end(
        &mut self,
        status: &'static str,
        by: &str,
        notes: Option<&str>,
        login: Option<&str>,
        at: i64,
    ) {
        self.status = status;
        self.decided_at = at;
        if let Some(terms) = self.terms.as_mut().filter(|_| status == "withdrawn") {
            terms.claim = None;
        }
        self.decided_by = Some(by.to_owned());
        // An approval without a reason keeps the notes of its request.
        if self.kind != "approval" || notes.is_some() {
            self.notes = notes.map(str::to_owned);
        }
        self.decided_login = login.map(str::to_owned);
    }

    /// The state in the words of the query `STATE`.
    fn describe(&self, now: i64) -> String {
        let status = if self.status == "denied" { "rejected" } else { self.status };
        let mut line = format!("{} {status} by {}", self.kind, shown(self.decided_by.as_deref()));
        let running = |terms: &Terms| matches!(terms.claim, Some((_, true)));
        if let Some(terms) = &self.terms {
            let _ = write!(
                line,
                "; due {}, {} {}, {}/{} {}, asked {}, for {}, held {} {}, {}",
                shown(terms.due),
                shown(terms.on_timeout),
                shown(terms.escalate_to),
                terms.approvals,
                terms.rejections,
                terms.may_own,
                terms.asked_as,
                shown(terms.assigned.as_deref()),
                shown(terms.claim.as_ref().map(|(holder, _)| holder)),
                running(terms),
                terms.escalations,
            );
        }
        for (person, Vote { voter, vote, notes }) in &self.votes {
            let _ = write!(line, "; {person}: {vote} as {voter}, {}", shown(notes.as_deref()));
        }
        let _ = write!(line, "; {} events", self.voted);
        if self.is_open() {
            let terms = self.terms.as_ref();
            let is_overdue = terms.and_then(|terms| terms.due).is_some_and(|due| due <= now);
            let holder =
                terms.filter(|terms| running(terms)).and_then(|terms| terms.claim.as_ref());
            let needed = terms.map_or(1, |terms| terms.approvals);
            let votes = if terms.is_some() { self.count("approved") } else { 0 };
            let _ = write!(
                line,
                "; listed {votes} of {needed}, overdue {is_overdue}, held {}",
                shown(holder.map(|(holder, _)| holder))
            );
        }
        line
    }
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// The state of questions `{ids}`, in the words of `Question::describe`.
const STATE: &str = "SELECT d.id::text, concat_ws('; ', \
        format('%s %s by %s', d.kind, d.status, coalesce(d.decided_by, '-')), \
        CASE WHEN t.decision_id IS NOT NULL THEN \
            format('due %s, %s %s, %s/%s %s, asked %s, for %s, held %s %s, %s', coalesce((extract(epoch FROM t.due_at) * 1000000)::bigint::text, '-'), \
                coalesce(t.on_timeout, '-'), coalesce(t.escalate_to, '-'), t.approvals_needed, t.rejections_needed, t.requester_may_decide::text, \
                t.requested_as, coalesce(t.assigned_to, '-'), coalesce(t.claimed_by, '-'), coalesce(t.claimed_until > now(), false)::text, t.escalations) END, \
        (SELECT string_agg(format('%s: %s as %s, %s', v.voted_as, v.vote, v.voter, coalesce(v.notes, '-')), '; ' ORDER BY v.voted_as COLLATE \"C\") \
         FROM orchestrator.decision_votes AS v WHERE v.decision_id = d.id), \
        (SELECT count(*) FROM orchestrator.audit_events AS e WHERE e.event_type = 'decision_voted' AND e.metadata ->> 'decision_id' = d.id::text) || ' events', \
        (SELECT format('listed %s of %s, overdue %s, held %s', p.votes, p.votes_needed, p.overdue::text, coalesce(p.claimed_by, '-')) \
         FROM orchestrator.pending_decisions AS p WHERE p.id = d.id)) \
    FROM orchestrator.decisions AS d LEFT JOIN orchestrator.decision_terms AS t ON t.decision_id = d.id WHERE d.id = ANY ('{ids}')";

#[derive(Clone, Debug)]
struct Task {
    id: String,
    /// The type, which no other task has.
    kind: String,
}

#[derive(Clone, Debug, Default)]
struct Model {
    rules: BTreeMap<(&'static str, Option<&'static str>), Rule>,
    questions: Vec<Question>,
}

/// Who calls: the person as the server knows it, and the login.
#[derive(Clone, Debug)]
struct Caller {
    person: String,
    login: String,
    is_owner: bool,
}

/// The decision of a person about a question.
#[derive(Clone, Debug)]
struct Answer {
    word: &'static str,
    name: &'static str,
    notes: Option<String>,
    acting: Option<&'static str>,
}

/// A step about one question. The number is its place.
#[derive(Clone, Debug)]
enum Step {
    Decide(usize, Answer),
    Claim(usize, &'static str),
    Release(usize, &'static str),
    Assign(usize, &'static str, &'static str),
    Withdraw(usize, &'static str),
    /// The owner answers by UPDATE.
    Update(usize, &'static str),
    /// The owner casts a vote by INSERT, as itself or as somebody else.
    Insert(usize, &'static str, bool),
    Due(usize, i64),
    EndClaim(usize),
    Set(&'static str, Option<&'static str>, Rule),
    Drop(&'static str, Option<&'static str>),
    Expire,
    Kill(usize),
    Cancel(String),
}

type Outcome = Result<String, &'static str>;

impl Model {
    fn rule(&self, kind: &'static str, subtype: &'static str) -> Option<&Rule> {
        self.rules.get(&(kind, Some(subtype))).or_else(|| self.rules.get(&(kind, None)))
    }

    /// Adds a question that was asked, with its terms.
    fn ask(&mut self, mut question: Question, asked_as: &str) {
        question.terms = self.rule(question.kind, question.subtype).map(|rule| Terms {
            due: rule.hours.map(|hours| question.created + hours * HOUR),
            on_timeout: rule.on_timeout,
            escalate_to: rule.escalate_to,
            approvals: rule.approvals,
            rejections: rule.rejections,
            may_own: rule.may_own,
            asked_as: asked_as.to_owned(),
            assigned: rule.assigned.map(str::to_owned),
            claim: None,
            escalations: 0,
        });
        self.questions.push(question);
    }

    /// What a step of a caller does and returns. `now`: the beginning of its transaction.
    fn take(&mut self, step: &Step, caller: &Caller, now: i64) -> Outcome {
        match step {
            Step::Decide(place, answer) => self.decide(*place, answer, caller, now),
            Step::Claim(place, name) => {
                let question = &mut self.questions[*place];
                if !question.is_open() {
                    return Err(LATE);
                }
                let terms = question.terms_or_plain();
                terms.free_for(name)?;
                terms.claim = Some(((*name).to_owned(), true));
                Ok("claimed".to_owned())
            }
            Step::Release(place, name) => {
                let question = &mut self.questions[*place];
                let is_open = question.is_open();
                let Some(terms) = &mut question.terms else {
                    return Ok("false".to_owned());
                };
                if !is_open || !matches!(terms.claim, Some((_, true))) {
                    return Ok("false".to_owned());
                }
                terms.free_for(name)?;
                terms.claim = None;
                Ok("true".to_owned())
            }
            Step::Assign(place, to, by) => {
                let question = &mut self.questions[*place];
                if !question.is_open() {
                    return Err(LATE);
                }
                let terms = question.terms_or_plain();
                terms.free_for(by)?;
                terms.assigned = Some((*to).to_owned());
                terms.claim = None;
                Ok(PENDING.to_owned())
            }
            Step::Withdraw(place, name) => {
                let question = &mut self.questions[*place];
                if !caller.is_owner && question.asker() != Some(&caller.person) {
                    return Err(FORBIDDEN);
                }
                if !question.is_open() {
                    return Err(LATE);
                }
                question.end("withdrawn", name, Some("no longer"), Some(&caller.login), now);
                Ok("withdrawn".to_owned())
            }
            Step::Update(place, status) => {
                let question = &mut self.questions[*place];
                if let Some(terms) = &question.terms {
                    let is_due = |act| {
                        terms.on_timeout == Some(act) && terms.due.is_some_and(|due| due <= now)
                    };
                    let allowed = match *status {
                        "approved" => {
                            question.count("approved") >= terms.approvals || is_due("approve")
                        }
                        "changes_requested" => question.count("changes_requested") >= 1,
                        _ => {
                            question.count("rejected") >= terms.rejections
                                || (question.kind == "gate"
                                    && question.count("changes_requested") >= 1)
                                || is_due("reject")
                        }
                    };
                    if !allowed {
                        return Err(LATE);
                    }
                }
                question.end(status, "owner", Some("by hand"), None, now);
                Ok("updated".to_owned())
            }
            Step::Insert(place, vote, is_own) => {
                let question = &mut self.questions[*place];
                let Some(terms) = &question.terms else { return Err(LATE) };
                if !is_own {
                    return Err(FORBIDDEN);
                }
                if !question.is_open() {
                    return Err(LATE);
                }
                if !terms.may_own && terms.asked_as == caller.person {
                    return Err(FORBIDDEN);
                }
                terms.free_for(NAMES[0])?;
                if question.votes.contains_key(&caller.person) {
                    return Err("23505");
                }
                let cast = Vote { voter: NAMES[0].to_owned(), vote, notes: None };
                question.votes.insert(caller.person.clone(), cast);
                Ok("inserted".to_owned())
            }
            Step::Due(place, due) => {
                if let Some(terms) = &mut self.questions[*place].terms {
                    terms.due = Some(*due);
                }
                Ok("moved".to_owned())
            }
            Step::EndClaim(place) => {
                if let Some(terms) = &mut self.questions[*place].terms
                    && let Some((_, runs)) = &mut terms.claim
                {
                    *runs = false;
                }
                Ok("moved".to_owned())
            }
            Step::Set(kind, subtype, rule) => {
                let escalates = rule.on_timeout == Some("escalate");
                if (rule.on_timeout.is_some() && rule.hours.is_none())
                    || escalates != rule.escalate_to.is_some()
                {
                    return Err(WRONG);
                }
                self.rules.insert((kind, *subtype), rule.clone());
                Ok("set".to_owned())
            }
            Step::Drop(kind, subtype) => {
                Ok(self.rules.remove(&(*kind, *subtype)).is_some().to_string())
            }
            Step::Expire => Ok(self.expire(caller, now)),
            Step::Kill(run) => {
                self.withdraw(|question| question.run == Some(*run), caller, now);
                Ok("failed".to_owned())
            }
            Step::Cancel(task) => {
                self.withdraw(|question| question.task.as_ref() == Some(task), caller, now);
                Ok("cancelled".to_owned())
            }
        }
    }

    fn decide(&mut self, place: usize, answer: &Answer, caller: &Caller, now: i64) -> Outcome {
        let Answer { word, name, notes, acting } = answer;
        let question = &mut self.questions[place];
        let is_gate = question.kind == "gate";
        let (vote, decision) = match *word {
            "approve" => ("approved", "approved"),
            "reject" => ("rejected", if is_gate { "denied" } else { "rejected" }),
            _ => ("changes_requested", if is_gate { "denied" } else { "changes_requested" }),
        };
        let needs_notes =
            vote == "changes_requested" || (vote == "rejected" && question.kind != "approval");
        if needs_notes && notes.is_none() {
            return Err(WRONG);
        }
        let as_before = |kept: &Option<String>| notes.is_none() || kept == notes;
        let is_cast = |question: &Question| {
            question.votes.get(&caller.person).is_some_and(|cast| {
                cast.vote == vote && cast.voter == *name && as_before(&cast.notes)
            })
        };
        let may = question.may(name, *acting);
        if question.terms.is_some() && !may {
            return Err(FORBIDDEN);
        }
        if question.is_open() && question.terms.is_some() {
            let terms = question.terms.as_ref().expect("they are there");
            if !terms.may_own && terms.asked_as == caller.person {
                return Err(FORBIDDEN);
            }
            if let Err(claimed) = terms.free_for(name) {
                return if is_cast(question) { Ok(PENDING.to_owned()) } else { Err(claimed) };
            }
            let needed = match vote {
                "approved" => terms.approvals,
                "rejected" => terms.rejections,
                _ => 1,
            };
            question.cast(&caller.person, vote, name, notes.as_deref());
            if question.count(vote) < needed {
                return Ok(PENDING.to_owned());
            }
        }
        if question.is_open() && may {
            question.end(decision, name, notes.as_deref(), Some(&caller.login), now);
            if question.kind == "review" && vote == "rejected" {
                let run = question.run;
                self.withdraw(|other| run.is_some() && other.run == run, caller, now);
            }
            return Ok(decision.to_owned());
        }
        let is_same = question.status == decision
            && question.decided_by.as_deref() == Some(*name)
            && as_before(&question.notes)
            && question.decided_login.as_ref() == Some(&caller.login)
            && may;
        let was_cast = question.status == decision && is_cast(question);
        match is_same || was_cast {
            true => Ok(decision.to_owned()),
            false => Err(if may { LATE } else { FORBIDDEN }),
        }
    }

    /// Ends open questions for the end of their run or task.
    fn withdraw(&mut self, of: impl Fn(&Question) -> bool, caller: &Caller, now: i64) {
        for question in self.questions.iter_mut().filter(|question| question.is_open()) {
            if of(question) {
                question.end("withdrawn", "system", Some("the end"), Some(&caller.login), now);
            }
        }
    }

    /// The outcomes, each with its id, in order.
    fn expire(&mut self, caller: &Caller, now: i64) -> String {
        let mut due: Vec<(i64, String, usize)> = Vec::new();
        for (place, question) in self.questions.iter().enumerate() {
            if let Some(Terms { due: Some(at), on_timeout: Some(act), escalations, .. }) =
                &question.terms
                && question.is_open()
                && *at <= now
                && (*act != "escalate" || *escalations < 2)
            {
                due.push((*at, question.id.clone(), place));
            }
        }
        due.sort();
        let mut outcomes = Vec::new();
        for (_, id, place) in due {
            let question = &mut self.questions[place];
            if !question.is_open() {
                // Its run was killed by the question before it.
                continue;
            }
            let (created, is_gate) = (question.created, question.kind == "gate");
            let terms = question.terms.as_mut().expect("they are there");
            let outcome = match terms.on_timeout {
                Some("escalate") => {
                    terms.assigned = terms.escalate_to.map(str::to_owned);
                    terms.claim = None;
                    if terms.escalations == 0 {
                        terms.due = terms
                            .due
                            .map(|due| if due > created { now + due - created } else { due });
                    }
                    terms.escalations += 1;
                    "escalated"
                }
                Some("approve") => {
                    question.end("approved", "timeout", Some("late"), Some(&caller.login), now);
                    "approved"
                }
                _ => {
                    let status = if is_gate { "denied" } else { "rejected" };
                    question.end(status, "timeout", Some("late"), Some(&caller.login), now);
                    if question.kind == "review" {
                        let run = question.run;
                        self.withdraw(|other| run.is_some() && other.run == run, caller, now);
                    }
                    "rejected"
                }
            };
            outcomes.push(format!("{id} {outcome}"));
        }
        outcomes.join(", ")
    }

    /// Whether an approval keeps a task back.
    fn holds(&self, task: &str) -> bool {
        let of_task =
            || self.questions.iter().filter(|question| question.task.as_deref() == Some(task));
        let last = of_task()
            .max_by_key(|question| (question.decided_at, question.created, question.id.clone()));
        of_task().any(Question::is_open)
            || last.is_some_and(|question| question.status != "approved")
    }
}

impl Question {
    /// One vote of a person; the same vote again by the same name keeps its notes.
    fn cast(&mut self, person: &str, vote: &'static str, name: &str, notes: Option<&str>) {
        if let Some(terms) = &mut self.terms {
            terms.claim = None;
        }
        let before = self.votes.get(person);
        let kept = before.filter(|cast| cast.vote == vote && cast.voter == name);
        let notes = notes.map(str::to_owned).or_else(|| kept.and_then(|cast| cast.notes.clone()));
        let cast = Vote { voter: name.to_owned(), vote, notes };
        if before != Some(&cast) {
            self.votes.insert(person.to_owned(), cast);
            self.voted += 1;
        }
    }
}

/// The connections of people: three with logins, two subjects and a role behind a shared login, and the owner.
struct People {
    callers: Vec<Caller>,
    settings: Vec<String>,
    clients: Vec<Client>,
}

impl People {
    fn gather(database: &Database, client: &mut Client) -> Result<People> {
        let name = |of: &str| roles::name(database, of);
        let (gateway, in_force) = (name("gateway"), name("fay"));
        let logins = ["ada", "bea", "cleo"].map(name);
        // Everybody asks and answers.
        let groups = ["worker", "reviewer"].map(|level| (level, name(level)));
        for (level, group) in &groups {
            roles::make(client, group)?;
            roles::grant(client, group, level)?;
        }
        for login in logins.iter().chain([&gateway, &in_force]) {
            roles::make(client, login)?;
            for (_, group) in &groups {
                client.batch_execute(&format!("GRANT {group} TO {login}"))?;
            }
        }
        client.batch_execute(&format!(
            "GRANT {in_force} TO {gateway}; SELECT orchestrator.set_configuration('shared_logins', '{gateway}')"
        ))?;
        let owner = text(client, "SELECT session_user::text")?;
        let caller = |person: &str, login: &str| Caller {
            person: person.to_owned(),
            login: login.to_owned(),
            is_owner: login == owner,
        };
        let mut callers: Vec<Caller> = logins.iter().map(|login| caller(login, login)).collect();
        callers.push(caller("dan", &gateway));
        callers.push(caller("eve", &gateway));
        callers.push(caller(&in_force, &gateway));
        callers.push(caller(&owner, &owner));
        let mut settings = vec![String::new(); logins.len()];
        for sub in ["dan", "eve"] {
            settings.push(format!("SET request.jwt.claims = '{{\"sub\": \"{sub}\"}}'"));
        }
        settings.push(format!("SET ROLE {in_force}"));
        settings.push(String::new());
        let mut people = People { callers, settings, clients: Vec::new() };
        for place in 0..people.callers.len() {
            let client = people.connect(database, place)?;
            people.clients.push(client);
        }
        Ok(people)
    }

    fn connect(&self, database: &Database, place: usize) -> Result<Client> {
        let mut client = database.client_as(&self.callers[place].login)?;
        client.batch_execute(&self.settings[place])?;
        Ok(client)
    }

    fn owner(&self) -> usize {
        self.callers.len() - 1
    }
}

/// A text or NULL in SQL.
fn literal(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| format!("'{value}'"))
}

/// The table of a kind, and the columns that an answer by UPDATE sets besides the status.
fn by_hand(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "review" => (
            "human_review_queue",
            "resolved_by = 'owner', resolved_at = now(), resolution_notes = 'by hand'",
        ),
        "gate" => ("gates", "resolved_by = 'owner', resolved_at = now(), feedback = 'by hand'"),
        _ => ("approvals", "decided_by = 'owner', decision_at = now(), notes = 'by hand'"),
    }
}

impl Step {
    /// The statement of the step. It returns one text.
    fn sql(&self, model: &Model, caller: &Caller) -> String {
        let id = |place: &usize| model.questions[*place].id.as_str();
        match self {
            Step::Decide(place, Answer { word, name, notes, acting }) => format!(
                "SELECT status FROM orchestrator.decide('{}', '{word}', '{name}', {}, {})",
                id(place),
                literal(notes.as_deref()),
                literal(*acting)
            ),
            Step::Claim(place, name) => format!(
                "SELECT left(orchestrator.claim_decision('{}', '{name}')::text, 0) || 'claimed'",
                id(place)
            ),
            Step::Release(place, name) => {
                format!("SELECT orchestrator.release_decision('{}', '{name}')::text", id(place))
            }
            Step::Assign(place, to, by) => format!(
                "SELECT (orchestrator.assign_decision('{}', '{to}', '{by}')).status",
                id(place)
            ),
            Step::Withdraw(place, name) => format!(
                "SELECT (orchestrator.withdraw_decision('{}', '{name}', 'no longer')).status",
                id(place)
            ),
            Step::Update(place, status) => {
                let (table, columns) = by_hand(model.questions[*place].kind);
                format!(
                    "UPDATE orchestrator.{table} SET status = '{status}', {columns} WHERE id = '{}' RETURNING 'updated'",
                    id(place)
                )
            }
            Step::Insert(place, vote, is_own) => format!(
                "INSERT INTO orchestrator.decision_votes (decision_id, voter, voted_as, vote) VALUES ('{}', '{}', '{}', '{vote}') RETURNING 'inserted'",
                id(place),
                NAMES[0],
                if *is_own { caller.person.as_str() } else { "dan" }
            ),
            Step::Due(place, due) => format!(
                "WITH moved AS (UPDATE orchestrator.decision_terms SET due_at = timestamptz 'epoch' + interval '1 microsecond' * {due} WHERE decision_id = '{}' RETURNING 1) SELECT 'moved'",
                id(place)
            ),
            Step::EndClaim(place) => format!(
                "WITH moved AS (UPDATE orchestrator.decision_terms SET claimed_until = now() - interval '1 minute' WHERE decision_id = '{}' AND claimed_by IS NOT NULL RETURNING 1) SELECT 'moved'",
                id(place)
            ),
            Step::Set(kind, subtype, rule) => format!(
                "SELECT left((orchestrator.set_decision_rule('{kind}', {}, make_interval(hours => {}), {}, {}, {}, {}, {}, {})).kind, 0) || 'set'",
                literal(*subtype),
                rule.hours.map_or_else(|| "NULL".to_owned(), |hours| hours.to_string()),
                literal(rule.on_timeout),
                literal(rule.escalate_to),
                rule.approvals,
                rule.rejections,
                rule.may_own,
                literal(rule.assigned)
            ),
            Step::Drop(kind, subtype) => format!(
                "SELECT orchestrator.drop_decision_rule('{kind}', {})::text",
                literal(*subtype)
            ),
            Step::Expire => "SELECT coalesce(string_agg(e.decision_id || ' ' || e.outcome, ', ' ORDER BY e.n), '') \
                             FROM orchestrator.expire_decisions() WITH ORDINALITY AS e (decision_id, kind, outcome, n)"
                .to_owned(),
            Step::Kill(run) => {
                format!("SELECT phase FROM orchestrator.kill_run('run {run}', 'stop')")
            }
            Step::Cancel(task) => {
                format!("SELECT (orchestrator.cancel_task('{task}', 'why')).status")
            }
        }
    }

    /// Whether only the owner takes the step.
    fn is_owners(&self) -> bool {
        !matches!(
            self,
            Step::Decide(..)
                | Step::Claim(..)
                | Step::Release(..)
                | Step::Assign(..)
                | Step::Withdraw(..)
        )
    }
}

/// How a step ends besides its own outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Commit,
    Rollback,
    /// Another connection ends the backend before the transaction has.
    Terminate,
}

/// A walk: the model and the database, side by side.
struct Walk {
    database: Database,
    owner: Client,
    people: People,
    random: Random,
    model: Model,
    /// The number of the present run.
    run: usize,
    /// The task of the run, and one without a run.
    tasks: [Task; 2],
    /// What was done, for the message of a failure.
    log: Vec<String>,
    /// How often each outcome was seen.
    seen: BTreeMap<String, usize>,
}

impl Walk {
    fn begin() -> Result<Walk> {
        let database = walked_to("decision_model", newest()?)?;
        let mut owner = database.client()?;
        let people = People::gather(&database, &mut owner)?;
        let none = Task { id: String::new(), kind: String::new() };
        let mut walk = Walk {
            database,
            owner,
            people,
            random: Random::new(0),
            model: Model::default(),
            run: 0,
            tasks: [none.clone(), none],
            log: Vec::new(),
            seen: BTreeMap::new(),
        };
        walk.next_run()?;
        walk.next_task()?;
        Ok(walk)
    }

    fn next_run(&mut self) -> Result<()> {
        self.run += 1;
        let run = self.run;
        self.owner.batch_execute(&format!(
            "SELECT orchestrator.start_run('run {run}', '{PROJECT}', 'S')"
        ))?;
        self.tasks[0] = self.create(&format!("of run {run}"), &format!("'run {run}'"))?;
        Ok(())
    }

    fn next_task(&mut self) -> Result<()> {
        self.tasks[1] = self.create(&format!("free {}", self.log.len()), "NULL")?;
        Ok(())
    }

    fn create(&mut self, kind: &str, thread: &str) -> Result<Task> {
        let id = text(
            &mut self.owner,
            &format!(
                "SELECT task_id::text FROM orchestrator.create_task('{kind}', 't', thread_id => {thread})"
            ),
        )?;
        Ok(Task { id, kind: kind.to_owned() })
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        *self.random.one_of(items)
    }

    /// One of the values, or none.
    fn maybe<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let place = self.random.below(items.len() + 1);
        items.get(place).copied()
    }

    /// The place of one of the last questions; more often of an open one.
    fn place(&mut self) -> usize {
        let first = self.first();
        let all: Vec<usize> = (first..self.model.questions.len()).collect();
        let open: Vec<usize> =
            all.iter().copied().filter(|place| self.model.questions[*place].is_open()).collect();
        if open.is_empty() || self.random.below(4) == 0 {
            self.one_of(&all)
        } else {
            self.one_of(&open)
        }
    }

    /// The place of one of the last questions that a deadline would end, if there is one.
    fn with_deadline(&mut self) -> usize {
        let is_ended = |question: &Question| {
            question.is_open()
                && question.terms.as_ref().is_some_and(|terms| terms.on_timeout.is_some())
        };
        let places: Vec<usize> = (self.first()..self.model.questions.len())
            .filter(|place| is_ended(&self.model.questions[*place]))
            .collect();
        if places.is_empty() { self.place() } else { self.one_of(&places) }
    }

    /// The place of the first question that is watched.
    fn first(&self) -> usize {
        self.model.questions.len().saturating_sub(WATCHED)
    }

    fn step(&mut self) -> Result<()> {
        if self.model.questions.is_empty() {
            return self.ask();
        }
        let now = self.now()?;
        match self.random.below(100) {
            0..20 => self.ask(),
            20..50 => {
                let place = self.place();
                let answer = self.answer(place);
                self.take(Step::Decide(place, answer))
            }
            50..56 => {
                let step = Step::Claim(self.place(), self.one_of(&NAMES));
                self.take(step)
            }
            56..60 => {
                let step = Step::Release(self.place(), self.one_of(&NAMES));
                self.take(step)
            }
            60..64 => {
                let step = Step::Assign(self.place(), self.one_of(&ASSIGNEES), self.one_of(&NAMES));
                self.take(step)
            }
            64..67 => {
                let step = Step::Withdraw(self.place(), self.one_of(&NAMES));
                self.take(step)
            }
            67..70 => {
                let place =
                    if self.random.below(2) == 0 { self.with_deadline() } else { self.place() };
                if !self.model.questions[place].is_open() {
                    return Ok(());
                }
                let no =
                    if self.model.questions[place].kind == "gate" { "denied" } else { "rejected" };
                let status = self.one_of(&["approved", no]);
                self.take(Step::Update(place, status))
            }
            70..74 => {
                let vote = self.one_of(&["approved", "rejected"]);
                let step = Step::Insert(self.place(), vote, self.random.below(3) > 0);
                self.take(step)
            }
            74..79 => {
                let place = self.with_deadline();
                let created = self.model.questions[place].created;
                // Before the request, so that an escalation keeps it, or long after it.
                let due = self.one_of(&[created - HOUR, created - HOUR, now + 24 * HOUR]);
                self.take(Step::Due(place, due))
            }
            79..82 => {
                let step = Step::EndClaim(self.place());
                self.take(step)
            }
            82..89 => {
                let (kind, subtypes) = self.one_of(&KINDS);
                let subtype = self.maybe(&subtypes);
                let on_timeout = self.maybe(&["approve", "reject", "escalate"]);
                // Now and then the arguments do not go together.
                let is_wrong = self.random.below(8) == 0;
                let escalates = (on_timeout == Some("escalate")) != is_wrong;
                let rule = Rule {
                    hours: if on_timeout.is_some() && !is_wrong {
                        Some(1)
                    } else {
                        self.maybe(&[1])
                    },
                    on_timeout,
                    escalate_to: if escalates {
                        self.maybe(&ASSIGNEES).or(Some("m dora"))
                    } else {
                        None
                    },
                    approvals: 1 + self.random.below(3) as i64,
                    rejections: 1 + self.random.below(2) as i64,
                    may_own: self.random.below(2) == 0,
                    assigned: self.maybe(&ASSIGNEES),
                };
                self.take(Step::Set(kind, subtype, rule))
            }
            89..91 => {
                let (kind, subtypes) = self.one_of(&KINDS);
                let subtype = self.maybe(&subtypes);
                self.take(Step::Drop(kind, subtype))
            }
            91..96 => self.take(Step::Expire),
            96 => self.take(Step::Kill(self.run)),
            97 => {
                let place = self.random.below(2);
                let task = self.tasks[place].id.clone();
                self.take(Step::Cancel(task))
            }
            98 => self.work(),
            _ => self.call_about_nothing(),
        }
    }

    fn answer(&mut self, place: usize) -> Answer {
        let question = &self.model.questions[place];
        let assigned = question.terms.as_ref().and_then(|terms| terms.assigned.clone());
        let subtype = question.subtype;
        // A holder answers under the name of the claim, and others try.
        let holder = question.terms.as_ref().and_then(|terms| terms.claim.clone());
        let name = match holder {
            Some((holder, _)) if self.random.below(3) > 0 => {
                NAMES.into_iter().find(|name| *name == holder).unwrap_or(NAMES[0])
            }
            _ => self.one_of(&NAMES),
        };
        let assigned = ASSIGNEES.into_iter().find(|name| Some(*name) == assigned.as_deref());
        let acting = match self.random.below(6) {
            0 => None,
            1 => Some("m nobody"),
            2 => assigned.or(Some(subtype)),
            _ => Some(subtype),
        };
        let notes = match self.random.below(4) {
            0 => None,
            1 => Some("other".to_owned()),
            _ => Some("why".to_owned()),
        };
        Answer { word: self.one_of(&WORDS), name, notes, acting }
    }

    fn now(&mut self) -> Result<i64> {
        const NOW: &str = "SELECT (extract(epoch FROM now()) * 1000000)::bigint";
        Ok(self.owner.query_one(NOW, &[])?.try_get(0)?)
    }

    /// Who takes a step, and how it ends.
    fn whom_and_how(&mut self, is_owners: bool) -> (usize, End) {
        let owner = self.people.owner();
        let place = if is_owners { owner } else { self.random.below(owner + 1) };
        let end = match self.random.below(24) {
            0 | 1 => End::Rollback,
            2 => End::Terminate,
            _ => End::Commit,
        };
        (place, end)
    }

    /// Makes a call in a transaction that begins at a known time, and ends it. Returns that time and the outcome.
    fn call(&mut self, place: usize, sql: &str, end: End) -> Result<(i64, Result<String, String>)> {
        const BEGUN: &str =
            "SELECT (extract(epoch FROM now()) * 1000000)::bigint, pg_backend_pid()";
        let client = &mut self.people.clients[place];
        client.batch_execute("BEGIN")?;
        let begun = client.query_one(BEGUN, &[])?;
        let (now, pid): (i64, i32) = (begun.try_get(0)?, begun.try_get(1)?);
        let outcome = client.query_one(sql, &[]).and_then(|row| row.try_get(0));
        match end {
            End::Commit if outcome.is_ok() => client.batch_execute("COMMIT")?,
            End::Commit | End::Rollback => client.batch_execute("ROLLBACK")?,
            End::Terminate => {
                let killed: bool = self
                    .owner
                    .query_one("SELECT pg_terminate_backend($1, 60000)", &[&pid])?
                    .try_get(0)?;
                assert!(killed, "the backend has ended");
                self.people.clients[place] = self.people.connect(&self.database, place)?;
            }
        }
        Ok((now, outcome.map_err(|error| code_of(&error))))
    }

    fn take(&mut self, step: Step) -> Result<()> {
        let (place, end) = self.whom_and_how(step.is_owners());
        let caller = self.people.callers[place].clone();
        let sql = step.sql(&self.model, &caller);
        let (now, found) = self.call(place, &sql, end)?;
        let mut after = self.model.clone();
        let expected = after.take(&step, &caller, now);
        self.log.push(format!("{}: {sql} -> {found:?}, {end:?}", caller.person));
        let expected = expected.map_err(str::to_owned);
        assert_eq!(found, expected, "{}", self.told());
        if let Ok(outcome) = &found {
            let name = format!("{step:?}");
            let name = name.split(['(', ' ']).next().unwrap_or_default();
            let outcome = outcome.split_once(' ').map_or(outcome.as_str(), |(_, outcome)| outcome);
            let outcome = outcome.split(',').next().unwrap_or_default();
            *self.seen.entry(format!("{name} {outcome}")).or_default() += 1;
        } else {
            let name = format!("{step:?}");
            let name = name.split(['(', ' ']).next().unwrap_or_default().to_owned();
            let code = found.clone().err().unwrap_or_default();
            *self.seen.entry(format!("{name} {code}")).or_default() += 1;
        }
        if end != End::Commit || found.is_err() {
            return Ok(());
        }
        self.model = after;
        // The run of a rejected review has ended, and its task with it.
        let thread = self.run;
        let phase = text(
            &mut self.owner,
            &format!(
                "SELECT phase FROM orchestrator.orchestrator_runs WHERE thread_id = 'run {thread}'"
            ),
        )?;
        if phase == "failed" {
            self.next_run()?;
        }
        if let Step::Cancel(task) = step {
            match self.tasks[0].id == task {
                true => {
                    let thread = format!("'run {}'", self.run);
                    self.tasks[0] = self.create(&format!("again {}", self.log.len()), &thread)?;
                }
                false => self.next_task()?,
            }
        }
        Ok(())
    }

    /// Asks by function, or by INSERT as the owner. An INSERT may be about a question of two hours ago.
    fn ask(&mut self) -> Result<()> {
        let (kind, subtypes) = self.one_of(&KINDS);
        let subtype = self.one_of(&subtypes);
        let is_inserted = self.random.below(3) == 0;
        let is_of_run = kind == "review" || self.random.below(2) == 0;
        let is_old = is_inserted && self.random.below(2) == 0;
        let run = self.run;
        let task = (kind == "approval").then(|| self.tasks[usize::from(!is_of_run)].id.clone());
        let thread = if is_of_run { format!("'run {run}'") } else { "NULL".to_owned() };
        let task_id = task.clone().unwrap_or_default();
        let created = if is_old { "now() - interval '2 hours'" } else { "now()" };
        let sql = match (kind, is_inserted) {
            ("review", false) => {
                format!("SELECT orchestrator.request_review({thread}, '{subtype}', 'may I?')::text")
            }
            ("review", true) => format!(
                "INSERT INTO orchestrator.human_review_queue (thread_id, review_type, reason, created_at) VALUES ({thread}, '{subtype}', 'may I?', {created}) RETURNING id::text"
            ),
            ("gate", false) => format!(
                "SELECT orchestrator.open_gate('{PROJECT}', 'dev', '{subtype}', 'may I?', thread_id => {thread})::text"
            ),
            ("gate", true) => format!(
                "INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, thread_id, created_at) VALUES ('{PROJECT}', 'dev', '{subtype}', 'may I?', {thread}, {created}) RETURNING id::text"
            ),
            (_, false) => format!(
                "SELECT orchestrator.request_approval('{task_id}', '{subtype}', 'may I?')::text"
            ),
            _ => format!(
                "INSERT INTO orchestrator.approvals (task_id, approver_role, notes, created_at) VALUES ('{task_id}', '{subtype}', 'may I?', {created}) RETURNING id::text"
            ),
        };
        let (place, end) = self.whom_and_how(is_inserted);
        let caller = self.people.callers[place].clone();
        let (_, found) = self.call(place, &sql, end)?;
        self.log.push(format!("{}: {sql} -> {found:?}, {end:?}", caller.person));
        let Ok(id) = found else { panic!("{}", self.told()) };
        let is_there =
            format!("SELECT count(*)::text FROM orchestrator.decisions WHERE id = '{id}'");
        let terms = format!(
            "SELECT count(*)::text FROM orchestrator.decision_terms WHERE decision_id = '{id}'"
        );
        if end != End::Commit {
            assert_eq!(text(&mut self.owner, &is_there)?, "0", "{}", self.told());
            assert_eq!(text(&mut self.owner, &terms)?, "0", "{}", self.told());
            return Ok(());
        }
        let created = format!(
            "SELECT (extract(epoch FROM requested_at) * 1000000)::bigint FROM orchestrator.decisions WHERE id = '{id}'"
        );
        let created: i64 = self.owner.query_one(&created, &[])?.try_get(0)?;
        let question = Question {
            id,
            kind,
            subtype,
            created,
            run: is_of_run.then_some(run),
            task,
            status: PENDING,
            decided_by: None,
            decided_at: 0,
            notes: (kind == "approval").then(|| "may I?".to_owned()),
            decided_login: None,
            asked_by: (!is_inserted).then(|| caller.person.clone()),
            terms: None,
            votes: BTreeMap::new(),
            voted: 0,
        };
        self.model.ask(question, &caller.person);
        Ok(())
    }

    /// A worker takes the task without a run if nothing holds it, and completes it.
    fn work(&mut self) -> Result<()> {
        let Task { id, kind } = self.tasks[1].clone();
        let claim =
            format!("SELECT count(*)::text FROM orchestrator.claim_tasks('w', '{{{kind}}}')");
        let taken = text(&mut self.owner, &claim)?;
        self.log.push(format!("{claim} -> {taken}"));
        let expected = if self.model.holds(&id) { "0" } else { "1" };
        assert_eq!(taken, expected, "{}", self.told());
        if taken == "1" {
            let complete = format!("SELECT (orchestrator.complete_task('{id}', 'w')).status");
            assert_eq!(text(&mut self.owner, &complete)?, "completed", "{}", self.told());
            self.next_task()?;
        }
        Ok(())
    }

    /// No question has the id of a run.
    fn call_about_nothing(&mut self) -> Result<()> {
        let call = self.one_of(&[
            "SELECT status FROM orchestrator.decide('{}', 'approve', 'x')",
            "SELECT orchestrator.claim_decision('{}', 'x')::text",
            "SELECT orchestrator.release_decision('{}', 'x')::text",
            "SELECT (orchestrator.assign_decision('{}', 'x', 'x')).status",
            "SELECT (orchestrator.withdraw_decision('{}', 'x', 'x')).status",
        ]);
        let sql = call.replace("{}", PROJECT);
        let (place, _) = self.whom_and_how(false);
        let (_, found) = self.call(place, &sql, End::Commit)?;
        self.log.push(format!("{sql} -> {found:?}"));
        assert_eq!(found, Err(UNKNOWN.to_owned()), "{}", self.told());
        Ok(())
    }

    /// Compares the last questions, and the task without a run.
    fn compare(&mut self) -> Result<()> {
        let now = self.now()?;
        let watched = &self.model.questions[self.first()..];
        let ids: Vec<&str> = watched.iter().map(|question| question.id.as_str()).collect();
        let rows =
            self.owner.query(&STATE.replace("{ids}", &format!("{{{}}}", ids.join(","))), &[])?;
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for row in rows {
            found.insert(row.try_get(0)?, row.try_get(1)?);
        }
        let expected: BTreeMap<String, String> =
            watched.iter().map(|question| (question.id.clone(), question.describe(now))).collect();
        assert_eq!(found, expected, "{}", self.told());
        let task = &self.tasks[1].id;
        let ready =
            format!("SELECT ready::text FROM orchestrator.queued_tasks WHERE task_id = '{task}'");
        let is_held = self.model.holds(task);
        assert_eq!(text(&mut self.owner, &ready)?, (!is_held).to_string(), "{}", self.told());
        Ok(())
    }

    /// The last steps, in words.
    fn told(&self) -> String {
        let last = self.log.len().saturating_sub(40);
        format!("after\n{}", self.log[last..].join("\n"))
    }
}

fn code_of(error: &Error) -> String {
    error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned())
}

/// Walks step by step, each step with the choices of its own seed, so that a walk can go on without any of them.
fn walk(steps: &[u64], seen: &mut BTreeMap<String, usize>) -> Result<()> {
    let mut walk = Walk::begin()?;
    for seed in steps {
        walk.random = Random::new(*seed);
        walk.step()?;
        walk.compare()?;
    }
    assert_eq!(differences(&mut walk.owner)?, [""; 0]);
    for (outcome, times) in walk.seen {
        *seen.entry(outcome).or_default() += times;
    }
    Ok(())
}

#[test]
fn questions_with_rules_are_as_the_model_says() -> Result<()> {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases::number(WALKS, 1) as u32;
    }
    config.max_shrink_time = SHRINKING;
    let is_whole = config.cases as usize >= WALKS;
    let seen = RefCell::new(BTreeMap::new());
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner.run(&collection::vec(any::<u64>(), 1..=STEPS), |steps| {
        walk(&steps, &mut seen.borrow_mut())
            .map_err(|error| TestCaseError::fail(format!("{error:#}")))
    })?;
    let seen = seen.into_inner();
    println!("{seen:#?}");
    // A walk that never came here would prove little.
    for outcome in [
        "Decide pending",
        "Decide approved",
        "Decide denied",
        "Decide rejected",
        "Decide changes_requested",
        "Decide 22023",
        "Decide 42501",
        "Decide 55000",
        "Claim claimed",
        "Claim 55000",
        "Release true",
        "Release false",
        "Release 55000",
        "Assign pending",
        "Assign 55000",
        "Withdraw withdrawn",
        "Withdraw 42501",
        "Withdraw 55000",
        "Update updated",
        "Update 55000",
        "Insert inserted",
        "Insert 42501",
        "Insert 55000",
        "Set set",
        "Set 22023",
        "Drop true",
        "Expire approved",
        "Expire rejected",
        "Expire escalated",
        "Kill failed",
        "Cancel cancelled",
    ] {
        assert!(!is_whole || seen.contains_key(outcome), "no step ended with {outcome}");
    }
    Ok(())
}
