//! The form of an event in which it is sealed. It depends on its content alone: not on DateStyle, TimeZone,
//! extra_float_digits, the encoding of the database, or on the way in which the server stores or prints jsonb.
//!
//! A text is its length in bytes (8 bytes, the greatest first) and its UTF-8. A text that is none in UTF-8, which some
//! encodings allow, is its length with the first bit set and its bytes as they are. A number of JSON is the text of its
//! decimal. An object has its keys in the order of their lengths and then of their bytes.

use std::borrow::Cow;
use std::ffi::{CStr, c_int};
use std::ops::Range;

use pgrx::pg_sys;
use pgrx::pg_sys::JsonbIteratorToken as Token;

use crate::server::interrupts;

/// Collects the bytes of events.
#[derive(Default)]
pub struct Form(Vec<u8>);

impl Form {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Begins another event. The room of a large one is given back.
    pub fn clear(&mut self) {
        const ROOM: usize = 1 << 20;
        self.0.clear();
        self.0.shrink_to(ROOM);
    }

    pub fn number(&mut self, number: i64) {
        self.0.extend(number.to_be_bytes());
    }

    /// # Safety
    /// The datum is a value of type uuid.
    pub unsafe fn uuid(&mut self, datum: pg_sys::Datum) {
        // SAFETY: a uuid is 16 bytes behind a pointer.
        self.0.extend(unsafe { *datum.cast_mut_ptr::<[u8; 16]>() });
    }

    /// # Safety
    /// The datum is a value of type text.
    pub unsafe fn text(&mut self, datum: pg_sys::Datum) {
        // SAFETY: the server returns the value with a plain header; its bytes follow, in the database's encoding.
        unsafe {
            let value = pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr());
            self.string(
                pgrx::varlena::vardata_any(value).cast(),
                pgrx::varlena::varsize_any_exhdr(value),
            );
        }
    }

    /// # Safety
    /// `bytes` points to `length` bytes in the database's encoding.
    unsafe fn string(&mut self, bytes: *const u8, length: usize) {
        // SAFETY: as the caller says.
        let text = unsafe { std::slice::from_raw_parts(bytes, length) };
        match in_utf8(text) {
            Some(text) => {
                self.length(text.len());
                self.0.extend_from_slice(&text);
            }
            None => {
                self.0.extend((text.len() as u64 | IS_NOT_UTF8).to_be_bytes());
                self.0.extend_from_slice(text);
            }
        }
    }

    fn length(&mut self, length: usize) {
        self.0.extend((length as u64).to_be_bytes());
    }

    /// # Safety
    /// The datum is a value of type jsonb.
    pub unsafe fn document(&mut self, datum: pg_sys::Datum) {
        let mut open: Vec<Object> = Vec::new();
        // SAFETY: the iterator of the server reads a whole value, and gives each part of it before the next.
        unsafe {
            let value = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast::<pg_sys::Jsonb>();
            let mut iterator = pg_sys::JsonbIteratorInit(&raw mut (*value).root);
            let mut part = pg_sys::JsonbValue::default();
            loop {
                match pg_sys::JsonbIteratorNext(&mut iterator, &mut part, false) {
                    Token::WJB_DONE => break,
                    Token::WJB_BEGIN_ARRAY => self.0.push(b'['),
                    Token::WJB_END_ARRAY => self.0.push(b']'),
                    Token::WJB_BEGIN_OBJECT => {
                        self.0.push(b'{');
                        open.push(Object { start: self.0.len(), keys: Vec::new() });
                    }
                    Token::WJB_END_OBJECT => {
                        if let Some(object) = open.pop() {
                            object.sort(&mut self.0);
                        }
                        self.0.push(b'}');
                    }
                    Token::WJB_KEY => {
                        let start = self.0.len();
                        self.scalar(&part);
                        if let Some(object) = open.last_mut() {
                            object.keys.push(start..self.0.len());
                        }
                    }
                    _ => self.scalar(&part),
                }
            }
        }
        interrupts::allow();
    }

    /// # Safety
    /// The value comes from the iterator, and is a key or a value that is no object and no array.
    unsafe fn scalar(&mut self, value: &pg_sys::JsonbValue) {
        use pg_sys::jbvType;
        // SAFETY: the kind of the value says which of the union's parts it has.
        unsafe {
            match value.type_ {
                jbvType::jbvString => {
                    self.0.push(b's');
                    self.string(value.val.string.val.cast(), value.val.string.len as usize);
                }
                jbvType::jbvNumeric => {
                    self.0.push(b'n');
                    let decimal = pgrx::direct_function_call_as_datum(
                        pg_sys::numeric_out,
                        &[Some(pg_sys::Datum::from(value.val.numeric))],
                    );
                    if let Some(decimal) = decimal {
                        let decimal = CStr::from_ptr(decimal.cast_mut_ptr()).to_bytes();
                        self.length(decimal.len());
                        self.0.extend_from_slice(decimal);
                    }
                }
                jbvType::jbvBool => self.0.push(if value.val.boolean { b't' } else { b'f' }),
                _ => self.0.push(b'0'),
            }
        }
    }
}

