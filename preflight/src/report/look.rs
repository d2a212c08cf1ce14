//! Width and colour of text for people.

use unicode_width::UnicodeWidthStr;

use super::mark::Mark;

/// How text for people looks. It reads without colour too.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns that a line may have.
    pub width: usize,
    /// Whether to use colour.
    pub color: bool,
}

impl Look {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A heading.
    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Something of less weight.
    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Text in the colour of a verdict.
    pub(super) fn mark(self, mark: Mark, text: &str) -> String {
        match mark {
            Mark::Fail => self.paint("31", text),
            Mark::Waived => self.paint("35", text),
            Mark::Warn => self.paint("33", text),
            Mark::Attest => self.paint("36", text),
            Mark::Pass => self.paint("32", text),
            Mark::Skip => self.dim(text),
        }
    }

    /// Breaks a text between words into lines of which the first has `taken` columns already and the others an indent. A word
    /// that is wider than a line is broken where the line ends. At least ten columns are used, however narrow the terminal.
    pub(super) fn wrap(self, text: &str, taken: usize, indent: usize) -> Vec<String> {
        let room = |line: usize| self.width.saturating_sub(if line == 0 { taken } else { indent }).max(10);
        let (mut lines, mut line) = (Vec::new(), String::new());
        for word in text.split(' ') {
            if !line.is_empty() && line.width() + 1 + word.width() <= room(lines.len()) {
                line.push(' ');
            } else if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for character in word.chars() {
                line.push(character);
                // Of the whole line: a character can change how wide the one before it is.
                if line.width() > room(lines.len()) {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, character.to_string()));
                }
            }
        }
        lines.push(line);
        lines
    }

    /// Paragraphs, each wrapped below an indent.
    pub(super) fn paragraph(self, text: &str, indent: usize) -> String {
        let lines = self.wrap(text, indent, indent);
        lines.iter().map(|line| format!("{:indent$}{line}\n", "")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_where_they_fit() {
        let look = Look { width: 20, color: false };
        assert_eq!(look.wrap("a word and another one", 8, 4), ["a word and", "another one"]);
        assert_eq!(look.wrap(&"x".repeat(30), 4, 4), ["x".repeat(16), "x".repeat(14)]);
        assert_eq!(look.wrap("", 4, 4), [""]);
        // A wide character takes two columns.
        assert_eq!(look.wrap("数数数数数数数数数", 4, 4), ["数数数数数数数数", "数"]);
        // So does a candle, but only once it is said to be a picture.
        assert_eq!(look.wrap(&"🕯\u{fe0f}".repeat(9), 4, 4), ["🕯\u{fe0f}".repeat(8), "🕯\u{fe0f}".to_owned()]);
    }
}
