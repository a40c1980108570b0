//! Every page: where it loads from, how it fits on a phone, and whether everybody can use it.

use std::{env, fs};

use anyhow::Result;
use serde_json::Value;
use xtask::checks::cases;
use xtask::machine::project::Project;

use super::browser::Browser;
use super::course;
use super::plain::{self, Visitor};
use super::program::path;
use super::scene::Scene;
use super::session::Kind;

/// Rows for the tables of every page of the menu.
const ROWS: &str = "\
    SELECT orchestrator.load_default_prices(); \
    SELECT orchestrator.record_llm_call('gpt-5', 27147, 351, agent_id => 'coder'), orchestrator.record_llm_call('unknown', 1, 1); \
    INSERT INTO orchestrator.llm_token_usage (\"timestamp\", model, agent_id, input_tokens, output_tokens, reported_cost) \
    SELECT now() - d * interval '1 day', m.name, (ARRAY['dev', 'qa', 'pm'])[1 + (d + m.place) % 3], 27000, 900, (9 - m.place) * (4 + d * 7919 * m.place % 23) / 40.0 \
    FROM unnest('{gpt-5,gpt-4.1,gpt-4o,gpt-5-mini,o3,gpt-4.1-mini,gpt-4o-mini,gpt-5-nano}'::text[]) WITH ORDINALITY AS m(name, place), generate_series(0, 29) AS d; \
    SELECT orchestrator.set_budget(1, 'day', subject => 'nightly'), orchestrator.reserve_budget(2, subject => 'nightly'); \
    SELECT orchestrator.publish_prompt('coder', '1.' || n || '.0', E'You write Rust.\\nVersion ' || n) FROM generate_series(0, 2) AS n; \
    SELECT orchestrator.activate_prompt('coder', '1.0.0'), orchestrator.activate_prompt('coder', '1.1.0', weight => 10); \
    SELECT orchestrator.create_task('build', 'Task ' || n) FROM generate_series(1, 4) AS n; \
    SELECT orchestrator.claim_tasks('worker 1', '{build}'); \
    SELECT orchestrator.fail_task(task_id, worker, 'The compiler failed.', final => true) FROM orchestrator.task_attempts; \
    SELECT orchestrator.claim_tasks('worker 1', '{build}'); \
    INSERT INTO orchestrator.workflows (name, definition) VALUES ('Release', '{}'); \
    INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) SELECT w.id, t.id, row_number() OVER (ORDER BY t.title) FROM orchestrator.workflows AS w, orchestrator.tasks AS t WHERE t.title LIKE 'Task %'; \
    SELECT orchestrator.v7_load_plan(); SELECT orchestrator.v7_start_phase(1); \
    INSERT INTO orchestrator.file_audit (file_number, file_path, file_name, layer_number, layer_name, status) VALUES ('0001', '/f', 'f', 1, 'l', 'NOVEL'); \
    ALTER TABLE orchestrator.tasks ADD COLUMN mine text; CREATE INDEX mine ON orchestrator.tasks (title); \
    SELECT orchestrator.seal_audit_events()";

/// The pages of the menu, the sign-in, a page that is missing, and those of a question, an answer and a run.
fn pages(scene: &Scene) -> Result<Vec<String>> {
    let open = course::ask(scene, "thread-1", "The tests are red, and the release is due today.")?;
    scene.ask("thread-2", "The next step drops a table of production.")?;
    let decided = scene.ask("thread-3", "May it send the letter to every customer?")?;
    let role = scene.role("reviewer");
    let decide =
        "SELECT orchestrator.decide($1::text::uuid, 'reject', $2, 'Ask the lawyer first.')";
    scene.database.client_as(&role)?.execute(decide, &[&decided, &role])?;
    let menu = ["/queue", "/workflows", "/costs", "/prompts", "/migration", "/health"];
    let mut pages = vec![
        "/".to_owned(),
        format!("/decisions/{open}"),
        "/run?thread=thread-1".to_owned(),
        format!("/decisions/{decided}"),
        "/decided".to_owned(),
        "/runs".to_owned(),
        "/sign-in".to_owned(),
        "/missing".to_owned(),
    ];
    pages.extend(menu.map(str::to_owned));
    let mut client = scene.database.client()?;
    client.batch_execute(ROWS)?;
    let workflow: String =
        client.query_one("SELECT min(id::text) FROM orchestrator.workflows", &[])?.try_get(0)?;
    pages.push(format!("/workflows?id={workflow}"));
    pages.push("/prompts?agent_type=coder&a=1.0.0&b=1.1.0".to_owned());
    Ok(pages)
}

