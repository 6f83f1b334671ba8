//! Damage to every kind of file in the data directory: named, or without effect, but never a wrong answer.
//!
//! One store with everything in it is made and killed. Each mutation is done to a copy: the server starts there, or
//! refuses with a sentence that names the file. Where it starts, its answers are those of the undamaged store, or the
//! answer, `/-/ready` or what it prints at its start names the damage; no event may differ from what it was; and what
//! is sent now is seen. A table of kinds of files says what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::lab::disk::{copy_directory, scratch_in_memory};
use crate::lab::{Random, is_long, rounds, seed};
use crate::server::{Launch, Server, ndjson};

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutation {
    /// One bit, so many thousandths of the file in.
    Flip(u64),
    TruncateTo(Length),
    /// A page of 4 KiB, or what there is of it, so many thousandths of the file in.
    ZeroPage(u64),
    Remove,
    /// Exchanged for another file of its kind.
    Swap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Nothing,
    OneByte,
    Half,
    AllButOneByte,
}

const MUTATIONS: [Mutation; 13] = [
    Mutation::Flip(0),
    Mutation::TruncateTo(Length::Half),
    Mutation::ZeroPage(500),
    Mutation::Swap,
    Mutation::Flip(500),
    Mutation::Remove,
    Mutation::TruncateTo(Length::AllButOneByte),
    Mutation::Flip(999),
    Mutation::TruncateTo(Length::Nothing),
    Mutation::ZeroPage(0),
    Mutation::Flip(250),
    Mutation::TruncateTo(Length::OneByte),
    Mutation::Flip(750),
];

impl Mutation {
    /// Does it to the file `path`; `false` where that is not possible or changes nothing.
    fn apply(self, path: &Path, of_its_kind: &[PathBuf], random: &mut Random) -> bool {
        let mut bytes = fs::read(path).expect("it was listed");
        let before = bytes.clone();
        let n_bytes = bytes.len();
        let at = |thousandths: u64| (n_bytes * thousandths as usize / 1_000).min(n_bytes.saturating_sub(1));
        match self {
            Mutation::Flip(_) | Mutation::ZeroPage(_) if n_bytes == 0 => return false,
            Mutation::Flip(thousandths) => bytes[at(thousandths)] ^= 1 << random.below(8),
            Mutation::TruncateTo(Length::Nothing) => bytes.clear(),
            Mutation::TruncateTo(Length::OneByte) => bytes.truncate(1),
            Mutation::TruncateTo(Length::Half) => bytes.truncate(n_bytes / 2),
            Mutation::TruncateTo(Length::AllButOneByte) => bytes.truncate(n_bytes.saturating_sub(1)),
            Mutation::ZeroPage(thousandths) => {
                let page = at(thousandths) / 4_096 * 4_096;
                bytes[page..n_bytes.min(page + 4_096)].fill(0);
            }
            Mutation::Remove => return fs::remove_file(path).is_ok(),
            Mutation::Swap => {
                let Some(other) = of_its_kind.iter().find(|other| *other != path) else { return false };
                let theirs = fs::read(other).expect("it was listed");
                fs::write(other, &bytes).expect("scratch is writable");
                bytes = theirs;
            }
        }
        fs::write(path, &bytes).expect("scratch is writable");
        bytes != before
    }
}

/// The group whose events stay in the WAL, and those that lie in segments.
const GROUPS: [&str; 3] = ["shop/orders", "shop/hot", "app"];

fn events(group: usize, day: u64, n: u64) -> String {
    ndjson((0..n).map(|i| {
        let level = ["info", "warn", "error"][(i % 3) as usize];
        json!({"@timestamp": 1_763_380_800 + day * 86_400 + i * 7, "n": i + 1_000 * day + 100_000 * group as u64,
               "level": level, "user": format!("u{}", i % 17), "req": {"id": format!("{:032x}", i * 7_919 + day)},
               "message": format!("order {i} of u{} took {}ms, needle{}", i % 17, i * 3 % 1_000, i % 40)})
    }))
}

