//! Hostile callers: whatever a caller passes, there is no crash, no changed row, no secret in an
//! answer, and no error outside the documented SQLSTATEs. The state machines are compared with a
//! model of their own, and sessions print values in styles that make different values look alike.

#[path = "hostile/inputs.rs"]
mod inputs;
#[path = "hostile/many.rs"]
mod many;
#[path = "hostile/model.rs"]
mod model;
#[path = "hostile/random.rs"]
mod random;
#[path = "hostile/style.rs"]
mod style;
