//! State of an AI-agent orchestrator inside PostgreSQL. This file holds the module list, the chain of
//! version scripts and the start of the library.

use pgrx::prelude::*;

use crate::server::{backend_state, encoding, settings};

mod agents;
mod audit;
mod configuration;
mod decisions;
mod maintenance;
mod runs;
mod schema;
mod server;
mod tasks;
mod v7;
#[cfg(any(test, feature = "pg_test"))]
mod value_sets;

::pgrx::pg_module_magic!(name, version);

// The install script of the newest version consists of exactly these scripts.
extension_sql_file!("../sql/orchestrator_schema--0.0.0.sql", name = "version_0_0_0", bootstrap);
extension_sql_file!(
    "../sql/orchestrator_schema--0.0.0--0.1.0.sql",
    name = "version_0_1_0",
    requires = ["version_0_0_0"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.1.0--0.1.1.sql",
    name = "version_0_1_1",
    requires = ["version_0_1_0"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.1.1--0.1.2.sql",
    name = "version_0_1_2",
    requires = ["version_0_1_1"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.1.2--0.1.3.sql",
    name = "version_0_1_3",
    requires = ["version_0_1_2"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.1.3--0.1.4.sql",
    name = "version_0_1_4",
    requires = ["version_0_1_3"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.1.4--0.1.5.sql",
    name = "version_0_1_5",
    requires = ["version_0_1_4"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.1.5--0.1.6.sql",
    name = "version_0_1_6",
    requires = ["version_0_1_5"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.1.6--0.2.0.sql",
    name = "version_0_2_0",
    requires = ["version_0_1_6"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.2.0--0.2.1.sql",
    name = "version_0_2_1",
    requires = ["version_0_2_0"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.2.1--0.2.2.sql",
    name = "version_0_2_2",
    requires = ["version_0_2_1"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.2.2--0.2.3.sql",
    name = "version_0_2_3",
    requires = ["version_0_2_2"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.2.3--0.2.4.sql",
    name = "version_0_2_4",
    requires = ["version_0_2_3"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.2.4--0.2.5.sql",
    name = "version_0_2_5",
    requires = ["version_0_2_4"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.2.5--0.3.0.sql",
    name = "version_0_3_0",
    requires = ["version_0_2_5"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.3.0--0.4.0.sql",
    name = "version_0_4_0",
    requires = ["version_0_3_0"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.4.0--0.4.1.sql",
    name = "version_0_4_1",
    requires = ["version_0_4_0"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.4.1--0.4.2.sql",
    name = "version_0_4_2",
    requires = ["version_0_4_1"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.4.2--0.4.3.sql",
    name = "version_0_4_3",
    requires = ["version_0_4_2"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.4.3--0.5.0.sql",
    name = "version_0_5_0",
    requires = ["version_0_4_3"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.5.0--0.6.0.sql",
    name = "version_0_6_0",
    requires = ["version_0_5_0"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.6.0--0.7.0.sql",
    name = "version_0_7_0",
    requires = ["version_0_6_0"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.7.0--0.7.1.sql",
    name = "version_0_7_1",
    requires = ["version_0_7_0"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.7.1--0.7.2.sql",
    name = "version_0_7_2",
    requires = ["version_0_7_1"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.7.2--0.7.3.sql",
    name = "version_0_7_3",
    requires = ["version_0_7_2"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.7.3--0.8.0.sql",
    name = "version_0_8_0",
    requires = ["version_0_7_3"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.8.0--0.8.1.sql",
    name = "version_0_8_1",
    requires = ["version_0_8_0"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.8.1--0.9.0.sql",
    name = "version_0_9_0",
    requires = ["version_0_8_1"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.9.0--0.9.1.sql",
    name = "version_0_9_1",
    requires = ["version_0_9_0"]
);
extension_sql_file!(
    "../sql/orchestrator_schema--0.9.1--0.9.2.sql",
    name = "version_0_9_2",
    requires = ["version_0_9_1"]
);

#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    backend_state::without_backtraces();
    encoding::report_text_that_cannot_be_read();
    settings::register();
}

#[cfg(test)]
pub mod pg_test {
    /// Called once before the in-backend tests.
    pub fn setup(_options: Vec<&str>) {}

    /// Settings that the in-backend tests need.
    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        vec![]
    }
}
