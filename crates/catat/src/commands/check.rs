//! `catat check` and `catat config show`: the settings, whether they are right, and what pipelines do to lines.

mod sample;

use std::io::Write;
use std::iter;
use std::path::{Path, PathBuf};

use storage::Clock;

use super::settings::{known_layers, read_config, read_layers};
use crate::arguments::{Check, ConfigCommand};
use crate::config::{Certificate, Config, Layers, all_errors};
use crate::failure::{Failure, Result, of_output};
use types::counted;

/// Finds mistakes in configuration and rules without starting anything. All are reported at once, also those in files
/// that a configuration with mistakes names.
pub(crate) fn check(options: Check) -> Result<()> {
    let config = match read_config(&options.server) {
        Ok(config) => config,
        Err(failure) => return Err(with_files(failure, &known_layers(&options.server))),
    };
    if let Some(path) = &options.sample.file {
        let (formats, problems) = crate::program_formats::read_formats(&config.formats_dir);
        problems.iter().for_each(|problem| say!("catat: warning: format left out: {problem}"));
        formats.install();
        return sample::try_lines(&config, path, &options.sample);
    }
    for doubt in ship::doubts_about(&config.ship.inputs()) {
        say!("catat: warning: {doubt}");
    }
    let (mut problems, checked) = (problems_of_directory(&config.data_dir), checked(&config));
    problems.extend(checked.as_ref().err().into_iter().flatten().cloned());
    let n_rules = checked.ok().filter(|_| problems.is_empty());
    let n_rules = n_rules.ok_or_else(|| Failure::usage(problems.join("\ncatat: ")))?;
    let mut out = std::io::stdout().lock();
    let rules = counted(n_rules, "rule");
    writeln!(out, "configuration is valid; data in {}, {rules}", config.data_dir.display()).map_err(of_output)
}

/// Returns the number of rules, or every mistake in what a valid configuration names: files, directories, databases.
pub(super) fn checked(config: &Config) -> Result<usize, Vec<String>> {
    let (formats, mut problems) = crate::program_formats::read_formats(&config.formats_dir);
    problems.extend(formats.all().iter().flat_map(|format| formats.check_samples(format)));
    problems.extend(config.certificates().filter_map(problem_of_certificate));
    problems.extend(config.ship.key().err());
    problems.extend(config.sign_in.problem_of_provider());
    problems.extend(config.store.databases.probe().iter().map(ToString::to_string));
    let n_rules = match rules_in(&config.rules_dir) {
        Ok(n_rules) => n_rules,
        Err(error) => {
            problems.push(error);
            0
        }
    };
    problems.extend(dashboard::read_dir(&config.dashboards_dir, Clock::system().now()).1);
    if problems.is_empty() { Ok(n_rules) } else { Err(problems) }
}

/// Adds to mistakes in the configuration those in the files that its other settings name.
fn with_files(failure: Failure, layers: &Layers) -> Failure {
    let value = |section, key| layers.value(section, key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data_dir = value("storage", "dir");
    let rules_dir = value("alerts", "rules_dir").or_else(|| data_dir.as_ref().map(|dir| dir.join("rules")));
    let mut problems = data_dir.as_deref().map(problems_of_directory).unwrap_or_default();
    for section in iter::once("server").chain(serve::Door::ALL.map(serve::Door::name)) {
        let files = value(section, "tls_cert").zip(value(section, "tls_key"));
        let file = value(section, "tls_client_ca").filter(|_| section == "server");
        let clients = file.map(|file| serve::ClientAuthority { file, is_required: false });
        let certificate = files.map(|(cert, key)| Certificate { cert, key, clients });
        problems.extend(certificate.as_ref().and_then(problem_of_certificate));
    }
    problems.extend(rules_dir.and_then(|dir| rules_in(&dir).err()));
    problems.into_iter().fold(failure, |failure, problem| failure.with(&format!("catat: {problem}")))
}

/// Returns why the data directory cannot be written to.
pub(super) fn problems_of_directory(data_dir: &Path) -> Vec<String> {
    let existing = data_dir.ancestors().find(|path| path.is_dir());
    let refused = existing.and_then(|dir| try_writing(dir).err());
    refused.map(|error| format!("data directory {}: {error}", data_dir.display())).into_iter().collect()
}

fn problem_of_certificate(files: &Certificate) -> Option<String> {
    crate::serving::certificate::load_certificate(files).err().map(|failure| failure.message.to_owned())
}

/// Returns the number of rules in a directory, or all mistakes in them.
fn rules_in(dir: &Path) -> Result<usize, String> {
    if dir.is_dir() { crate::serving::rules::read_rules(dir).map(|book| book.rules.len()) } else { Ok(0) }
}

/// Tries to write into a directory.
fn try_writing(dir: &Path) -> std::io::Result<()> {
    let path = dir.join(format!(".catat-check-{}", std::process::id()));
    std::fs::File::create_new(&path)?;
    std::fs::remove_file(&path)
}

/// Prints every setting with its value and origin.
pub(crate) fn config(command: ConfigCommand) -> Result<()> {
    let ConfigCommand::Show(options) = command;
    let layers = read_layers(&options)?;
    write_settings(&layers, &mut std::io::stdout().lock()).map_err(of_output)?;
    Config::of_layers(&layers).map_err(all_errors)?;
    Ok(())
}

/// Writes every setting with its origin, without secrets.
pub(super) fn write_settings(layers: &Layers, out: &mut dyn Write) -> std::io::Result<()> {
    let mut section = "";
    for (setting, layered) in layers.all() {
        if setting.section != section {
            section = setting.section;
            writeln!(out, "[{section}]")?;
        }
        let shown = setting.as_toml(&layered.value);
        let line = match shown {
            Some(value) => format!("{} = {value}", setting.key),
            // A secret is a comment, so that a file made of this output does not set it to something else.
            None => match setting.shown(&layered.value).as_str() {
                "not shown" => format!("# {} is not shown", setting.key),
                shown => format!("# {} = {}", setting.key, toml::Value::from(shown)),
            },
        };
        writeln!(out, "{line:<48} # {}", layered.origin)?;
    }
    for definition in layers.definitions() {
        let notes: String = definition.notes.iter().map(|note| format!("# {note}\n")).collect();
        write!(out, "\n{notes}{}", definition.toml)?;
    }
    Ok(())
}
