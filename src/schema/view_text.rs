//! One wording for a view's query. PostgreSQL before 16 writes a column's table before it everywhere,
//! later releases not where the view's own query reads from one place only. The manifest is compared
//! with both.

/// What the manifest calls the members whose definition is such a query.
pub const KIND: &str = "view";

/// The query without the names that say nothing, as PostgreSQL 16 and later write it.
pub fn plain(query: &str) -> String {
    let tokens = tokens(query);
    let Some(place) = only_source(&tokens) else {
        return query.to_owned();
    };
    let mut text = String::with_capacity(query.len());
    let mut rest = tokens.iter().peekable();
    let mut before = "";
    while let Some(token) = rest.next() {
        let is_qualifier = !token.in_subquery && token.text == place && before != ".";
        if is_qualifier && rest.peek().is_some_and(|next| next.text == ".") {
            let dot = rest.next();
            // A whole row needs its name.
            if rest.peek().is_some_and(|next| next.text == "*") {
                text.push_str(token.text);
                text.push_str(dot.map_or("", |dot| dot.text));
            }
            before = ".";
            continue;
        }
        text.push_str(token.text);
        before = token.text;
    }
    text
}

/// A word, a string, a quoted name, a run of white space, or one other character.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    /// How many parentheses are open around it.
    depth: usize,
    in_subquery: bool,
}

impl Token<'_> {
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"')
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.contains(&self.text)
    }
}

fn tokens(query: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    // For each open parenthesis whether a query stands in it, once its first word is known.
    let mut open: Vec<Option<bool>> = Vec::new();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let (text, after) = rest.split_at(token_length(rest, first));
        rest = after;
        if first == ')' {
            open.pop();
        } else if !first.is_whitespace()
            && let Some(unknown @ None) = open.last_mut()
        {
            *unknown = Some(["SELECT", "WITH", "VALUES"].contains(&text));
        }
        let in_subquery = open.contains(&Some(true));
        tokens.push(Token { text, depth: open.len(), in_subquery });
        if first == '(' {
            open.push(None);
        }
    }
    tokens
}

fn token_length(text: &str, first: char) -> usize {
    let is_in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let run = |belongs: &dyn Fn(char) -> bool| text.find(|c| !belongs(c)).unwrap_or(text.len());
    match first {
        '\'' | '"' => quoted_length(text, first),
        _ if first.is_whitespace() => run(&char::is_whitespace),
        _ if is_in_word(first) => run(&is_in_word),
        _ => first.len_utf8(),
    }
}

/// Up to the quote that is not doubled.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            if characters.peek().is_none_or(|(_, next)| *next != quote) {
                return at + quote.len_utf8();
            }
            characters.next();
        }
    }
    text.len()
}

/// What the query itself calls the one place it reads from; nothing when it reads from several.
fn only_source<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    const END: [&str; 10] =
        ["WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", ";"];
    const COMBINED: [&str; 3] = ["UNION", "INTERSECT", "EXCEPT"];
    let own = || tokens.iter().filter(|token| !token.in_subquery);
    if own().any(|token| token.depth == 0 && token.is_any(&COMBINED)) {
        return None;
    }
    let source: Vec<&Token<'a>> = own()
        .skip_while(|token| token.depth > 0 || token.text != "FROM")
        .skip(1)
        .take_while(|token| token.depth > 0 || !token.is_any(&END))
        .collect();
    let is_several =
        |token: &&Token<'a>| token.text == "JOIN" || (token.depth == 0 && token.text == ",");
    if source.iter().any(is_several) {
        return None;
    }
    source.iter().rev().find(|token| token.depth == 0 && token.is_word()).map(|token| token.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 and 17 write the same view.
    fn same(before_16: &str, since_16: &str) {
        assert_eq!(plain(before_16), since_16);
        assert_eq!(plain(since_16), since_16, "what is plain stays as it is");
    }

    #[test]
    fn names_go_where_a_query_reads_from_one_place() {
        same(
            "SELECT c.key, CASE WHEN c.is_secret THEN '*c.*'::text ELSE c.value END AS value FROM orchestrator.configurations c;",
            "SELECT key, CASE WHEN is_secret THEN '*c.*'::text ELSE value END AS value FROM orchestrator.configurations c;",
        );
        same(
            "SELECT tasks.id, lead(tasks.\"timestamp\") OVER (ORDER BY tasks.id) AS next FROM orchestrator.tasks;",
            "SELECT id, lead(\"timestamp\") OVER (ORDER BY id) AS next FROM orchestrator.tasks;",
        );
        same(
            "SELECT x.y FROM unnest(ARRAY[1, 2]) x(y) ORDER BY x.y;",
            "SELECT y FROM unnest(ARRAY[1, 2]) x(y) ORDER BY y;",
        );
    }

    #[test]
    fn names_stay_in_subqueries_and_where_a_query_reads_from_several_places() {
        same(
            "SELECT u.model FROM ( SELECT c.model FROM s.usage c) u WHERE (NOT (EXISTS ( SELECT FROM s.price p WHERE (p.model = u.model)))) GROUP BY u.model;",
            "SELECT model FROM ( SELECT c.model FROM s.usage c) u WHERE (NOT (EXISTS ( SELECT FROM s.price p WHERE (p.model = u.model)))) GROUP BY model;",
        );
        for unchanged in [
            "SELECT a.id FROM (s.a a JOIN s.b b ON ((a.id = b.id)));",
            "SELECT a.id FROM s.a a, s.b b;",
            "SELECT a.id FROM s.a a UNION ALL SELECT a.id FROM s.b a;",
            "SELECT c.* FROM s.c c;",
            "SELECT 1 AS one;",
        ] {
            same(unchanged, unchanged);
        }
    }

    #[test]
    fn another_table_behind_the_same_column_is_seen() {
        let query = |table: &str| {
            plain(&format!("SELECT {table}.id FROM (s.a a JOIN s.b b ON ((a.x = b.x)));"))
        };
        assert_ne!(query("a"), query("b"));
    }
}
