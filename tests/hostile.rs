//! Hostile callers: no argument causes a crash, changes a row, shows a secret, or raises an error
//! outside the documented SQLSTATEs. The state machines are compared with an independent model, and
//! sessions use settings with which different values look the same.

#[path = "hostile/inputs.rs"]
mod inputs;
#[path = "hostile/many.rs"]
mod many;
#[path = "hostile/model.rs"]
mod model;
#[path = "hostile/style.rs"]
mod style;
