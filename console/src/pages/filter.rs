//! The filter of the inbox. It goes with each question that is opened from there, so that the way back leads to the same questions.

use serde::{Deserialize, Serialize};

use super::SHOWN;
use crate::forms::filled;

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Filter {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub project: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub role: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mine: String,
    #[serde(skip_serializing_if = "is_first")]
    page: u32,
}

fn is_first(page: &u32) -> bool {
    *page == 0
}

impl Filter {
    pub fn kind(&self) -> Option<&str> {
        filled(&self.kind)
    }

    pub fn project(&self) -> Option<&str> {
        filled(&self.project)
    }

    pub fn role(&self) -> Option<&str> {
        filled(&self.role)
    }

    /// The filter as the query of an address; empty without one.
    pub fn query(&self) -> String {
        match serde_urlencoded::to_string(self) {
            Ok(query) if !query.is_empty() => format!("?{query}"),
            _ => String::new(),
        }
    }

    /// The number of questions before its page.
    pub fn before(&self) -> usize {
        super::before(self.page)
    }

    /// The pages of this many questions.
    pub fn pages(&self, questions: i64) -> Pages {
        let last = usize::try_from(questions).unwrap_or_default().saturating_sub(1) / SHOWN;
        let last = u32::try_from(last).unwrap_or(u32::MAX);
        let of = |page| Filter { page, ..self.clone() }.query();
        let is_shown = |page: &u32| *page != self.page;
        Pages {
            number: u64::from(self.page) + 1,
            last: u64::from(last) + 1,
            to_first: Some(0).filter(is_shown).map(of),
            to_previous: self.page.checked_sub(1).map(|page| page.min(last)).map(of),
            to_next: Some(self.page).filter(|page| *page < last).map(|page| of(page + 1)),
            to_last: Some(last).filter(is_shown).map(of),
        }
    }
}

/// The pages of the inbox, counted from 1, with the queries that lead to others.
pub struct Pages {
    pub number: u64,
    pub last: u64,
    pub to_first: Option<String>,
    pub to_previous: Option<String>,
    pub to_next: Option<String>,
    pub to_last: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::Filter;

    fn page(page: u32) -> Filter {
        Filter { page, kind: "gate".to_owned(), ..Filter::default() }
    }

    fn ways(filter: &Filter, questions: i64) -> [Option<String>; 4] {
        let pages = filter.pages(questions);
        [pages.to_first, pages.to_previous, pages.to_next, pages.to_last]
    }

    #[test]
    fn a_filter_is_a_query() {
        assert_eq!(Filter::default().query(), "");
        let role = "finance & law".to_owned();
        assert_eq!(Filter { role, ..page(2) }.query(), "?kind=gate&role=finance+%26+law&page=2");
    }

    #[test]
    fn pages_lead_to_each_other() {
        let query = |page| match page {
            0 => Some("?kind=gate".to_owned()),
            page => Some(format!("?kind=gate&page={page}")),
        };
        for questions in [0, 1, 50] {
            assert_eq!(ways(&page(0), questions), [None, None, None, None], "{questions}");
        }
        assert_eq!(ways(&page(0), 51), [None, None, query(1), query(1)]);
        assert_eq!(ways(&page(1), 10_000), [query(0), query(0), query(2), query(199)]);
        assert_eq!(ways(&page(199), 10_000), [query(0), query(198), None, None]);
        assert_eq!(ways(&page(300), 10_000), [query(0), query(199), None, query(199)]);
    }
}
