//! Texts that agents wrote, in every field of a card. They are shown, and never become markup.

use anyhow::Result;
use serde_json::Value;

use super::browser::Browser;
use super::scene::{PROJECT, Scene};

/// Markup that would leave a mark, quotes of every kind, and Hebrew in the middle of an override of the direction.
const PAYLOAD: &str = "</p></pre></textarea><script>window.mark=1</script><img src=x onerror=\"window.mark=1\">\
     <svg onload=window.mark=1></svg>'\"&lt;<a href=\"javascript:window.mark=1\">x</a>{{ 7 * 7 }}\
     \u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{202c}";

/// The text of a field. Each has another one, so that none stands in for another.
fn text(field: &str) -> String {
    format!("[{field}] {PAYLOAD}")
}

/// A text of more than a megabyte.
fn long(field: &str) -> String {
    text(field) + &"x".repeat(1024 * 1024)
}

/// A text as JSON shows it, without the quotes around it.
fn in_json(field: &str) -> String {
    let quoted = Value::String(text(field)).to_string();
    quoted.trim_matches('"').to_owned()
}

#[test]
fn no_field_of_a_card_becomes_markup() -> Result<()> {
    let scene = Scene::new("texts")?;
    let review = review(&scene)?;
    let gate = scene.value(
        "orchestrator.open_gate($1::text::uuid, $2, 'high_risk', $3, jsonb_build_object($4::text, $5::text))",
        &[&PROJECT, &text("gate agent"), &long("gate reason"), &text("gate key"), &long("gate value")],
    )?;
    let approval = approval(&scene)?;
    let browser = scene.signed_in("reviewer")?;
    assert_shown(&browser, "/", &["reason", "gate reason", "approval notes"].map(text))?;
    assert_shown(&browser, "/runs", &[text("thread")])?;

    let page = format!("/decisions/{review}");
    let fields = ["thread", "story", "agent", "reason", "violation"];
    let facts = ["context key", "context value"];
    assert_shown(&browser, &page, &[&fields.map(text)[..], &facts.map(in_json)].concat())?;
    assert!(browser.text()?.contains("[The text goes on."), "a text that is cut says so");
    let fields = ["gate agent", "gate reason"].map(text);
    let facts = ["gate key", "gate value"].map(in_json);
    assert_shown(&browser, &format!("/decisions/{gate}"), &[fields, facts].concat())?;
    let fields = ["approver", "approval notes", "task description", "tool"].map(text);
    let facts = ["task key", "task value", "argument key", "argument value"].map(in_json);
    let page = format!("/decisions/{approval}");
    assert_shown(&browser, &page, &[&fields[..], &facts].concat())?;

    let thread = Value::String(text("thread"));
    let thread = browser.evaluate(&format!("encodeURIComponent({thread})"))?;
    let page = format!("/run?thread={}", thread.as_str().unwrap_or_default());
    let fields = ["thread", "story", "agent", "error", "reason"];
    assert_shown(&browser, &page, &fields.map(text))?;

    let role = scene.role("reviewer");
    let decide = "SELECT orchestrator.decide($1::text::uuid, 'reject', $2, $3)";
    scene.database.client_as(&role)?.execute(decide, &[&review, &role, &long("notes")])?;
    let fields = ["reason", "notes", "story"].map(text);
    assert_shown(&browser, &format!("/decisions/{review}"), &fields)?;
    assert_shown(&browser, "/decided", &[])
}

/// A question about a run, with a text in each field of both.
fn review(scene: &Scene) -> Result<String> {
    let mut client = scene.client()?;
    let thread = text("thread");
    client.execute(
        "SELECT orchestrator.start_run($1, $2::text::uuid, $3)",
        &[&thread, &PROJECT, &text("story")],
    )?;
    client.execute(
        "SELECT orchestrator.record_run_progress($1, 'development', $2, error => $3)",
        &[&thread, &text("agent"), &text("error")],
    )?;
    client.execute(
        "SELECT orchestrator.record_safety($1, 0.99, ARRAY[$2])",
        &[&thread, &text("violation")],
    )?;
    scene.value(
        "orchestrator.request_review($1, 'gate_override', $2, context => jsonb_build_object($3::text, $4::text))",
        &[&thread, &long("reason"), &text("context key"), &long("context value")],
    )
}

/// A question about a task, with a text in each field of both, and of a tool that the task called.
fn approval(scene: &Scene) -> Result<String> {
    let task = scene.value(
        "SELECT task_id FROM orchestrator.route_task('approval', $1, 'finance', $2, jsonb_build_object($3::text, $4::text))",
        &[
            &long("task description"),
            &text("approver"),
            &text("task key"),
            &long("task value"),
        ],
    )?;
    scene.value(
        "orchestrator.start_tool_execution($1::text::uuid, $2, jsonb_build_object($3::text, $4::text))",
        &[&task, &text("tool"), &text("argument key"), &long("argument value")],
    )?;
    scene.value(
        "orchestrator.request_approval($1::text::uuid, $2, $3)",
        &[&task, &text("approver"), &long("approval notes")],
    )
}

