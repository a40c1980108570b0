//! Questions that were approved below the version that acts on the approval. The way up names them.

use anyhow::Result;
use support::extension::{go_to, newest, walked_to};

#[test]
fn an_approval_that_had_no_effect_is_named_by_the_upgrade() -> Result<()> {
    for (below, asked, approved_there) in [
        (
            "0.9.0",
            "SELECT orchestrator.set_decision_rule('gate', 'prompt_activation'); \
             SELECT orchestrator.publish_prompt('coder', '1.0.0', 'x', activate => true)",
            "gates whose approval has made no version live",
        ),
        (
            "0.9.1",
            "SELECT orchestrator.set_budget(1, 'total'); SELECT orchestrator.reserve_budget(2)",
            "questions about budgets whose approval has raised no window",
        ),
    ] {
        let database = walked_to("approved_below", newest()?)?;
        let mut client = database.client()?;
        client.batch_execute(asked)?;
        go_to(&mut client, below.parse()?)?;
        client.batch_execute(
            "SELECT orchestrator.decide(id, 'approve', 'ada') FROM orchestrator.pending_decisions",
        )?;
        let id: String =
            client.query_one("SELECT id::text FROM orchestrator.gates", &[])?.try_get(0)?;
        let named = database.notices("ALTER EXTENSION orchestrator_schema UPDATE")?;
        assert!(named.contains(&format!("{approved_there}: {id}")), "{below}: {named}");
        // Once it is acted on, the next way up has nothing to say.
        client.batch_execute(match below {
            "0.9.0" => "SELECT orchestrator.drop_decision_rule('gate', 'prompt_activation'); SELECT orchestrator.activate_prompt('coder', '1.0.0')",
            _ => "SELECT orchestrator.raise_budget(budget_id, starts_at, 2, 'ada') FROM orchestrator.budget_windows",
        })?;
        go_to(&mut client, below.parse()?)?;
        let named = database.notices("ALTER EXTENSION orchestrator_schema UPDATE")?;
        assert!(!named.contains(approved_there), "{below}: {named}");
    }
    Ok(())
}
