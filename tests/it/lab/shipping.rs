//! A shipper in a process of its own, and a network between it and its server that does what a test wants.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Random;
use crate::server::{catat, undisturbed};

/// `catat ship`, killed at the end at the latest.
pub(crate) struct Shipping {
    child: Child,
    scratch: PathBuf,
    url: String,
    logs: PathBuf,
}

impl Shipping {
    /// Ships `logs` to `url` with its state in `scratch/ship`.
    pub(crate) fn start(scratch: &Path, url: &str, logs: &Path) -> Shipping {
        Shipping::run(catat(scratch), scratch, url, logs)
    }

    /// The same with variables in its environment.
    pub(crate) fn start_with(scratch: &Path, url: &str, logs: &Path, variables: &[(&str, &OsStr)]) -> Shipping {
        let mut command = catat(scratch);
        command.envs(variables.iter().copied());
        Shipping::run(command, scratch, url, logs)
    }

    /// The same in a place of its own.
    pub(crate) fn start_in(place: &Place, scratch: &Path, url: &str, logs: &Path) -> Shipping {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &place.name, env!("CARGO_BIN_EXE_catat")]);
        Shipping::run(undisturbed(command, scratch), scratch, url, logs)
    }

    fn run(mut command: Command, scratch: &Path, url: &str, logs: &Path) -> Shipping {
        command.args(["ship", "--url", url, "--state-dir"]).arg(scratch.join("ship")).arg(logs);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("the executable was built");
        Shipping { child, scratch: scratch.to_owned(), url: url.to_owned(), logs: logs.to_owned() }
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("our own child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Starts it again in the same place.
    pub(crate) fn restart(self) -> Shipping {
        Shipping::start(&self.scratch, &self.url, &self.logs)
    }
}

impl Drop for Shipping {
    fn drop(&mut self) {
        // It may have ended already; that is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What happens to a request and its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// Both arrive.
    Through,
    /// Reset when so many bytes of the request have passed.
    CutRequest(usize),
    /// The server has it; the answer is reset after so many bytes.
    CutAnswer(usize),
    /// The server has it; the answer comes byte by byte.
    SlowAnswer,
    /// The server has it; no answer ever comes.
    Blackhole,
    /// Somebody else answers, and the server sees nothing of it.
    Answer(&'static str),
    /// Somebody else answers and does not stop.
    Endless,
}

/// Something between a shipper and a server.
pub(crate) struct Network {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// Where the server is; nowhere while it is away.
    server: Mutex<Option<String>>,
    faults: Mutex<Option<Random>>,
    has_blackholes: bool,
    is_swallowing: AtomicBool,
    n_faults: AtomicU64,
    n_requests: AtomicU64,
    n_server_errors: AtomicU64,
}

impl Network {
    /// A network that works as it should.
    pub(crate) fn new(server: Option<&str>) -> Network {
        Network::start("127.0.0.1", server, None, false)
    }

    /// A network in which two requests of three come to grief, until [`Network::heal`].
    pub(crate) fn faulty(server: &str, seed: u64, has_blackholes: bool) -> Network {
        Network::start("127.0.0.1", Some(server), Some(Random::new(seed)), has_blackholes)
    }

    /// One that can be reached from `place`.
    pub(crate) fn beside(_: &Place, server: &str) -> Network {
        Network::start(HERE, Some(server), None, false)
    }

    fn start(address: &str, server: Option<&str>, faults: Option<Random>, has_blackholes: bool) -> Network {
        let listener = TcpListener::bind((address, 0)).expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let shared = Arc::new(Shared {
            server: Mutex::default(),
            faults: Mutex::new(faults),
            has_blackholes,
            is_swallowing: AtomicBool::new(false),
            n_faults: AtomicU64::new(0),
            n_requests: AtomicU64::new(0),
            n_server_errors: AtomicU64::new(0),
        });
        let network = Network { url, shared: shared.clone() };
        network.lead_to(server);
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let shared = shared.clone();
                // A connection that breaks is what this is for.
                std::thread::spawn(move || drop(shared.carry(client)));
            }
        });
        network
    }

    /// From now on requests go to the server at `url`, or nowhere.
    pub(crate) fn lead_to(&self, url: Option<&str>) {
        let address = url.map(|url| url.trim_start_matches("http://").to_owned());
        *self.shared.server.lock().expect("no thread panics") = address;
    }

    /// From now on everything arrives.
    pub(crate) fn heal(&self) {
        *self.shared.faults.lock().expect("no thread panics") = None;
    }

    /// From now on batches are acknowledged and never arrive, or they arrive again.
    pub(crate) fn swallow(&self, is_swallowing: bool) {
        self.shared.is_swallowing.store(is_swallowing, Relaxed);
    }

    /// Requests that came to grief.
    pub(crate) fn n_faults(&self) -> u64 {
        self.shared.n_faults.load(Relaxed)
    }

    /// Requests that reached a server, and answers of 5xx to them.
    pub(crate) fn requests(&self) -> (u64, u64) {
        (self.shared.n_requests.load(Relaxed), self.shared.n_server_errors.load(Relaxed))
    }
}

