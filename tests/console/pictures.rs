//! The pictures: the course of a run, and the costs of each day. The tables beside them say the same.

use anyhow::Result;
use serde_json::{Value, json};
use support::deadline::wait_until;

use super::browser::Browser;
use super::course;
use super::plain::Visitor;
use super::scene::Scene;

/// The labels of the lanes of the picture.
fn lanes(browser: &Browser) -> Result<Vec<String>> {
    let labels = "[...document.querySelectorAll('.timeline > svg > text.soft')].map(text => text.textContent)";
    Ok(serde_json::from_value(browser.evaluate(labels)?)?)
}

/// Where the first mark of a lane begins and ends, in whole hundredths of the picture.
fn span(browser: &Browser, lane: usize) -> Result<Value> {
    browser.evaluate(&format!(
        "(() => {{ const picture = document.querySelector('.timeline').getBoundingClientRect(); \
         const mark = document.querySelectorAll('.timeline > svg')[{lane}].querySelector('rect').getBoundingClientRect(); \
         return [mark.left, mark.right].map(x => Math.round(100 * (x - picture.left) / picture.width)); }})()"
    ))
}

#[test]
fn a_run_is_drawn_over_time() -> Result<()> {
    let scene = Scene::new("course")?;
    course::ask(&scene, "thread-1", "It costs more than planned.")?;
    let browser = scene.signed_in("reader")?;
    browser.visit("/run?thread=thread-1")?;
    let lanes = lanes(&browser)?;
    assert_eq!(
        lanes,
        [
            "Phase: planning, development, testing",
            "Paused",
            "review: approved by \u{2068}rosa\u{2069}",
            "review: open",
            "\u{2068}cargo test\u{2069}: 15 calls, 5 failed",
            "\u{2068}edit_file\u{2069}: 15 calls",
            "\u{2068}read_file\u{2069}: 15 calls",
            "\u{2068}gpt-5-mini\u{2069}: 23 calls, 165051 tokens",
            "\u{2068}gpt-5\u{2069}: 22 calls, 151614 tokens",
            "Trail: 49 events",
        ]
    );
    let says = "document.querySelector('.timeline desc').textContent";
    let says = browser.evaluate(says)?;
    for lane in &lanes {
        assert!(says.as_str().is_some_and(|says| says.contains(lane)), "{lane} in {says}");
    }
    // The night is cut, and the question that waited over it spans the cut.
    let cuts =
        "[...document.querySelectorAll('.timeline > g > text')].map(text => text.textContent)";
    let cuts = browser.evaluate(cuts)?;
    assert_eq!(cuts[0], "22.2 h", "{cuts}");
    assert_eq!(span(&browser, 0)?[0], 0, "the first phase begins with the run");
    let open = span(&browser, 3)?;
    assert_eq!(open[1], 100, "an open question lasts until now");
    let crosses = "document.querySelectorAll('.timeline .cross').length";
    assert_eq!(browser.evaluate(crosses)?, 5);

    // The tables say the same.
    let text = browser.evaluate("document.querySelector('main').textContent")?.to_string();
    for fact in ["approved by rosa", "exit status 101", "165051", "run_paused", "49 events"] {
        assert!(text.contains(fact), "{fact} in {text}");
    }
    Ok(())
}

#[test]
fn a_question_that_is_decided_changes_the_picture_by_itself() -> Result<()> {
    let scene = Scene::new("redrawn")?;
    let question = scene.ask("thread-1", "May it go on?")?;
    let browser = scene.signed_in("reader")?;
    browser.visit("/run?thread=thread-1")?;
    browser.evaluate("window.isTheSamePage = true")?;
    assert!(lanes(&browser)?.contains(&"review: open".to_owned()));
    let role = scene.role("reviewer");
    let decide = "SELECT orchestrator.decide($1::text::uuid, 'approve', $2)";
    scene.database.client_as(&role)?.execute(decide, &[&question, &role])?;
    // A page that is loaded while the question is decided may hold a part of before.
    wait_until("the picture shows the decision", || {
        Ok(lanes(&browser)?.iter().any(|lane| lane.starts_with("review: approved by")))
    })?;
    assert_eq!(browser.evaluate("window.isTheSamePage")?, true, "the page was not loaded again");
    Ok(())
}

/// Ten thousand of everything. Some times are before and after all time.
const MUCH: &str = "\
    SET session_replication_role = replica; \
    INSERT INTO orchestrator.audit_events (event_type, role, \"timestamp\", trace_id, metadata) SELECT 'event ' || n % 20, 'dev', now() - n * interval '1 second', r.id, jsonb_build_object('thread_id', r.thread_id) FROM orchestrator.orchestrator_runs AS r, generate_series(1, 10000) AS n; \
    WITH task AS (INSERT INTO orchestrator.tasks (title, task_type, thread_id) SELECT 'Build', 'tool', r.thread_id FROM orchestrator.orchestrator_runs AS r RETURNING id) \
    INSERT INTO orchestrator.tool_executions (task_id, tool_name, status, created_at, completed_at, duration_ms) SELECT t.id, 'tool ' || n % 30, 'completed', now() - n * interval '1 second', now() - n * interval '1 second' + n % 7 * interval '1 second', 1000 * (n % 7) FROM task AS t, generate_series(1, 10000) AS n; \
    INSERT INTO orchestrator.llm_token_usage (\"timestamp\", thread_id, model, input_tokens, output_tokens) SELECT CASE n WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE now() - n * interval '1 second' END, r.thread_id, 'model ' || n % 30, 9223372036854775807, 9223372036854775807 FROM orchestrator.orchestrator_runs AS r, generate_series(1, 10000) AS n; \
    INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, thread_id, created_at) SELECT r.project_id, 'agent', 'manual', 'Gate ' || n, r.thread_id, CASE n WHEN 1 THEN '-infinity' ELSE now() - n * interval '1 second' END FROM orchestrator.orchestrator_runs AS r, generate_series(1, 10000) AS n; \
    SET session_replication_role = origin; ANALYZE";

