//! `catat dashboards`: dashboards on the server and in files.

use std::io::Write;
use std::path::{Path, PathBuf};

use dashboard::{DashboardFile, read_file};
use reqwest::blocking::RequestBuilder;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use storage::Clock;

use crate::arguments::{DashboardCommand, DashboardFormat, Dashboards, Export, ExportFormat};
use crate::client::{Server, broken_off, path_of};
use crate::failure::{Failure, Result, of_output};
use crate::output::{print_list, print_rows};
use crate::zone::Zones;
use types::{counted, verb_for};

/// Columns of a list of dashboards, and of what became of panels.
const COLUMNS: &str = "name title owner source changed";
const OUTCOME_COLUMNS: &str = "panel:/title taken why";

/// What the server puts around a document.
const AROUND: [&str; 6] = ["name", "version", "owner", "own", "source", "changed"];

pub(crate) fn dashboards(options: Dashboards) -> Result<()> {
    if let Some(DashboardCommand::Check { files }) = &options.command {
        return check(files);
    }
    let server = Server::new(&options.client.remote)?;
    match &options.command {
        None | Some(DashboardCommand::List) => {
            let list = server.get("/api/v1/dashboards")?;
            for problem in list["problems"].as_array().into_iter().flatten() {
                say!("catat: warning: {}", problem.as_str().unwrap_or_default());
            }
            print_list(&options.client.printing, COLUMNS, &list["dashboards"])
        }
        Some(DashboardCommand::Show { name }) => {
            let document = without_around(server.get(&path_of("dashboards", name))?);
            writeln!(std::io::stdout(), "{}", pretty(&document)).map_err(of_output)
        }
        Some(DashboardCommand::Pull { dir, names }) => pull(&server, dir, names),
        Some(DashboardCommand::Push { files }) => push(&server, files),
        Some(DashboardCommand::Check { .. }) => Ok(()),
        Some(DashboardCommand::Import { file, name, format, dry_run }) => {
            import(&server, &options, (file, name.as_deref()), *format, *dry_run)
        }
        Some(DashboardCommand::Export(export)) => {
            let zone = Zones::of(&options.client.printing.zone)?.spoken();
            let sent = server.send(request_of(&server, export, zone.name())?, "")?;
            write_export(sent, export.file.as_deref())
        }
        Some(DashboardCommand::Delete { name }) => server.delete(&path_of("dashboards", name), name),
    }
}

/// Returns the request for an export, whose times are those of a zone.
fn request_of(server: &Server, export: &Export, zone: &str) -> Result<RequestBuilder> {
    let format = match export.format {
        ExportFormat::Html => "html",
        ExportFormat::Csv => "csv",
    };
    let named = [("panel", &export.panel), ("from", &export.from), ("to", &export.to), ("lang", &export.lang)];
    let mut query = vec![("format".to_owned(), format.to_owned()), ("time_zone".to_owned(), zone.to_owned())];
    query.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
    for pair in &export.var {
        let (name, value) = variable(pair)?;
        query.push((format!("var.{name}"), value.to_owned()));
    }
    Ok(server.request(Method::GET, &format!("{}/export", path_of("dashboards", &export.name))).query(&query))
}

/// Reads the value of a variable.
pub(super) fn variable(pair: &str) -> Result<(&str, &str)> {
    pair.split_once('=').ok_or_else(|| Failure::usage(format!("--var {pair:?}: write NAME=VALUE")))
}

fn write_export(mut sent: reqwest::blocking::Response, output: Option<&Path>) -> Result<()> {
    let Some(file) = output else {
        return sent.copy_to(&mut std::io::stdout()).map(drop).map_err(broken_off);
    };
    let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", file.display()));
    let page = sent.bytes().map_err(broken_off)?;
    std::fs::write(file, page).map_err(failed)?;
    say!("catat: {} written", file.display());
    Ok(())
}

