//! Standard output that outlives its reader.

use std::io::{self, Write};

/// Standard output. A reader that went away (`plan | head`) ends the output, not the command: a deploy must not stop half way
/// because somebody closed a pager.
pub struct Printer {
    closed: bool,
}

impl Printer {
    /// Standard output.
    pub fn stdout() -> Self {
        Self { closed: false }
    }
}

impl Write for Printer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        match io::stdout().write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(bytes.len())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        match io::stdout().flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}
