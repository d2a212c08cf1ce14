//! Text of hosts, made harmless: what a tool printed may hold anything.

/// Whether a character does something else than to be seen: control characters, and those that change the order of reading.
fn acts(character: char) -> bool {
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || character.is_control()
}

/// The text with everything that acts replaced by `�`, line ends and tabs kept.
pub(super) fn harmless(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars().map(|c| if acts(c) && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

/// The text on one line, with everything that acts replaced by `�`: runs of white space become one space.
pub fn one_line(text: &str) -> String {
    harmless(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_is_left() {
        assert_eq!(one_line(" a\r\n\tb \u{1b}[31mred\u{202e}x\u{7} "), "a b \u{fffd}[31mred\u{fffd}x\u{fffd}");
        assert_eq!(harmless("a\r\n\tb\0"), "a\n\tb\u{fffd}");
    }
}
