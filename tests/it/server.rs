//! A server under test: started in a scratch directory, asked over HTTP, killed or stopped, started again.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};

/// Far longer than anything should take, so that a busy machine does not fail a test; a hang still ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The range that holds every event there can be.
pub(crate) const ALL_TIME: (&str, &str) = ("1970-01-01T00:00:00Z", "2261-12-31T00:00:00Z");

/// The executable with an environment that no developer's settings leak into.
pub(crate) fn catat(scratch: &Path) -> Command {
    undisturbed(Command::new(env!("CARGO_BIN_EXE_catat")), scratch)
}

/// The command in an environment that no developer's settings leak into.
pub(crate) fn undisturbed(mut command: Command, scratch: &Path) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CATAT_")) {
        command.env_remove(name);
    }
    command.current_dir(scratch).env("HOME", scratch).env("NO_COLOR", "1").env_remove("XDG_CONFIG_HOME");
    command.stdin(Stdio::null());
    command
}

/// How and where a server is started.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// What runs the executable: a program with its arguments, or nothing.
    wrapper: Vec<String>,
    environment: Vec<(String, String)>,
    /// The subcommand and what follows `--listen` and `--data-dir`.
    arguments: Vec<String>,
    scratch: PathBuf,
    data_dir: PathBuf,
}

impl Launch {
    /// `catat` with these arguments, the subcommand first, on `scratch/data`.
    pub(crate) fn new(scratch: &Path, arguments: &[&str]) -> Launch {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let (wrapper, environment) = (Vec::new(), Vec::new());
        Launch { wrapper, environment, arguments, scratch: scratch.to_owned(), data_dir: scratch.join("data") }
    }

    /// `catat serve` with these lines as its configuration file.
    pub(crate) fn configured(scratch: &Path, settings: &str) -> Launch {
        let path = scratch.join("catat.toml");
        std::fs::write(&path, settings).expect("scratch is writable");
        Launch::new(scratch, &["serve", "--config", path.to_str().expect("scratch paths are ASCII")])
    }

