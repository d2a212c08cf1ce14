//! Programs.

use std::time::Duration;

use super::{MOST, Outcome, bounded, failed};
use crate::host::{Followed, Host};

/// What a program says.
pub(super) fn run(host: &Host, argv: &[String], seconds: u32) -> Outcome {
    let command = host.command(argv.iter().cloned()).timeout(Duration::from_secs(u64::from(seconds)));
    if !command.is_installed() {
        return Outcome::Absent;
    }
    let mut streams = [Vec::new(), Vec::new()];
    let followed = command.follow(&mut |stderr, piece| {
        let stream = &mut streams[usize::from(stderr)];
        // One byte more than is kept tells that there was more; the rest is read and forgotten, so that the program can end.
        stream.extend_from_slice(&piece[..piece.len().min(MOST + 1 - stream.len().min(MOST + 1))]);
        true
    });
    match followed {
        Ok(Followed::Ended(status)) => {
            let [(stdout, more), (stderr, even_more)] = streams.map(bounded);
            Outcome::Ended { status, stdout, stderr, cut: more || even_more }
        }
        Ok(Followed::Late) => Outcome::Late { seconds },
        Err(error) => failed(error.message),
    }
}
