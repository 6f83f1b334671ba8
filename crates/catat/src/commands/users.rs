//! `catat users`: people who sign in to the page.
//!
//! A password is never an argument, which every process on the machine can read: it is typed, unseen, or it is the first
//! line of standard input.

use std::io::{BufRead, BufWriter, IsTerminal, Read};

use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde_json::{Value, json};

use super::groups::encoded;
use crate::arguments::{Format, UserCommand, Users};
use crate::client::Server;
use crate::failure::{Failure, of_output};
use crate::output::{Column, Printer, is_coloured};

/// Columns of a list of users.
const COLUMNS: [&str; 4] = ["name", "role", "groups", "created"];

/// Longest line that is read as a password: a little more than one may have, so that the server says what is wrong.
const LINE_BYTES_MAX: u64 = 4096;

pub(crate) fn users(options: Users) -> Result<(), Failure> {
    let server = Server::new(&options.remote)?;
    match &options.command {
        None | Some(UserCommand::List) => {
            let answer = server.send(server.request(Method::GET, "/api/v1/users"), "")?;
            let answer: Value = answer.json().map_err(|error| broken(&error))?;
            print(&options, answer["users"].as_array().map_or(&[], Vec::as_slice))
        }
        Some(UserCommand::Add { name, role, groups }) => {
            let mut user = json!({"name": name, "role": role.name(), "password": read_password(name)?});
            if !groups.is_empty() {
                user["groups"] = json!(groups);
            }
            let answer = server.send(with_json(server.request(Method::POST, "/api/v1/users"), &user), "")?;
            let made: Value = answer.json().map_err(|error| broken(&error))?;
            print(&options, &[made])
        }
        Some(UserCommand::Remove { name }) => {
            let path = format!("/api/v1/users/{}", encoded(name));
            server.send(server.request(Method::DELETE, &path), "")?;
            eprintln!("catat: {name} is removed");
            Ok(())
        }
        Some(UserCommand::Password { name }) => {
            let path = format!("/api/v1/users/{}/password", encoded(name));
            let body = json!({"password": read_password(name)?});
            server.send(with_json(server.request(Method::PUT, &path), &body), "")?;
            eprintln!("catat: {name} has another password; their sessions are over");
            Ok(())
        }
    }
}

fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("Content-Type", "application/json").body(body.to_string())
}

fn broken(error: &reqwest::Error) -> Failure {
    Failure::unreachable(format!("the answer broke off: {error}"))
}

fn read_password(name: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return read_line();
    }
    eprint!("Password of {name}: ");
    let unseen = Unseen::begin()?;
    let first = read_line()?;
    eprint!("\nAgain: ");
    let second = read_line()?;
    drop(unseen);
    eprintln!();
    if first == second { Ok(first) } else { Err(Failure::usage("the two passwords are not the same")) }
}

fn read_line() -> Result<String, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line);
    read.map_err(|error| Failure::usage(format!("standard input: {error}")))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// While it lives, the terminal does not show what is typed.
struct Unseen {
    before: Termios,
}

impl Unseen {
    fn begin() -> Result<Self, Failure> {
        let failed = |error: rustix::io::Errno| Failure::other(format!("the terminal: {error}"));
        let before = tcgetattr(std::io::stdin()).map_err(failed)?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &unseen).map_err(failed)?;
        Ok(Self { before })
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing anyway.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.before);
    }
}

fn print(options: &Users, users: &[Value]) -> Result<(), Failure> {
    let is_terminal = std::io::stdout().is_terminal();
    let format = options.printing.output.unwrap_or(if is_terminal { Format::Table } else { Format::Ndjson });
    let mut printer = Printer::new(BufWriter::new(std::io::stdout()), format, is_coloured(options.printing.color));
    printer.start(COLUMNS.map(|name| Column { name: name.into() }).to_vec()).map_err(of_output)?;
    for user in users {
        printer.row(COLUMNS.map(|name| user[name].to_string()).to_vec()).map_err(of_output)?;
    }
    printer.finish().map_err(of_output)
}