#[test]
fn ten_thousand_events_and_a_run_without_any_have_a_picture() -> Result<()> {
    let scene = Scene::new("much")?;
    let start = "SELECT orchestrator.ensure_run($1, '0198c5a0-0000-7000-8000-000000000001', $1)";
    scene.client()?.execute(start, &[&"thread-1"])?;
    let visitor = Visitor::sign_in(&scene, "reader")?;
    let page = visitor.get("/run?thread=thread-1")?.body;
    assert!(page.contains("Trail: 1 event<"), "{page}");

    scene.client()?.batch_execute(MUCH)?;
    let page = visitor.get("/run?thread=thread-1")?;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Trail: 10001 events<"));
    assert!(
        page.body.contains(
            "<desc id=\"timeline-facts\">&#x2068;Phase: planning&#x2069;. &#x2068;Questions: the newest 1000, each"
        )
    );
    // A mark for each cell of each of the lanes, and lines for the newest of everything.
    let marks = page.body.matches("<rect").count();
    assert!(marks < 16 * 180, "{marks} marks");
    assert!(page.body.len() < 1_000_000, "{} bytes", page.body.len());
    assert!(page.body.contains("page=1#trail\">Earlier events</a>"));
    let last = visitor.get("/run?thread=thread-1&page=200")?.body;
    assert!(last.contains("<td>event 0</td>") && !last.contains("Earlier events"));

    // A run without a trail, before and after all time.
    scene.client()?.batch_execute(
        "SET session_replication_role = replica; \
         INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id, phase, started_at, completed_at) \
         VALUES ('thread-2', gen_random_uuid(), 'story', 'complete', '-infinity', 'infinity')",
    )?;
    let page = visitor.get("/run?thread=thread-2")?;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Nothing has happened yet."), "{}", page.body);
    Ok(())
}

/// Costs of seven models, the dearest first, on each of three days; two agents, one project.
const COSTS: &str = "\
    INSERT INTO orchestrator.llm_token_usage (\"timestamp\", model, agent_id, project_id, input_tokens, output_tokens, reported_cost) \
    SELECT now() - d * interval '1 day', 'model-' || m, CASE WHEN m <= 2 THEN 'dev' ELSE 'qa' END, CASE WHEN m = 7 THEN '0198c5a0-0000-7000-8000-000000000001'::uuid END, 10, 5, (8 - m) * (d + 1) FROM generate_series(1, 7) AS m, generate_series(0, 2) AS d";

#[test]
fn costs_are_stacked_by_model_agent_and_project() -> Result<()> {
    let scene = Scene::new("costs")?;
    scene.client()?.batch_execute(COSTS)?;
    let browser = scene.signed_in("reader")?;
    browser.visit("/costs")?;
    let legend = "[...document.querySelectorAll('.legend li')].map(key => key.textContent.trim())";
    assert_eq!(
        browser.evaluate(legend)?,
        json!([
            "model-1 42 USD",
            "model-2 36 USD",
            "model-3 30 USD",
            "model-4 24 USD",
            "model-5 18 USD",
            "other models 18 USD"
        ])
    );
    // Each key has a pattern of its own, in the chart as in the legend.
    let fills = "[...new Set([...document.querySelectorAll('.legend rect')].map(rect => rect.getAttribute('fill')))].length";
    assert_eq!(browser.evaluate(fills)?, 6);
    // The dearest day is as high as the chart, the one after it two thirds, and each is the sum of its parts.
    let heights = "[...document.querySelectorAll('.chart > rect')].reduce((days, rect) => { const x = rect.getAttribute('x'); days[x] = (days[x] || 0) + Number(rect.getAttribute('height')); return days; }, {})";
    let heights = browser.evaluate(heights)?;
    assert_eq!(heights, json!({ "90.00%": 160, "93.33%": 107, "96.67%": 54 }));
    let row = "[...document.querySelectorAll('details tbody tr')].slice(-3).map(row => [...row.cells].slice(4).map(cell => cell.textContent).join(' '))";
    assert_eq!(
        browser.evaluate(row)?,
        json!(["84 21 18 15 12 9 9", "56 14 12 10 8 6 6", "28 7 6 5 4 3 3"])
    );

    browser.follow("agent")?;
    assert_eq!(browser.evaluate(legend)?, json!(["qa 90 USD", "dev 78 USD"]));
    browser.follow("project")?;
    let project = "0198c5a0-0000-7000-8000-000000000001 6 USD";
    assert_eq!(browser.evaluate(legend)?, json!(["none 162 USD", project]));
    Ok(())
}