impl Shared {
    fn fate(&self) -> Fate {
        let mut faults = self.faults.lock().expect("no thread panics");
        let Some(random) = faults.as_mut() else { return Fate::Through };
        let k = random.below(400) as usize;
        match random.below(12) {
            0..4 => Fate::Through,
            4 => Fate::CutRequest(k),
            5 => Fate::CutRequest(0),
            6 | 7 => Fate::CutAnswer(k % 200),
            8 => Fate::SlowAnswer,
            9 if self.has_blackholes && random.below(20) == 0 => Fate::Blackhole,
            9 => Fate::Endless,
            _ => Fate::Answer(ANSWERS[random.below(ANSWERS.len() as u64) as usize]),
        }
    }

    fn carry(&self, mut client: TcpStream) -> std::io::Result<()> {
        let fate = self.fate();
        if !matches!(fate, Fate::Through) {
            self.n_faults.fetch_add(1, Relaxed);
        }
        let Some(server) = self.server.lock().expect("no thread panics").clone() else { return reset(client) };
        if let Fate::CutRequest(n_bytes) = fate {
            let mut part = vec![0; n_bytes];
            client.read_exact(&mut part)?;
            TcpStream::connect(server)?.write_all(&part)?;
            return reset(client);
        }
        let request = read_request(&mut client)?;
        if self.is_swallowing.load(Relaxed) && request.starts_with(b"POST /api/v1/ingest") {
            return client.write_all(ACKNOWLEDGED.as_bytes());
        }
        match fate {
            Fate::Answer(text) => return client.write_all(text.as_bytes()),
            Fate::Endless => return never_end(&mut client),
            _ => {}
        }
        let answer = self.ask(&server, &request)?;
        match fate {
            Fate::CutAnswer(n_bytes) => {
                client.write_all(&answer[..n_bytes.min(answer.len())])?;
                reset(client)
            }
            Fate::SlowAnswer => answer.iter().try_for_each(|byte| {
                std::thread::park_timeout(Duration::from_millis(2));
                client.write_all(&[*byte])
            }),
            // Until the client gives up.
            Fate::Blackhole => client.read(&mut [0]).map(drop),
            _ => client.write_all(&answer),
        }
    }

    /// Passes a request on and returns the whole answer.
    fn ask(&self, server: &str, request: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(server)?;
        stream.write_all(request)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        self.n_requests.fetch_add(1, Relaxed);
        self.n_server_errors.fetch_add(u64::from(answer.starts_with(b"HTTP/1.1 5")), Relaxed);
        Ok(answer)
    }
}

const ACKNOWLEDGED: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 14\r\n\r\n{\"accepted\":1}";

const ANSWERS: [&str; 6] = [
    "HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 14\r\n\r\n<html>no</html",
    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 20\r\n\r\n<html>Log in</html> ",
    "\u{1}\u{2}\u{3} this is no HTTP\r\n\r\n",
];

/// Reads head and body, and has the server close the connection after its answer.
fn read_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    request.truncate(request.len() - 2);
    request.extend_from_slice(b"connection: close\r\n\r\n");
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body)?;
    request.extend_from_slice(&body);
    Ok(request)
}

fn never_end(client: &mut TcpStream) -> std::io::Result<()> {
    client.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"accepted\":1,\"and\":\"")?;
    loop {
        client.write_all(&[b'x'; 4096])?;
    }
}

/// Closes a connection by a reset, so that what is on its way is lost.
fn reset(client: TcpStream) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    client.set_nonblocking(true)?;
    tokio::net::TcpStream::from_std(client)?.set_zero_linger()
}

/// The address of this side of the cable to a [`Place`], and of the other side.
pub(crate) const HERE: &str = "10.213.77.1";
const THERE: &str = "10.213.77.2";

/// A network namespace with a virtual cable to this one; both are gone when it is dropped.
pub(crate) struct Place {
    name: String,
    cable: String,
}

impl Place {
    /// `None`, and a word why, where that is not allowed.
    pub(crate) fn new() -> Option<Place> {
        let number = std::process::id();
        let place = Place { name: format!("catat-{number}"), cable: format!("ct{number}") };
        let (name, here, there) = (&*place.name, format!("{}h", place.cable), format!("{}t", place.cable));
        let steps = [
            format!("netns add {name}"),
            format!("link add {here} type veth peer name {there} netns {name}"),
            format!("addr add {HERE}/30 dev {here}"),
            format!("link set {here} up"),
            format!("-n {name} addr add {THERE}/30 dev {there}"),
            format!("-n {name} link set {there} up"),
        ];
        for step in steps {
            if !ip(&step) {
                eprintln!("left out: `ip {step}` does not work here");
                return None;
            }
        }
        Some(place)
    }

    /// Pulls the cable, or plugs it in again.
    pub(crate) fn set_link(&self, is_up: bool) {
        let state = if is_up { "up" } else { "down" };
        assert!(ip(&format!("-n {} link set {}t {state}", self.name, self.cable)), "the link goes {state}");
    }

    /// Loses all that goes there without a word, while what comes from there arrives; or no longer.
    pub(crate) fn set_blackhole(&self, is_there: bool) {
        let verb = if is_there { "add" } else { "del" };
        assert!(ip(&format!("route {verb} blackhole {THERE}/32")), "a route can be set");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The route is there only where a test failed.
        ip(&format!("route del blackhole {THERE}/32"));
        ip(&format!("netns del {}", self.name));
    }
}

fn ip(arguments: &str) -> bool {
    let mut command = Command::new("ip");
    command.args(arguments.split(' ')).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
