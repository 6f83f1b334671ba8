//! A notification given to a program of this machine on its standard input.
//!
//! Off unless the configuration allows it. No shell reads anything; the program has of the environment only where
//! programs are found and the language, so none of catat's secrets.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::PostError;

/// A program that takes longer is ended, and run again later.
const RUN_TIME_MAX: Duration = Duration::from_secs(30);

/// How often it is looked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Most arguments, and their bytes together.
const ARGUMENTS_MAX: usize = 64;
const ARGUMENTS_BYTES_MAX: usize = 16 << 10;

/// What of the environment the program gets.
const ENVIRONMENT: [&str; 4] = ["PATH", "LANG", "LC_ALL", "TZ"];

/// Checks a command: an absolute path, and what comes after it.
pub(super) fn checked(command: Vec<String>) -> Result<Vec<String>, String> {
    let n_bytes: usize = command.iter().map(String::len).sum();
    let Some(program) = command.first() else { return Err("command is missing".to_string()) };
    types::ensure!(program.starts_with('/'), "command: the program must be an absolute path".to_string());
    if command.len() > ARGUMENTS_MAX || n_bytes > ARGUMENTS_BYTES_MAX || command.iter().any(|text| text.contains('\0'))
    {
        return Err(format!("command: more than {ARGUMENTS_MAX} arguments or {ARGUMENTS_BYTES_MAX} bytes"));
    }
    Ok(command)
}

/// Runs a program with a notification. A status other than 0 is worth another attempt. Blocks.
pub(super) fn run(command: &[String], notification: &Json) -> Result<(), PostError> {
    run_for(command, notification, RUN_TIME_MAX)
}

fn run_for(command: &[String], notification: &Json, longest: Duration) -> Result<(), PostError> {
    let retry = |reason: String| PostError::Retry { after: None, reason };
    let [program, arguments @ ..] = command else { return Err(PostError::Refused("command is missing".into())) };
    let environment = ENVIRONMENT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let spawned = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = spawned.map_err(|error| retry(format!("the program cannot be run: {error}")))?;
    let text = notification.to_string();
    let input = child.stdin.take();
    // A program that does not read must not block the time limit. One that ends without reading everything is fine.
    let writer = thread::spawn(move || input.map(|mut input| input.write_all(text.as_bytes())));
    let started = Instant::now();
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break Ok(()),
            Ok(Some(status)) => break Err(retry(format!("the program ended with {status}"))),
            Err(error) => break Err(retry(error.to_string())),
            Ok(None) if started.elapsed() < longest => thread::sleep(LOOK_EVERY),
            Ok(None) => break Err(retry(format!("the program took more than {} s and was killed", longest.as_secs()))),
        }
    };
    if ended.is_err() {
        // It may have ended by itself, which is as good.
        let _ = child.kill();
        let _ = child.wait();
    }
    // What the program left open, a child of its own may hold: no one waits for that.
    if writer.is_finished() {
        let _ = writer.join();
    }
    ended
}

#[cfg(test)]
mod tests;
