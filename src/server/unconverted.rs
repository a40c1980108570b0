//! The arguments of a function that runs once per row, read where the server put them: pgrx takes longer to convert a dozen
//! of them than such a function does for its work. The SQL of the function stands beside it, because its Rust form has no
//! other.

use pgrx::pg_sys;

use crate::server::packed;

/// The arguments of the running call.
pub struct Arguments<'a>(&'a [pg_sys::NullableDatum]);

impl<'a> Arguments<'a> {
    /// # Safety
    ///
    /// The call information is that of the running call, and the types of its arguments are those that the methods below
    /// are called for.
    #[inline]
    pub unsafe fn of(call: pg_sys::FunctionCallInfo) -> Arguments<'a> {
        // SAFETY: the server has written as many arguments as it says.
        unsafe {
            let count = usize::try_from((*call).nargs).unwrap_or(0);
            Arguments((*call).args.as_slice(count))
        }
    }

    /// `None` for NULL.
    #[inline]
    pub fn datum(&self, at: usize) -> Option<pg_sys::Datum> {
        self.0.get(at).filter(|argument| !argument.isnull).map(|argument| argument.value)
    }

    /// A `bigint`, or a time in microseconds of the server.
    #[inline]
    pub fn long(&self, at: usize) -> Option<i64> {
        self.datum(at).map(|datum| datum.value() as i64)
    }

    /// A `date`, in days of the server.
    #[inline]
    pub fn days(&self, at: usize) -> Option<i32> {
        self.datum(at).map(|datum| datum.value() as i32)
    }

    /// The bytes of a value of variable length.
    #[inline]
    pub fn bytes(&self, at: usize) -> Option<&'a [u8]> {
        // SAFETY: the promise of the constructor; the value lives as long as the call.
        self.datum(at).map(|datum| unsafe { packed::bytes(datum) })
    }

    /// An array of `bigint` or of times. NULL, and an array with NULL in it or with more dimensions than one, is empty.
    #[inline]
    pub fn longs(&self, at: usize) -> &'a [[u8; 8]] {
        self.bytes(at).and_then(elements).unwrap_or_default()
    }

    /// A `numeric`, 0 for NULL. `None`: it is not whole, or too large.
    pub fn whole(&self, at: usize) -> Option<i128> {
        self.bytes(at).map_or(Some(0), whole)
    }
}

/// The elements of an array of the server whose elements take eight bytes.
fn elements(array: &[u8]) -> Option<&[[u8; 8]]> {
    const DIMENSIONS: usize = 0;
    const NULLS: usize = 4;
    const LENGTH: usize = 12;
    // The type of the elements, the length of the only dimension and its first index are before them.
    const ELEMENTS: usize = 20;
    let number = |at: usize| Some(i32::from_ne_bytes(array.get(at..at + 4)?.try_into().ok()?));
    if number(DIMENSIONS)? != 1 || number(NULLS)? != 0 {
        return None;
    }
    let (elements, _) = array.get(ELEMENTS..)?.as_chunks();
    elements.get(..usize::try_from(number(LENGTH)?).ok()?)
}

/// A `numeric` in the form of the server, if it is whole and not too large.
fn whole(number: &[u8]) -> Option<i128> {
    const KINDS: u16 = 0xC000;
    const NEGATIVE: u16 = 0x4000;
    const SHORT: u16 = 0x8000;
    const SHORT_NEGATIVE: u16 = 0x2000;
    const SHORT_WEIGHT: u16 = 0x7F;
    let (head, rest) = number.split_first_chunk()?;
    let head = u16::from_ne_bytes(*head);
    // The weight is the number of digits to the base 10000 before the point, less one.
    let (is_negative, weight, digits) = match head & KINDS {
        // Seven bits with a sign.
        SHORT => {
            let weight = i16::try_from(head & SHORT_WEIGHT).ok()?;
            (head & SHORT_NEGATIVE != 0, if weight < 64 { weight } else { weight - 128 }, rest)
        }
        kind @ (0 | NEGATIVE) => {
            let (weight, digits) = rest.split_first_chunk()?;
            (kind == NEGATIVE, i16::from_ne_bytes(*weight), digits)
        }
        _ => return None,
    };
    let (digits, _) = digits.as_chunks();
    let places = usize::try_from(i32::from(weight) + 1).ok()?;
    // A digit that is not zero never ends a number, so that one behind the point is a fraction.
    if digits.len() > places {
        return None;
    }
    let digits = digits.iter().map(|digit| i16::from_ne_bytes(*digit));
    let zeros = std::iter::repeat_n(0, places - digits.len());
    let number = digits
        .chain(zeros)
        .try_fold(0_i128, |sum, digit| sum.checked_mul(10_000)?.checked_add(i128::from(digit)));
    number.map(|number| if is_negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(dimensions: i32, nulls: i32, length: i32, elements: &[i64]) -> Vec<u8> {
        let head = [dimensions, nulls, 20, length, 1].map(i32::to_ne_bytes).concat();
        head.into_iter().chain(elements.iter().flat_map(|element| element.to_ne_bytes())).collect()
    }

    #[test]
    fn the_elements_of_an_array_are_read_where_they_stand() {
        let read = elements(&array(1, 0, 2, &[7, -8])).map(<[_]>::to_vec);
        assert_eq!(read, Some(vec![7_i64.to_ne_bytes(), (-8_i64).to_ne_bytes()]));
    }

    #[test]
    fn an_array_of_another_form_has_no_elements() {
        let arrays = [array(2, 0, 1, &[7]), array(1, 24, 1, &[7]), array(1, 0, 2, &[7])];
        let shorter = [array(1, 0, -1, &[7]), Vec::new(), vec![0; 4], vec![1; 13]];
        for array in arrays.into_iter().chain(shorter) {
            assert_eq!(elements(&array), None, "{array:?}");
        }
    }

    fn number(head: &[u16], digits: &[u16]) -> Option<i128> {
        let words = head.iter().chain(digits).flat_map(|word| word.to_ne_bytes());
        whole(&words.collect::<Vec<_>>())
    }

    #[test]
    fn a_whole_number_is_read_from_the_form_of_the_server() {
        assert_eq!(number(&[0x8000], &[]), Some(0));
        assert_eq!(number(&[0x8001], &[12, 3456]), Some(123_456));
        assert_eq!(number(&[0xA001], &[12]), Some(-120_000));
        assert_eq!(number(&[0x0000, 1], &[1, 2]), Some(10_002));
        assert_eq!(number(&[0x4000, 0], &[5]), Some(-5));
    }

    #[test]
    fn a_number_that_is_not_whole_or_too_large_is_none() {
        assert_eq!(number(&[0x8080], &[1, 5_000]), None);
        assert_eq!(number(&[0x80FF], &[5_000]), None);
        assert_eq!(number(&[0xC000], &[]), None);
        assert_eq!(number(&[0x8009], &[9_999; 10]), None);
        assert_eq!(number(&[0x803C], &[1]), None);
        assert_eq!(number(&[0x0000, 0x7FFF], &[1]), None);
        assert_eq!(number(&[0x0000], &[]), None);
        assert_eq!(number(&[], &[]), None);
    }
}
