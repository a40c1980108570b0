//! The settings that the library defines.

use anyhow::Result;
use postgres::Client;

use super::markdown::{code, section, sentence, table};
use crate::address::{execute, query};

const SETTINGS: &str = "
    SELECT name, vartype || coalesce(': ' || array_to_string(enumvals, ', '), ''), boot_val, context,
           concat_ws(' ', short_desc, extra_desc)
    FROM pg_settings WHERE name LIKE 'orchestrator\\_schema.%' ORDER BY name COLLATE \"C\"";

/// The section of the settings.
pub fn all(client: &mut Client) -> Result<String> {
    // The first call loads the library, which defines the settings.
    execute(client, "SELECT orchestrator.uuidv7()")?;
    let mut rows = Vec::new();
    for row in query(client, SETTINGS)? {
        let cell = |at: usize| -> Result<String> {
            Ok(row.try_get::<_, Option<String>>(at)?.unwrap_or_default())
        };
        rows.push(vec![code(&cell(0)?), cell(1)?, code(&cell(2)?), cell(3)?, sentence(&cell(4)?)]);
    }
    let columns = ["setting", "values", "default", "set by", "effect"];
    Ok(format!("{}\n{}", section(2, "Settings", ""), table(&columns, &rows)))
}
