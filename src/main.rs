//! The cc-cloud command: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    cc_cloud::cli::main()
}
