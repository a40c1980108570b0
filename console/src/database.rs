//! One connection to the database, as the role of the person who signed in. It answers queries and listens for
//! announcements of questions at the same time.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls, Row};

use crate::failure::Failure;

/// For each connection: no page waits longer for a statement, and names of ours are written in full.
const SETTINGS: &str = "SET statement_timeout = '15s'; SET lock_timeout = '10s'; SET TimeZone = 'UTC'; \
     SET search_path = pg_catalog, pg_temp; LISTEN orchestrator_decisions";

/// No statement of a request begins later: together with the longest statement it still ends before the request has to.
const LATEST: Duration = Duration::from_secs(12);

/// Announcements that a slow page may miss: it reads the newest state anyway.
const ANNOUNCEMENTS: usize = 16;

pub struct Connection {
    client: Client,
    /// The task of the connection alone sends, so that every stream ends with it.
    announcements: broadcast::Receiver<()>,
}

impl Connection {
    /// Connects as the role of the configuration.
    pub async fn connect(config: &Config) -> Result<Connection, Error> {
        let (client, mut connection) = config.connect(NoTls).await?;
        let (announce, announcements) = broadcast::channel(ANNOUNCEMENTS);
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await
            {
                if let AsyncMessage::Notification(_) = message {
                    // Nobody may be listening.
                    let _ = announce.send(());
                }
            }
        });
        client.batch_execute(SETTINGS).await?;
        Ok(Connection { client, announcements })
    }

    /// Whether the server has ended the connection.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The role of the connection.
    pub async fn role(&self) -> Result<String, Error> {
        self.client.query_one("SELECT session_user::text", &[]).await?.try_get(0)
    }

    /// Whether the database has the extension.
    pub async fn has_extension(&self) -> Result<bool, Error> {
        const EXTENSION: &str = "SELECT FROM pg_extension WHERE extname = 'orchestrator_schema'";
        Ok(self.client.query_opt(EXTENSION, &[]).await?.is_some())
    }

    /// One message for each announcement from now on.
    pub fn announcements(&self) -> broadcast::Receiver<()> {
        self.announcements.resubscribe()
    }
}

/// The database for one request.
pub struct Database {
    connection: Arc<Connection>,
    began: Instant,
}

impl Database {
    pub fn new(connection: Arc<Connection>) -> Database {
        Database { connection, began: Instant::now() }
    }

    /// Whether the role of the connection may still log in. A role that may not any more has no session.
    pub async fn may_log_in(&self) -> Result<bool, Failure> {
        const MAY: &str =
            "SELECT FROM pg_roles AS r WHERE r.rolname = session_user AND r.rolcanlogin";
        Ok(self.row(MAY, &[]).await?.is_some())
    }

    /// The rows of a statement. Its parameters and its columns are texts: the statement casts them.
    pub async fn rows(&self, sql: &str, parameters: &[Option<&str>]) -> Result<Vec<Row>, Failure> {
        if self.began.elapsed() > LATEST {
            return Err(Failure::TooLate);
        }
        let client = &self.connection.client;
        let statement = client.prepare_typed(sql, &vec![TEXT; parameters.len()]).await?;
        let parameters: Vec<_> = parameters
            .iter()
            .map(|parameter| parameter as &(dyn tokio_postgres::types::ToSql + Sync))
            .collect();
        Ok(client.query(&statement, &parameters).await?)
    }

    /// Each row of a statement as a line of a page.
    pub async fn lines<T>(
        &self,
        sql: &str,
        parameters: &[Option<&str>],
        line: impl Fn(&Row) -> T,
    ) -> Result<Vec<T>, Failure> {
        Ok(self.rows(sql, parameters).await?.iter().map(line).collect())
    }

    /// The first row.
    pub async fn row(
        &self,
        sql: &str,
        parameters: &[Option<&str>],
    ) -> Result<Option<Row>, Failure> {
        Ok(self.rows(sql, parameters).await?.into_iter().next())
    }

    /// Whether the role may call each of these functions of the extension. What it may not do is not shown as a button.
    pub async fn may<const N: usize>(&self, functions: [&str; N]) -> Result<[bool; N], Failure> {
        const ALLOWED: &str = "SELECT DISTINCT p.proname::text AS function FROM pg_proc AS p \
             WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname = ANY (string_to_array($1, ' ')) \
               AND has_function_privilege(p.oid, 'EXECUTE')";
        let allowed = self.rows(ALLOWED, &[Some(&functions.join(" "))]).await?;
        Ok(functions.map(|function| allowed.iter().any(|row| text(row, "function") == function)))
    }
}

/// An array of PostgreSQL. Its elements hold neither commas nor quotes.
pub fn array<T: ToString>(elements: impl IntoIterator<Item = T>) -> String {
    let elements: Vec<String> = elements.into_iter().map(|element| element.to_string()).collect();
    format!("{{{}}}", elements.join(","))
}

const TEXT: tokio_postgres::types::Type = tokio_postgres::types::Type::TEXT;

/// A column that is a text; empty if it is null.
pub fn text(row: &Row, column: &str) -> String {
    optional(row, column).unwrap_or_default()
}

/// A column that is a text, or null.
pub fn optional(row: &Row, column: &str) -> Option<String> {
    row.try_get::<_, Option<String>>(column).ok().flatten()
}

/// The most characters of a long text that a page shows. Statements read one more, so that a longer text is noticed.
const SHOWN: usize = 20_000;

/// A column that is a long text, or null. A text that is cut says so: nobody should approve what they did not see.
pub fn long(row: &Row, column: &str) -> Option<String> {
    let mut text = optional(row, column)?;
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push_str("\n[The text goes on. Its first 20,000 characters are shown.]");
    }
    Some(text)
}

/// A column that is a boolean; false if it is null.
pub fn flag(row: &Row, column: &str) -> bool {
    row.try_get::<_, Option<bool>>(column).ok().flatten().unwrap_or(false)
}

/// A column that is a bigint; 0 if it is null.
pub fn number(row: &Row, column: &str) -> i64 {
    maybe_number(row, column).unwrap_or(0)
}

/// A column that is a bigint, or null.
pub fn maybe_number(row: &Row, column: &str) -> Option<i64> {
    row.try_get::<_, Option<i64>>(column).ok().flatten()
}
