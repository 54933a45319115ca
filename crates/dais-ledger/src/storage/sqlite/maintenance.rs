//! What operators do with a ledger file: give back unused space, copy it while it is written to.

use super::SqliteStorage;
#[cfg(feature = "backup")]
use super::{OpenFlags, connect};
use crate::storage::StorageError;

impl SqliteStorage {
    /// The format of the files that this version writes, and the newest it reads.
    pub const FORMAT: u32 = super::FORMAT;

    /// Writes the file anew without unused space, and empties the write-ahead log. What is stored does not change.
    ///
    /// Needs free space of about twice the file's size.
    ///
    /// # Errors
    ///
    /// [`StorageError::Busy`] while another process appends, [`StorageError::ReadOnly`], [`StorageError::Full`].
    pub fn vacuum(&self) -> Result<(), StorageError> {
        self.connection.execute_batch("VACUUM")?;
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Copies the log as it is at this moment into a new file, while other processes may go on to append.
    ///
    /// `watch` is told the pages copied and the pages there are.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or the copy not written.
    #[cfg(feature = "backup")]
    pub(crate) fn snapshot(
        &self,
        target: &std::path::Path,
        watch: &mut dyn FnMut(u64, u64),
    ) -> Result<(), StorageError> {
        use rusqlite::backup::{Backup, StepResult};

        let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut copy = connect(target, access)?;
        // The copy is checked and packed before it counts, and thrown away if the machine stops.
        copy.pragma_update(None, "synchronous", "OFF")?;
        // The state that an open transaction sees does not change, so that writers need not stop and the copying is
        // not begun anew whenever one of them appends.
        let state = self.connection.unchecked_transaction()?;
        state.query_row("SELECT count(*) FROM identity", [], |row| row.get::<_, i64>(0))?;
        let backup = Backup::new(&self.connection, &mut copy)?;
        loop {
            let result = backup.step(PAGES_A_STEP)?;
            let progress = backup.progress();
            let pages = u64::try_from(progress.pagecount).unwrap_or(0);
            watch(pages.saturating_sub(u64::try_from(progress.remaining).unwrap_or(0)), pages);
            match result {
                StepResult::Done => break,
                StepResult::More => {}
                // With any state that is added later: another process holds the file.
                StepResult::Busy | StepResult::Locked | _ => return Err(StorageError::Busy),
            }
        }
        drop(backup);
        drop(state);
        copy.close().map_err(|(_, error)| error.into())
    }

    /// Whether another connection, of this or another process, has the file open.
    ///
    /// # Errors
    ///
    /// When the file is none that SQLite can read.
    #[cfg(feature = "backup")]
    pub(crate) fn is_in_use(path: &std::path::Path) -> Result<bool, StorageError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Nothing is moved out of the write-ahead log: the files stay as they were found.
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.busy_timeout(std::time::Duration::ZERO)?;
        connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
        let locked = connection.execute_batch("BEGIN EXCLUSIVE; ROLLBACK").map_err(StorageError::from);
        match locked {
            Ok(()) => Ok(false),
            Err(StorageError::Busy) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// 8 MiB of the usual pages between two reports of progress.
#[cfg(feature = "backup")]
const PAGES_A_STEP: i32 = 1_024;
