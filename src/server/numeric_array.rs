//! Arrays of numeric, for functions that run once per line of a report: the server makes each number and the array, and
//! nothing is copied in between.

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::{AnyNumeric, IntoDatum, pg_sys};

use crate::server::sql_name::sql_name;

/// A number in the server's own form.
#[derive(Clone, Copy)]
pub struct Numeric(pg_sys::Datum);

impl Numeric {
    pub fn whole(number: i128) -> Numeric {
        match i64::try_from(number) {
            // SAFETY: the server's own conversion, by value.
            Ok(number) => Numeric(pg_sys::Datum::from(unsafe { pg_sys::int64_to_numeric(number) })),
            Err(_) => Numeric::from(AnyNumeric::from(number)),
        }
    }

    /// `number` divided by a power of ten, exactly.
    pub fn decimal(number: i128, decimals: usize) -> Numeric {
        if let (Ok(number), Ok(power)) = (i64::try_from(number), i32::try_from(decimals)) {
            // SAFETY: the server's own division, by value.
            let quotient = unsafe { pg_sys::int64_div_fast_to_numeric(number, power) };
            return Numeric(pg_sys::Datum::from(quotient));
        }
        let sign = if number < 0 { "-" } else { "" };
        let mut digits = format!("{:0>width$}", number.unsigned_abs(), width = decimals + 1);
        digits.insert(digits.len() - decimals, '.');
        let decimal = AnyNumeric::try_from(format!("{sign}{digits}").as_str());
        Numeric::from(decimal.unwrap_or_else(|_| 0.into()))
    }

    pub fn datum(self) -> pg_sys::Datum {
        self.0
    }
}

impl From<AnyNumeric> for Numeric {
    fn from(number: AnyNumeric) -> Numeric {
        number.into_datum().map_or_else(|| Numeric::whole(0), Numeric)
    }
}

/// An array with one dimension.
pub struct NumericArray(Vec<Option<Numeric>>);

impl FromIterator<Option<Numeric>> for NumericArray {
    fn from_iter<I: IntoIterator<Item = Option<Numeric>>>(numbers: I) -> NumericArray {
        NumericArray(numbers.into_iter().collect())
    }
}

// SAFETY: the datum that is returned is an array of the type.
unsafe impl BoxRet for NumericArray {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        const VARIABLE: i32 = -1;
        let null = pg_sys::Datum::null();
        let mut values: Vec<_> =
            self.0.iter().map(|number| number.map_or(null, Numeric::datum)).collect();
        let mut nulls: Vec<_> = self.0.iter().map(Option::is_none).collect();
        let mut length = i32::try_from(values.len()).unwrap_or(0);
        let mut first = 1;
        // SAFETY: the server copies as many numbers as both lists have, with the properties of their type.
        unsafe {
            let array = pg_sys::construct_md_array(
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
                1,
                &mut length,
                &mut first,
                pg_sys::NUMERICOID,
                VARIABLE,
                false,
                pg_sys::TYPALIGN_INT as std::ffi::c_char,
            );
            fcinfo.return_raw_datum(pg_sys::Datum::from(array))
        }
    }
}

sql_name!(NumericArray, "numeric[]");