/// A store with segments of several days, a compacted one, a WAL of several files, batch ids, a deleted group, limits
/// of a group, deleted events, followed files; killed.
fn make_store(scratch: &Path) -> Launch {
    let logs = scratch.join("logs");
    fs::create_dir(&logs).expect("scratch is writable");
    let lines: String =
        (0..200).map(|i| format!("2025-11-17T10:00:{:02}Z INFO line {i} of a file\n", i % 60)).collect();
    fs::write(logs.join("a.log"), lines).expect("scratch is writable");
    let mut server = Server::up(scratch, &[&logs]);
    server.until("the file is read", || (server.count() == 200).then_some(()));
    let send = |group: usize, day, n| {
        let id = format!("{group}-{day}");
        let path = format!("/api/v1/ingest?group={}&format=ndjson", GROUPS[group]);
        assert_eq!(server.post(&path, &[("x-catat-batch", &id)], events(group, day, n)).status, 200);
    };
    for day in 0..3 {
        send(0, day, 400);
        send(2, day, 100);
        server.try_flush(day == 1);
    }
    for group in ["gone/one", "gone/two"] {
        server.ingest(group, ndjson([json!({"message": "never to be seen again", "@timestamp": 1_763_380_800})]));
        assert!(server.try_delete(&format!("/api/v1/groups/{}", group.replace('/', "%2F"))).is_some());
    }
    let limits = json!({"retention": {"age": "3650d", "size": null}});
    assert_eq!(server.put("/api/v1/groups/shop%2Forders", &limits).status, 200);
    send(1, 0, 300);
    server.try_flush(false);
    for day in 1..4 {
        send(1, day, 150);
    }
    server.kill();
    server.launch.clone()
}

/// What is asked. The first answer holds every event.
const QUESTIONS: [&str; 5] = [
    "fields @log, @timestamp, @id, @message, n, user, req, @level | sort @id",
    "stats count(*) as n, sum(n) as s, count_distinct(`req.id`) as d by @log, @level | sort @log, @level",
    "filter @message like \"needle7\" | stats count(*) as n, min(n) as low by @log | sort @log",
    "filter user = \"u3\" and @level >= \"warn\" | stats count(*) as n",
    "filter `req.id` = \"0000000000000000000000000003d3e6\" | stats count(*) as n",
];

/// What a server says of the questions, and of a setting.
struct Answers {
    rows: Vec<Vec<Value>>,
    retention: Value,
    is_partial: bool,
}

impl Answers {
    fn of(server: &Server) -> Result<Answers, String> {
        let (mut rows, mut is_partial) = (Vec::new(), false);
        for question in QUESTIONS {
            let answer = server.try_query(question);
            if answer.status != 200 {
                return Err(format!("{question}: {} {}", answer.status, answer.body));
            }
            let answer = answer.json();
            is_partial |= answer["partial"] == true;
            rows.push(answer["rows"].as_array().cloned().unwrap_or_default());
        }
        let key = [("authorization", server.admin())];
        let key = key.each_ref().map(|(name, value)| (*name, value.as_str()));
        let retention = server.get("/api/v1/groups/shop%2Forders", &key).json()["retention"].clone();
        Ok(Answers { rows, retention, is_partial })
    }

    /// Every event. Those of a followed file are known by their time and text: where what is known of the file is
    /// damaged, its lines are sent again rather than left out, and have other ids.
    fn events(&self) -> BTreeSet<String> {
        let of_file = |row: &Value| row[0].as_str().is_some_and(|log| log.ends_with("a.log"));
        let event = |row: &Value| if of_file(row) { format!("{} {}", row[1], row[3]) } else { row.to_string() };
        self.rows[0].iter().map(event).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Everything as before, and nothing was said.
    Harmless,
    /// It serves, and names the damage.
    Detected,
    /// It does not start, or is locked, and names the file.
    Refused,
    /// What the shipper knew is gone; it sends again rather than leave anything out.
    SentAgain,
}

/// The kind of a file: its folder and the end of its name.
fn kind(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.components().next().filter(|first| first.as_os_str() != path.as_os_str());
    let folder = folder.map(|first| first.as_os_str().to_string_lossy() + "/").unwrap_or_default();
    match name.rsplit_once('.') {
        Some((_, end)) if !folder.is_empty() => format!("{folder}*.{end}"),
        _ => format!("{folder}{name}"),
    }
}

/// All files below a directory, relative to it, by kind.
fn files_by_kind(dir: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let mut kinds: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(dir.join(&folder)).expect("it was listed").flatten() {
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
            } else {
                kinds.entry(kind(&path)).or_default().push(path);
            }
        }
    }
    kinds.values_mut().for_each(|files| files.sort());
    kinds
}

