//! Every page works without a script.

use anyhow::Result;

use super::browser::Browser;
use super::scene::Scene;
use super::session::Kind;

#[test]
fn a_person_signs_in_and_approves_without_a_script() -> Result<()> {
    let scene = Scene::new("scriptless")?;
    let question = scene.ask("t1", "May it go on?")?;
    let browser = Browser::open(&scene.origin(), Kind::WithoutScript)?;
    browser.sign_in(&scene.role("reviewer"))?;
    browser.visit_elsewhere(
        "data:text/html,<title>none</title><script>document.title='some'</script>",
    )?;
    assert_eq!(browser.title()?, "none", "scripts are off");
    browser.visit("/")?;
    browser.follow("gate_override review of story t1")?;
    browser.press("Approve")?;
    browser.wait_for("approved by")?;
    assert_eq!(scene.status(&question)?, "approved");
    Ok(())
}
