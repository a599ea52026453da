//! Whether to use colour, and how wide the page is.

use std::io::IsTerminal;

/// How output for people is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    colour: bool,
}

/// What a colour means; there are no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Headings.
    Strong,
    /// What steps back: times, units, hints.
    Faint,
    /// Success.
    Good,
    /// Technical failure.
    Bad,
    /// A person's own decision.
    Person,
}

impl Style {
    /// The style of standard output: colour on a terminal, unless `NO_COLOR` is set or the terminal is dumb.
    pub fn of_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        Self { colour: !refused && (forced || std::io::stdout().is_terminal()) }
    }

    /// Columns of the page: the width at which all output is laid out.
    #[expect(
        clippy::unused_self,
        reason = "every page has the same width today, and callers should not know"
    )]
    pub const fn width(self) -> usize {
        80
    }

    /// Whether colour is used.
    pub const fn has_colour(self) -> bool {
        self.colour
    }

    /// The text in its colour.
    pub fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Strong => "1",
            Paint::Faint => "2",
            Paint::Good => "32",
            Paint::Bad => "31",
            Paint::Person => "33",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
