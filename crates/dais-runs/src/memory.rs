//! The memory of this process.

/// Largest resident memory of this process so far in MiB, where the system tells.
#[must_use]
pub fn peak_rss_mb() -> Option<f64> {
    status_mb("VmHWM:")
}

/// Resident memory of this process in MiB, where the system tells.
#[must_use]
pub fn rss_mb() -> Option<f64> {
    status_mb("VmRSS:")
}

fn status_mb(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_tells_the_memory_in_use() {
        let (now, peak) = (rss_mb().unwrap(), peak_rss_mb().unwrap());
        assert!(now > 0.1 && now <= peak, "{now} {peak}");
    }
}
