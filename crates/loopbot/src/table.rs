//! A small table with two faces: aligned text and HTML. It refuses spans, nesting and styles.

use crate::svg::escape;

/// The longest table that is shown whole.
const MOST_ROWS: usize = 60;

/// Rows of text under headings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Table {
        let head = head.into_iter().map(Into::into).collect();
        Table {
            head,
            rows: Vec::new(),
        }
    }

    /// Adds a row. Missing cells are empty, surplus ones are dropped.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Table {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        row.resize(self.head.len(), String::new());
        self.rows.push(row);
        self
    }

    /// The headings.
    pub fn head(&self) -> &[String] {
        &self.head
    }

    /// All rows.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// Columns of numbers stand on the right.
    fn is_number(&self, column: usize) -> bool {
        self.rows.iter().all(|row| {
            let cell = &row[column];
            cell.is_empty() || cell.starts_with(|c: char| c.is_ascii_digit() || "-–−".contains(c))
        })
    }

    fn left_out(&self) -> Option<String> {
        let more = self.rows.len().checked_sub(MOST_ROWS).filter(|n| *n > 0)?;
        Some(format!("… and {more} more"))
    }

    /// The table as text, columns aligned with spaces.
    pub fn to_text(&self) -> String {
        let shown = self.rows.iter().take(MOST_ROWS);
        let width = |column: usize| {
            let cells = shown.clone().map(|row| row[column].chars().count());
            cells.chain([self.head[column].chars().count()]).max()
        };
        let columns: Vec<(usize, bool)> = (0..self.head.len())
            .map(|column| (width(column).unwrap_or(0), self.is_number(column)))
            .collect();
        let line = |cells: &[String]| {
            let mut line = String::new();
            for (cell, (width, number)) in cells.iter().zip(&columns) {
                let space = " ".repeat(width.saturating_sub(cell.chars().count()));
                let padded = if *number {
                    space + cell
                } else {
                    cell.clone() + &space
                };
                line += &format!("{padded}  ");
            }
            line.trim_end().to_owned()
        };
        let mut lines = vec![line(&self.head)];
        lines.extend(shown.clone().map(|row| line(row)));
        lines.extend(self.left_out());
        lines.join("\n")
    }

    /// The table as an HTML `<table>`.
    pub fn to_html(&self) -> String {
        let row = |cells: &[String], tag: &str| {
            let mut html = String::from("<tr>");
            for (column, cell) in cells.iter().enumerate() {
                let side = if self.is_number(column) {
                    "right"
                } else {
                    "left"
                };
                html += &format!(
                    "<{tag} style=\"text-align:{side}\">{}</{tag}>",
                    escape(cell)
                );
            }
            html + "</tr>"
        };
        let mut html = format!("<table><thead>{}</thead><tbody>", row(&self.head, "th"));
        for cells in self.rows.iter().take(MOST_ROWS) {
            html += &row(cells, "td");
        }
        html += "</tbody></table>";
        if let Some(left_out) = self.left_out() {
            html += &format!("<p>{left_out}</p>");
        }
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_on_the_right() {
        let mut table = Table::new(["lane", "polls"]);
        table
            .row(["a <b>", "3"])
            .row(["scrape", "120"])
            .row(["short"]);
        assert_eq!(
            table.to_text(),
            "lane    polls\na <b>       3\nscrape    120\nshort"
        );
        assert!(
            table
                .to_html()
                .contains("<td style=\"text-align:left\">a &lt;b&gt;</td>")
        );
    }

    #[test]
    fn a_long_table_is_cut_and_says_so() {
        let mut table = Table::new(["n"]);
        for n in 0..100 {
            table.row([n.to_string()]);
        }
        assert!(table.to_text().ends_with("59\n… and 40 more"));
    }
}
