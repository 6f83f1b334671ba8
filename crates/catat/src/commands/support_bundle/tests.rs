//! Secrets are planted wherever one may stand, and none is in the bundle; what is asked for is.

use std::process::Command;

use super::*;
use crate::config::{Kind, SETTINGS};

/// Begins every secret here, and nothing else.
const MARK: &str = "zqcanary";

/// A configuration with a secret in every setting that has room for one: keys, databases, addresses, files of secrets.
fn planted(dir: &Path) -> String {
    let mut text = String::new();
    for (n, setting) in SETTINGS.iter().enumerate() {
        let value = match setting.kind {
            Kind::Secret => format!("{MARK}-{n}"),
            Kind::Database => format!("postgres://user:{MARK}-{n}@127.0.0.1:1/db?application_name={MARK}-{n}"),
            Kind::Text if setting.key.ends_with("_file") && setting.key != "ca_file" => {
                let path = dir.join(setting.key);
                fs::write(&path, format!("{MARK}-{n}\n")).expect("it is writable");
                path.display().to_string()
            }
            Kind::Text if setting.key == "remote_write" => format!("https://127.0.0.1:1/{MARK}-{n}"),
            Kind::Text if (setting.section, setting.key) == ("storage", "dir") => continue,
            Kind::Text | Kind::List => format!("https://user:{MARK}-{n}@127.0.0.1:1/a?token={MARK}-{n}"),
            _ => continue,
        };
        text += &format!("{}.{} = {value:?}\n", setting.section, setting.key);
    }
    text + &format!(
        "[[pipeline]]\nname = \"mask\"\n[[pipeline.steps]]\nmask = [\"email\"]\nhash_key = \"{MARK}-hash-0123456789\"\n\
         [[input]]\nname = \"a\"\ntype = \"command\"\ncommand = [\"true\", \"--key={MARK}-argument\"]\nevery = \"1h\"\n\
         env = {{ TOKEN = \"{MARK}-variable\" }}\n\
         [[input]]\nname = \"b\"\ntype = \"scrape\"\nurl = \"http://user:{MARK}-page@127.0.0.1:1/metrics?key={MARK}-query\"\n"
    )
}

/// Reads the files of a bundle: their names and texts.
fn read(path: &Path) -> Vec<(String, String)> {
    let mut bytes = Vec::new();
    let file = File::open(path).expect("it was written");
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("it is gzip");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
    let (mut files, mut at) = (Vec::new(), 0);
    while bytes[at] != 0 {
        let size = usize::from_str_radix(&text(&bytes[at + 124..at + 136]), 8).expect("a size");
        files.push((text(&bytes[at..at + 100]), text(&bytes[at + 512..at + 512 + size])));
        at += 512 + size.next_multiple_of(512);
    }
    assert_eq!(bytes.len() - at, 1024, "two empty blocks end it");
    files
}

fn bundle(scratch: &Path, settings: &str) -> Vec<(String, String)> {
    // The executable does so before any command.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (data, config, log) = (scratch.join("data"), scratch.join("catat.toml"), scratch.join("log"));
    fs::create_dir(&data).expect("it is writable");
    fs::write(&config, settings).expect("it is writable");
    fs::write(data.join("admin.key"), format!("{MARK}-admin-0123456789\n")).expect("it is writable");
    let logged = known_layers(&of(&config, &data)).secrets().join("\n");
    fs::write(&log, format!("first\n{MARK}-admin-0123456789 was used\n{logged}\nlast\n")).expect("it is writable");
    let to = scratch.join("bundle.tar.gz");
    let options = SupportBundle { server: of(&config, &data), to: Some(to.clone()), log: Some(log) };
    support_bundle(&options).expect("it is written");
    assert!(support_bundle(&options).is_err(), "what is there is not written over");
    read(&to)
}

fn of(config: &Path, data: &Path) -> crate::arguments::Server {
    let (config, data_dir) = (Some(config.to_owned()), Some(data.to_owned()));
    crate::arguments::Server { config, data_dir, listen: None, insecure_allow_anonymous: false }
}

#[test]
fn no_secret_of_any_setting_is_in_it() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let settings = planted(scratch.path());
    let layers = {
        let config = scratch.path().join("first.toml");
        fs::write(&config, &settings).expect("it is writable");
        known_layers(&of(&config, scratch.path()))
    };
    // The definitions are read, and not left out for a mistake in one of them.
    let shown = super::settings(&layers);
    assert!(shown.contains("[[pipeline]]") && shown.matches("[[input]]").count() == 2, "{shown}");
    // What a program is started with, and addresses that are asked, are shown to people and left out here.
    let kept = ["-argument", "-variable", "-query"];
    let telling: Vec<&str> = shown.lines().filter(|line| line.contains(MARK)).collect();
    assert!(telling.iter().all(|line| kept.iter().any(|kind| line.contains(kind))), "{telling:#?}");
    let files = bundle(scratch.path(), &settings);
    let telling: Vec<&(String, String)> = files.iter().filter(|(_, text)| text.contains(MARK)).collect();
    assert!(telling.is_empty(), "{telling:#?}");
    let text = |name: &str| {
        let found = files.iter().find(|(found, _)| *found == format!("catat-support/{name}"));
        found.map(|(_, text)| &**text).expect(name)
    };
    assert!(text("settings.toml").contains("flush_age = \"10m\""));
    assert!(text("log.txt").starts_with("first\n(not shown) was used\n") && text("log.txt").ends_with("last\n"));
    assert!(text("files.txt").contains("data/admin.key"), "{}", text("files.txt"));
    assert!(text("version.txt").contains("formats on disk") && text("doctor.json").contains("\"check\": \"clock\""));
}

#[test]
fn other_programs_read_the_archive() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let files = bundle(scratch.path(), "");
    let ran =
        Command::new("tar").arg("xzf").arg(scratch.path().join("bundle.tar.gz")).current_dir(scratch.path()).output();
    let Ok(ran) = ran else { return };
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    for (name, text) in files {
        assert_eq!(fs::read_to_string(scratch.path().join(name)).expect("it was unpacked"), text);
    }
}

#[test]
fn of_a_long_log_the_end_is_taken() {
    let end = |text: &str, n_max| end_of(text.as_bytes(), n_max).expect("it is in memory");
    assert_eq!([end("0123456789", 4), end("0123", 4), end("01", 4), end("", 4)], ["6789", "0123", "01", ""]);
    assert_eq!(log(None), NO_LOG);
}

#[test]
fn metrics_that_were_made_of_events_are_left_out() {
    let page = "# HELP catat_groups Groups.\n# TYPE catat_groups gauge\ncatat_groups 1\n# TYPE shop_orders counter\n\
                shop_orders{customer=\"ann\"} 1\n# EOF\n";
    assert_eq!(own_metrics(page), "# HELP catat_groups Groups.\n# TYPE catat_groups gauge\ncatat_groups 1\n# EOF\n");
}
