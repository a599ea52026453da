//! The pieces that every part of the report is made of.

/// Text as it may stand in an element or an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(char),
        }
    }
    escaped
}

/// A table. The first cell of a row is its heading; cells that a row does not have are empty.
pub(super) fn table(caption: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let heading = |scope: &str, text: &str| format!("<th scope=\"{scope}\">{}</th>", escape(text));
    let columns: String = head.iter().map(|title| heading("col", title)).collect();
    let row = |row: &Vec<String>| {
        let cell = |nth: usize| row.get(nth).map_or("", String::as_str);
        let cells: String = (1..head.len()).map(|nth| format!("<td>{}</td>", escape(cell(nth)))).collect();
        format!("<tr>{}{cells}</tr>\n", heading("row", cell(0)))
    };
    let rows: String = rows.iter().map(row).collect();
    let caption = escape(caption);
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table>\n\
         <caption>{caption}</caption>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

/// A plot with its title, its description and its numbers.
pub(super) struct Figure<'a> {
    /// Unique on the page.
    pub id: &'a str,
    pub title: &'a str,
    /// What it shows, for those who cannot see it.
    pub description: &'a str,
    pub width: f64,
    pub height: f64,
    /// The drawing.
    pub svg: String,
    /// The same as tables.
    pub table: String,
}

impl Figure<'_> {
    pub(super) fn html(&self) -> String {
        let Self { id, width, height, svg, table, .. } = self;
        let (title, description) = (escape(self.title), escape(self.description));
        format!(
            "<figure>\n<figcaption>{title}</figcaption>\n<p class=\"about\">{description}</p>\n\
             <svg viewBox=\"0 0 {width} {height}\" style=\"max-width:{width}px\" role=\"img\" \
             aria-labelledby=\"{id}-t {id}-d\">\n\
             <title id=\"{id}-t\">{title}</title>\n<desc id=\"{id}-d\">{description}</desc>\n{svg}</svg>\n\
             <details><summary>The numbers as a table</summary>\n{table}</details>\n</figure>\n"
        )
    }
}

/// Text within a drawing.
pub(super) fn label(x: f64, y: f64, class: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>\n", escape(text))
}

/// A rectangle, with a text that says what it stands for.
pub(super) fn bar(x: f64, y: f64, width: f64, height: f64, class: &str, says: &str) -> String {
    format!(
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" class=\"{class}\"><title>{}\
         </title></rect>\n",
        width.max(0.0),
        escape(says)
    )
}

/// A straight line.
pub(super) fn line(from: (f64, f64), to: (f64, f64), class: &str) -> String {
    format!(
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" class=\"{class}\"/>\n",
        from.0, from.1, to.0, to.1
    )
}

/// A share in percent with one decimal.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
