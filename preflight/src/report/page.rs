//! The page of every report that is archived: one file that needs nothing else, on a screen, a telephone or paper, in twenty
//! years.
//!
//! No script, no font, no picture and no address that a browser would fetch; the policy in its head forbids them. It is
//! well-formed XML as well.

use std::fmt::Write as _;

use super::markup::escape;
use super::plain::one_line;

const STYLE: &str = include_str!("page.css");

/// A page that is being written.
pub struct Page {
    text: String,
}

impl Page {
    /// Begins a page with this title.
    pub fn new(title: &str) -> Self {
        let title = line(title);
        Self {
            text: format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
                 <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
                 <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
                 <meta name=\"referrer\" content=\"no-referrer\"/>\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
            ),
        }
    }

    /// Adds markup as it is: what comes from elsewhere goes through [`line`] or [`block`] first.
    pub fn add(&mut self, markup: &str) {
        self.text.push_str(markup);
    }

    /// What is known of the whole in pairs of term and value, below its heading.
    pub fn facts(&mut self, facts: &[(&str, &str)]) {
        self.text.push_str("<dl class=\"facts\">\n");
        for (term, value) in facts {
            let _ = writeln!(self.text, "<div><dt>{term}</dt><dd>{}</dd></div>", line(value));
        }
        self.text.push_str("</dl>\n");
    }

    /// Rows below their titles. On a telephone each row becomes a block, and each cell has its title before it.
    pub fn table(&mut self, titles: &[&str], rows: &[Vec<String>]) {
        self.text.push_str("<table class=\"stacks\"><thead><tr>");
        for title in titles {
            let _ = write!(self.text, "<th scope=\"col\">{title}</th>");
        }
        self.text.push_str("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.text.push_str("<tr>");
            for (title, cell) in titles.iter().zip(row) {
                let _ = write!(self.text, "<td data-title=\"{title}\">{}</td>", line(cell));
            }
            self.text.push_str("</tr>\n");
        }
        self.text.push_str("</tbody></table>\n");
    }

    /// Ends the page with the version that wrote it.
    pub fn finish(mut self, version: &str) -> String {
        let version = line(version);
        let _ =
            writeln!(self.text, "</main>\n<footer><p>Written by cc-cloud {version}.</p></footer>\n</body>\n</html>");
        self.text
    }
}

/// As [`Page::add`].
impl std::fmt::Write for Page {
    fn write_str(&mut self, markup: &str) -> std::fmt::Result {
        self.add(markup);
        Ok(())
    }
}

/// A text on one line, as content.
pub fn line(text: &str) -> String {
    escape(&one_line(text))
}

/// A text with its lines, as content.
pub fn block(text: &str) -> String {
    escape(text)
}
