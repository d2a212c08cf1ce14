//! Tables that fit the terminal.

use comfy_table::{ContentArrangement, Table, presets};

use super::style::Style;

/// Lays rows out under their titles, wrapped to the width.
pub fn render(columns: &[&str], rows: &[Vec<String>], style: Style) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(style.width).unwrap_or(u16::MAX));
    table.set_header(columns.iter().map(|title| style.bold(title)));
    table.add_rows(rows.iter().cloned());
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
