//! A library whose file was replaced while the server runs with it, as the upgrade of a package does.

use booking_live::{Server, Shutdown, Worker};
use std::fs::{Permissions, copy, set_permissions};
use std::os::unix::fs::PermissionsExt;

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
        assert_eq!(error.message(), "the library of booking was replaced after the server loaded it");
        assert_eq!(error.hint(), Some("Restart the server."));
    }
    assert_eq!(server.psql("select 1"), "1");
    // The server loads both from one file again.
    server.psql("alter system reset dynamic_library_path");
    server.restart(Shutdown::Fast);
    server.psql("create extension booking cascade");
    assert_eq!(server.psql("select name from booking.create_pool('gig', 1, contention => 'escrow')"), "gig");
}
