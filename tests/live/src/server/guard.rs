//! Removes a server when the process that started it ends, in whatever way.
//!
//! Drop covers a return and a panic, but not Ctrl-C, `kill -9` or an abort. So each server has a small shell
//! beside it, which reads from a pipe whose other end only we hold. When our process ends, the read ends, and the
//! shell stops the server and removes its folder. The kernel's parent-death signal would not do: it fires when the
//! *thread* that started the server ends.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Result;

const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT
read -r _
data=$1/data
pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null)
# Only a process that runs in that very folder: numbers of processes are used again.
ours() { [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$data" ]; }
if ours; then
    kill -QUIT "$pid"
    for _ in $(seq 100); do ours || break; sleep 0.1; done
    ours && kill -KILL "$pid"
fi
rm -rf "$1"
"#;

#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    pub fn over(dir: &Path) -> Result<Guard> {
        let child = Command::new("sh")
            .args(["-c", SCRIPT, "guard"])
            .arg(dir)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0) // the terminal's Ctrl-C must not reach it
            .spawn()?;
        Ok(Guard(child))
    }

    /// Removes the folder now, if it is still there, and returns when it is gone.
    pub fn finish(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
