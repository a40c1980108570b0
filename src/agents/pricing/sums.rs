//! Sums of calls by everything that their cost depends on besides the name of the model: an aggregate whose state is what
//! the cost of a whole line of a report is computed from. A line needs as many products as it has tiers and steps, and
//! its report groups by nothing that its reader does not see.

use std::collections::BTreeMap;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Array, Datum};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::prelude::*;
use pgrx::{AnyNumeric, pg_sys};
use smallvec::SmallVec;

use super::unit_costs::COUNTED;
use super::units::{input_units, quantities};
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::packed::{Jsonb, Text};

/// Adds a call to the sums of its line. It is the transition function of the aggregate `llm_usage_sums`.
///
/// `sums`: NULL at first; the tokens of the call, each in one argument; `units`, `service_tier`: of the call;
/// `is_reported`: whether its cost was reported, and so depends on no price; `at`: its time; `steps`: in order, the
/// lengths of the input above which a unit cost begins, NULL for none; `moments`: in order, the times within a UTC day at
/// which a price begins, NULL for none. Returns: the sums with the call.
/// Errors: 22023 sums of another form. Since 0.9.0.
#[pg_extern(sql = false, immutable, parallel_safe)]
#[allow(clippy::too_many_arguments)]
fn llm_usage_sums_add(
    fcinfo: pg_sys::FunctionCallInfo,
    sums: Option<Sums>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cache_read_tokens: Option<i64>,
    cache_write_tokens: Option<i64>,
    cache_write_1h_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    units: Option<Jsonb>,
    service_tier: Option<Text>,
    is_reported: Option<bool>,
    at: Option<TimestampWithTimeZone>,
    steps: Option<Array<i64>>,
    moments: Option<Array<TimestampWithTimeZone>>,
) -> Result<Sums, ErrorReport> {
    let tokens = [
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        cache_write_1h_tokens,
        reasoning_tokens,
    ]
    .map(|tokens| tokens.unwrap_or(0));
    let mut call = Calls::one(service_tier.map_or("", name), tokens);
    // A cost that was reported depends neither on the time of the call, nor on its length, nor on its units.
    call.is_reported = is_reported.unwrap_or(false);
    if !call.is_reported {
        let mut n = whole_input(&tokens);
        if let Some(units) = units.filter(|units| !units.is_empty_object()) {
            let units = Document::of(units);
            n = n.saturating_add(input_units(&units)?);
            call.units = quantities(&units)?;
        }
        let steps = steps.as_ref().and_then(|steps| steps.as_slice().ok()).unwrap_or_default();
        call.n = last_below(steps, n).map_or(0, |step| step.saturating_add(1));
        if let (Some(at), Some(moments)) = (at, moments) {
            let after = pg_sys::TimestampTz::from(at).saturating_add(1);
            call.moment = last_below(&times(&moments), after).unwrap_or(i64::MIN);
        }
    }
    let mut entry = Entry::new();
    call.encode(&mut entry);
    Ok(add(fcinfo, sums, [Ok(entry.as_slice())])?)
}

/// Adds sums of a line to others of the same line. It is the combine function of the aggregate `llm_usage_sums`.
///
/// `sums`, `others`: NULL for none. Returns: both together.
/// Errors: 22023 sums of another form. Since 0.9.0.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn llm_usage_sums_merge(
    fcinfo: pg_sys::FunctionCallInfo,
    sums: Option<Sums>,
    others: Option<&[u8]>,
) -> Result<Option<Sums>, ErrorReport> {
    match others {
        Some(others) => Ok(Some(add(fcinfo, sums, entries(others))?)),
        None => Ok(sums),
    }
}

/// The name of a tier. In a database of another encoding, a name that only a direct INSERT can write is one that no price
/// has.
pub fn name(tier: Text<'_>) -> &str {
    std::str::from_utf8(tier.0).unwrap_or("unreadable")
}

/// The whole input of a call, in tokens, without those among its units. The views cap it likewise.
pub fn whole_input(tokens: &[i64; COUNTED.len()]) -> i64 {
    const MOST: i64 = 4_000_000_000_000_000_000;
    let [input, _, cache_read, cache_write, cache_write_1h, _] = *tokens;
    let input = input.min(MOST);
    [cache_read, cache_write, cache_write_1h].into_iter().fold(input, i64::saturating_add)
}

