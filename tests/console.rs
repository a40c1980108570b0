//! The console in a real browser: people sign in, see the questions of their agents, and decide them.

#[path = "console/acts.rs"]
mod acts;
#[path = "console/browser.rs"]
mod browser;
#[path = "console/course.rs"]
mod course;
#[path = "console/deciding.rs"]
mod deciding;
#[path = "console/filters.rs"]
mod filters;
#[path = "console/forms.rs"]
mod forms;
#[path = "console/leaving.rs"]
mod leaving;
#[path = "console/limits.rs"]
mod limits;
#[path = "console/looks.rs"]
mod looks;
#[path = "console/outage.rs"]
mod outage;
#[path = "console/pictures.rs"]
mod pictures;
#[path = "console/plain.rs"]
mod plain;
#[path = "console/program.rs"]
mod program;
#[path = "console/restart.rs"]
mod restart;
#[path = "console/returning.rs"]
mod returning;
#[path = "console/scene.rs"]
mod scene;
#[path = "console/session.rs"]
mod session;
#[path = "console/sharing.rs"]
mod sharing;
#[path = "console/signing_in.rs"]
mod signing_in;
#[path = "console/texts.rs"]
mod texts;
#[path = "console/without_script.rs"]
mod without_script;
