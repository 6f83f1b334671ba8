//! The executable `catat`.

fn main() -> std::process::ExitCode {
    catat::run()
}