#[test]
fn no_page_loads_anything_from_elsewhere() -> Result<()> {
    let scene = Scene::new("policy")?;
    let pages = pages(&scene)?;
    let visitor = Visitor::sign_in(&scene, "admin")?;
    let browser = scene.signed_in("admin")?;
    for page in &pages {
        let answer = visitor.get(page)?;
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none';"), "{page}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{page}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{page}");

        browser.visit(page)?;
        let loaded =
            "performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)";
        for origin in browser.evaluate(loaded)?.as_array().into_iter().flatten() {
            assert_eq!(origin, &Value::String(scene.origin()), "{page}");
        }
    }
    let refused = plain::send(&scene, "POST", "/sign-in", &[("Origin", "http://example.com")], "")?;
    assert_eq!(refused.status, 403);
    assert!(refused.header("content-security-policy").is_some(), "a page that refuses");
    Ok(())
}

#[test]
fn every_page_fits_on_a_phone() -> Result<()> {
    let scene = Scene::new("phone")?;
    let pages = pages(&scene)?;
    let browser = scene.signed_in_with("admin", Kind::Phone)?;
    for page in &pages {
        browser.visit(page)?;
        assert_eq!(browser.evaluate("screen.width")?, 390, "{page}");
        let width = browser.evaluate("[document.documentElement.scrollWidth, innerWidth]")?;
        assert_eq!(width, serde_json::json!([390, 390]), "{page}");
    }
    Ok(())
}

/// The findings of axe-core, by rule and place.
fn findings(browser: &Browser, axe: &str) -> Result<Value> {
    let script = format!(
        "{axe}; const done = arguments[arguments.length - 1]; \
         axe.run(document, {{ resultTypes: ['violations'] }}).then( \
             report => done(report.violations.map(finding => finding.id + ': ' + finding.nodes.map(node => node.target + ' ' + node.failureSummary).join('; '))), \
             error => done([String(error)]));"
    );
    browser.evaluate_later(&script)
}

#[test]
fn axe_reports_nothing_on_any_page() -> Result<()> {
    let axe = fs::read_to_string(path("ORCHESTRATOR_AXE")?)?;
    let scene = Scene::new("axe")?;
    let pages = pages(&scene)?;
    let mut all = Vec::new();
    for kind in [Kind::Usual, Kind::Dark, Kind::Phone] {
        let browser = scene.signed_in_with("admin", kind)?;
        let is_dark = browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")?;
        assert_eq!(is_dark, matches!(kind, Kind::Dark), "{kind:?}");
        // Colors and sizes differ; what is on a page does not.
        let shown = if matches!(kind, Kind::Usual) { pages.len() } else { 4 };
        for page in cases::chosen(&pages, shown) {
            browser.visit(page)?;
            for finding in findings(&browser, &axe)?.as_array().into_iter().flatten() {
                all.push(format!("{page} ({kind:?}): {finding}"));
            }
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    Ok(())
}

/// Writes the pictures of docs/ if ORCHESTRATOR_ACCEPT is 1.
#[test]
fn the_main_pages_have_their_picture() -> Result<()> {
    let scene = Scene::new("pictures")?;
    let pages = pages(&scene)?;
    let browser = scene.signed_in("reviewer")?;
    let folder = Project::find()?.root().join("docs/console");
    let main = pages.iter().zip(["inbox", "decision"]);
    let pictured =
        [("/run?thread=thread-1#timeline".to_owned(), "run"), ("/costs".to_owned(), "costs")];
    for (page, name) in main.chain(pictured.iter().map(|(page, name)| (page, *name))) {
        browser.visit(page)?;
        let picture = browser.picture()?;
        assert!(picture.starts_with(b"\x89PNG"), "{page}");
        if env::var_os("ORCHESTRATOR_ACCEPT").is_some_and(|value| value == "1") {
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("{name}.png")), picture)?;
        }
    }
    Ok(())
}
