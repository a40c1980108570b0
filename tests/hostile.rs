//! Whatever a caller passes: no crash, no changed row, no secret in an answer, and no error without
//! an SQLSTATE of the list. The state machines against a model of their own. And sessions that print
//! different values alike.

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
