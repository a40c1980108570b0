//! The parts of Markdown that the reference needs.

/// A heading with a paragraph below it.
pub fn section(level: usize, title: &str, text: &str) -> String {
    let title = format!("{} {title}\n", "#".repeat(level));
    if text.is_empty() { title } else { format!("{title}\n{}\n", sentence(text)) }
}

/// A table without the columns that are empty in every row; an empty text if it has no row.
pub fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let used: Vec<usize> = (0..columns.len())
        .filter(|&at| rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty())))
        .collect();
    let titles: Vec<&str> = used.iter().filter_map(|&at| columns.get(at).copied()).collect();
    let mut text = format!("| {} |\n|{}\n", titles.join(" | "), "---|".repeat(titles.len()));
    for row in rows {
        let cells: Vec<String> =
            used.iter().filter_map(|&at| row.get(at)).map(|cell| in_cell(cell)).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

/// Text in code quotes, safe inside a table; an empty text stays empty.
pub fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// A fenced block of Mermaid.
pub fn mermaid(lines: &[String]) -> String {
    format!("```mermaid\n{}\n```\n", lines.join("\n"))
}

/// The text, with a full stop added if it does not end as a sentence.
pub fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() || text.ends_with(['.', ':', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// An expression without the casts that the server writes after each string.
pub fn without_casts(expression: &str) -> String {
    ["text", "jsonb", "text[]"]
        .iter()
        .rev()
        .fold(expression.to_owned(), |text, kind| text.replace(&format!("'::{kind}"), "'"))
}

fn in_cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_to_their_line_and_column() {
        let row = vec!["x | y".into(), String::new(), "one\ntwo".into()];
        let text = table(&["a", "b", "c"], &[row]);
        assert_eq!(text, "| a | c |\n|---|---|\n| x \\| y | one two |\n");
        assert_eq!(table(&["a"], &[]), "");
    }

    #[test]
    fn sentences_end_once() {
        assert_eq!(sentence("It is"), "It is.");
        assert_eq!(sentence("Is it?"), "Is it?");
        assert_eq!(sentence(""), "");
    }
}
