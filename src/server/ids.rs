//! Identifiers: UUID version 7, so that new rows land at the end of every index on an id.

use pgrx::prelude::*;

/// A new time-ordered UUID (version 7, RFC 9562).
///
/// Returns: an id greater than every id this backend made before, also within one millisecond.
/// Since 0.0.0.
#[pg_extern(sql = false, volatile, parallel_safe)]
pub fn uuidv7() -> pgrx::Uuid {
    pgrx::Uuid::from_bytes(*uuid::Uuid::now_v7().as_bytes())
}

/// The UUID in a text of the usual form: 8, 4, 4, 4 and 12 hexadecimal digits.
pub fn parsed(text: &str) -> Option<pgrx::Uuid> {
    // The other forms that the parser accepts have other lengths.
    const LENGTH: usize = 36;
    let id = uuid::Uuid::try_parse(text).ok().filter(|_| text.len() == LENGTH)?;
    Some(pgrx::Uuid::from_bytes(*id.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_uuid_is_one_in_its_usual_form_only(bytes in any::<[u8; 16]>()) {
            let id = uuid::Uuid::from_bytes(bytes);
            let text = id.to_string();
            for same in [&text, &text.to_uppercase()] {
                prop_assert_eq!(parsed(same).map(|id| *id.as_bytes()), Some(bytes));
            }
            for other in [id.simple().to_string(), id.braced().to_string(), id.urn().to_string(), format!("{text} ")] {
                prop_assert!(parsed(&other).is_none());
            }
            prop_assert!(parsed(&text[1..]).is_none());
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            parsed(&text);
        }

        #[test]
        fn ids_grow_within_a_process(count in 2usize..2000) {
            let ids: Vec<_> = (0..count).map(|_| uuid::Uuid::now_v7()).collect();
            prop_assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
