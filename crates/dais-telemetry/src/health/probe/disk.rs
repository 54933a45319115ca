use std::io;
use std::path::{Path, PathBuf};

use super::MB;
use crate::health::{Check, Finding, HealthParams};

/// Checks the room on the file system of `path`, or of the nearest folder above it that exists.
pub fn disk(params: &HealthParams, path: PathBuf) -> Check {
    let (min, warn) = (params.disk_free_min_mb as f64, params.disk_free_warn_mb as f64);
    Check::new("disk", params, move || match free_bytes(&path) {
        Ok(free) => finding(free as f64 / MB, min, warn, &path),
        Err(error) => Finding::unhealthy(format!("cannot find out the room at {}: {error}", path.display())),
    })
    .critical()
}

fn finding(free_mb: f64, min: f64, warn: f64, path: &Path) -> Finding {
    let place = path.display();
    let finding = if free_mb < min {
        Finding::unhealthy(format!("{free_mb:.0} MB free at {place}, {min:.0} MB must be: make room"))
    } else if free_mb < warn {
        Finding::degraded(format!("{free_mb:.0} MB free at {place}, below {warn:.0} MB: make room"))
    } else {
        Finding::healthy(format!("{free_mb:.0} MB free at {place}"))
    };
    finding.figure("free_mb", free_mb)
}

/// Bytes that this user may still write on the file system of `path`, or of the nearest folder above it that exists.
///
/// # Errors
/// A path that may not be looked at.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let absolute = std::path::absolute(path)?;
    let mut place = absolute.as_path();
    loop {
        match free_at(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => place = place.parent().ok_or(error)?,
            answered => return answered,
        }
    }
}

#[cfg(unix)]
fn free_at(path: &Path) -> io::Result<u64> {
    let space = rustix::fs::statvfs(path)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(not(unix))]
fn free_at(path: &Path) -> io::Result<u64> {
    let path = path.canonicalize()?;
    let disks = sysinfo::Disks::new_with_refreshed_list().map_err(|error| io::Error::other(error.to_string()))?;
    let on = disks.list().iter().filter(|disk| path.starts_with(disk.mount_point()));
    let nearest = on.max_by_key(|disk| disk.mount_point().as_os_str().len());
    nearest.map(sysinfo::Disk::available_space).ok_or_else(|| io::Error::other("no known file system"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::State;

    #[test]
    fn less_room_is_worse() {
        let state = |free| finding(free, 200.0, 1000.0, Path::new("/runs")).state;
        assert_eq!([state(199.0), state(999.0), state(1000.0)], [State::Unhealthy, State::Degraded, State::Healthy]);
    }

    #[test]
    fn the_room_of_a_folder_that_is_not_there_yet_is_that_of_the_one_above() {
        let place = tempfile::tempdir().unwrap();
        assert!(free_bytes(&place.path().join("runs/a/b")).unwrap() > 0);
    }
}
