//! Runs a command on a server that exists only for it:
//!
//!     throwaway [--worker on|off|absent] [--plain] [--database NAME] [--set name=value]… [--everything] command…
//!
//! `--everything` puts resources of every kind into the database `postgres`, and holds in every state.
//!
//! The command has PGHOST, PGPORT, PGUSER and PGDATABASE set, and PostgreSQL's programs first on its PATH. The
//! server is removed when the command ends. The exit status is the command's.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use booking_live::{Builder, Server, Worker, everything};

struct Request {
    builder: Builder,
    extension: bool,
    everything: bool,
    database: String,
    command: Vec<String>,
}

fn main() -> ExitCode {
    match read_arguments(std::env::args().skip(1)).and_then(run) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn read_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Request> {
    let (mut builder, mut extension, mut database) = (Server::builder(), true, "postgres".to_owned());
    let (mut command, mut everything) = (Vec::new(), false);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} wants a value"));
        match argument.as_str() {
            "--worker" => builder = builder.worker(worker(&value()?)?),
            "--plain" => (builder, extension) = (builder.plain(), false),
            "--everything" => everything = true,
            "--database" => database = value()?,
            "--set" => {
                let pair = value()?;
                let (name, value) = pair.split_once('=').context("--set wants name=value")?;
                builder = builder.set(name, value);
            }
            "--" => command.extend(arguments.by_ref()),
            option if option.starts_with('-') => bail!("no such option: {option}"),
            _ => {
                command.push(argument);
                command.extend(arguments.by_ref());
            }
        }
    }
    if command.is_empty() {
        bail!("which command shall run there?");
    }
    Ok(Request { builder, extension, everything, database, command })
}

fn worker(name: &str) -> Result<Worker> {
    Ok(match name {
        "on" => Worker::On,
        "off" => Worker::Off,
        "absent" => Worker::Absent,
        _ => bail!("--worker is on, off or absent, not {name}"),
    })
}

fn run(request: Request) -> Result<u8> {
    let server = request.builder.start()?;
    if request.everything {
        everything::fill(&server);
        everything::fill_overdue(&server);
    }
    if request.database != "postgres" {
        server.try_psql("postgres", &format!("create database \"{}\"", request.database))?;
        if request.extension {
            server.try_psql(&request.database, "create extension booking cascade")?;
        }
    }
    leave_interrupts_to_the_command();
    let mut command = server.command(&request.command[0]);
    command.args(&request.command[1..]).env("PGDATABASE", &request.database);
    command.env("BOOKING_SERVER_LOG", server.log_file());
    die_with_us(&mut command);
    let status = command.status().with_context(|| format!("cannot run {}", request.command[0]))?;
    Ok(status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1) as u8)
}

/// Catches Ctrl-C, which in psql cancels a query and must not end the server. This is a handler, because a signal
/// that is ignored would stay ignored in the command.
#[allow(unsafe_code)]
fn leave_interrupts_to_the_command() {
    extern "C" fn nothing(_: libc::c_int) {}
    let handler = nothing as extern "C" fn(libc::c_int) as libc::sighandler_t;
    for signal in [libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: the handler does nothing, so it is safe at any time.
        unsafe { libc::signal(signal, handler) };
    }
}

#[allow(unsafe_code)]
fn die_with_us(command: &mut Command) {
    // SAFETY: prctl is a plain system call, which is allowed between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
            Ok(())
        })
    };
}