/// Looks at a page: the texts are shown as they are, in the page or in its fields, and nothing of them was executed.
fn assert_shown(browser: &Browser, page: &str, texts: &[String]) -> Result<()> {
    browser.visit(page)?;
    let shown = browser.evaluate(
        "document.querySelector('main').textContent \
         + [...document.querySelectorAll('main input')].map(field => field.value).join()",
    )?;
    let shown = shown.as_str().unwrap_or_default();
    for text in texts {
        let start: String = shown.chars().take(3000).collect();
        assert!(shown.contains(text), "{page} does not show\n{text}\nbut\n{start}");
    }
    assert_eq!(browser.evaluate("window.mark === undefined")?, true, "{page}");
    let elements = "document.querySelectorAll('main script, main img, main svg:not([role=img], [role=img] svg), a[href^=\"javascript\"]').length";
    assert_eq!(browser.evaluate(elements)?, 0, "{page}");
    Ok(())
}

/// The texts of ours that a page shows from right to left. Each is compared with the place of its letters.
const TURNED: &str = "(() => { \
     const turned = []; const range = document.createRange(); \
     const place = (node, at) => { range.setStart(node, at); range.setEnd(node, at + 1); return range.getBoundingClientRect(); }; \
     const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT); \
     while (texts.nextNode()) { \
         const node = texts.currentNode; const word = /[A-Za-z]{3,}/.exec(node.data); \
         if (!word || /[^\\x20-\\x7e\\n\\u00b7]/.test(node.data)) continue; \
         const [first, last] = [place(node, word.index), place(node, word.index + word[0].length - 1)]; \
         if (first.top === last.top && first.left > last.left) turned.push(node.data); \
     } \
     return turned.join('|'); })()";

#[test]
fn no_field_turns_its_neighbours_around() -> Result<()> {
    let scene = Scene::new("directions")?;
    let mut client = scene.client()?;
    for (number, text) in [
        "\u{202e}",
        "\u{2069}\u{2069}\u{202e}",
        "\u{2067}",
        "\u{2067}\n\u{2069}\u{202e}",
        "\u{5e9}\u{5dc}",
    ]
    .into_iter()
    .enumerate()
    {
        let field = |name: &str| format!("{name}{number}{text}");
        client.execute(
            "SELECT orchestrator.start_run($1, $2::text::uuid, $3)",
            &[&field("t"), &PROJECT, &field("s")],
        )?;
        client.execute(
            "SELECT orchestrator.record_run_progress($1, 'development', $2, tokens => 1, cost => 0.01, error => $3)",
            &[&field("t"), &field("a"), &field("e")],
        )?;
        let id = scene.value(
            "orchestrator.request_review($1, 'gate_override', $2)",
            &[&field("t"), &field("r")],
        )?;
        client.execute(
            "SELECT orchestrator.assign_decision($1::text::uuid, $2, 'me')",
            &[&id, &field("p")],
        )?;
        client.execute(
            "SELECT orchestrator.claim_decision($1::text::uuid, $2)",
            &[&id, &field("c")],
        )?;
    }
    let paused = "SELECT orchestrator.pause_run(r.thread_id, r.thread_id) FROM orchestrator.orchestrator_runs AS r";
    client.batch_execute(paused)?;
    // A link alone has no direction of its own.
    client.execute(
        "SELECT orchestrator.set_budget(1::numeric, 'day', thread_id => $1, subject => 'nightly')",
        &[&"t0\u{202e}"],
    )?;
    let browser = scene.signed_in("admin")?;
    let mut pages = vec!["/".to_owned(), "/runs".to_owned(), "/costs".to_owned()];
    let links = "[...document.querySelectorAll('main a')].map(link => link.pathname + link.search).join('\\n')";
    for list in ["/", "/runs"] {
        browser.visit(list)?;
        let found = browser.evaluate(links)?;
        pages.extend(found.as_str().unwrap_or_default().lines().map(str::to_owned));
    }
    assert!(pages.len() >= 12, "{pages:?}");
    for page in pages {
        browser.visit(&page)?;
        assert_eq!(browser.evaluate(TURNED)?, "", "{page}");
    }
    Ok(())
}

/// A form sends what a field is, and not what is shown.
#[test]
fn a_run_with_any_name_is_stopped() -> Result<()> {
    let scene = Scene::new("any_name")?;
    let thread = "t\u{2069}\u{202e}\u{2067}'\"<&";
    scene.ask(thread, "May it go on?")?;
    let browser = scene.signed_in("admin")?;
    browser.visit("/runs")?;
    browser.evaluate("document.querySelector('main th a').click()")?;
    browser.wait_for("Steer")?;
    browser.fill("#notes", "enough")?;
    browser.press("Stop")?;
    browser.wait_for("failed")?;
    let phase = scene.value(
        "SELECT phase FROM orchestrator.orchestrator_runs WHERE thread_id = $1",
        &[&thread],
    )?;
    assert_eq!(phase, "failed");
    Ok(())
}
