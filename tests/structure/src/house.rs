//! What the house wants, in tables: change a rule here, with its reason.

use crate::hashers;
use crate::layers::Layer;
use crate::sizes;
use crate::vocabulary::Term;

/// Who may import whom: a file may use its own layer and those below it.
pub const LAYERS: &[Layer] = &[
    Layer {
        places: &["src/lib.rs"],
        what: "the table of contents, and what happens when the library is loaded",
    },
    Layer { places: &["src/api/"], what: "the SQL surface: reads the arguments, calls once, returns" },
    Layer {
        places: &["src/worker/"],
        what: "the background worker: it calls the same verbs as everybody, and nothing depends on it",
    },
    Layer { places: &["src/verbs/"], what: "the transitions, one verb a file" },
    Layer {
        places: &["src/verbs/allocation/"],
        what: "what several verbs need to give places out: locks, passes, the line",
    },
    Layer { places: &["src/outcome/"], what: "the answers, made of what was stored and decided" },
    Layer {
        places: &["src/store/"],
        what: "every SQL statement, beside the code that reads its rows, and the locks",
    },
    Layer {
        places: &["src/shared_memory/"],
        what: "what lives beside the tables and may be lost at any moment",
    },
    Layer { places: &["src/request.rs"], what: "what a caller asks for, as plain values" },
    Layer { places: &["src/server/"], what: "what PostgreSQL gives an extension, wrapped once" },
    Layer { places: &["src/limits.rs"], what: "every bound that users meet" },
    Layer { places: &["src/rules/"], what: "the decisions, which know no PostgreSQL" },
    Layer { places: &["src/error.rs"], what: "misuse, and how it is raised; it names nothing but pgrx" },
];

/// Tests among the sources, which are built only with the feature `pg_test` and keep to no layer.
pub const TESTS: &[&str] = &["src/backend_tests.rs"];

/// Rooms that reach the tables through `verbs` only.
pub const ABOVE_VERBS: &[&str] = &["src/api/", "src/worker/"];

/// Plain values of `store` that the rooms above `verbs` may name: what a definition consists of, and whether
/// to wait.
pub const PLAIN_TYPES_OF_STORE: &[&str] = &[
    "crate::store::definitions::NewResource",
    "crate::store::locks::LockWaitPolicy",
    "crate::store::resources::Calendar",
    "crate::store::resources::Kind",
    "crate::store::seat_plan::NewSeat",
];

pub const MAX_LINES_OF_FILE: usize = 400;
pub const MAX_LINES_OF_FUNCTION: usize = 70;

/// What may be longer.
pub const LONG_ON_PURPOSE: &[sizes::Exception] = &[];

/// Where `DefaultHasher` may stand, because its hashes never leave one build. Lock tags do: a backend that
/// loads the library itself may run a newer build than its neighbour.
pub const HASHERS: &[hashers::Exception] = &[];

/// What is read for words: the code, the SQL and the prose that users meet.
pub const PROSE: &[&str] = &["src", "sql", "docs", "README.md"];

const EVERYWHERE: &[&str] = PROSE;

/// Words with a plainer one. Whole words, in any case.
pub const TERMS: &[Term] = &[
    Term {
        words: "whoever",
        instead: "who it is: the caller, the transaction, the session",
        places: EVERYWHERE,
    },
    Term { words: "anew", instead: "again", places: EVERYWHERE },
    Term { words: "to be had", instead: "free, or available", places: EVERYWHERE },
    Term { words: "none where", instead: "`None` if, or null if", places: EVERYWHERE },
    Term { words: "frontier", instead: "first free row", places: EVERYWHERE },
    Term { words: "patiently", instead: "what it does: waits and tries again", places: EVERYWHERE },
    Term { words: "let_go", instead: "release", places: EVERYWHERE },
    Term { words: "line_up", instead: "acquire", places: EVERYWHERE },
    Term { words: "lineage", instead: "timeline", places: EVERYWHERE },
    Term { words: "desk", instead: "allocation", places: &["src"] },
];
