//! The beginning of a long text, for messages and the trail.

use std::borrow::Cow;

/// The text, or the first `longest` characters and `...` if it is longer.
pub fn of(value: &str, longest: usize) -> Cow<'_, str> {
    match value.char_indices().nth(longest) {
        Some((end, _)) => format!("{}...", &value[..end]).into(),
        None => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_excerpt_is_the_text_or_its_marked_beginning(value in any::<String>(), longest in 0usize..40) {
            let cut = of(&value, longest);
            let characters = value.chars().count();
            if characters <= longest {
                prop_assert_eq!(cut.as_ref(), value.as_str());
            } else {
                let beginning: String = value.chars().take(longest).collect();
                prop_assert_eq!(cut.strip_suffix("..."), Some(beginning.as_str()));
            }
        }
    }
}