    /// The same with further variables in its environment.
    pub(crate) fn with(mut self, variables: &[(&str, &str)]) -> Launch {
        self.environment.extend(variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    /// The same on another data directory.
    pub(crate) fn on(mut self, data_dir: &Path) -> Launch {
        self.data_dir = data_dir.to_owned();
        self
    }

    /// The same, run by another program.
    pub(crate) fn under(mut self, wrapper: &[&str]) -> Launch {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// The same with a variable in its environment.
    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Launch {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self) -> Command {
        let executable = env!("CARGO_BIN_EXE_catat");
        let mut command = match self.wrapper.split_first() {
            None => Command::new(executable),
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(executable);
                command
            }
        };
        command.args(&self.arguments[..1]).args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(&self.data_dir);
        command.args(&self.arguments[1..]);
        let mut command = undisturbed(command, &self.scratch);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts the process, and does not wait for anything.
    pub(crate) fn spawn(&self) -> Starting {
        let mut child = self.command().spawn().expect("the executable was built");
        let transcript = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = mpsc::channel();
        read_lines(child.stdout.take().expect("it was piped"), sender.clone(), transcript.clone());
        read_lines(child.stderr.take().expect("it was piped"), sender, transcript.clone());
        Starting { process: Process(child), lines, transcript, launch: self.clone() }
    }

    /// Starts it and waits until it listens, ready or not; where it ends instead, what it said.
    pub(crate) fn try_start(&self) -> Result<Server, Refused> {
        self.spawn().listening()
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start(&self) -> Server {
        self.try_start().unwrap_or_else(|refused| panic!("it does not start: {refused:?}")).when_ready()
    }
}

/// How a server ended that did not start.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

/// A process that is killed at the end at the latest.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; that is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process that may become a server.
pub(crate) struct Starting {
    process: Process,
    lines: Receiver<String>,
    transcript: Arc<Mutex<String>>,
    launch: Launch,
}

impl Starting {
    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// `kill -9`, and what it had said; `None` where it had ended before.
    pub(crate) fn kill(mut self) -> Option<String> {
        let was_running = self.process.0.try_wait().expect("our own child can be asked").is_none();
        self.process.0.kill().expect("our own child can be killed");
        self.process.0.wait().expect("a killed child ends");
        was_running.then(|| self.transcript.lock().expect("no reader panics").clone())
    }

    /// Waits until it has said where it listens.
    pub(crate) fn listening(mut self) -> Result<Server, Refused> {
        let Some(url) = address(&self.lines) else {
            let _ = self.process.0.kill();
            let code = self.process.0.wait().expect("a killed child ends").code();
            // Both streams have ended, so that all is in it.
            return Err(Refused { code, said: self.transcript.lock().expect("no reader panics").clone() });
        };
        let Starting { process, transcript, launch, .. } = self;
        let data_dir = launch.data_dir.clone();
        Ok(Server { process, url, data_dir, launch, http: client(), transcript })
    }
}

/// A running server.
pub(crate) struct Server {
    process: Process,
    pub(crate) url: String,
    pub(crate) data_dir: PathBuf,
    pub(crate) launch: Launch,
    http: Client,
    transcript: Arc<Mutex<String>>,
}

impl Server {
    /// `catat serve` on `scratch/data`.
    pub(crate) fn serve(scratch: &Path) -> Server {
        Server::start(scratch, &["serve"])
    }

    /// `catat up` on `scratch/data`, following `paths`.
    pub(crate) fn up(scratch: &Path, paths: &[&Path]) -> Server {
        let mut arguments = vec!["up"];
        arguments.extend(paths.iter().map(|path| path.to_str().expect("scratch paths are ASCII")));
        Server::start(scratch, &arguments)
    }

    /// Starts with these arguments, a data directory and a free port, and waits until it is ready.
    pub(crate) fn start(scratch: &Path, arguments: &[&str]) -> Server {
        Launch::new(scratch, arguments).start()
    }

    /// Starts again in the same place after [`Server::kill`] or [`Server::stop`].
    pub(crate) fn restart(self) -> Server {
        let launch = self.launch.clone();
        drop(self);
        launch.start()
    }

    fn when_ready(self) -> Server {
        self.until("it is ready", || self.try_get("/-/ready").filter(|response| response.status() == 200).map(|_| ()));
        self
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.0.kill().expect("our own child can be killed");
        self.process.0.wait().expect("a killed child ends");
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let status =
            Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status().expect("there is a kill command");
        assert!(status.success());
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.0.try_wait().expect("our own child can be asked") {
                return status;
            }
            assert!(Instant::now() < deadline, "SIGTERM did not end it\n{}", self.transcript());
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// What it has printed so far, both streams.
    pub(crate) fn transcript(&self) -> String {
        self.transcript.lock().expect("no reader panics").clone()
    }

    /// Asks `question` again and again until it has an answer.
    pub(crate) fn until<T>(&self, what: &str, mut question: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = question() {
                return answer;
            }
            assert!(Instant::now() < deadline, "waited in vain until {what}\n{}", self.transcript());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// GET from a server that may die meanwhile.
    pub(crate) fn try_get(&self, path: &str) -> Option<Response> {
        self.http.get(format!("{}{path}", self.url)).send().ok()
    }

    /// GET with headers.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.http.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.send().expect("the server answers"))
    }

    /// POST with headers.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
        Answer::of(self.try_post(path, headers, body).expect("the server answers"))
    }

    /// PUT as an operator with the admin key.
    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.try_put(path, body).expect("the server answers"))
    }

    /// The header that says that an operator asks.
    pub(crate) fn admin(&self) -> String {
        let key = std::fs::read_to_string(self.data_dir.join("admin.key")).expect("the first start writes admin.key");
        format!("Bearer {}", key.trim())
    }

    /// POST to a server that may die meanwhile.
    pub(crate) fn try_post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Option<Response> {
        let mut request = self.http.post(format!("{}{path}", self.url)).body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().ok()
    }

    /// PUT with the admin key to a server that may die meanwhile.
    pub(crate) fn try_put(&self, path: &str, body: &Value) -> Option<Response> {
        let request = self.http.put(format!("{}{path}", self.url)).header("authorization", self.admin());
        request.header("content-type", "application/json").body(body.to_string()).send().ok()
    }

    /// DELETE with the admin key, of a server that may die meanwhile.
    pub(crate) fn try_delete(&self, path: &str) -> Option<Response> {
        self.http.delete(format!("{}{path}", self.url)).header("authorization", self.admin()).send().ok()
    }

    /// Flushes, and compacts where that is asked for, on a server that may die meanwhile.
    pub(crate) fn try_flush(&self, compacts: bool) {
        let path = format!("/api/v1/status/flush?compact={compacts}");
        let _ = self.try_post(&path, &[("authorization", &self.admin())], "");
    }

    /// Ingests NDJSON that must be accepted with 200.
    pub(crate) fn ingest(&self, group: &str, body: impl Into<Vec<u8>>) -> Value {
        let answer = self.post(&format!("/api/v1/ingest?group={group}&format=ndjson"), &[], body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// Runs a query over all time; it must succeed.
    pub(crate) fn query(&self, query: &str) -> Value {
        let answer = self.try_query(query);
        assert_eq!(answer.status, 200, "{query}\n{}\n{}", answer.body, self.transcript());
        answer.json()
    }

    /// Runs a query over all time.
    pub(crate) fn try_query(&self, query: &str) -> Answer {
        let request = json!({"query": query, "from": ALL_TIME.0, "to": ALL_TIME.1, "limit": 10_000});
        self.post("/api/v1/query", &[("content-type", "application/json")], request.to_string())
    }

    /// The rows of a query over all time.
    pub(crate) fn rows(&self, query: &str) -> Vec<Vec<Value>> {
        let answer = self.query(query);
        serde_json::from_value(answer["rows"].clone()).unwrap_or_else(|_| panic!("rows are lists: {answer}"))
    }

    /// The one value of a query over all time that has one.
    pub(crate) fn value(&self, query: &str) -> Value {
        let rows = self.rows(query);
        assert_eq!(rows.len(), 1, "{query}: {rows:?}");
        rows[0][0].clone()
    }

    /// How many events there are.
    pub(crate) fn count(&self) -> u64 {
        // A store without events may answer with a row of 0 or with no row.
        self.rows("stats count(*) as n").first().and_then(|row| row[0].as_u64()).unwrap_or(0)
    }

    /// Flushes all hot events into segments, as an operator does.
    pub(crate) fn flush(&self) {
        let answer = self.post("/api/v1/status/flush?compact=true", &[("authorization", &self.admin())], "");
        assert!(answer.status < 300, "flush: {} {}", answer.status, answer.body);
    }
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    fn of(response: Response) -> Answer {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.text().expect("the answer arrives whole") }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

/// A client that neither follows proxies of the machine nor waits for ever.
pub(crate) fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Fails only when somebody was faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::builder().no_proxy().timeout(PATIENCE).build().expect("a plain client can be built")
}

/// Sends every line of `stream` on, from a thread that ends with the stream.
fn read_lines(stream: impl Read + Send + 'static, sender: mpsc::Sender<String>, transcript: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            *transcript.lock().expect("no reader panics") += &format!("{line}\n");
            // Nobody listens any more once the address is known.
            let _ = sender.send(line);
        }
    });
}

/// Waits for the first line with a loopback URL that has a port other than 0.
fn address(lines: &Receiver<String>) -> Option<String> {
    let deadline = Instant::now() + PATIENCE;
    while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        let Some(at) = line.find("http://127.0.0.1:") else { continue };
        let rest = &line[at + "http://127.0.0.1:".len()..];
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        if !port.is_empty() && port != "0" {
            return Some(format!("http://127.0.0.1:{port}"));
        }
    }
    None
}

