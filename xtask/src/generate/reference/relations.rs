//! Tables with columns, constraints, indexes and triggers; views with columns.

use std::fmt::Write;

use anyhow::Result;
use postgres::{Client, Row};

use super::markdown::{code, section, sentence, table, without_casts};
use crate::address::query;
use crate::generate::history::History;
use crate::generate::relation::{self, Relation};

/// The section of the tables.
pub fn tables(client: &mut Client, history: &History) -> Result<String> {
    let mut text = section(2, "Tables", "");
    for relation in relation::of_kind(client, "r")? {
        let name = &relation.qualified;
        let since = history.since("table", name).to_owned();
        write!(text, "\n{}", section(3, &relation.name, &relation.comment))?;
        writeln!(text, "\n{}", history.sentence("table", name))?;
        write!(text, "\n{}", columns(client, &relation, history, &since)?)?;
        let parts = [
            ("constraint", "check or key", constraints(client, &relation)?),
            ("index", "index", indexes(client, &relation)?),
            ("trigger", "trigger", triggers(client, &relation)?),
        ];
        for (kind, title, rows) in parts {
            let mut cells = Vec::new();
            for row in rows {
                let (own, definition, comment): (String, String, String) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                let scope = if kind == "index" { "orchestrator" } else { name.as_str() };
                let later = later_than(&since, history.since(kind, &format!("{scope}.{own}")));
                cells.push(vec![
                    code(&own),
                    code(&without_casts(&definition)),
                    sentence(&comment),
                    later,
                ]);
            }
            if !cells.is_empty() {
                write!(text, "\n{}", table(&[title, "definition", "", "since"], &cells))?;
            }
        }
    }
    Ok(text)
}

/// The section of the views.
pub fn views(client: &mut Client, history: &History) -> Result<String> {
    let mut text = section(2, "Views", "");
    for relation in relation::of_kind(client, "v")? {
        write!(text, "\n{}", section(3, &relation.name, &relation.comment))?;
        writeln!(text, "\n{}", history.sentence("view", &relation.qualified))?;
        write!(text, "\n{}", columns(client, &relation, history, "")?)?;
    }
    Ok(text)
}

fn columns(
    client: &mut Client,
    relation: &Relation,
    history: &History,
    since: &str,
) -> Result<String> {
    let sql = format!(
        "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod),
                a.attnotnull, coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attidentity <> '',
                coalesce(col_description(a.attrelid, a.attnum), ''), format('%I', a.attname)
         FROM pg_attribute AS a
         LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = {} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        relation.oid
    );
    let mut rows = Vec::new();
    for row in query(client, &sql)? {
        let (name, kind, comment, quoted): (String, String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(5)?, row.try_get(6)?);
        let (required, identity): (bool, bool) = (row.try_get(2)?, row.try_get(4)?);
        let default: String = if identity { "identity".to_owned() } else { row.try_get(3)? };
        let later = history.since("column", &format!("{}.{quoted}", relation.qualified));
        rows.push(vec![
            code(&name),
            kind,
            if required { "required".to_owned() } else { String::new() },
            code(&without_casts(&default)),
            sentence(&comment),
            later_than(since, later),
        ]);
    }
    Ok(table(&["column", "type", "", "default", "content", "since"], &rows))
}

fn constraints(client: &mut Client, relation: &Relation) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT conname::text, pg_get_constraintdef(oid, true), coalesce(obj_description(oid, 'pg_constraint'), '')
         FROM pg_constraint WHERE conrelid = {} AND contype IN ('p', 'u', 'f', 'c', 'x')
         ORDER BY array_position('{{p,u,x,f,c}}', contype::text), conname COLLATE \"C\"",
        relation.oid
    );
    query(client, &sql)
}

/// The indexes of a table that do not belong to a constraint.
fn indexes(client: &mut Client, relation: &Relation) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT i.relname::text,
                CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END
                    || regexp_replace(pg_get_indexdef(x.indexrelid), '^.* USING (btree )?', ''),
                coalesce(obj_description(x.indexrelid, 'pg_class'), '')
         FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
         WHERE x.indrelid = {}
           AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = x.indexrelid AND c.contype <> 'f')
         ORDER BY i.relname COLLATE \"C\"",
        relation.oid
    );
    query(client, &sql)
}

fn triggers(client: &mut Client, relation: &Relation) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT tgname::text,
                replace(regexp_replace(pg_get_triggerdef(oid), '^CREATE (CONSTRAINT )?TRIGGER .*? (BEFORE|AFTER|INSTEAD OF) ', '\\2 '),
                        ' ON {}', ''),
                coalesce(obj_description(oid, 'pg_trigger'), '')
         FROM pg_trigger WHERE tgrelid = {} AND NOT tgisinternal ORDER BY tgname COLLATE \"C\"",
        relation.qualified, relation.oid
    );
    query(client, &sql)
}

/// The version, if it is not that of the table; else an empty text.
fn later_than(since: &str, version: &str) -> String {
    if since == version || since.is_empty() { String::new() } else { version.to_owned() }
}
