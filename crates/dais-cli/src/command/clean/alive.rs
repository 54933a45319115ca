//! Whether a process is still there.

/// A number that was given to another process meanwhile counts as alive: then something stays that could go.
#[cfg(unix)]
pub(super) fn is_alive(process: u32) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};

    let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return false };
    !matches!(test_kill_process(process), Err(Errno::SRCH))
}

#[cfg(not(unix))]
pub(super) fn is_alive(_: u32) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_one_that_ended_is_not() {
        assert!(is_alive(std::process::id()) && is_alive(1));
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        let process = ended.id();
        ended.wait().unwrap();
        assert!(!is_alive(process));
        assert!(!is_alive(0) && !is_alive(u32::MAX));
    }
}
