//! The label of an archive is the comment of its table. The table's owner may have edited it, and a
//! dump can leave it out. A label that does not fit its table counts as lost; then the table's name
//! identifies the archive.

use pgrx::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::LONGEST_NAME;
use crate::schema::{access, manifest};
use crate::server::dynamic_sql::quote;
use crate::server::error::Error;

/// The comment of an archive's table.
#[derive(Serialize, Deserialize)]
pub struct Label {
    pub table: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
    /// Whether an attempt to restore it has left rows or values in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_behind: bool,
}

impl Label {
    /// The label in the comment of the archive `name`, which holds `values` beside its key; `None`
    /// if it was lost, or if the comment is something else.
    pub fn read(
        comment: Option<String>,
        name: &str,
        values: &[String],
    ) -> Result<Option<Label>, Error> {
        let label = comment.and_then(|text| serde_json::from_str::<Label>(&text).ok());
        match label {
            Some(label) if label.fits(name, values)? => Ok(Some(label)),
            _ => Ok(None),
        }
    }

    fn fits(&self, name: &str, values: &[String]) -> Result<bool, Error> {
        // No name contains such a character, and no statement accepts one.
        if self.table.contains('\0') {
            return Ok(false);
        }
        let wanted = match &self.columns {
            None => self.table.clone(),
            Some(_) => format!("{}_columns", self.table),
        };
        // Somebody may have renamed the archive of a table.
        let is_its_own =
            is_numbered(name, &wanted) || (is_known(&self.table)? && !is_known(&by_name(name).0)?);
        let holds = self.columns.as_ref().is_none_or(|columns| {
            !columns.is_empty() && columns.iter().all(|column| values.contains(column))
        });
        let version = self.from_version.as_deref().is_none_or(is_version);
        let dated = self.archived_at.as_deref().is_none_or(|text| time(text).is_some());
        Ok(is_its_own && holds && version && dated)
    }
}

/// Whether any version has a table of that name.
fn is_known(table: &str) -> Result<bool, Error> {
    let member = format!("orchestrator.{}", quote(table));
    let known = manifest::introduced("table", &member)? < manifest::versions()?.len();
    Ok(known || table == access::KEPT_LEVELS)
}

/// Whether a text is three numbers separated by points.
fn is_version(text: &str) -> bool {
    let is_number = |part: &str| {
        (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    text.split('.').count() == 3 && text.split('.').all(is_number)
}

/// The time that a label names, in the one form in which labels are written:
/// `2026-01-31T23:59:59.123456Z`.
pub fn time(text: &str) -> Option<TimestampWithTimeZone> {
    const FORM: &str = "0000-00-00T00:00:00.000000Z";
    let has_form = text.len() == FORM.len()
        && text.bytes().zip(FORM.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => byte == form,
        });
    if !has_form {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u8>().ok();
    let (year, second) = (text.get(..4)?.parse().ok()?, text.get(17..26)?.parse().ok()?);
    let (hour, minute) = (part(11, 13)?, part(14, 16)?);
    if hour > 23 || minute > 59 || second >= 60.0 {
        return None;
    }
    TimestampWithTimeZone::with_timezone(
        year,
        part(5, 7)?,
        part(8, 10)?,
        hour,
        minute,
        second,
        "UTC",
    )
    .ok()
}

/// Whether a name is `plain`, or `plain` followed by the numbers that distinguish older archives.
/// `plain` is cut if the whole would be longer than a name can be.
fn is_numbered(name: &str, plain: &str) -> bool {
    // A name is cut between characters, which have four bytes at most.
    let is_full = name.len() + 3 >= LONGEST_NAME;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut stem = name;
    while !stem.is_empty() {
        if stem == plain || is_full && plain.starts_with(stem) {
            return true;
        }
        match stem.rsplit_once('_') {
            Some((rest, number)) if is_number(number) => stem = rest,
            _ => return false,
        }
    }
    false
}

/// The table that an archive of that name belongs to, and whether the archive holds columns of it.
pub fn by_name(name: &str) -> (String, bool) {
    let plain = without_numbers(name);
    match plain.strip_suffix("_columns") {
        Some(owner) => (owner.to_owned(), true),
        None => (plain.to_owned(), false),
    }
}

/// The name without the numbers, one or several, that distinguish older archives.
fn without_numbers(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((plain, number)) if is_numbered(name, plain) && !number.is_empty() => {
            without_numbers(plain)
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_NAME, by_name, is_numbered, is_version};

    #[test]
    fn names_tell_the_table_and_whether_columns_of_it_are_kept() {
        for (name, table, columns) in [
            ("gates", "gates", false),
            ("gates_2", "gates", false),
            ("gates_2_13", "gates", false),
            ("gates_columns", "gates", true),
            ("gates_columns_2_2", "gates", true),
            ("v7_test_results", "v7_test_results", false),
            ("x2", "x2", false),
            ("", "", false),
            ("_", "_", false),
        ] {
            assert_eq!(by_name(name), (table.to_owned(), columns), "{name}");
        }
        assert!(
            is_numbered("t_2_2", "t_2") && is_numbered("t_2", "t_2") && is_numbered("t_2", "t")
        );
        assert!(!is_numbered("t_x", "t") && !is_numbered("t_", "t") && !is_numbered("_2", ""));
    }

    #[test]
    fn long_names_are_known_as_far_as_they_fit() {
        let table = "a".repeat(60);
        let columns = format!("{table}_columns");
        assert!(is_numbered(&columns[..LONGEST_NAME], &columns));
        assert!(is_numbered(&format!("{}_2", &columns[..LONGEST_NAME - 2]), &columns));
        assert!(is_numbered(&format!("{}_12_2", &columns[..LONGEST_NAME - 5]), &columns));
        assert!(!is_numbered(&format!("{}b", &columns[..LONGEST_NAME - 1]), &columns));
        assert!(!is_numbered(&columns[..50], &columns), "no name is cut so short");
    }

    #[test]
    fn versions_are_three_numbers() {
        assert!(["0.0.0", "0.10.1", "12.0.3"].into_iter().all(is_version));
        assert!(
            !["", "1", "1.2", "1.2.3.4", "1.2.x", "1..3", "-1.0.0"].into_iter().any(is_version)
        );
    }
}
