//! The command line.

use std::net::{IpAddr, SocketAddr};

use clap::Parser;

/// Serves the page on which people decide the questions of their agents.
#[derive(Clone, Debug, Parser)]
#[command(name = "orchestrator-console", version, about)]
pub struct Settings {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8484")]
    pub listen: SocketAddr,

    /// The database, as a connection string without role and password
    #[arg(long, env = "ORCHESTRATOR_DATABASE", default_value = "host=127.0.0.1 dbname=postgres")]
    pub database: String,

    /// Sign nobody in: work as the role with the name of the user who starts the console, for one person on a machine of
    /// their own
    #[arg(long, conflicts_with = "as_role")]
    pub as_current_user: bool,

    /// Sign nobody in: work as this role of the database
    #[arg(long, value_name = "ROLE")]
    pub as_role: Option<String>,

    /// A proxy in front speaks TLS: cookies are sent over TLS alone
    #[arg(long)]
    pub behind_tls: bool,

    /// A proxy in front: from it, and from no other, the console takes the header X-Forwarded-For, so that it counts the
    /// failed sign-ins of each person. Give the option once for each address
    #[arg(long, value_name = "ADDRESS")]
    pub trusted_proxy: Vec<IpAddr>,

    /// The most sessions at once, each of which has a connection to the database; another one ends the one that was used
    /// longest ago
    #[arg(long, default_value_t = 50, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub sessions: u16,

    /// End a session after this many minutes without a request
    #[arg(long, default_value_t = 30, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=10_080))]
    pub idle: u64,
}

impl Settings {
    /// Whether everybody who reaches the console is one person.
    pub fn signs_nobody_in(&self) -> bool {
        self.as_current_user || self.as_role.is_some()
    }
}
