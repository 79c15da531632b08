//! The private copies of PostgreSQL that `scripts/setup` makes, and the user that runs them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

/// Where the programs are, and the user that runs the servers if we are root.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(crate) bin: PathBuf,
    /// The uid and gid of that user. `None` if we are an ordinary user, who then runs the servers.
    pub(crate) unprivileged: Option<(u32, u32)>,
}

impl Tree {
    /// Returns the copy of another version, which has its programs in that folder, with the same user.
    pub fn of_programs(bin: PathBuf) -> Result<Tree> {
        Ok(Tree { bin, ..Tree::find()?.clone() })
    }

    /// Returns the copy that the set-up has chosen. It is looked up once, since it cannot change while the process runs.
    pub fn find() -> Result<&'static Tree> {
        static TREE: OnceLock<Result<Tree, String>> = OnceLock::new();
        TREE.get_or_init(|| look_up().map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|message| anyhow::anyhow!(message.clone()))
    }
}

#[allow(unsafe_code)]
fn look_up() -> Result<Tree> {
    let (bin, user) = match (std::env::var_os("BOOKING_PGBIN"), std::env::var("BOOKING_SERVER_USER")) {
        (Some(bin), Ok(user)) => (PathBuf::from(bin), user),
        _ => read_env_file()?,
    };
    if !bin.join("postgres").exists() {
        bail!("no PostgreSQL in {}: run make setup", bin.display());
    }
    // SAFETY: geteuid only reads the process's own id.
    let unprivileged = match unsafe { libc::geteuid() } {
        0 => Some((id("-u", &user)?, id("-g", &user)?)),
        _ => None,
    };
    Ok(Tree { bin, unprivileged })
}

/// Reads the variables from the file that `scripts/setup` wrote, for a bare `cargo test` that does not have them.
fn read_env_file() -> Result<(PathBuf, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/booking.env");
    if !file.exists() {
        bail!("nothing is set up yet: run make setup");
    }
    let script = r#". "$1" && printf '%s\n' "$BOOKING_PGBIN" "$BOOKING_SERVER_USER""#;
    let output = Command::new("bash").args(["-c", script, "bash"]).arg(&file).output()?;
    let text = String::from_utf8(output.stdout)?;
    match text.lines().collect::<Vec<_>>()[..] {
        [bin, user] => Ok((bin.into(), user.to_owned())),
        _ => bail!("{} is damaged: run make setup", file.display()),
    }
}

fn id(which: &str, user: &str) -> Result<u32> {
    let output = Command::new("id").args([which, user]).output()?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .with_context(|| format!("there is no user {user} to run a server as"))
}
