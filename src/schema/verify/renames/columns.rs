//! Renamed columns, found by their place in the table.

use std::sync::Arc;

use super::places::{Likeness, Order};
use super::rename::Rename;
use super::search::Search;
use super::steps::{self, Steps};
use crate::schema::catalog;
use crate::schema::column::Column;
use crate::schema::facts::{Facts, Member, split};
use crate::schema::manifest::{self, Columns};
use crate::server::error::Error;
use crate::server::interrupts;

impl Search<'_> {
    pub fn columns(&mut self, version: &str) -> Result<(), Error> {
        let mut tables = catalog::columns_in_order()?;
        for (table, Columns { in_order, brought }) in manifest::columns(version)? {
            interrupts::allow();
            let known =
                self.found.iter().find(|rename| rename.kind == "table" && rename.due == table);
            let Some(is) = tables.remove(known.map_or(table, |rename| &rename.is)) else {
                continue;
            };
            let object = |name: &str| format!("{table}.{name}");
            let likeness =
                |is: &str, due: &str| self.likeness_of_columns(&object(is), &object(due));
            let order = Order { is: &is, due: &in_order, brought: &brought };
            for Steps { of, steps } in
                steps::undo(&is, &order.certain(likeness), crate::server::dynamic_sql::quote)
            {
                for (is, due) in &steps {
                    self.rename_column(table, &object(is), &object(due));
                }
                let mut with = None;
                for (is, due) in of {
                    let mut rename = Rename::of("column", &object(&is), &object(&due));
                    rename.with = with.clone();
                    if with.is_none() {
                        rename.columns.clone_from(&steps);
                    }
                    with.get_or_insert_with(|| object(&due));
                    self.found.push(rename);
                }
            }
        }
        Ok(())
    }

    fn likeness_of_columns(&self, is: &str, due: &str) -> Likeness {
        let column = |object: &str| Member::new("column", object);
        match (self.actual.get(&column(is)), self.expected.get(&column(due))) {
            (Some(is), Some(due)) if due.is_met_by(is) => Likeness::Whole,
            (Some(is), Some(due)) if Column(is).has_type_of(&Column(due)) => Likeness::Type,
            _ => Likeness::Other,
        }
    }

    /// Gives a column another name, as a member and in the constraints and indexes on it.
    fn rename_column(&mut self, table: &str, is: &str, due: &str) {
        let (old, new) = (split(is).1, split(due).1);
        for kind in ["column", "grant to PUBLIC"] {
            if let Some(facts) = self.actual.remove(&Member::new(kind, is)) {
                self.actual.insert(Member::new(kind, due), facts);
            }
        }
        for (member, facts) in &mut self.actual {
            let on_it = ["constraint", "index"].contains(&member.kind.as_str())
                && facts.is_part_of(table)
                && LISTS.iter().any(|list| facts.list(list).contains(&old));
            if on_it {
                *facts = with_column(facts, old, new);
            }
        }
    }
}

/// Lists of columns; of the keys of an index, those that are plain columns.
const LISTS: [&str; 3] = ["columns", "keys", "included"];

fn with_column(facts: &Facts, old: &str, new: &str) -> Arc<Facts> {
    Arc::new(facts.renamed(&LISTS, &[], |name| (name == old).then(|| new.to_owned())))
}
