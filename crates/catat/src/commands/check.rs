//! `catat check` and `catat config show`: what is set, whether it is right, and what it makes of lines.

mod sample;

use std::io::Write;
use std::path::PathBuf;

use crate::arguments::{Check, ConfigCommand};
use crate::config::Config;
use crate::failure::{Failure, of_output};

/// Finds mistakes in configuration and rules without starting anything.
pub(crate) fn check(options: Check) -> Result<(), Failure> {
    let config = super::read_config(&options.server).map_err(|failure| with_rules(failure, &options.server))?;
    if let Some(path) = &options.sample.file {
        return sample::try_lines(&config, path, &options.sample);
    }
    let mut problems = Vec::new();
    if let Some(parent) = first_existing(&config.data_dir)
        && let Err(error) = tempfile_probe(&parent)
    {
        problems.push(format!("data directory {}: {error}", config.data_dir.display()));
    }
    let of_syslog = config.syslog.tls.as_ref().and_then(|tls| tls.certificate.as_ref());
    for files in config.tls.iter().chain(of_syslog) {
        problems.extend(crate::serving::load_certificate(files).err().map(|failure| failure.message().to_owned()));
    }
    problems.extend(config.ship.key().err());
    for doubt in ship::doubts_about(&config.ship.inputs()) {
        say!("catat: warning: {doubt}");
    }
    problems.extend(config.databases.probe().iter().map(ToString::to_string));
    let rules_dir = rules_dir(&config);
    let mut n_rules = 0;
    if rules_dir.is_dir() {
        match crate::serving::read_rules(&rules_dir) {
            Ok(rules) => n_rules = rules.n_rules(),
            Err(error) => problems.push(error),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::usage(problems.join("\ncatat: ")));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "configuration is valid; data in {}, {n_rules} rules", config.data_dir.display()).map_err(of_output)
}

/// Mistakes in the configuration, and those in rules where their directory is known all the same.
fn with_rules(failure: Failure, options: &crate::arguments::Server) -> Failure {
    let Ok(layers) = super::read_layers(options) else { return failure };
    let value = |section, key| {
        layers
            .all()
            .find(|(setting, _)| (setting.section, setting.key) == (section, key))
            .map(|(_, set)| set.value.clone())
    };
    let named = value("alerts", "rules_dir").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let dir = named.or_else(|| value("storage", "dir").map(|dir| PathBuf::from(dir).join("rules")));
    match dir.filter(|dir| dir.is_dir()).map(|dir| crate::serving::read_rules(&dir)) {
        Some(Err(problems)) => failure.with(&format!("catat: {problems}")),
        _ => failure,
    }
}

/// The directory that rule files are read from.
pub(crate) fn rules_dir(config: &Config) -> PathBuf {
    config.rules_dir.clone().unwrap_or_else(|| config.data_dir.join("rules"))
}

/// The directory itself or the nearest one above it that exists.
fn first_existing(dir: &std::path::Path) -> Option<PathBuf> {
    dir.ancestors().find(|path| path.is_dir()).map(PathBuf::from)
}

/// Tries to write into a directory.
fn tempfile_probe(dir: &std::path::Path) -> std::io::Result<()> {
    let path = dir.join(format!(".catat-check-{}", std::process::id()));
    std::fs::File::create_new(&path)?;
    std::fs::remove_file(&path)
}

/// Prints every setting with its value and origin.
pub(crate) fn config(command: ConfigCommand) -> Result<(), Failure> {
    let ConfigCommand::Show(options) = command;
    let layers = super::read_layers(&options)?;
    let mut out = std::io::stdout().lock();
    let mut section = "";
    for (setting, layered) in layers.all() {
        if setting.section != section {
            section = setting.section;
            writeln!(out, "[{section}]").map_err(of_output)?;
        }
        // What is not shown is no value that another file could have.
        let shown = setting.as_toml(&layered.value);
        let line = match shown {
            Some(value) => format!("{} = {value}", setting.key),
            // What could be read back as this value is left out; what it is without its password is a comment.
            None => match setting.shown(&layered.value).as_str() {
                "not shown" => format!("# {} is not shown", setting.key),
                shown => format!("# {} = {}", setting.key, toml::Value::from(shown)),
            },
        };
        writeln!(out, "{line:<48} # {}", layered.origin).map_err(of_output)?;
    }
    Config::of_layers(&layers).map_err(super::all_errors)?;
    Ok(())
}