/// The bit of a length whose bytes are in the encoding of the database.
const IS_NOT_UTF8: u64 = 1 << 63;

/// A text of the database in UTF-8; `None` if a part of it has no form there.
fn in_utf8(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    /// No encoding of the server needs more bytes in UTF-8 for one of its own.
    const GROWTH: c_int = pg_sys::MAX_CONVERSION_GROWTH as c_int;
    let utf8 = pg_sys::pg_enc::PG_UTF8 as c_int;
    // SAFETY: a plain read of the backend.
    let encoding = unsafe { pg_sys::GetDatabaseEncoding() };
    if text.is_ascii() || encoding == utf8 {
        return Some(Cow::Borrowed(text));
    }
    // SAFETY: looks the conversion up in the catalog.
    let conversion = unsafe { pg_sys::FindDefaultConversionProc(encoding, utf8) };
    if conversion == pg_sys::InvalidOid {
        return std::str::from_utf8(text).ok().map(|text| Cow::Borrowed(text.as_bytes()));
    }
    let length = c_int::try_from(text.len()).ok()?;
    let room = length.checked_mul(GROWTH)?.checked_add(1)?;
    let mut converted = vec![0_u8; room as usize];
    // SAFETY: the conversion writes at most as much as the room that it is told, and ends with NUL. It returns how
    // much of the text it could convert.
    let done = unsafe {
        pg_sys::pg_do_encoding_conversion_buf(
            conversion,
            encoding,
            utf8,
            text.as_ptr().cast_mut(),
            length,
            converted.as_mut_ptr(),
            room,
            true,
        )
    };
    converted.truncate(converted.iter().position(|byte| *byte == 0)?);
    (done == length).then_some(Cow::Owned(converted))
}

/// An object whose keys and values are being written.
struct Object {
    start: usize,
    /// Where the keys are; each value follows its key.
    keys: Vec<Range<usize>>,
}

impl Object {
    /// Brings the keys, which the server has in the order of its encoding, into their order. A key begins with its
    /// length, so its bytes are in this order.
    fn sort(self, bytes: &mut Vec<u8>) {
        let key = |range: &Range<usize>| &bytes[range.clone()];
        if self.keys.is_sorted_by(|one, next| key(one) <= key(next)) {
            return;
        }
        let ends = self.keys.iter().skip(1).map(|next| next.start).chain([bytes.len()]);
        let mut pairs: Vec<_> =
            self.keys.iter().zip(ends).map(|(key, end)| &bytes[key.start..end]).collect();
        pairs.sort_unstable();
        let sorted = pairs.concat();
        bytes.truncate(self.start);
        bytes.extend(sorted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(pairs: &[(String, u8)]) -> (Vec<u8>, Object) {
        let mut form = Form(b"before{".to_vec());
        let mut object = Object { start: form.0.len(), keys: Vec::new() };
        for (key, value) in pairs {
            let start = form.0.len();
            form.0.push(b's');
            form.length(key.len());
            form.0.extend(key.as_bytes());
            object.keys.push(start..form.0.len());
            form.0.push(*value);
        }
        (form.0, object)
    }

    proptest! {
        #[test]
        fn an_object_has_one_form_in_any_order(pairs in prop::collection::btree_map("[a-z\u{e9}\u{5b57}]{0,6}", any::<u8>(), 0..8), seed in any::<u64>()) {
            let pairs: Vec<(String, u8)> = pairs.into_iter().collect();
            let mut other = pairs.clone();
            if !other.is_empty() {
                let place = seed as usize % other.len();
                other.rotate_left(place);
            }
            let forms = [pairs, other].map(|pairs| {
                let (mut bytes, object) = written(&pairs);
                object.sort(&mut bytes);
                bytes
            });
            prop_assert_eq!(&forms[0], &forms[1]);
            let starts = forms[0].starts_with(b"before{");
            prop_assert!(starts);
        }
    }
}