/// Starts a server on the damaged copy and judges it; what is wrong, if something is.
fn judge(launch: &Launch, golden: &Answers, file: &Path) -> Result<Outcome, String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let server = match launch.try_start() {
        Ok(server) => server,
        Err(refused) => {
            let is_sentence = refused.code == Some(2) && !refused.said.contains("panicked");
            let is_named = refused.said.contains(&name) || refused.said.contains(name.trim_end_matches("-wal"));
            return if is_sentence && is_named { Ok(Outcome::Refused) } else { Err(format!("{refused:?}")) };
        }
    };
    let answers = match Answers::of(&server) {
        Err(answer) if answer.contains("\"code\":\"locked\"") && answer.contains(&name) => return Ok(Outcome::Refused),
        answers => answers?,
    };
    let ready = server.get("/-/ready", &[]);
    let is_named = ready.status == 503 || answers.is_partial || server.transcript().contains(&name);
    let invented: Vec<String> = answers.events().difference(&golden.events()).take(3).cloned().collect();
    let is_repeated = answers.rows[0].len() != answers.events().len();
    let is_of_shipper = file.starts_with("ship");
    if !invented.is_empty() || (is_repeated && !is_named && !is_of_shipper) {
        return Err(format!("events that there never were, or twice: {invented:?}\n{}", server.transcript()));
    }
    let is_same = answers.rows == golden.rows && answers.retention == golden.retention;
    if !is_same && !is_named && !is_repeated {
        let (n, expected) = (answers.rows[0].len(), golden.rows[0].len());
        let limits = (&answers.retention, &golden.retention);
        return Err(format!("{n} of {expected} events, {limits:?}, and nobody says so\n{}", server.transcript()));
    }
    let fresh = ndjson([json!({"message": "fresh", "@timestamp": 1_763_380_800, "n": 1})]);
    let sent = server.post("/api/v1/ingest?group=fresh&format=ndjson", &[], fresh);
    let seen = server.rows("filter @log = \"fresh\" | fields @message");
    if sent.status != 200 || seen != [[json!("fresh")]] {
        return Err(format!("a fresh event: {} {}, {seen:?}", sent.status, sent.body));
    }
    if server.transcript().contains("panicked") {
        return Err(server.transcript());
    }
    Ok(match (is_named, is_repeated) {
        (true, _) => Outcome::Detected,
        (false, true) => Outcome::SentAgain,
        (false, false) => Outcome::Harmless,
    })
}

#[test]
fn damage_to_any_file_is_named_or_without_effect() {
    let scratch = scratch_in_memory();
    let original = scratch.path().join("original");
    fs::create_dir(&original).expect("scratch is writable");
    let launch = make_store(&original);
    let kept = scratch.path().join("kept");
    copy_directory(&original.join("data"), &kept);
    let golden = Answers::of(&launch.start()).expect("an undamaged store answers");
    assert_eq!((golden.rows[0].len(), golden.is_partial), (200 + 3 * 500 + 300 + 450, false));
    let mut random = Random::new(seed());
    let kinds = files_by_kind(&kept);
    let mut table: BTreeMap<&String, BTreeMap<Outcome, u64>> = BTreeMap::new();
    let mut silent = Vec::new();
    for (number, (kind, files)) in kinds.iter().enumerate() {
        for round in 0..rounds(1) {
            // The short form does one or two of them to each kind, and not the same to all.
            let is_heart = ["segments/*.seg", "wal/*.wal", "catalog.sqlite"].contains(&kind.as_str());
            let n = if is_long() { MUTATIONS.len() } else { 1 + usize::from(is_heart) };
            for idx in 0..n {
                let mutation = MUTATIONS[(number * 2 + idx) % MUTATIONS.len()];
                let file = &files[random.below(files.len() as u64) as usize];
                let copy = scratch.path().join("copy");
                let _ = fs::remove_dir_all(&copy);
                copy_directory(&kept, &copy);
                let of_its_kind: Vec<PathBuf> = files.iter().map(|file| copy.join(file)).collect();
                if !mutation.apply(&copy.join(file), &of_its_kind, &mut random) {
                    continue;
                }
                match judge(&launch.clone().on(&copy), &golden, file) {
                    Ok(outcome) => *table.entry(kind).or_default().entry(outcome).or_default() += 1,
                    Err(problem) => {
                        silent.push(format!("round {round}: {mutation:?} of {}: {problem}", file.display()))
                    }
                }
            }
        }
    }
    table.iter().for_each(|(kind, outcomes)| eprintln!("{kind:24} {outcomes:?}"));
    let n_mutations: u64 = table.values().flat_map(BTreeMap::values).sum();
    eprintln!("{} mutations, {} of them silent", n_mutations + silent.len() as u64, silent.len());
    assert!(silent.is_empty(), "{}", silent.join("\n\n"));
}
