//! Tables with columns, constraints, indexes and triggers; a table follows those that it refers to.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Result, bail};
use postgres::Client;

use super::comment::comment;
use super::scripts::Scripts;
use crate::address::query;
use crate::generate::relation::{self, Relation};

/// The section of the tables.
pub fn all(client: &mut Client, scripts: &Scripts) -> Result<String> {
    let mut text = String::new();
    for table in in_order(client)? {
        text.push_str(&of(client, scripts, &table)?);
    }
    Ok(text)
}

/// The tables, by name, each after those that it refers to.
fn in_order(client: &mut Client) -> Result<Vec<Relation>> {
    let references: BTreeSet<(u32, u32)> = query(
        client,
        "SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid",
    )?
    .iter()
    .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
    .collect::<Result<_>>()?;
    let mut waiting = relation::of_kind(client, "r")?;
    let mut ordered: Vec<Relation> = Vec::new();
    while !waiting.is_empty() {
        let refers_to_one = |table: &Relation| {
            waiting.iter().any(|other| references.contains(&(table.oid, other.oid)))
        };
        let Some(next) = waiting.iter().position(|table| !refers_to_one(table)) else {
            bail!("tables refer to one another in a circle");
        };
        ordered.push(waiting.remove(next));
    }
    Ok(ordered)
}

/// A name and a text.
type Named = Vec<(String, String)>;

fn of(client: &mut Client, scripts: &Scripts, table: &Relation) -> Result<String> {
    let name = &table.qualified;
    let columns = columns(client, table)?;
    let constraints = constraints(client, table)?;
    let indexes = indexes(client, table)?;
    let triggers = triggers(client, table)?;
    let part = |kind: &'static str, own: &str| (kind, format!("{name}.{own}"));
    let mut members = vec![("table", name.clone())];
    members.extend(columns.iter().map(|column| part("column", &column.name)));
    members.extend(constraints.iter().map(|(own, _)| part("constraint", own)));
    members.extend(indexes.iter().map(|(own, _)| ("index", format!("orchestrator.{own}"))));
    members.extend(triggers.iter().map(|(own, _)| part("trigger", own)));

    let mut text = comment(&table.comment, "");
    text.push_str(&scripts.of(&members));
    writeln!(text, "CREATE TABLE {name} (")?;
    let lines = columns.len() + constraints.len();
    let constraints =
        constraints.iter().map(|(own, rule)| (String::new(), format!("CONSTRAINT {own} {rule}")));
    let columns = columns.iter().map(|column| (column.comment.clone(), column.definition.clone()));
    for (place, (about, line)) in columns.chain(constraints).enumerate() {
        let comma = if place + 1 < lines { "," } else { "" };
        writeln!(text, "{}    {line}{comma}", comment(&about, "    "))?;
    }
    writeln!(text, ");")?;
    for (_, statement) in indexes.iter().chain(&triggers) {
        writeln!(text, "{statement};")?;
    }
    writeln!(text)?;
    Ok(text)
}

struct Column {
    name: String,
    definition: String,
    comment: String,
}

fn columns(client: &mut Client, table: &Relation) -> Result<Vec<Column>> {
    let sql = format!(
        "SELECT quote_ident(a.attname),
                concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                    CASE WHEN a.attidentity <> '' THEN 'GENERATED ' || CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END || ' AS IDENTITY'
                         WHEN a.attgenerated <> '' THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
                         WHEN d.oid IS NOT NULL THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END,
                    CASE WHEN a.attnotnull THEN 'NOT NULL' END),
                coalesce(col_description(a.attrelid, a.attnum), '')
         FROM pg_attribute AS a
         LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = {} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        table.oid
    );
    query(client, &sql)?
        .iter()
        .map(|row| {
            Ok(Column {
                name: row.try_get(0)?,
                definition: row.try_get(1)?,
                comment: row.try_get(2)?,
            })
        })
        .collect()
}

fn constraints(client: &mut Client, table: &Relation) -> Result<Named> {
    named(
        client,
        &format!(
            "SELECT quote_ident(conname), pg_get_constraintdef(oid, true) FROM pg_constraint
             WHERE conrelid = {} AND contype IN ('p', 'u', 'f', 'c', 'x')
             ORDER BY array_position('{{p,u,x,f,c}}', contype::text), conname COLLATE \"C\"",
            table.oid
        ),
    )
}

/// The indexes of a table that do not belong to a constraint.
fn indexes(client: &mut Client, table: &Relation) -> Result<Named> {
    named(
        client,
        &format!(
            "SELECT quote_ident(i.relname), pg_get_indexdef(x.indexrelid)
             FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
             WHERE x.indrelid = {}
               AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = x.indexrelid AND c.contype <> 'f')
             ORDER BY i.relname COLLATE \"C\"",
            table.oid
        ),
    )
}

fn triggers(client: &mut Client, table: &Relation) -> Result<Named> {
    named(
        client,
        &format!(
            "SELECT quote_ident(tgname), pg_get_triggerdef(oid) FROM pg_trigger
             WHERE tgrelid = {} AND NOT tgisinternal ORDER BY tgname COLLATE \"C\"",
            table.oid
        ),
    )
}

fn named(client: &mut Client, sql: &str) -> Result<Named> {
    query(client, sql)?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
