//! The report: one HTML file that stands alone, for people who compare and present.
//!
//! No script and nothing from elsewhere; light and dark as the reader's system is. Every plot has a title, a
//! description and its numbers as a table beside it; no series is told by its colour alone. All text is
//! escaped.

use std::fmt::Write;

use crate::assessment::{Assessment, Pool};
use crate::scorecard::Scorecard;
use crate::suite::Suite;
use crate::tally;
use crate::text::thousands;

mod confusion;
mod curve;
mod draw;
mod funnel;
mod numbers;
mod reliability;
mod risk;

#[cfg(test)]
mod tests;

use draw::escape;

const STYLE: &str = include_str!("report/style.css");

impl Assessment {
    /// The report of one world.
    #[must_use]
    pub fn to_html(&self) -> String {
        let pool = self.alone();
        let card = tally::fill(&pool);
        let title = format!("How {} was judged", card.world);
        page(&title, &format!("{}{}", summary(&card), body(&pool, &card, "w0")))
    }
}

impl Suite {
    /// The report of all worlds: side by side, those of the mixture together, and each by itself.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut html = summary(&self.pooled);
        html += &numbers::suite(self);
        html += "<h2>The mixture together</h2>\n";
        html += &body(&Pool::mixed(&self.mixture()), &self.pooled, "w0");
        html += "<h2>World by world</h2>\n";
        for (nth, (member, card)) in self.members.iter().enumerate() {
            let place = if member.share.is_some() { "in the mixture" } else { "outside the mixture" };
            let _ = write!(
                html,
                "<details class=\"world\"><summary>{} <small>{place}</small></summary>\n{}{}</details>\n",
                escape(&card.world),
                summary(card),
                body(&member.assessment.alone(), card, &format!("w{}", nth + 1))
            );
        }
        page("How simulated worlds were judged", &html)
    }
}

/// What the report is of.
fn summary(card: &Scorecard) -> String {
    let seed = card.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
    format!(
        "<p>{}{seed}: {} attempts, {} of them scored; {} journeys; {} events.</p>\n",
        escape(&card.world),
        thousands(card.attempts),
        thousands(card.scored),
        thousands(card.journeys),
        thousands(card.spans)
    )
}

/// Numbers and plots of one pool; `id` begins the names of its elements.
fn body(pool: &Pool<'_>, card: &Scorecard, id: &str) -> String {
    let cases = pool.cases();
    let mut html = numbers::scores(card);
    html += &reliability::figure(&cases, id);
    html += &risk::figure(&cases, id);
    html += &confusion::figure(&cases, id);
    html += &funnel::figures(&cases, id);
    html +=
        &numbers::parts("By flow", tally::by_flow(&cases).iter().map(|(flow, cases)| (flow.code(), cases)));
    html += &numbers::parts(
        "By segment",
        pool.by_segment().iter().map(|(segment, cases)| (segment.as_str(), cases)),
    );
    html
}

fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\
         </main>\n</body>\n</html>\n"
    )
}
