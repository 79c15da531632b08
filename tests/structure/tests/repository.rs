//! The checks on the repository itself. Each test prints every place that breaks its rule.

use std::sync::LazyLock;

use booking_structure::house::*;
use booking_structure::{
    Finding, Tree, circles, hashers, layers, purity, read, report, repository, rooms, sizes, statements,
    unsafe_code, vocabulary,
};

/// Read once for all tests.
fn tree() -> &'static Tree {
    static TREE: LazyLock<Tree> = LazyLock::new(|| {
        let mut sources = read(&repository(), &["src"]).expect("the source can be read");
        sources.retain(|source| !TESTS.contains(&source.path.as_str()));
        Tree::of(sources)
    });
    assert!(TREE.sources.len() > 50, "only {} files: is this the repository?", TREE.sources.len());
    &TREE
}

#[track_caller]
fn assert_none(findings: &[Finding]) {
    let report = report(findings);
    assert!(findings.is_empty(), "{} places:\n{report}", report.lines().count());
}

#[test]
fn no_files_import_each_other() {
    assert_none(&circles::check(tree()));
}

#[test]
fn imports_go_downward() {
    assert_none(&layers::check(tree(), LAYERS));
}

#[test]
fn rules_name_no_postgresql() {
    assert_none(&purity::check(tree()));
}

#[test]
fn sql_stands_in_store() {
    assert_none(&statements::check_sql(tree()));
}

#[test]
fn api_and_worker_go_through_verbs() {
    assert_none(&statements::check_reach(tree(), ABOVE_VERBS, PLAIN_TYPES_OF_STORE));
}

#[test]
fn unsafe_code_is_allowed_and_explained() {
    assert_none(&unsafe_code::check(tree()));
}

#[test]
fn files_and_functions_are_short() {
    assert_none(&sizes::check(tree(), MAX_LINES_OF_FILE, MAX_LINES_OF_FUNCTION, LONG_ON_PURPOSE));
}

#[test]
fn words_are_plain() {
    let sources = read(&repository(), PROSE).expect("the text can be read");
    assert!(sources.iter().any(|source| source.path == "README.md"));
    assert_none(&vocabulary::check(&sources, TERMS));
}

#[test]
fn hashes_do_not_depend_on_the_compiler() {
    assert_none(&hashers::check(tree(), HASHERS));
}

#[test]
fn folders_say_what_belongs_there() {
    assert_none(&rooms::check(tree()));
}
