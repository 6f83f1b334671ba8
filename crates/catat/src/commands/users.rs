//! `catat users`: lists, creates and deletes users of the page.
//!
//! A password is never an argument, which every process on the machine can read: it is typed without echo, or is the first
//! line of standard input. As with keys, the command asks a server, or opens the data directory itself if none runs there.

use std::io::{BufRead, IsTerminal, Read};

use reqwest::Method;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde_json::{Value, json};
use serve::UserOrder;
use storage::{Clock, Store};
use types::percent_encoded;

use super::data_dir::{server_of, with_store};
use crate::arguments::{UserCommand, Users};
use crate::client::Server;
use crate::failure::{Failure, Result};
use crate::output::{print_list, print_rows};

/// Columns of a list of users.
const COLUMNS: &str = "name role groups sign_in created";

/// Bytes to read of a password: slightly more than its limit, so that the server reports the excess.
const LINE_BYTES_MAX: u64 = 4096;

pub(crate) fn users(options: Users) -> Result<()> {
    let order = order_of(options.command.as_ref().unwrap_or(&UserCommand::List))?;
    let answer = match &options.client.remote.data_dir {
        Some(dir) => {
            let may_make = matches!(order, UserOrder::Add { .. });
            match with_store(dir, may_make, |store| offline(store, order.clone()))? {
                Some(answer) => answer,
                None => online(&server_of(dir, &options.client.remote)?, &order)?,
            }
        }
        None => online(&Server::new(&options.client.remote)?, &order)?,
    };
    match order {
        UserOrder::List => print_list(&options.client.printing, COLUMNS, &answer["users"]),
        UserOrder::Add { .. } => print_rows(&options.client.printing, COLUMNS, &[answer]),
        UserOrder::Remove { name } => {
            say!("catat: user {name} deleted");
            Ok(())
        }
        UserOrder::SetPassword { name, .. } => {
            say!("catat: password of {name} changed; open sessions ended");
            Ok(())
        }
    }
}

/// Returns the order of a command; asks for a password if it needs one.
fn order_of(command: &UserCommand) -> Result<UserOrder> {
    Ok(match command {
        UserCommand::List => UserOrder::List,
        UserCommand::Create { name, role, groups } => UserOrder::Add {
            name: name.clone(),
            password: read_password(name)?,
            role: role.name().to_owned(),
            groups: Some(groups.clone()).filter(|groups| !groups.is_empty()),
        },
        UserCommand::Delete { name } => UserOrder::Remove { name: name.clone() },
        UserCommand::Password { name } => UserOrder::SetPassword { name: name.clone(), password: read_password(name)? },
    })
}

fn offline(store: &Store, order: UserOrder) -> Result<Value> {
    order.carry_out(store.settings(), Clock::system().now()).map_err(Failure::usage)
}

fn online(server: &Server, order: &UserOrder) -> Result<Value> {
    let path = |name: &str, rest: &str| format!("/api/v1/users/{}{rest}", percent_encoded(name));
    let request = match order {
        UserOrder::List => server.request(Method::GET, "/api/v1/users"),
        UserOrder::Add { name, password, role, groups } => {
            let mut user = json!({"name": name, "role": role, "password": password});
            if let Some(groups) = groups {
                user["groups"] = json!(groups);
            }
            server.request(Method::POST, "/api/v1/users").json(&user)
        }
        UserOrder::Remove { name } => server.request(Method::DELETE, &path(name, "")),
        UserOrder::SetPassword { name, password } => {
            server.request(Method::PUT, &path(name, "/password")).json(&json!({"password": password}))
        }
    };
    server.ask(request, "")
}

fn read_password(name: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        return read_line();
    }
    eprint!("Password of {name}: ");
    let unseen = HiddenInput::begin()?;
    let first = read_line()?;
    eprint!("\nAgain: ");
    let second = read_line()?;
    drop(unseen);
    say!();
    if first == second { Ok(first) } else { Err(Failure::usage("the passwords differ")) }
}

fn read_line() -> Result<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line);
    read.map_err(|error| Failure::usage(format!("standard input: {error}")))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Turns off the terminal's echo until it is dropped.
struct HiddenInput {
    before: Termios,
}

impl HiddenInput {
    fn begin() -> Result<Self> {
        let failed = |error: rustix::io::Errno| Failure::other(format!("the terminal: {error}"));
        let before = tcgetattr(std::io::stdin()).map_err(failed)?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &unseen).map_err(failed)?;
        Ok(Self { before })
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        // A terminal that has gone echoes nothing.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.before);
    }
}
