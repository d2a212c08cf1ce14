//! The cc-cloud command: arguments in, exit code out.

fn main() {}
