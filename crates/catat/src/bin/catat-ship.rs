//! The executable `catat-ship`: the shipper alone.

fn main() -> std::process::ExitCode {
    catat::run_shipper()
}
