//! What people read: style, columns, bars, paragraphs, the timeline of a journey.

mod columns;
mod style;
mod text;
mod timeline;

pub use columns::Columns;
pub use style::{Paint, Style};
pub use text::{bar, grouped, heading, percent, seconds, wrapped};
pub use timeline::timeline;
