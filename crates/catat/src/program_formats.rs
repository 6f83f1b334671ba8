//! The formats of programs that are files in a directory beside the configuration.

use std::path::Path;

use parse::Formats;

/// Most bytes of one file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the `*.toml` files of a directory, if it is there, beside the formats that catat comes with. What is wrong with a file is
/// named, and the others count.
pub(crate) fn read_formats(dir: &Path) -> (Formats, Vec<String>) {
    let mut problems = Vec::new();
    let mut paths: Vec<_> = match std::fs::read_dir(dir) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            problems.push(format!("{}: {error}", dir.display()));
            Vec::new()
        }
    };
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut files = Vec::new();
    for path in &paths {
        match read_file(path) {
            Ok(text) => files.push((path.display().to_string(), text)),
            Err(error) => problems.push(format!("{}: {error}", path.display())),
        }
    }
    let (formats, errors) = Formats::with(files.iter().map(|(name, text)| (&**name, &**text)));
    problems.extend(errors.iter().map(ToString::to_string));
    (formats, problems)
}

fn read_file(path: &Path) -> std::io::Result<String> {
    if std::fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(std::io::Error::other("the file is too large for a format: it may have 1 MiB"));
    }
    std::fs::read_to_string(path)
}

/// Makes the formats of a directory those of this process. What is wrong with a file is said, and the server starts without it.
pub(crate) fn install_formats(dir: &Path) {
    let (formats, problems) = read_formats(dir);
    for problem in problems {
        say!("catat: warning: format left out: {problem}");
    }
    formats.install();
}