fn pull(server: &Server, dir: &Path, names: &[String]) -> Result<()> {
    let failed = |path: &Path, error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let names = if names.is_empty() {
        let list = server.get("/api/v1/dashboards")?;
        let stored = list["dashboards"].as_array().into_iter().flatten().filter(|one| one["source"] != "derived");
        stored.filter_map(|one| one["name"].as_str()).map(str::to_owned).collect()
    } else {
        names.to_vec()
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    for name in names {
        if !dashboard::is_document_name(&name) {
            return Err(Failure::usage(format!("{name:?} cannot be a file: {}", dashboard::DOCUMENT_NAMES)));
        }
        let document = without_around(server.get(&path_of("dashboards", &name))?);
        let file = dir.join(format!("{name}.json"));
        std::fs::write(&file, pretty(&document) + "\n").map_err(|error| failed(&file, error))?;
        say!("catat: {} written", file.display());
    }
    Ok(())
}

fn push(server: &Server, files: &[PathBuf]) -> Result<()> {
    for DashboardFile { name, document, .. } in read_all(files)? {
        let mut json = to_value(&document)?;
        let current = server.request(Method::GET, &path_of("dashboards", &name)).send().map_err(broken_off)?;
        if current.status() != StatusCode::NOT_FOUND {
            let current = server.get(&path_of("dashboards", &name))?;
            if current["source"] == "store" && without_around(current.clone()) == json {
                say!("catat: {name} is unchanged");
                continue;
            }
            json["version"] = current["version"].clone();
        }
        put(server, &name, &json)?;
    }
    Ok(())
}

fn put(server: &Server, name: &str, document: &Value) -> Result<()> {
    let request = server.request(Method::PUT, &path_of("dashboards", name)).json(document);
    let kept: Value = server.ask(request, "")?;
    say!("catat: {name} has version {}", kept["version"]);
    Ok(())
}

/// Says all mistakes of all files.
fn check(files: &[PathBuf]) -> Result<()> {
    let n = read_all(files)?.len();
    writeln!(std::io::stdout(), "{} {} valid", counted(n, "dashboard"), verb_for(n, "is", "are")).map_err(of_output)
}

fn read_all(files: &[PathBuf]) -> Result<Vec<DashboardFile>> {
    let now = Clock::system().now();
    let (mut read, mut problems) = (Vec::new(), Vec::new());
    for path in files {
        if path.is_dir() {
            let (of_dir, of_files) = dashboard::read_dir(path, now);
            read.extend(of_dir);
            problems.extend(of_files);
            continue;
        }
        match read_file(path, now) {
            Ok(file) => read.push(file),
            Err(problem) => problems.push(format!("{}: {problem}", path.display())),
        }
    }
    if problems.is_empty() { Ok(read) } else { Err(Failure::usage(problems.join("\ncatat: "))) }
}

fn import(
    server: &Server,
    options: &Dashboards,
    (file, name): (&Path, Option<&str>),
    format: Option<DashboardFormat>,
    dry_run: bool,
) -> Result<()> {
    let failed = |problem: String| Failure::usage(format!("{}: {problem}", file.display()));
    let text = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    let body: Value = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
    let format = match format {
        Some(DashboardFormat::Grafana) => "grafana",
        Some(DashboardFormat::Cloudwatch) => "cloudwatch",
        None if body.get("widgets").is_some() => "cloudwatch",
        None => "grafana",
    };
    let request =
        server.request(Method::POST, "/api/v1/dashboards/import").json(&json!({"format": format, "body": body}));
    let imported: Value = server.ask(request, "")?;
    for variable in imported["variables"].as_array().into_iter().flatten().filter(|variable| variable["taken"] == false)
    {
        say!("catat: variable {} is not taken: {}", variable["title"], variable["why"].as_str().unwrap_or_default());
    }
    let panels = imported["panels"].as_array().map_or(&[][..], Vec::as_slice);
    print_rows(&options.client.printing, OUTCOME_COLUMNS, panels)?;
    let n_taken = panels.iter().filter(|panel| panel["taken"] == true).count();
    say!("catat: {n_taken} of {} taken", counted(panels.len(), "panel"));
    if dry_run {
        return Ok(());
    }
    let of_file = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    put(server, name.unwrap_or(of_file), &imported["dashboard"])
}

fn to_value(document: &dashboard::Dashboard) -> Result<Value> {
    serde_json::to_value(document).map_err(|error| Failure::usage(error.to_string()))
}

fn without_around(mut json: Value) -> Value {
    if let Some(members) = json.as_object_mut() {
        members.retain(|name, _| !AROUND.contains(&name.as_str()));
    }
    json
}

fn pretty(json: &Value) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}
