//! Views, each with its comment and those of its columns.

use std::fmt::Write;

use anyhow::Result;
use postgres::Client;

use super::comment::comment;
use super::scripts::Scripts;
use crate::address::query;
use crate::generate::relation;

/// The section of the views.
pub fn all(client: &mut Client, scripts: &Scripts) -> Result<String> {
    let mut text = String::new();
    for relation in relation::of_kind(client, "v")? {
        let name = &relation.qualified;
        write!(text, "{}", comment(&relation.comment, ""))?;
        write!(text, "{}", scripts.of(&[("view", name.clone())]))?;
        let columns = query(
            client,
            &format!(
                "SELECT a.attname || ': ' || col_description(a.attrelid, a.attnum) FROM pg_attribute AS a
                 WHERE a.attrelid = {} AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NOT NULL
                 ORDER BY a.attnum",
                relation.oid
            ),
        )?;
        for column in columns {
            write!(text, "{}", comment(&format!("  {}", column.try_get::<_, String>(0)?), ""))?;
        }
        writeln!(text, "{}\n", scripts.view(name)?)?;
    }
    Ok(text)
}
