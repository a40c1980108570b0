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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_grow_within_a_process(count in 2usize..2000) {
            let ids: Vec<_> = (0..count).map(|_| uuid::Uuid::now_v7()).collect();
            prop_assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
