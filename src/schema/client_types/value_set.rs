//! The values that a CHECK lists for a column, parsed from the server's printed form of the CHECK.

/// The values of `CHECK ((column = ANY (ARRAY['a'::text, 'b'::text])))`, which is how the server
/// prints `column IN ('a', 'b')`; `None` for any other rule.
pub fn listed(check: &str, column: &str) -> Option<Vec<String>> {
    let rule = check.strip_prefix("CHECK ((")?.strip_suffix("))")?;
    let rule = after_name(rule, column)?;
    if let Some((value, "")) = rule.strip_prefix(" = ").and_then(literal) {
        return Some(vec![value]);
    }
    let mut rest = rule.strip_prefix(" = ANY (ARRAY[")?.strip_suffix("])")?;
    let mut values = Vec::new();
    loop {
        let (value, after) = literal(rest)?;
        values.push(value);
        if after.is_empty() {
            return Some(values);
        }
        rest = after.strip_prefix(", ")?;
    }
}

/// The text after the column's name, which may be quoted.
fn after_name<'a>(rule: &'a str, column: &str) -> Option<&'a str> {
    let quoted = format!("\"{}\"", column.replace('"', "\"\""));
    rule.strip_prefix(&quoted).or_else(|| rule.strip_prefix(column))
}

/// The text literal at the start, such as `'it''s'::text`, and the text after it.
fn literal(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut value = String::new();
    loop {
        let (part, after) = rest.split_once('\'')?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, after.strip_prefix("::text")?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_of_one_column_are_read_and_nothing_else() {
        let listed = |check| listed(check, "status");
        assert_eq!(
            listed("CHECK ((status = ANY (ARRAY['pending'::text, 'it''s, ok'::text])))"),
            Some(vec!["pending".to_owned(), "it's, ok".to_owned()])
        );
        assert_eq!(listed("CHECK ((status = 'only'::text))"), Some(vec!["only".to_owned()]));
        for other in [
            "CHECK ((btrim(status) <> ''::text))",
            "CHECK ((status <> 'a'::text))",
            "CHECK ((status <> ALL (ARRAY['a'::text])))",
            "CHECK (((status = 'a'::text) OR (status = 'b'::text)))",
            "CHECK ((status2 = 'a'::text))",
            "CHECK ((status = ANY (ARRAY[1, 2])))",
            "CHECK ((status = ANY (ARRAY['a'::text])) AND ok)",
            "CHECK ((status = ANY (ARRAY[]::text[])))",
        ] {
            assert_eq!(listed(other), None, "{other}");
        }
        assert_eq!(
            super::listed("CHECK ((\"from\" = 'a'::text))", "from"),
            Some(vec!["a".to_owned()])
        );
    }

    proptest! {
        #[test]
        fn every_list_is_read_back(values in prop::collection::vec("[a-z_', ()\\]\\[:]{0,12}", 1..6)) {
            let items: Vec<_> =
                values.iter().map(|value| format!("'{}'::text", value.replace('\'', "''"))).collect();
            let check = format!("CHECK ((kind = ANY (ARRAY[{}])))", items.join(", "));
            prop_assert_eq!(listed(&check, "kind"), Some(values));
        }

        #[test]
        fn no_text_makes_it_panic(check in any::<String>(), column in any::<String>()) {
            listed(&check, &column);
            listed(&format!("CHECK (({column} = ANY (ARRAY['{check}"), &column);
        }
    }
}
