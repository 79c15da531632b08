//! That each check finds what breaks its rule, and only that.

use booking_structure::layers::{self, Layer};
use booking_structure::vocabulary::{self, Term};
use booking_structure::{
    Finding, Source, Tree, hashers, house, purity, rooms, sizes, statements, unsafe_code,
};

fn sources(files: &[(&str, &str)]) -> Vec<Source> {
    files.iter().map(|(path, text)| Source::new(path, text)).collect()
}

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree::of(sources(files))
}

/// The places that were found, `file:line`, in their order.
fn places(findings: &[Finding]) -> Vec<String> {
    let mut findings = findings.to_vec();
    findings.sort();
    findings.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
}

#[test]
fn layers_find_an_import_upward_and_a_file_without_a_layer() {
    const LAYERS: &[Layer] = &[
        Layer { places: &["src/lib.rs", "src/top/"], what: "the top" },
        Layer { places: &["src/top/below/"], what: "within the top, below it" },
        Layer { places: &["src/base.rs"], what: "the base" },
    ];
    let files = [
        ("src/lib.rs", "mod top; mod base; mod stray; use base::Base;"),
        ("src/top/mod.rs", "mod below; mod beside; use below::low; use crate::base::Base; pub struct Top;"),
        ("src/top/beside.rs", "use super::Top;"),
        ("src/top/below/mod.rs", "use crate::base::Base;\nuse super::Top;\npub fn low() {}"),
        ("src/base.rs", "fn f() {\n crate::top::below::low() }\npub struct Base;"),
        ("src/stray.rs", ""),
    ];
    let found = layers::check(&tree(&files), LAYERS);
    assert_eq!(places(&found), ["src/base.rs:2", "src/stray.rs:1", "src/top/below/mod.rs:2"]);
    assert!(found.iter().any(|finding| finding.message.contains("the top")), "{found:?}");
}