/// Times in microseconds of the server, without those that are NULL.
pub fn times(times: &Array<TimestampWithTimeZone>) -> SmallVec<[i64; 8]> {
    times.iter().flatten().map(pg_sys::TimestampTz::from).collect()
}

/// The greatest limit that is less than a value.
fn last_below(limits: &[i64], value: i64) -> Option<i64> {
    let below = limits.partition_point(|limit| *limit < value);
    below.checked_sub(1).and_then(|last| limits.get(last).copied())
}

/// Calls with one tier and the same names of units, in one step, at prices that begin at the same moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Calls<'a> {
    pub service_tier: &'a str,
    pub is_reported: bool,
    /// In microseconds of the server; the least number if no price begins on the day before them.
    pub moment: i64,
    /// The length of the input of one of them, for the choice of the unit cost.
    pub n: i64,
    pub calls: i64,
    /// In the order of `COUNTED`.
    pub tokens: [i64; COUNTED.len()],
    pub units: BTreeMap<String, AnyNumeric>,
}

// The form of the sums: calls one after the other, each with its whole length, the length of its tier, whether it is
// reported, its numbers, its tier, and its units as lengths and texts.
const LENGTH: usize = 0;
const TIER_LENGTH: usize = 4;
const REPORTED: usize = 8;
const MOMENT: usize = 9;
const STEP: usize = MOMENT + 8;
const NUMBERS: usize = STEP + 8;
const TIER: usize = NUMBERS + 8 * (1 + COUNTED.len());

/// The bytes of calls of one kind, in place for a usual name of a tier.
type Entry = SmallVec<[u8; 128]>;

