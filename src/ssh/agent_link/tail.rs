//! Last words.

use std::collections::VecDeque;

/// Lines of an agent's standard error that an error repeats.
const LINES: usize = 20;

/// Bytes of a line; the rest of it is dropped.
const LINE: usize = 500;

/// The last lines of a stream.
#[derive(Default)]
pub(in crate::ssh) struct Tail {
    lines: VecDeque<String>,
    open: Vec<u8>,
}

impl Tail {
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                byte if self.open.len() < LINE => self.open.push(*byte),
                _ => {}
            }
        }
    }

    /// The last lines, without empty ones.
    pub fn lines(&mut self) -> Vec<String> {
        self.end_line();
        self.lines.iter().cloned().collect()
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.open)).trim().to_owned();
        if !line.is_empty() {
            self.lines.push_back(line);
        }
        if self.lines.len() > LINES {
            self.lines.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_in_bounds() {
        let mut tail = Tail::default();
        for number in 0..100 {
            tail.push(format!("line {number}\n\n").as_bytes());
        }
        tail.push(&[b'x'; 10_000]);
        tail.push(b" \xff");
        let lines = tail.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines.first().map(String::as_str), Some("line 81"));
        assert_eq!(lines.last().map(String::len), Some(LINE));
    }
}
