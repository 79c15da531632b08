//! A library that a session finds in another file than the server has preloaded, or whose file was replaced meanwhile.

use booking_live::{Server, Shutdown, Worker};
use std::fs::{Permissions, copy, rename, set_permissions};
use std::os::unix::fs::PermissionsExt;

/// As the upgrade of a package does it. Sessions that begin later use the library that the server has.
#[test]
fn a_file_that_was_replaced_is_the_same_library() {
    let server = Server::builder().start().expect("a server");
    let hold = "select status from booking.hold('gig')";
    server.psql("select booking.create_pool('gig', 2)");
    assert_eq!(server.psql(hold), "held");
    let library = server.psql("select setting || '/booking.so' from pg_config where name = 'PKGLIBDIR'");
    let new = format!("{library}.new");
    copy(&library, &new).expect("a copy");
    rename(&new, &library).expect("the copy in its place");
    assert_eq!(server.psql(hold), "held");
    assert_eq!(server.psql(hold), "unavailable");
}

/// PostgreSQL tells files apart by their inodes. Here the server preloads a copy, and the session finds the original.
#[test]
fn a_session_refuses_a_second_copy_of_the_library() {
    let mut server = Server::builder().worker(Worker::Absent).plain().start().expect("a server");
    let library = server.psql("select setting || '/booking.so' from pg_config where name = 'PKGLIBDIR'");
    let folder = tempfile::Builder::new().prefix("booking-library-").tempdir_in("/tmp").expect("a folder");
    copy(library, folder.path().join("booking.so")).expect("a copy");
    set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("its permissions");
    server.psql(&format!("alter system set dynamic_library_path = '{}:$libdir'", folder.path().display()));
    server.psql("alter system set shared_preload_libraries = 'booking'");
    server.restart(Shutdown::Fast);
    let mut session = server.connect("postgres");
    // From 18 on, a name that begins with $libdir is looked for on the path as well.
    session.batch_execute("set dynamic_library_path = '$libdir'").expect("a setting");
    // The second attempt, too: PostgreSQL tries to load the library again.
    for _ in 0..2 {
        let error = session
            .batch_execute("create extension booking cascade")
            .expect_err("the functions are in another file");
        let error = error.as_db_error().expect("an answer of the server");
        assert_eq!(error.code().code(), "55000", "{error}");
        assert_eq!(error.message(), "the library of booking is loaded from another file already");
        assert!(error.hint().is_some_and(|hint| hint.ends_with("restart the server.")), "{error:?}");
    }
    assert_eq!(server.psql("select 1"), "1");
    // The server loads both from one file again.
    server.psql("alter system reset dynamic_library_path");
    server.restart(Shutdown::Fast);
    server.psql("create extension booking cascade");
    assert_eq!(server.psql("select name from booking.create_pool('gig', 1, contention => 'escrow')"), "gig");
}
