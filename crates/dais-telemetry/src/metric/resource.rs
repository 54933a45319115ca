use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use sysinfo::{DiskRefreshKind, Disks, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::RunMetrics;

/// What the process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResourceFigures {
    /// Resident memory.
    pub resident_bytes: u64,
    /// Processor time so far, user and system.
    pub cpu: Duration,
    /// Start, in seconds since 1970.
    pub started_s: u64,
    /// Threads; `None` where the system does not tell, as below.
    pub threads: Option<usize>,
    /// Open files and sockets.
    pub open_fds: Option<usize>,
    /// Room left on the disk.
    pub disk_free_bytes: Option<u64>,
}

/// Reads what this process uses.
#[derive(Debug)]
pub struct Resources {
    system: System,
    process: Pid,
    disks: Disks,
    folder: PathBuf,
}

impl Resources {
    /// Looks at this process, and at the disk that `folder` is on.
    ///
    /// # Errors
    /// Where the system cannot be asked.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let refuse = |error: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::Unsupported, error.to_string());
        Ok(Self {
            system: System::new().map_err(|error| refuse(&error))?,
            process: sysinfo::get_current_pid().map_err(|error| refuse(&error))?,
            disks: Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage())
                .map_err(|error| refuse(&error))?,
            folder: folder.canonicalize().unwrap_or_else(|_| folder.to_owned()),
        })
    }

    /// What is used now; it costs some reads of `/proc`.
    pub fn read(&mut self) -> ResourceFigures {
        let wanted = ProcessRefreshKind::nothing().with_memory().with_cpu().with_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.process]), true, wanted);
        self.disks.refresh_specifics(false, DiskRefreshKind::nothing().with_storage());
        let on_disk = |disk: &&sysinfo::Disk| self.folder.starts_with(disk.mount_point());
        let disk = self.disks.iter().filter(on_disk).max_by_key(|disk| disk.mount_point().as_os_str().len());
        let Some(process) = self.system.process(self.process) else { return ResourceFigures::default() };
        ResourceFigures {
            resident_bytes: process.memory(),
            cpu: Duration::from_millis(process.accumulated_cpu_time()),
            started_s: process.start_time(),
            // The first thread counts as the process, not among its tasks.
            threads: process.tasks().map(|tasks| tasks.len() + 1),
            open_fds: process.open_files(),
            disk_free_bytes: disk.map(sysinfo::Disk::available_space),
        }
    }
}

/// A thread that keeps the resources among the metrics up to date, until it is dropped.
#[derive(Debug)]
pub struct Sampler {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    /// Reads at once and then once in every `interval`.
    ///
    /// # Errors
    /// Where the system cannot be asked, or gives no thread.
    pub fn start(metrics: RunMetrics, folder: &Path, interval: Duration) -> io::Result<Self> {
        let mut resources = Resources::new(folder)?;
        metrics.resources(&resources.read());
        let (stop, stopped) = sync_channel(0);
        let sample = move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                metrics.resources(&resources.read());
            }
        };
        let thread = std::thread::Builder::new().name("resources".to_owned()).spawn(sample)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_sees_its_own_memory_and_its_disk() {
        let metrics = RunMetrics::default();
        let folder = tempfile::tempdir().unwrap();
        let sampler = Sampler::start(metrics.clone(), folder.path(), Duration::from_hours(1)).unwrap();
        let value = |name: &str| metrics.snapshot().into_iter().find(|series| series.name == name).map(|one| one.value);
        assert!(value("system_memory_usage_mb").unwrap() > 1.0);
        assert!(value("process_start_time_seconds").unwrap() > 1e9);
        if cfg!(target_os = "linux") {
            assert!(value("process_threads").unwrap() >= 2.0);
            assert!(value("process_open_fds").unwrap() >= 3.0);
        }
        drop(sampler);
    }
}
