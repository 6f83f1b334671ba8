//! A PostgreSQL server of a test's own: Debian's, in a scratch directory, on a socket there. Where it is not
//! installed the test says so and is left out. The black-box tests have it, too (`tests/it/databases.rs`).

#![allow(dead_code, reason = "several crates have this module, and no one needs all of it")]

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};

/// The user whom the tests' databases belong to.
const USER: &str = "catat";

/// A server, ended when it is dropped.
pub(crate) struct Server {
    dir: tempfile::TempDir,
    programs: PathBuf,
    postmaster: Option<Child>,
    settings: Vec<String>,
    port: u16,
}

impl Server {
    /// Starts a server with settings such as `fsync=off`; none if PostgreSQL is not installed.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("left out: there is no PostgreSQL (apt-get install postgresql)");
            return None;
        };
        let dir = tempfile::tempdir().expect("a scratch directory");
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        // On the socket it is only a part of a name; with `listen_addresses` it must be free.
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        let mut server = Self { dir, programs, postmaster: None, settings, port };
        if geteuid().is_root() {
            // PostgreSQL does not run as root.
            let ids = ["-u", "-g"].map(|flag| number_of(Command::new("id").args([flag, "postgres"])));
            chown(server.dir.path(), Some(ids[0]), Some(ids[1])).expect("root may");
        }
        let data = server.data();
        let mut initdb = server.command("initdb");
        initdb.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username", USER, "-D"]).arg(data);
        assert!(initdb.stdout(Stdio::null()).status().expect("it can be run").success());
        server.make_certificate();
        server.resume();
        Some(server)
    }

    /// Makes the files that `ssl=on` needs: a certificate for `localhost` that signs itself.
    fn make_certificate(&self) {
        if !self.settings.iter().any(|setting| setting == "ssl=on") {
            return;
        }
        let mut openssl = self.as_user(Path::new("openssl"));
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]);
        openssl.args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]);
        openssl.args(["-keyout", "data/server.key", "-out", "data/server.crt"]).stderr(Stdio::null());
        assert!(openssl.status().expect("it comes with PostgreSQL").success());
        // Its directory is for PostgreSQL alone.
        let certificate = std::fs::read(self.data().join("server.crt")).expect("it was made");
        std::fs::write(self.certificate(), certificate).expect("room");
    }

    /// Returns the file with the certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.path().join("root.crt")
    }

    /// Returns the port, on the socket and where it listens to the network, there, too.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts the server again, after [`kill`](Self::kill).
    pub(crate) fn resume(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.dir.path()).args(["-c", "listen_addresses="]);
        command.args(["-c", &format!("port={}", self.port)]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let log = std::fs::File::create(self.dir.path().join("log")).expect("room");
        command.stdout(Stdio::null()).stderr(log);
        self.postmaster = Some(command.spawn().expect("it can be run"));
        let until = Instant::now() + Duration::from_secs(60);
        let mut ready = self.command("pg_isready");
        ready
            .arg("-q")
            .arg("-p")
            .arg(self.port.to_string())
            .arg("-h")
            .arg(self.dir.path())
            .args(["-U", USER, "-d", "postgres"]);
        while !ready.status().expect("it can be run").success() {
            let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "PostgreSQL does not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the server at once, in the middle of whatever it is doing.
    pub(crate) fn kill(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            // "Immediate shutdown": it ends its processes without finishing anything.
            let _ = kill_process(Pid::from_child(&postmaster), Signal::QUIT);
            let _ = postmaster.wait();
        }
    }

    /// Stops or continues all processes of the server: it is there and does not answer.
    pub(crate) fn signal(&self, signal: Signal) {
        let postmaster = self.postmaster.as_ref().expect("a server that runs").id();
        let is_of_server = |pid: &u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // Behind the name, which is in parentheses: the state and the parent.
            let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
            *pid == postmaster || parent == Some(postmaster)
        };
        let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        for pid in pids.filter(is_of_server) {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, signal);
            }
        }
    }

    /// Returns the address of its first database.
    pub(crate) fn url(&self) -> String {
        let socket = self.dir.path().display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{socket}:{}/postgres", self.port)
    }

    /// Runs SQL and returns the answer.
    pub(crate) fn sql(&self, statements: &str) -> String {
        let mut psql = self.command("psql");
        psql.arg("-p")
            .arg(self.port.to_string())
            .arg("-h")
            .arg(self.dir.path())
            .args(["-U", USER, "-d", "postgres", "-qAtc", statements]);
        let answer = psql.output().expect("it can be run");
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8_lossy(&answer.stdout).trim().to_owned()
    }

    fn command(&self, program: &str) -> Command {
        self.as_user(&self.programs.join(program))
    }

    fn as_user(&self, path: &Path) -> Command {
        let mut command = if geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig", "QUIT"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.dir.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn number_of(command: &mut Command) -> u32 {
    let output = command.output().expect("it can be run");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

/// Returns where Debian keeps the newest PostgreSQL.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    versions.filter(|path| path.join("initdb").is_file()).max()
}