/// A child whose lines can be waited for.
pub(crate) struct Lines {
    child: Child,
    lines: Receiver<String>,
}

impl Lines {
    /// Starts `command` and reads its standard output.
    pub(crate) fn of(mut command: Command) -> Lines {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the executable was built");
        let (sender, lines) = mpsc::channel();
        read_lines(child.stdout.take().expect("it was piped"), sender, Arc::default());
        Lines { child, lines }
    }

    /// The next line within `patience`.
    pub(crate) fn next_within(&self, patience: Duration) -> Option<String> {
        self.lines.recv_timeout(patience).ok()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `catat` with some arguments and nothing on its standard input.
pub(crate) fn printed(scratch: &Path, arguments: &[&str]) -> Ran {
    let mut command = catat(scratch);
    command.args(arguments);
    run(command, "")
}

/// Runs `command` with `input` on its standard input; with none, nothing is connected there.
pub(crate) fn run(mut command: Command, input: &str) -> Ran {
    use std::io::Write;
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the executable was built");
    let stdin = child.stdin.take();
    let input = input.to_owned();
    // A command that does not read its input closes it early; that is its right.
    let writer = std::thread::spawn(move || drop(stdin.map(|mut stdin| stdin.write_all(input.as_bytes()))));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("writing does not panic");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Joins events to NDJSON.
pub(crate) fn ndjson(events: impl IntoIterator<Item = Value>) -> String {
    events.into_iter().map(|event| event.to_string() + "\n").collect()
}
