//! A time with its span to another one and its day.

use pgrx::datum::{Datum, UnboxDatum};
use pgrx::prelude::*;

/// The server's function that reads the time and raises no error. It is called for every updated row,
/// and the guard that pgrx puts around each call would cost more than the call.
mod unguarded {
    use pgrx::pg_sys;

    unsafe extern "C-unwind" {
        pub safe fn GetCurrentTransactionStartTimestamp() -> pg_sys::TimestampTz;
    }
}

/// The running transaction's time.
pub fn transaction_time() -> Time {
    Time(unguarded::GetCurrentTransactionStartTimestamp())
}

/// A value of type `timestamp with time zone`: microseconds, with two infinities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pg_sys::TimestampTz);

impl Time {
    fn is_finite(self) -> bool {
        self.0 != pg_sys::TimestampTz::MIN && self.0 != pg_sys::TimestampTz::MAX
    }

    /// Whole milliseconds since `start`; `None` if either time is infinite.
    pub fn milliseconds_since(self, start: Time) -> Option<i64> {
        let both = self.is_finite() && start.is_finite();
        self.0.checked_sub(start.0).filter(|_| both).map(|micros| micros / 1000)
    }

    /// The day in UTC, whatever the session's time zone: the server counts both types in UTC.
    pub fn day(self) -> Option<Date> {
        // SAFETY: the server's own conversion, by value; a time without a zone is stored as one in UTC.
        unsafe { pgrx::direct_function_call(pg_sys::timestamp_date, &[self.into_datum()]) }
    }
}

impl FromDatum for Time {
    // SAFETY: the caller promises a datum of type timestamptz, which is read by value.
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        typoid: pg_sys::Oid,
    ) -> Option<Self> {
        // SAFETY: the same promise; a timestamptz is an i64.
        unsafe { i64::from_polymorphic_datum(datum, is_null, typoid) }.map(Time)
    }
}

// SAFETY: a timestamptz is an i64, passed by value.
unsafe impl UnboxDatum for Time {
    type As<'src> = Time;

    unsafe fn unbox<'src>(datum: Datum<'src>) -> Time
    where
        Self: 'src,
    {
        Time(datum.sans_lifetime().value() as pg_sys::TimestampTz)
    }
}

impl IntoDatum for Time {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        self.0.into_datum()
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::TIMESTAMPTZOID
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_two_times_have_a_span_or_none(start in any::<i64>(), end in any::<i64>()) {
            let span = Time(end).milliseconds_since(Time(start));
            prop_assert!(span.is_none_or(|span| (span < 0) <= (end < start)));
            prop_assert_eq!(Time(i64::MAX).milliseconds_since(Time(start)), None);
            prop_assert_eq!(Time(end).milliseconds_since(Time(i64::MIN)), None);
        }
    }
}
