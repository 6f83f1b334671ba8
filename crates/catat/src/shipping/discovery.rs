//! What a shipper found, in a few lines.

use ship::{Discovery, Reason};
use types::{ByteSize, counted};

/// Files and reasons named one by one; further ones are counted.
const NAMED_MAX: usize = 8;

/// Prints which files are followed and which are left out, in a few lines.
pub(crate) fn print_discovery(discovery: &Discovery) {
    let n_bytes = ByteSize(bytes_to_read(discovery));
    say!("  following {}, {n_bytes} to read first", counted(discovery.files.len(), "file"));
    for file in discovery.files.iter().take(NAMED_MAX) {
        say!("    {} → {}", file.path.display(), file.group);
    }
    print_rest(discovery.files.len());
    if discovery.n_left_out > 0 {
        say!("  left out {}:", discovery.n_left_out);
    }
    // Reasons that a user can do something about come first.
    let (mut worth, rest): (Vec<_>, Vec<_>) =
        discovery.left_out.iter().partition(|left| !matches!(left.reason, Reason::Binary | Reason::Compressed));
    worth.extend(rest);
    for left in worth.iter().take(NAMED_MAX) {
        say!("    {}: {}", left.path.display(), left.reason);
    }
    print_rest(discovery.n_left_out);
}

/// Returns how much of the files there is to read first.
pub(crate) fn bytes_to_read(discovery: &Discovery) -> u64 {
    discovery.files.iter().map(|file| file.size.saturating_sub(file.start)).sum()
}

fn print_rest(n: usize) {
    if n > NAMED_MAX {
        say!("    and {} more", n - NAMED_MAX);
    }
}
