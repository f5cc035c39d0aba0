//! Tables for a terminal.

use std::fmt::Write as _;

/// Formats a table. All columns but the last are padded to their widest cell.
pub(super) fn table<const N: usize>(
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let head = head.map(ToOwned::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = if column + 1 < N { width(column) + 2 } else { 0 };
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:width$}");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Formats rows as JSON, one object per line.
pub(super) fn lines<T: serde::Serialize>(rows: &[T]) -> Result<String, serde_json::Error> {
    let mut lines = String::new();
    for row in rows {
        lines += &serde_json::to_string(row)?;
        lines.push('\n');
    }
    Ok(lines)
}
