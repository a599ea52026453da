//! What people read: style, columns, bars, paragraphs, the timeline of a journey.

mod columns;
mod style;
mod text;
mod timeline;

pub use columns::Columns;
pub use style::{Paint, Style};
pub use text::{bar, grouped, heading, percent, seconds, wrapped};
pub use timeline::timeline;

use std::io::Write as _;

use crate::failure::{Outcome, While};

/// Writes to standard output. A reader that has seen enough, as `head` has, is no failure.
pub fn say(text: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    heard(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What became of writing to standard output.
pub fn heard(written: std::io::Result<()>) -> Outcome {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.cannot("write to standard output"),
    }
}
