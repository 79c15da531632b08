//! The text of the files that are checked.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file: its path from the root of the repository, with `/`, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// The root of the repository that this crate is a part of. `BOOKING_ROOT` names another one.
pub fn repository() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("BOOKING_ROOT").map_or_else(own, PathBuf::from)
}

/// Every `.rs`, `.sql` and `.md` file at or below these places, in the order of their paths.
pub fn read(root: &Path, places: &[&str]) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for place in places {
        collect(root, place, &mut sources)?;
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn collect(root: &Path, place: &str, sources: &mut Vec<Source>) -> io::Result<()> {
    let path = root.join(place);
    if path.is_dir() {
        for entry in fs::read_dir(&path)? {
            let name = entry?.file_name();
            collect(root, &format!("{place}/{}", name.to_string_lossy()), sources)?;
        }
    } else if [".rs", ".sql", ".md"].iter().any(|ending| place.ends_with(ending)) {
        sources.push(Source { path: place.to_owned(), text: fs::read_to_string(&path)? });
    }
    Ok(())
}