impl<'a> Calls<'a> {
    /// A call without units, at a price for whole days, whose input is in no step.
    pub fn one(service_tier: &'a str, tokens: [i64; COUNTED.len()]) -> Calls<'a> {
        let (is_reported, moment, n, calls) = (false, i64::MIN, 0, 1);
        Calls { service_tier, is_reported, moment, n, calls, tokens, units: BTreeMap::new() }
    }

    fn is_with(&self, others: &Calls) -> bool {
        self.moment == others.moment
            && self.n == others.n
            && self.is_reported == others.is_reported
            && self.service_tier == others.service_tier
            && self.units.keys().eq(others.units.keys())
    }

    /// The sum of both; `None` if a number is too large for it.
    fn plus(&self, others: &Calls<'a>) -> Option<Calls<'a>> {
        let mut sum = self.clone();
        sum.calls = sum.calls.checked_add(others.calls)?;
        for (tokens, more) in sum.tokens.iter_mut().zip(others.tokens) {
            *tokens = tokens.checked_add(more)?;
        }
        for (unit, quantity) in &mut sum.units {
            *quantity += others.units.get(unit)?.clone();
        }
        Some(sum)
    }

    fn encode(&self, sums: &mut Entry) {
        let mut units = Vec::new();
        for text in self.units.iter().flat_map(|(unit, sum)| [unit.clone(), sum.to_string()]) {
            units.extend_from_slice(&length(text.len()));
            units.extend_from_slice(text.as_bytes());
        }
        let mut head = [0; TIER];
        put(&mut head, LENGTH, length(TIER + self.service_tier.len() + units.len()));
        put(&mut head, TIER_LENGTH, length(self.service_tier.len()));
        put(&mut head, REPORTED, [u8::from(self.is_reported)]);
        put(&mut head, MOMENT, self.moment.to_ne_bytes());
        put(&mut head, STEP, self.n.to_ne_bytes());
        put(&mut head, NUMBERS, self.calls.to_ne_bytes());
        for (at, tokens) in self.tokens.iter().enumerate() {
            put(&mut head, NUMBERS + 8 * (at + 1), tokens.to_ne_bytes());
        }
        sums.extend_from_slice(&head);
        sums.extend_from_slice(self.service_tier.as_bytes());
        sums.extend_from_slice(&units);
    }

    fn decode(entry: &'a [u8]) -> Option<Calls<'a>> {
        let tier_length = length_at(entry, TIER_LENGTH)?;
        let mut numbers = [0; 1 + COUNTED.len()];
        for (at, number) in numbers.iter_mut().enumerate() {
            *number = number_at(entry, NUMBERS + 8 * at)?;
        }
        let [calls, tokens @ ..] = numbers;
        let text = |at: usize| {
            let length = length_at(entry, at)?;
            Some((
                std::str::from_utf8(entry.get(at + 4..(at + 4).checked_add(length)?)?).ok()?,
                at + 4 + length,
            ))
        };
        let mut units = BTreeMap::new();
        let mut at = TIER.checked_add(tier_length)?;
        while at < entry.len() {
            let (unit, end) = text(at)?;
            let (quantity, end) = text(end)?;
            units.insert(unit.to_owned(), AnyNumeric::try_from(quantity).ok()?);
            at = end;
        }
        Some(Calls {
            service_tier: std::str::from_utf8(entry.get(TIER..TIER + tier_length)?).ok()?,
            is_reported: *entry.get(REPORTED)? != 0,
            moment: number_at(entry, MOMENT)?,
            n: number_at(entry, STEP)?,
            calls,
            tokens,
            units,
        })
    }
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_ne_bytes()
}

fn put<const N: usize>(entry: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(place) = entry.get_mut(at..at + N) {
        place.copy_from_slice(&bytes);
    }
}

fn length_at(entry: &[u8], at: usize) -> Option<usize> {
    let bytes = entry.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_ne_bytes(bytes.try_into().ok()?)).ok()
}

fn number_at(entry: &[u8], at: usize) -> Option<i64> {
    Some(i64::from_ne_bytes(entry.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// The entries of sums, one after the other.
///
/// Errors: 22023 of another form.
fn entries(mut sums: &[u8]) -> impl Iterator<Item = Result<&[u8], Error>> {
    std::iter::from_fn(move || {
        let length = length_at(sums, LENGTH).filter(|length| *length >= TIER);
        let entry = length.and_then(|length| sums.split_at_checked(length));
        let is_end = sums.is_empty();
        sums = entry.map_or(&[], |(_, rest)| rest);
        (!is_end).then(|| entry.map(|(entry, _)| entry).ok_or_else(no_sums))
    })
}

/// The calls of sums.
///
/// Errors: 22023 of another form.
pub fn decode(sums: &[u8]) -> Result<Vec<Calls<'_>>, Error> {
    entries(sums).map(|entry| Calls::decode(entry?).ok_or_else(no_sums)).collect()
}

fn no_sums() -> Error {
    Error::new(Kind::InvalidValue, "argument \"sums\" is not a result of llm_usage_sums")
        .hint("Read the cost of calls from view orchestrator.llm_cost_by_day.")
}

/// Adds an entry to one of the same kind, where it stands. `false`: there is none, the sum would be too large, or the calls
/// have units.
fn add_in_place(mut sums: &mut [u8], more: &[u8]) -> bool {
    if has_units(more) {
        return false;
    }
    while let Some(length) = length_at(sums, LENGTH).filter(|length| *length >= TIER) {
        let Some((entry, rest)) = sums.split_at_mut_checked(length) else { return false };
        if entry.get(..NUMBERS) == more.get(..NUMBERS)
            && entry.get(TIER..) == more.get(TIER..)
            && add_numbers(entry, more)
        {
            return true;
        }
        sums = rest;
    }
    false
}

fn has_units(entry: &[u8]) -> bool {
    length_at(entry, TIER_LENGTH).is_none_or(|length| entry.len() - TIER != length)
}

/// `false`: a sum would be too large, and nothing was added.
fn add_numbers(entry: &mut [u8], more: &[u8]) -> bool {
    let mut sums = [0; 1 + COUNTED.len()];
    for (at, sum) in sums.iter_mut().enumerate() {
        let at = NUMBERS + 8 * at;
        let both = number_at(entry, at).zip(number_at(more, at));
        match both.and_then(|(sum, more)| sum.checked_add(more)) {
            Some(together) => *sum = together,
            None => return false,
        }
    }
    for (at, sum) in sums.iter().enumerate() {
        put(entry, NUMBERS + 8 * at, sum.to_ne_bytes());
    }
    true
}

/// The sums with one more entry, written anew.
fn with(sums: &[u8], entry: &[u8]) -> Result<Entry, Error> {
    if !has_units(entry) {
        return Ok(sums.iter().chain(entry).copied().collect());
    }
    let mut more = Calls::decode(entry).ok_or_else(no_sums)?;
    let mut written = Entry::with_capacity(sums.len() + entry.len());
    for known in entries(sums) {
        let known = known?;
        let is_alike = known.get(TIER_LENGTH..NUMBERS) == entry.get(TIER_LENGTH..NUMBERS);
        let alike = is_alike.then(|| Calls::decode(known)).flatten();
        match alike.filter(|calls| calls.is_with(&more)).and_then(|calls| calls.plus(&more)) {
            Some(sum) => more = sum,
            None => written.extend_from_slice(known),
        }
    }
    more.encode(&mut written);
    Ok(written)
}

fn add<'a>(
    fcinfo: pg_sys::FunctionCallInfo,
    sums: Option<Sums>,
    more: impl IntoIterator<Item = Result<&'a [u8], Error>>,
) -> Result<Sums, Error> {
    // SAFETY: the call information of the running call; the function only reads it.
    let is_aggregate = unsafe { unguarded::AggCheckCallContext(fcinfo, std::ptr::null_mut()) } != 0;
    let mut sums = match sums {
        Some(sums) if is_aggregate => sums,
        // Only an aggregate owns the value that it passes.
        Some(sums) => Sums::new(sums.bytes()),
        None => Sums::new(&[]),
    };
    for entry in more {
        let entry = entry?;
        if !add_in_place(sums.bytes_mut(), entry) {
            sums = Sums::new(&with(sums.bytes(), entry)?);
        }
    }
    Ok(sums)
}

/// The server's function that looks at the call and raises no error. It is called for every row of a report.
mod unguarded {
    use pgrx::pg_sys;

    unsafe extern "C-unwind" {
        pub fn AggCheckCallContext(
            fcinfo: pg_sys::FunctionCallInfo,
            context: *mut pg_sys::MemoryContext,
        ) -> std::ffi::c_int;
    }
}

/// A `bytea` of the server's, which an aggregate changes in place.
struct Sums(*mut pg_sys::varlena);

impl Sums {
    /// A copy of the bytes. A longer one than the server can hold is refused by the server.
    fn new(bytes: &[u8]) -> Sums {
        let size = bytes.len() + pg_sys::VARHDRSZ;
        // SAFETY: the server's allocation has the length that is written; its header takes the first bytes.
        unsafe {
            let copy = pg_sys::palloc(size).cast::<pg_sys::varlena>();
            pgrx::set_varsize_4b(copy, i32::try_from(size).unwrap_or(i32::MAX));
            let data = copy.cast::<u8>().add(pg_sys::VARHDRSZ);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
            Sums(copy)
        }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: a whole value of variable length, which lives as long as the running call.
        unsafe { pgrx::varlena_to_byte_slice(self.0) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the same; nothing else refers to it, because it is the aggregate's own or a copy.
        unsafe {
            let length = pgrx::varsize_any_exhdr(self.0);
            std::slice::from_raw_parts_mut(pgrx::vardata_any(self.0).cast_mut().cast(), length)
        }
    }
}

impl FromDatum for Sums {
    // SAFETY: the caller promises a datum of type bytea.
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _: pg_sys::Oid,
    ) -> Option<Self> {
        let value = datum.cast_mut_ptr::<pg_sys::varlena>();
        // SAFETY: a whole value of variable length; the server makes a flat copy of one that is not flat.
        (!is_null).then(|| unsafe {
            if pgrx::varlena::varatt_is_4b_u(value) {
                Sums(value)
            } else {
                Sums(pg_sys::pg_detoast_datum(value))
            }
        })
    }
}

// SAFETY: unboxing goes through FromDatum above.
unsafe impl<'fcx> ArgAbi<'fcx> for Sums {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller promises an argument of this type.
        unsafe { arg.unbox_arg_using_from_datum().unwrap_or_else(|| Sums::new(&[])) }
    }
}

// SAFETY: the datum that is returned is a bytea of the server's.
unsafe impl BoxRet for Sums {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: the datum is of the type that the function returns.
        unsafe { fcinfo.return_raw_datum(pg_sys::Datum::from(self.0)) }
    }
}

// SAFETY: the value is a bytea on the wire, and the SQL name is the type's own.
unsafe impl SqlTranslatable for Sums {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Sums);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("bytea"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("bytea")));
}
