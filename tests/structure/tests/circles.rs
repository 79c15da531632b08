//! Who imports whom, and that a circle is found however it is written.

use booking_structure::{Source, Tree, circles};

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree::of(files.iter().map(|(path, text)| Source::new(path, text)).collect())
}

/// Every import, `from -> to`.
fn imports(files: &[(&str, &str)]) -> Vec<String> {
    let tree = tree(files);
    let imports = tree.imports();
    let show = |file| tree.path(file).trim_start_matches("src/").trim_end_matches(".rs").to_owned();
    let mut shown: Vec<_> =
        imports.iter().map(|import| format!("{} -> {}", show(import.from), show(import.to))).collect();
    shown.sort();
    shown
}

const ROOT: (&str, &str) = ("src/lib.rs", "mod a; mod b;");

#[test]
fn use_items_are_imports_in_every_form() {
    for text in [
        "use crate::b::Thing;",
        "use super::b::Thing;",
        "use crate::{b::Thing};",
        "use crate::b::{self, Thing};",
        "use crate::b as other;",
        "use crate::b::Thing as Other;",
        "use crate::b::*;",
        "fn f() { use crate::b::Thing; }",
        "fn f() -> crate::b::Thing { todo!() }",
        "use crate::b; fn f() { b::make() }",
        "fn f() { let _ = crate::b::Thing; }",
        "fn f() { super::b::make() }",
        "mod inner { use super::super::b::Thing; }",
        "thread_local! { static T: crate::b::Thing = const { crate::b::Thing } }",
        "fn f() { println!(\"{}\", crate::b::make()) }",
    ] {
        let files = [ROOT, ("src/a.rs", text), ("src/b.rs", "pub struct Thing; pub fn make() {}")];
        assert_eq!(imports(&files), ["a -> b"], "{text}");
    }
}

#[test]
fn what_is_no_import_is_none() {
    for text in [
        "//! See [`crate::b::Thing`].",
        "use std::fmt;",
        "fn f() { let b = 1; drop(b); }",
        "pub(in crate::a) struct B;",
        "fn f() { g(\"crate::b::Thing\") }",
    ] {
        let files = [ROOT, ("src/a.rs", text), ("src/b.rs", "pub struct Thing;")];
        assert_eq!(imports(&files), [""; 0], "{text}");
    }
}

#[test]
fn a_reexport_leads_to_the_file_that_defines() {
    let files = [
        ("src/lib.rs", "mod a; mod room;"),
        ("src/a.rs", "use crate::room::{Inner, Own}; use crate::room; fn f() { room::make() }"),
        ("src/room/mod.rs", "mod deep; mod other; pub use deep::Inner; pub use other::*; pub struct Own;"),
        ("src/room/deep.rs", "pub struct Inner;"),
        ("src/room/other.rs", "pub fn make() {}"),
    ];
    assert_eq!(imports(&files), ["a -> room/deep", "a -> room/mod", "a -> room/other"]);
}

#[test]
fn a_folder_may_declare_and_pass_on_without_a_circle() {
    let files = [
        ("src/lib.rs", "mod room;"),
        ("src/room/mod.rs", "mod deep; pub use deep::Inner; pub struct Own; fn f(deep: u8) { drop(deep) }"),
        ("src/room/deep.rs", "use super::Own; pub struct Inner(Own);"),
    ];
    let found = circles::check(&tree(&files));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_folder_that_calls_what_calls_it_is_a_circle() {
    let files = [
        ("src/lib.rs", "mod room;"),
        ("src/room/mod.rs", "mod deep; pub struct Own; fn f() { deep::make() }"),
        ("src/room/deep.rs", "use super::Own; pub fn make(own: Own) {}"),
    ];
    assert_eq!(circles::check(&tree(&files)).len(), 1);
}

#[test]
fn a_circle_of_three_is_found_whole_and_once() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c; mod d; use d::D;"),
        ("src/a.rs", "use crate::b::B;\npub struct A;"),
        ("src/b.rs", "pub struct B;\n\nfn f() { super::c::f() }"),
        ("src/c.rs", "use crate::a::A;\nuse crate::d::D;\npub fn f() {}"),
        ("src/d.rs", "pub struct D;"),
    ];
    let found = circles::check(&tree(&files));
    assert_eq!(found.len(), 1, "{found:?}");
    let message = &found[0].message;
    for line in [
        "3 files import each other in a circle:",
        "src/a.rs:1 imports src/b.rs",
        "src/b.rs:3 imports src/c.rs",
        "src/c.rs:1 imports src/a.rs",
    ] {
        assert!(message.contains(line), "no {line:?} in {message}");
    }
    assert!(!message.contains("src/d.rs"), "{message}");
}
