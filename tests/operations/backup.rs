//! A dump is restored with several jobs, as documented. pg_restore does not know in which order the
//! tables of an extension refer to each other, so the restore must not check foreign keys.

use anyhow::Result;
use support::Database;
use support::extension::{differences, filled_to, newest};
use support::snapshot::{assert_same_rows, rows};

#[test]
fn several_jobs_restore_every_row_with_the_documented_setting() -> Result<()> {
    let source = filled_to("jobs", newest()?)?;
    let expected = rows(&mut source.client()?)?;
    let folder = tempfile::tempdir()?;
    let dump = folder.path().join("dump");
    let output = source
        .command("pg_dump")
        .args(["--format=directory", "--jobs=4", "--file"])
        .arg(&dump)
        .arg(source.name())
        .output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for _ in 0..5 {
        let target = Database::create("jobs_target")?;
        let output = target
            .command("pg_restore")
            .env("PGOPTIONS", "-c session_replication_role=replica")
            .args(["--exit-on-error", "--jobs=4", "--dbname", target.name()])
            .arg(&dump)
            .output()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut client = target.client()?;
        assert_same_rows("restored by four jobs", &expected, &rows(&mut client)?);
        assert_eq!(differences(&mut client)?, [""; 0]);
    }
    Ok(())
}
