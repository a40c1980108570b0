//! Sums of calls by everything that their cost depends on besides the name of the model: an aggregate whose state is what
//! the cost of a whole line of a report is computed from. A line needs as many products as it has tiers and steps, and
//! its report groups by nothing that its reader does not see.
//!
//! A plain call has tokens of input and output, and a price for its whole day. It is NULL here, which the server neither
//! sorts nor hashes nor passes to the aggregate: what a line says beyond its special calls is of plain ones.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, pg_sys};
use smallvec::SmallVec;

use super::unit_costs::{COUNTED, STANDARD};
use super::units::{input_units, quantities};
use crate::server::aggregate_state::State;
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::packed::{Jsonb, Text};
use crate::server::unconverted::Arguments;

/// What the cost of a call depends on besides its model, its day, and its tokens of input and output: of most calls nothing.
///
/// Its tokens, each in one argument; `units`, `service_tier`, `reported_cost`: of the call; `at`: its time; `steps`: in
/// order, the lengths of the input above which a unit cost begins, NULL for none; `moments`: in order, the times within a
/// UTC day at which a price begins, NULL for none. Returns: the call for llm_usage_sums; NULL for nothing.
/// Errors: 22023 units that are no numbers. Since 0.9.0.
#[pg_extern(sql = r#"
CREATE FUNCTION "llm_special_call"(
    input_tokens bigint, output_tokens bigint, cache_read_tokens bigint,
    cache_write_tokens bigint, cache_write_1h_tokens bigint, reasoning_tokens bigint,
    units jsonb, service_tier text, reported_cost numeric, at timestamptz, steps bigint[],
    moments timestamptz[]
)
RETURNS bytea
LANGUAGE c /* Rust */ IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"#)]
fn llm_special_call(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<State>, ErrorReport> {
    const TOKENS: [usize; COUNTED.len()] = [0, 1, 2, 3, 4, 5];
    const UNITS: usize = 6;
    const SERVICE_TIER: usize = 7;
    const REPORTED_COST: usize = 8;
    const AT: usize = 9;
    const STEPS: usize = 10;
    const MOMENTS: usize = 11;
    // SAFETY: the running call, of the types above.
    let arguments = unsafe { Arguments::of(fcinfo) };
    let mut call = SpecialCall::plain(TOKENS.map(|at| arguments.long(at).unwrap_or(0)));
    call.service_tier = arguments.bytes(SERVICE_TIER).map_or("", |tier| name(Text(tier)));
    call.is_reported = arguments.datum(REPORTED_COST).is_some();
    let mut written = Vec::new();
    // A cost that was reported depends neither on the time of the call, nor on its length, nor on its units.
    if !call.is_reported {
        let mut n = whole_input(&call.tokens);
        let units = arguments.bytes(UNITS).map(Jsonb).filter(|units| !units.is_empty_object());
        if let Some(units) = units {
            let units = Document::of(units);
            n = n.saturating_add(input_units(&units)?);
            written = texts(&quantities(&units)?);
        }
        let step = last_below(arguments.longs(STEPS), n);
        call.n = step.map_or(0, |step| step.saturating_add(1));
        if let Some(at) = arguments.long(AT) {
            let moment = last_below(arguments.longs(MOMENTS), at.saturating_add(1));
            // The price at the beginning of the day is the same without it.
            let day = at.saturating_sub(at.rem_euclid(DAY));
            call.moment = moment.filter(|moment| *moment > day).unwrap_or(i64::MIN);
        }
    }
    call.units = &written;
    Ok((!call.is_plain()).then(|| call.written()))
}

/// Adds a special call, or sums of such calls, to sums of them. It is the transition function and the combine function of
/// the aggregate `llm_usage_sums`.
///
/// `sums`, `others`: sums of calls of one line, or one call. Returns: both together.
/// Errors: 22023 sums of another form. Since 0.9.0.
#[pg_extern(sql = r#"
CREATE FUNCTION "llm_usage_sums_add"(
    sums bytea, others bytea
)
RETURNS bytea
LANGUAGE c /* Rust */ IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"#)]
fn llm_usage_sums_add(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<State>, ErrorReport> {
    // SAFETY: the running call, of the types above.
    let arguments = unsafe { Arguments::of(fcinfo) };
    let (Some(sums), Some(others)) = (arguments.datum(0), arguments.bytes(1)) else {
        return Ok(None);
    };
    // SAFETY: the running call, and its argument of that type.
    let mut sums = unsafe { State::passed(fcinfo, sums) };
    if let (Some(call), Some((&mut SUMS, entries))) =
        (SpecialCall::of(others), sums.bytes_mut().split_first_mut())
        && add_call(entries, &call)
    {
        return Ok(Some(sums));
    }
    let mut together = Entry::from_slice(&expanded(sums.bytes())?);
    for entry in entries(&expanded(others)?) {
        let entry = entry?;
        if !add_in_place(&mut together, entry) {
            together = with(&together, entry)?;
        }
    }
    Ok(Some(State::new(&[&[SUMS], &together])))
}

/// The microseconds of a day.
pub const DAY: i64 = 24 * 60 * 60 * 1_000_000;

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

/// The greatest limit that is less than a value. The limits are in order.
fn last_below(limits: &[[u8; 8]], value: i64) -> Option<i64> {
    let below = limits.partition_point(|limit| i64::from_ne_bytes(*limit) < value);
    below.checked_sub(1).and_then(|last| limits.get(last)).map(|limit| i64::from_ne_bytes(*limit))
}

/// The first byte of a value: it is one call, or sums.
const CALL: u8 = 1;
const SUMS: u8 = 2;

/// A call whose cost does not depend on its tokens of input and output alone.
#[derive(Clone, Debug, PartialEq)]
struct SpecialCall<'a> {
    service_tier: &'a str,
    is_reported: bool,
    /// As in `Calls`.
    moment: i64,
    n: i64,
    /// In the order of `COUNTED`.
    tokens: [i64; COUNTED.len()],
    /// Lengths and texts, as in the sums.
    units: &'a [u8],
}

impl<'a> SpecialCall<'a> {
    /// A call without anything special.
    fn plain(tokens: [i64; COUNTED.len()]) -> SpecialCall<'a> {
        SpecialCall {
            service_tier: STANDARD,
            is_reported: false,
            moment: i64::MIN,
            n: 0,
            tokens,
            units: &[],
        }
    }

    fn is_plain(&self) -> bool {
        let [input, output, ..] = self.tokens;
        *self == SpecialCall::plain([input, output, 0, 0, 0, 0])
    }

    /// A few bytes, because a report sorts or hashes every call with them: whether there is a moment, a step and a tier, then
    /// the numbers with as few bytes as they need, the tier and the units.
    fn written(&self) -> State {
        let has_moment = self.moment != i64::MIN;
        let has_tier = self.service_tier != STANDARD;
        let parts = u8::from(self.is_reported) * REPORTED_PART
            + u8::from(has_moment) * MOMENT_PART
            + u8::from(self.n != 0) * STEP_PART
            + u8::from(has_tier) * TIER_PART;
        let mut head = Entry::from_slice(&[CALL, parts]);
        for tokens in self.tokens {
            push(&mut head, tokens.cast_unsigned());
        }
        if has_moment {
            head.extend_from_slice(&self.moment.to_ne_bytes());
        }
        if self.n != 0 {
            push(&mut head, self.n.cast_unsigned());
        }
        let mut tier = "";
        if has_tier {
            tier = self.service_tier;
            push(&mut head, tier.len() as u64);
        }
        State::new(&[&head, tier.as_bytes(), self.units])
    }

    /// `None`: the value is no call.
    fn of(value: &'a [u8]) -> Option<SpecialCall<'a>> {
        let [CALL, parts, rest @ ..] = value else { return None };
        let mut rest = rest;
        let mut call = SpecialCall::plain([0; COUNTED.len()]);
        call.is_reported = parts & REPORTED_PART != 0;
        for tokens in &mut call.tokens {
            *tokens = pull(&mut rest)?.cast_signed();
        }
        if parts & MOMENT_PART != 0 {
            let (moment, others) = rest.split_first_chunk()?;
            call.moment = i64::from_ne_bytes(*moment);
            rest = others;
        }
        if parts & STEP_PART != 0 {
            call.n = pull(&mut rest)?.cast_signed();
        }
        if parts & TIER_PART != 0 {
            let length = usize::try_from(pull(&mut rest)?).ok()?;
            let (tier, others) = rest.split_at_checked(length)?;
            call.service_tier = std::str::from_utf8(tier).ok()?;
            rest = others;
        }
        call.units = rest;
        Some(call)
    }

    /// The first bytes of the entry of such calls.
    fn key(&self) -> [u8; NUMBERS] {
        let mut key = [0; NUMBERS];
        let tier = self.service_tier.len();
        put(&mut key, LENGTH, length(TIER + tier + self.units.len()));
        put(&mut key, TIER_LENGTH, length(tier));
        put(&mut key, REPORTED, [u8::from(self.is_reported)]);
        put(&mut key, MOMENT, self.moment.to_ne_bytes());
        put(&mut key, STEP, self.n.to_ne_bytes());
        key
    }

    /// The call as an entry of sums.
    fn entry(&self) -> Entry {
        let mut entry = Entry::new();
        self.write(1, &mut entry);
        entry
    }

    /// Writes an entry of so many calls, which have these tokens and units together.
    fn write(&self, calls: i64, sums: &mut Entry) {
        sums.extend_from_slice(&self.key());
        for number in self.numbers(calls) {
            sums.extend_from_slice(&number.to_ne_bytes());
        }
        sums.extend_from_slice(self.service_tier.as_bytes());
        sums.extend_from_slice(self.units);
    }

    /// The number of calls, and their tokens.
    fn numbers(&self, calls: i64) -> [i64; 1 + COUNTED.len()] {
        let [input, output, cache_read, cache_write, cache_write_1h, reasoning] = self.tokens;
        [calls, input, output, cache_read, cache_write, cache_write_1h, reasoning]
    }
}

// The parts that a call has.
const REPORTED_PART: u8 = 1;
const MOMENT_PART: u8 = 2;
const STEP_PART: u8 = 4;
const TIER_PART: u8 = 8;

/// Writes a number: seven bits in each byte, the least ones first, and the highest bit while there are more.
fn push(bytes: &mut Entry, mut number: u64) {
    while number > 0x7F {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads a number, and leaves the bytes behind it.
fn pull(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Units as lengths and texts.
fn texts(units: &BTreeMap<String, AnyNumeric>) -> Vec<u8> {
    let mut texts = Vec::new();
    for text in units.iter().flat_map(|(unit, sum)| [unit.clone(), sum.to_string()]) {
        texts.extend_from_slice(&length(text.len()));
        texts.extend_from_slice(text.as_bytes());
    }
    texts
}

/// The entries of a value that is one call, or sums.
///
/// Errors: 22023 of another form.
fn expanded(value: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    match value {
        [] => Ok(Cow::Borrowed(value)),
        [SUMS, entries @ ..] => Ok(Cow::Borrowed(entries)),
        _ => SpecialCall::of(value)
            .map(|call| Cow::Owned(call.entry().into_vec()))
            .ok_or_else(no_sums),
    }
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
    pub tokens: [i128; COUNTED.len()],
    pub units: BTreeMap<String, AnyNumeric>,
}

// The form of the sums, behind their first byte: calls one after the other, each with its whole length, the length of its tier, whether it is
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
        let tokens = tokens.map(i128::from);
        Calls { service_tier, is_reported, moment, n, calls, tokens, units: BTreeMap::new() }
    }

    /// Whether both have one price, and the same units.
    pub fn is_like(&self, others: &Calls) -> bool {
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
            *tokens = i64::try_from(*tokens + more).ok()?.into();
        }
        for (unit, quantity) in &mut sum.units {
            *quantity += others.units.get(unit)?.clone();
        }
        Some(sum)
    }

    fn encode(&self, sums: &mut Entry) {
        let tokens = self.tokens.map(|tokens| i64::try_from(tokens).unwrap_or(i64::MAX));
        let (service_tier, is_reported) = (self.service_tier, self.is_reported);
        let (moment, n, units) = (self.moment, self.n, &texts(&self.units));
        let together = SpecialCall { service_tier, is_reported, moment, n, tokens, units };
        together.write(self.calls, sums);
    }

    fn decode(entry: &'a [u8]) -> Option<Calls<'a>> {
        let tier_length = length_at(entry, TIER_LENGTH)?;
        let [calls, tokens @ ..] = numbers(entry)?;
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
            tokens: tokens.map(i128::from),
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

/// The entries of sums, one by one.
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

/// The calls of sums, or one call.
///
/// Errors: 22023 of another form.
pub fn each(sums: &[u8], mut take: impl FnMut(Calls<'_>)) -> Result<(), Error> {
    for entry in entries(&expanded(sums)?) {
        take(Calls::decode(entry?).ok_or_else(no_sums)?);
    }
    Ok(())
}

fn no_sums() -> Error {
    Error::new(Kind::InvalidValue, "argument \"sums\" is not a result of llm_usage_sums")
        .hint("Read the cost of calls from view orchestrator.llm_cost_by_day.")
}

/// Adds an entry to one of the same kind, where it stands. `false`: there is none, the sum would be too large, or the calls
/// have units.
fn add_in_place(sums: &mut [u8], more: &[u8]) -> bool {
    let (Some(key), Some(tier)) = (more.get(..NUMBERS), more.get(TIER..)) else { return false };
    !has_units(more) && numbers(more).is_some_and(|more| add(sums, key, tier, &more))
}

fn add(mut sums: &mut [u8], key: &[u8], tier: &[u8], more: &[i64; 1 + COUNTED.len()]) -> bool {
    while let Some(length) = length_at(sums, LENGTH).filter(|length| *length >= TIER) {
        let Some((entry, rest)) = sums.split_at_mut_checked(length) else { return false };
        if entry.get(..NUMBERS) == Some(key)
            && entry.get(TIER..) == Some(tier)
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

/// The numbers of an entry.
fn numbers(entry: &[u8]) -> Option<[i64; 1 + COUNTED.len()]> {
    let mut numbers = [0; 1 + COUNTED.len()];
    for (at, number) in numbers.iter_mut().enumerate() {
        *number = number_at(entry, NUMBERS + 8 * at)?;
    }
    Some(numbers)
}

/// `false`: a sum would be too large, and nothing was added.
fn add_numbers(entry: &mut [u8], more: &[i64; 1 + COUNTED.len()]) -> bool {
    let Some(mut sums) = numbers(entry) else { return false };
    for (sum, more) in sums.iter_mut().zip(more) {
        match sum.checked_add(*more) {
            Some(together) => *sum = together,
            None => return false,
        }
    }
    for (at, sum) in sums.iter().enumerate() {
        put(entry, NUMBERS + 8 * at, sum.to_ne_bytes());
    }
    true
}

/// Adds a call to the entry of its kind, where it stands. `false`: as of `add_in_place`.
fn add_call(sums: &mut [u8], call: &SpecialCall) -> bool {
    call.units.is_empty() && add(sums, &call.key(), call.service_tier.as_bytes(), &call.numbers(1))
}

/// The sums with one more entry, written anew.
fn with(sums: &[u8], entry: &[u8]) -> Result<Entry, Error> {
    if !has_units(entry) {
        let mut written = Entry::from_slice(sums);
        written.extend_from_slice(entry);
        return Ok(written);
    }
    let mut more = Calls::decode(entry).ok_or_else(no_sums)?;
    let mut written = Entry::with_capacity(sums.len() + entry.len());
    for known in entries(sums) {
        let known = known?;
        let is_alike = known.get(TIER_LENGTH..NUMBERS) == entry.get(TIER_LENGTH..NUMBERS);
        let alike = is_alike.then(|| Calls::decode(known)).flatten();
        match alike.filter(|calls| calls.is_like(&more)).and_then(|calls| calls.plus(&more)) {
            Some(sum) => more = sum,
            None => written.extend_from_slice(known),
        }
    }
    more.encode(&mut written);
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_takes_few_bytes_and_comes_back() {
        for (number, length) in [(0, 1), (127, 1), (128, 2), (1 << 62, 9), (u64::MAX, 10)] {
            let mut written = Entry::new();
            push(&mut written, number);
            let mut bytes = written.as_slice();
            assert_eq!(bytes.len(), length, "{number}");
            assert_eq!(pull(&mut bytes), Some(number));
            assert!(bytes.is_empty());
        }
        assert_eq!(pull(&mut [0x80; 11].as_slice()), None);
        assert_eq!(pull(&mut [0x80].as_slice()), None);
    }

    #[test]
    fn calls_of_one_kind_are_added_where_they_stand() {
        let call =
            SpecialCall { n: 9, service_tier: "flex", ..SpecialCall::plain([1, 2, 3, 4, 5, 6]) };
        let mut sums = call.entry();
        assert!(add_call(&mut sums, &call));
        assert!(!add_call(&mut sums, &SpecialCall::plain([1; 6])));
        let numbers: Vec<_> = (0..7).map(|at| number_at(&sums, NUMBERS + 8 * at)).collect();
        assert_eq!(numbers, [2, 2, 4, 6, 8, 10, 12].map(Some));
        assert_eq!((number_at(&sums, STEP), number_at(&sums, MOMENT)), (Some(9), Some(i64::MIN)));
        assert_eq!(sums.get(TIER..), Some(b"flex".as_slice()));
        let most = SpecialCall { tokens: [i64::MAX; 6], ..call };
        assert!(!add_call(&mut sums, &most));
    }
}