#[test]
fn every_layer_has_its_sentence_and_a_place_of_its_own() {
    let mut all: Vec<_> = house::LAYERS.iter().flat_map(|layer| layer.places).collect();
    assert!(house::LAYERS.iter().all(|layer| layer.what.split(' ').count() > 3));
    all.sort();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn purity_finds_what_is_not_of_rules() {
    let files = [
        ("src/lib.rs", "mod error; mod rules;"),
        ("src/error.rs", "pub struct Error;"),
        (
            "src/rules/mod.rs",
            "mod pool;\nuse std::fmt;\nuse pgrx::prelude::*;\nuse super::error::Error;\npub type Micros = i64;",
        ),
        (
            "src/rules/pool.rs",
            "use super::Micros;\nuse crate::rules::Micros as M;\nfn f(e: crate::error::Error) {\n pg_sys::now() }",
        ),
        ("src/api.rs", "use pgrx::pg_sys;"),
    ];
    let found = purity::check(&tree(&files));
    assert_eq!(
        places(&found),
        ["src/rules/mod.rs:3", "src/rules/mod.rs:4", "src/rules/pool.rs:3", "src/rules/pool.rs:4"]
    );
}

#[test]
fn sql_is_found_outside_of_store() {
    let text = "\
        //! \"select 1\" may be spoken of.\n\
        statement!(FIND(TEXTOID) \"select 1\");\n\
        fn f() { unsafe { pg_sys::SPI_connect() } }\n\
        use pgrx::Spi;\n\
        const A: &str = \"select name from booking.resources\";\n\
        const B: &CStr = c\"\n  insert into booking.holds values (1)\";\n\
        const C: &str = r#\"update booking.holds set state = 'held'\"#;\n\
        const D: &str = \"Update your settings.\";\n\
        const E: &str = \"select booking.check() shows what is wrong.\";\n\
        #[doc = \"select 1\"]\n\
        fn statement() {}\n";
    let found = statements::check_sql(&tree(&[("src/verbs/hold.rs", text), ("src/store/holds.rs", text)]));
    let mut lines: Vec<_> = found.iter().map(|finding| finding.line).collect();
    lines.dedup();
    assert_eq!(lines, [2, 3, 4, 5, 6, 8], "{found:?}");
    assert!(found.iter().all(|finding| finding.path == "src/verbs/hold.rs"));
}

#[test]
fn a_way_past_verbs_is_found() {
    let files = [
        ("src/lib.rs", "mod api; mod store; mod verbs;"),
        (
            "src/api/mod.rs",
            "use crate::store::pools;\nuse crate::store::pools::Kind;\nuse crate::store::pools::take;\nuse crate::verbs::hold;\n\
             fn f() {\n crate::store::pools::take(); pools::take(); super::store::pools::take(); Kind::All; }",
        ),
        ("src/store/mod.rs", "pub mod pools;"),
        ("src/store/pools.rs", "pub enum Kind { All } pub fn take() {}"),
        ("src/verbs/mod.rs", "use crate::store::pools; pub fn hold() { pools::take() }"),
    ];
    let allowed = ["crate::store::pools::Kind", "crate::store::pools::Gone"];
    let found = statements::check_reach(&tree(&files), &["src/api/"], &allowed);
    assert_eq!(
        places(&found),
        [
            "crate::store::pools::Gone:1",
            "src/api/mod.rs:1",
            "src/api/mod.rs:3",
            "src/api/mod.rs:6",
            "src/api/mod.rs:6"
        ]
    );
}

#[test]
fn unsafe_code_must_be_allowed() {
    let text = "fn f() {\n    // SAFETY: it is.\n    unsafe { g() }\n}\n";
    let allowed_by_item = format!("#[allow(dead_code, unsafe_code)]\n{text}");
    let files = [
        ("src/a.rs", text),
        ("src/b.rs", &format!("#![allow(unsafe_code)]\n{text}")),
        ("src/c.rs", &format!("{allowed_by_item}{text}")),
    ];
    assert_eq!(places(&unsafe_code::check(&tree(&files))), ["src/a.rs:3", "src/c.rs:8"]);
}

#[test]
fn unsafe_code_must_be_explained() {
    let good = [
        "fn f() {\n    // SAFETY: yes.\n    let a =\n        unsafe { g() };\n}",
        "fn f() {\n    // SAFETY: yes,\n    // in two lines.\n    #[cfg(any())]\n    unsafe { g() }\n}",
        "fn f() {\n    match 1 {\n        // SAFETY: yes.\n        _ => unsafe { g() },\n    }\n}",
        "fn f() {\n    call(|| {\n        // SAFETY: yes.\n        unsafe { g() }\n    })\n}",
        "/// Reads.\n///\n/// # Safety\n/// It is there.\nunsafe fn f() {}",
        "trait T {\n    /// # Safety\n    /// It is.\n    unsafe fn f();\n}\nimpl T for u8 {\n    unsafe fn f() {}\n}",
        "// SAFETY: no pointers.\nunsafe impl Send for A {}",
        "#[derive(Clone)]\nstruct A;\n// SAFETY: no pointers.\n#[allow(clippy::x)]\nunsafe impl Send for A {}",
        "// SAFETY: as in the header.\nunsafe extern \"C\" {\n    fn f();\n}",
        "thread_local! {\n    // SAFETY: yes.\n    static A: u8 = unsafe { g() };\n}"
            .replace("static A: u8 = unsafe", "static A: u8 =\n        // SAFETY: yes.\n        unsafe")
            .leak(),
    ];
    let bad = [
        "fn f() {\n    unsafe { g() }\n}",
        "// SAFETY: of the function, not of the block.\nfn f() {\n    h();\n    unsafe { g() }\n}",
        "fn f() {\n    // SAFETY: too far away.\n\n    unsafe { g() }\n}",
        "fn f() {\n    // SAFETY: of the first.\n    unsafe { g() }\n    unsafe { g() }\n}",
        "/// Reads.\nunsafe fn f() {}",
        "unsafe impl Send for A {}",
        "unsafe extern \"C\" {\n    fn f();\n}",
        "thread_local! {\n    static A: u8 = unsafe { g() };\n}",
    ];
    for text in good {
        let found = unsafe_code::check(&tree(&[("src/a.rs", &format!("#![allow(unsafe_code)]\n{text}"))]));
        assert!(found.is_empty(), "{text}\n{found:?}");
    }
    for text in bad {
        let found = unsafe_code::check(&tree(&[("src/a.rs", &format!("#![allow(unsafe_code)]\n{text}"))]));
        assert_eq!(found.len(), 1, "{text}\n{found:?}");
    }
}

#[test]
fn long_files_and_functions_are_found() {
    let function = |name: &str, lines: usize| {
        format!("/// Not\n/// counted.\nfn {name}() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
    };
    let text =
        format!("{}{}impl A {{ {} }}\n", function("short", 7), function("long", 8), function("method", 9));
    let files = [("src/a.rs", text.as_str()), ("src/b.rs", "\n\n\n")];
    assert_eq!(places(&sizes::check(&tree(&files), 400, 7, &[])), ["src/a.rs:12", "src/a.rs:22"]);
    assert_eq!(places(&sizes::check(&tree(&files), 2, 100, &[])), ["src/a.rs:1", "src/b.rs:1"]);
    let excepted = [
        sizes::Exception { what: "src/a.rs::long", why: "a table" },
        sizes::Exception { what: "src/gone.rs", why: "it was long once" },
    ];
    assert_eq!(places(&sizes::check(&tree(&files), 400, 7, &excepted)), ["src/a.rs:22", "src/gone.rs:1"]);
}

#[test]
fn words_are_found_whole_in_any_case_and_over_the_end_of_a_line() {
    const TERMS: &[Term] = &[
        Term { words: "whoever", instead: "who", places: &["src", "README.md"] },
        Term { words: "to be had", instead: "free", places: &["src", "sql"] },
        Term { words: "let_go", instead: "release", places: &["src"] },
    ];
    let files = [
        ("src/a.rs", "// Whoever\nfn let_go() {}\nfn let_go_all() {}\n// let go\nfn whoever_waits() {}\n"),
        ("src/b.rs", "/// no seat is to be\n/// had\n/// to be, had\n"),
        ("sql/a.sql", "-- to\n--   be had, by whoever\n"),
        ("README.md", "WHOEVER; to be had\n"),
    ];
    let found = vocabulary::check(&sources(&files), TERMS);
    assert_eq!(places(&found), ["README.md:1", "sql/a.sql:1", "src/a.rs:1", "src/a.rs:2", "src/b.rs:1"]);
}

#[test]
fn hashers_are_found_and_so_is_an_exception_without_need() {
    let files = [
        ("src/a.rs", "use std::hash::DefaultHasher;\n// DefaultHasher\n"),
        ("src/b.rs", "\nfn f() { DefaultHasher::new() }"),
    ];
    let exception = |path| hashers::Exception { path, why: "one build" };
    let found = hashers::check(&tree(&files), &[exception("src/a.rs"), exception("src/c.rs")]);
    assert_eq!(places(&found), ["src/b.rs:2", "src/c.rs:1"]);
}

#[test]
fn a_folder_without_two_sentences_is_found() {
    let files = [
        ("src/lib.rs", "mod a;"),
        ("src/a/mod.rs", "//! What is so; and so: `a.b`.\n//!\n//! (Nothing else.)\n\nmod x;"),
        ("src/b/mod.rs", "//! Only one. \n//! And half of one\nmod x;"),
        ("src/c/mod.rs", "mod x;"),
        ("src/d/mod.rs", "/// Of the module below. And so on.\nmod x;"),
        ("src/d/x.rs", ""),
    ];
    assert_eq!(places(&rooms::check(&tree(&files))), ["src/b/mod.rs:1", "src/c/mod.rs:1", "src/d/mod.rs:1"]);
}
