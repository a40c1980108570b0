//! One connection to the database, as the role of the person who signed in. It answers queries and listens for
//! announcements of questions at the same time.

use std::future::poll_fn;

use tokio::sync::broadcast;
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls, Row};

/// For each connection: no page waits longer for a statement, and names of ours are written in full.
const SETTINGS: &str = "SET statement_timeout = '15s'; SET lock_timeout = '10s'; SET TimeZone = 'UTC'; \
     SET search_path = pg_catalog, pg_temp; LISTEN orchestrator_decisions";

/// Announcements that a slow page may miss: it reads the newest state anyway.
const ANNOUNCEMENTS: usize = 16;

pub struct Database {
    client: Client,
    /// The task of the connection alone sends, so that every stream ends with it.
    announcements: broadcast::Receiver<()>,
}

impl Database {
    /// Connects as the role of the configuration.
    pub async fn connect(config: &Config) -> Result<Database, Error> {
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
        Ok(Database { client, announcements })
    }

    /// The role of the connection, as long as it may log in. A role that may not any more has no session.
    pub async fn role(&self) -> Result<Option<String>, Error> {
        const ROLE: &str = "SELECT r.rolname::text AS role FROM pg_roles AS r WHERE r.rolname = session_user AND r.rolcanlogin";
        Ok(self.row(ROLE, &[]).await?.map(|row| text(&row, "role")))
    }

    /// Whether the server has ended the connection.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// One message for each announcement from now on.
    pub fn announcements(&self) -> broadcast::Receiver<()> {
        self.announcements.resubscribe()
    }

    /// The rows of a statement. Its parameters and its columns are texts: the statement casts them.
    pub async fn rows(&self, sql: &str, parameters: &[Option<&str>]) -> Result<Vec<Row>, Error> {
        let statement = self.client.prepare_typed(sql, &vec![TEXT; parameters.len()]).await?;
        let parameters: Vec<_> = parameters
            .iter()
            .map(|parameter| parameter as &(dyn tokio_postgres::types::ToSql + Sync))
            .collect();
        self.client.query(&statement, &parameters).await
    }

    /// The first row.
    pub async fn row(&self, sql: &str, parameters: &[Option<&str>]) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, parameters).await?.into_iter().next())
    }

    /// Whether the role may call each of these functions of the extension. What it may not do is not shown as a button.
    pub async fn may<const N: usize>(&self, functions: [&str; N]) -> Result<[bool; N], Error> {
        const ALLOWED: &str = "SELECT DISTINCT p.proname::text AS function FROM pg_proc AS p \
             WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname = ANY (string_to_array($1, ' ')) \
               AND has_function_privilege(p.oid, 'EXECUTE')";
        let allowed = self.rows(ALLOWED, &[Some(&functions.join(" "))]).await?;
        Ok(functions.map(|function| allowed.iter().any(|row| text(row, "function") == function)))
    }
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
    row.try_get::<_, Option<i64>>(column).ok().flatten().unwrap_or(0)
}
