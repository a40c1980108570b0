//! Texts in two directions. A text may hold control characters that turn what follows around. Each text is alone in an
//! element, and the style isolates every element; so a text reorders its neighbours only if it ends the isolation of its
//! element, or leaves one of its own open. Here no text does either.

use std::borrow::Cow;
use std::fmt;

use askama::filters::{Escaper, Html};

const END: char = '\u{2069}';

/// Escapes a text as HTML, and balances the isolations in it.
#[derive(Clone, Copy)]
pub struct Kept;

impl Escaper for Kept {
    fn write_escaped_str<W: fmt::Write>(&self, target: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(target, &balanced(text))
    }
}

/// A text that stands among others where there are no elements, such as in the label of a picture.
pub fn isolated(text: &str) -> String {
    format!("\u{2068}{}{END}", balanced(text))
}

/// The text with an end for each beginning of an isolation, and without the other ends. Isolations end with their paragraph.
fn balanced(text: &str) -> Cow<'_, str> {
    let is_control = |character| matches!(character, '\u{2066}'..=END);
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut balanced = String::with_capacity(text.len() + END.len_utf8());
    let mut open = 0;
    for character in text.chars() {
        match character {
            '\u{2066}'..='\u{2068}' => open += 1,
            END if open == 0 => continue,
            END => open -= 1,
            '\n' | '\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2029}' => {
                balanced.extend(std::iter::repeat_n(END, open));
                open = 0;
            }
            _ => {}
        }
        balanced.push(character);
    }
    balanced.extend(std::iter::repeat_n(END, open));
    Cow::Owned(balanced)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn isolations_are_balanced() {
        for (text, expected) in [
            ("a\u{202e}b", "a\u{202e}b"),
            ("a\u{2069}\u{2069}\u{202e}b", "a\u{202e}b"),
            ("\u{2067}a\u{2069}b", "\u{2067}a\u{2069}b"),
            ("\u{2066}a\u{2068}b", "\u{2066}a\u{2068}b\u{2069}\u{2069}"),
            ("\u{2067}a\nb\u{2069}c", "\u{2067}a\u{2069}\nbc"),
        ] {
            assert_eq!(balanced(text), expected, "{text:?}");
        }
    }

    #[test]
    fn no_text_ends_its_isolation() {
        assert_eq!(isolated("a\u{2069}\u{202e}b"), "\u{2068}a\u{202e}b\u{2069}");
    }

    #[test]
    fn markup_is_escaped() {
        let mut shown = String::new();
        Kept.write_escaped_str(&mut shown, "<b>\u{2069}").expect("a text");
        assert_eq!(shown, "&#60;b&#62;");
    }

    /// The template without the tags of askama, apart from what is shown.
    fn without_tags(template: &str) -> String {
        let mut rest = template;
        let mut markup = String::new();
        while let Some((before, after)) = rest.split_once("{%") {
            markup.push_str(before);
            rest = after.split_once("%}").map_or("", |(_, after)| after);
        }
        markup + rest
    }

    /// What a template shows: before, the expression, and after.
    fn shown(markup: &str) -> impl Iterator<Item = (&str, &str, &str)> {
        markup.match_indices("{{").filter_map(|(place, _)| {
            let (expression, after) = markup[place + 2..].split_once("}}")?;
            Some((markup[..place].trim_end(), expression.trim(), after.trim_start()))
        })
    }

    #[test]
    fn each_text_is_alone_in_its_element() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        for entry in fs::read_dir(folder).expect("the templates") {
            let path = entry.expect("a template").path();
            let markup = without_tags(&fs::read_to_string(&path).expect("a template"));
            for (before, expression, after) in shown(&markup) {
                let place = format!("{}: {expression}", path.display());
                let is_in_tag = before.rfind('<') > before.rfind('>');
                if !is_in_tag {
                    // A title has no elements.
                    let is_isolated = before.ends_with("&#x2068;") && after.starts_with("&#x2069;");
                    let is_alone = before.ends_with('>') && after.starts_with('<');
                    assert!(is_isolated || is_alone, "not alone: {place}");
                } else if before.ends_with("value=\"") {
                    assert!(expression.ends_with("|e(\"value\")"), "not as it is: {place}");
                }
            }
        }
    }
}
