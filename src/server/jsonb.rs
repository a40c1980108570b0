//! A `jsonb` value that is passed on unparsed. serde_json would round its numbers, and fail on
//! numbers that only the server can hold.

use std::ffi::CString;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, UnboxDatum};
use pgrx::{FromDatum, IntoDatum, pg_sys};

use crate::server::error::{Error, Kind, required};
use crate::server::packed::Jsonb;
use crate::server::sql_name::sql_name;

/// A `jsonb` value in the server's own form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Document(Vec<u8>);

impl Document {
    /// A document that this library composed.
    pub fn composed(value: serde_json::Value) -> Document {
        let datum = pgrx::JsonB(value).into_datum();
        // SAFETY: a datum of type jsonb, made a moment ago.
        let document = datum.and_then(|datum| unsafe {
            Document::from_polymorphic_datum(datum, false, pg_sys::JSONBOID)
        });
        document.unwrap_or(Document(Vec::new()))
    }

    /// The object without keys.
    pub fn empty_object() -> Document {
        Document::composed(serde_json::json!({}))
    }

    /// A copy of a value that is read where it stands.
    pub fn of(value: Jsonb) -> Document {
        let size = value.0.len() + pg_sys::VARHDRSZ;
        let mut bytes = vec![0; size];
        // SAFETY: the header takes the first bytes of the value.
        unsafe {
            pgrx::set_varsize_4b(
                bytes.as_mut_ptr().cast(),
                i32::try_from(size).unwrap_or(i32::MAX),
            );
        }
        if let Some(place) = bytes.get_mut(pg_sys::VARHDRSZ..) {
            place.copy_from_slice(value.0);
        }
        Document(bytes)
    }

    /// The value behind its header.
    pub fn stored(&self) -> Jsonb<'_> {
        Jsonb(self.0.get(pg_sys::VARHDRSZ..).unwrap_or_default())
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// Whether it is `{}`: the header of the value, and that of an object without keys.
    pub fn is_empty_object(&self) -> bool {
        let header = self.0.get(4..).and_then(|header| <[u8; 4]>::try_from(header).ok());
        header.is_some_and(|header| u32::from_ne_bytes(header) == pg_sys::JB_FOBJECT)
    }

    /// Its text, with every digit of its numbers.
    pub fn text(&self) -> String {
        let datum = self.clone().into_datum();
        // SAFETY: the server's own function on a whole value of its type.
        let text = unsafe { pgrx::direct_function_call::<CString>(pg_sys::jsonb_out, &[datum]) };
        text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Its JSON type: object, array, string, number, boolean or null.
    fn kind(&self) -> Option<String> {
        let datum = self.clone().into_datum();
        // SAFETY: the server's own function on a whole value of its type.
        unsafe { pgrx::direct_function_call::<String>(pg_sys::jsonb_typeof, &[datum]) }
    }
}

/// The document of a required argument that must be a JSON object.
///
/// Errors: 22004, 22023 not an object.
pub fn object(argument: &str, value: Option<Document>) -> Result<Document, Error> {
    let form = "An object is written {\"key\": value, ...}; an empty one is {}.";
    of_kind("object", form, argument, required(argument, value)?)
}

/// The document of an argument that must be a JSON object, and whose default is the empty object.
///
/// Errors: 22023 not an object.
pub fn object_or_empty(argument: &str, value: Option<Document>) -> Result<Document, Error> {
    object(argument, Some(value.unwrap_or_else(Document::empty_object)))
}

/// The document of a required argument that must be a JSON array.
///
/// Errors: 22004, 22023 not an array.
pub fn array(argument: &str, value: Option<Document>) -> Result<Document, Error> {
    let form = "An array is written [value, ...]; an empty one is [].";
    of_kind("array", form, argument, required(argument, value)?)
}

fn of_kind(
    wanted: &str,
    form: &str,
    argument: &str,
    document: Document,
) -> Result<Document, Error> {
    match document.kind().as_deref() {
        Some(kind) if kind == wanted => Ok(document),
        kind => Err(Error::new(
            Kind::InvalidValue,
            format!(
                "argument \"{argument}\" must be a JSON {wanted}, not of type {}",
                kind.unwrap_or("null")
            ),
        )
        .hint(form)),
    }
}

impl FromDatum for Document {
    // SAFETY: the caller promises a datum of type jsonb, whose bytes are copied at once.
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        let stored = datum.cast_mut_ptr::<pg_sys::varlena>();
        // SAFETY: a whole value of variable length, made flat in place or in a copy.
        unsafe {
            let flat = pg_sys::pg_detoast_datum(stored);
            let bytes =
                std::slice::from_raw_parts(flat.cast::<u8>(), pgrx::varlena::varsize_any(flat))
                    .to_vec();
            if flat != stored {
                pg_sys::pfree(flat.cast());
            }
            Some(Document(bytes))
        }
    }
}

impl IntoDatum for Document {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        // SAFETY: the server's allocation has the length that is copied into it.
        unsafe {
            let copy = pg_sys::palloc(self.0.len()).cast::<u8>();
            std::ptr::copy_nonoverlapping(self.0.as_ptr(), copy, self.0.len());
            Some(pg_sys::Datum::from(copy))
        }
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::JSONBOID
    }
}

sql_name!(Document, "jsonb");

// SAFETY: unboxing goes through FromDatum above.
unsafe impl<'fcx> ArgAbi<'fcx> for Document {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller promises an argument of this type.
        unsafe { arg.unbox_arg_using_from_datum().unwrap_or(Document(Vec::new())) }
    }
}

// SAFETY: unboxing goes through FromDatum above, which copies the value.
unsafe impl UnboxDatum for Document {
    type As<'src> = Document;

    unsafe fn unbox<'src>(datum: Datum<'src>) -> Document
    where
        Self: 'src,
    {
        // SAFETY: the caller promises a datum of this type.
        let value = unsafe {
            Document::from_polymorphic_datum(datum.sans_lifetime(), false, pg_sys::JSONBOID)
        };
        value.unwrap_or(Document(Vec::new()))
    }
}

// SAFETY: the datum that is returned was made by IntoDatum above.
unsafe impl BoxRet for Document {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.into_datum() {
            // SAFETY: the datum is of the type that the function returns.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}
