//! `/`: the counts as a page, and where to go from there. Plain HTML without scripts.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderValue, StatusCode};

use super::Web;
use crate::counters::Counts;
use crate::listener::{Reply, reply};

/// The overview page.
pub(super) fn overview(web: &Web) -> Reply {
    let page = html(&web.counters.snapshot(), &web.health.ready(), web.kept.is_some());
    let mut reply = reply(StatusCode::OK, "text/html; charset=utf-8", Bytes::from(page));
    let headers = reply.headers_mut();
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

fn html(counts: &Counts, ready: &Result<(), String>, keeps: bool) -> String {
    let state = match ready {
        Ok(()) => "<p>Every part works.</p>".to_owned(),
        Err(why) => format!("<p class=\"bad\">{}</p>", escaped(why)),
    };
    let outcomes =
        counts.outcomes.iter().map(|(flow, outcome, count)| (format!("{flow}: {outcome}"), *count));
    let causes = counts.causes.iter().map(|(cause, count)| (cause.to_string(), *count));
    let plain = counts.plain().into_iter().map(|(name, _, count)| (name.replace('_', " "), count));
    let journeys = if keeps {
        "<li>One journey: <code>authstitch explain KEY</code></li>\n\
         <li>All journeys: <code>authstitch query \"SELECT outcome, count(*) FROM journeys GROUP BY 1\"</code></li>"
    } else {
        "<li>This server keeps no journeys; it judges and counts them.</li>"
    };
    [
        include_str!("page_head.html"),
        &state,
        &table("Verdicts by flow and outcome", outcomes),
        &table("Verdicts by cause", causes),
        &table("Counts since the start", plain),
        "<h2>More</h2>\n<ul>",
        journeys,
        include_str!("page_foot.html"),
    ]
    .join("\n")
}

fn table(title: &str, rows: impl Iterator<Item = (String, u64)>) -> String {
    let rows: String = rows
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("<tr><td>{}<td>{count}\n", escaped(&name)))
        .collect();
    if rows.is_empty() { rows } else { format!("<h2>{title}</h2>\n<table>\n{rows}</table>") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
