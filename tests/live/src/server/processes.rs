//! A server's processes as the operating system shows them, and signals to them.

use std::fs;
use std::time::{Duration, Instant};

#[allow(unsafe_code)]
pub(super) fn signal(pid: u32, signal: libc::c_int) {
    // SAFETY: kill takes two numbers and touches no memory of this process.
    unsafe { libc::kill(pid as libc::pid_t, signal) };
}

/// Returns the processes whose parent is `parent`. Backends lead sessions of their own, so a signal to the
/// postmaster's process group would not reach them.
pub(super) fn children(parent: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| matches!(stat(*pid), Some((_, ppid)) if ppid == parent))
        .collect()
}

/// Returns whether the process is gone, or dead and not yet reaped by its parent.
pub(super) fn is_gone(pid: u32) -> bool {
    !matches!(stat(pid), Some((state, _)) if state != 'Z')
}

pub(super) fn wait_gone(pids: &[u32], bound: Duration) -> bool {
    let deadline = Instant::now() + bound;
    while !pids.iter().copied().all(is_gone) {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Returns the state and the parent of a process. The command's name before them is in parentheses and may contain
/// anything.
fn stat(pid: u32) -> Option<(char, u32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = line.get(line.rfind(')')? + 2..)?.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
