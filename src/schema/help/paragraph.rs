//! Long texts as lines that fit into a terminal.

/// The longest line.
const WIDTH: usize = 100;

/// A text in indented lines, broken at spaces.
pub fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_full_and_no_word_is_lost() {
        let text = "word ".repeat(60);
        let lines = wrapped(&text, "  ");
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.starts_with("  word") && line.len() <= WIDTH));
        assert_eq!(lines.join(" ").split_whitespace().count(), 60);
        assert_eq!(wrapped(&"x".repeat(200), "").len(), 1, "a word stays whole");
        assert_eq!(wrapped(" ", ""), [""; 0]);
    }
}
