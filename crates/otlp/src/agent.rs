//! What a user agent string says: browser, system, and whether a program rather than a person sent it.
//!
//! - The kind of a browser is what it is inside, for that decides timeouts and errors; its name is what stands
//!   on its icon. On iOS every browser is Safari inside; Opera, Vivaldi and the like are Chrome inside.
//! - The most specific product decides: `Edg` before `Chrome` before `Safari`, whose words the others carry,
//!   too.
//! - A bot is a mail scanner, a link preview, a crawler, or a tool such as curl: known by a product's name, or
//!   by a word that ends in `bot`, `crawler`, `spider` or `preview` (but for Cubot, a maker of phones).

use authstitch_model::event::Named;
use authstitch_model::ids::Text;
use authstitch_model::{Browser, Os};

use crate::caps;

#[cfg(test)]
mod tests;

/// What a user agent string says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agent {
    pub(crate) browser: Option<Named<Browser>>,
    pub(crate) version: Option<Text>,
    pub(crate) os: Option<Os>,
    pub(crate) is_bot: bool,
}

/// Products by their word, most specific first, with what they are inside and what they are called.
const PRODUCTS: &[(&str, Browser, &str)] = &[
    ("EdgiOS", Browser::Safari, "Edge"),
    ("CriOS", Browser::Safari, "Chrome"),
    ("FxiOS", Browser::Safari, "Firefox"),
    ("OPiOS", Browser::Safari, "Opera"),
    ("Edg", Browser::Edge, "Edge"),
    ("EdgA", Browser::Edge, "Edge"),
    ("SamsungBrowser", Browser::Samsung, "Samsung Internet"),
    ("OPR", Browser::Chrome, "Opera"),
    ("Vivaldi", Browser::Chrome, "Vivaldi"),
    ("YaBrowser", Browser::Chrome, "Yandex Browser"),
    ("UCBrowser", Browser::Chrome, "UC Browser"),
    ("Firefox", Browser::Firefox, "Firefox"),
    ("Chrome", Browser::Chrome, "Chrome"),
    ("Chromium", Browser::Chrome, "Chromium"),
    ("Trident", Browser::Other, "Internet Explorer"),
    ("Safari", Browser::Safari, "Safari"),
    ("AppleWebKit", Browser::Safari, "WebView"),
];

/// Systems by their word, most specific first.
const SYSTEMS: &[(&str, Os)] = &[
    ("iPhone", Os::Ios),
    ("iPad", Os::Ios),
    ("iPod", Os::Ios),
    ("Android", Os::Android),
    ("CrOS", Os::ChromeOs),
    ("Windows", Os::Windows),
    ("Macintosh", Os::MacOs),
    ("Linux", Os::Linux),
    ("X11", Os::Linux),
];

const BOT_PRODUCTS: &[&str] = &[
    "curl",
    "Wget",
    "python-requests",
    "Python-urllib",
    "python-httpx",
    "aiohttp",
    "Go-http-client",
    "Java",
    "libwww-perl",
    "HeadlessChrome",
    "PhantomJS",
    "GoogleImageProxy",
    "YahooMailProxy",
    "facebookexternalhit",
    "WhatsApp",
    "Barracuda",
    "Proofpoint",
    "Mimecast",
    "SafeLinks",
    "Symantec",
    "ms-office",
    "Existence",
    "urlscan",
    "VirusTotal",
];

const BOT_ENDINGS: &[&str] = &["bot", "crawler", "spider", "preview"];
const NO_BOTS: &[&str] = &["cubot"];

impl Agent {
    pub(crate) fn parse(agent: &str) -> Self {
        let mut end = agent.len().min(caps::AGENT_BYTES);
        while !agent.is_char_boundary(end) {
            end -= 1;
        }
        let (mut product, mut system) = (PRODUCTS.len(), SYSTEMS.len());
        let (mut version, mut safari_version, mut is_bot) = (None, None, false);
        let words = agent[..end].split([' ', '(', ')', ';', ',']);
        for word in words.filter(|word| word.starts_with(|first: char| first.is_ascii_alphabetic())) {
            let (name, number) = word.split_once('/').unwrap_or((word, ""));
            if let Some(rank) = PRODUCTS[..product].iter().position(|(known, ..)| *known == name) {
                (product, version) = (rank, versioned(number));
            } else if name == "Version" {
                safari_version = versioned(number);
            }
            if let Some(rank) = SYSTEMS[..system].iter().position(|(known, _)| *known == name) {
                system = rank;
            }
            is_bot |= is_bot_word(name);
        }
        let browser =
            PRODUCTS.get(product).map(|(_, kind, name)| Named { kind: *kind, name: (*name).into() });
        if PRODUCTS.get(product).is_some_and(|(word, ..)| matches!(*word, "Safari" | "AppleWebKit")) {
            version = safari_version;
        }
        Self { browser, version, os: SYSTEMS.get(system).map(|(_, os)| *os), is_bot }
    }
}

fn is_bot_word(word: &str) -> bool {
    let is_one_of = |known: &[&str]| known.iter().any(|known| word.eq_ignore_ascii_case(known));
    let ends_like_one = word.split('-').any(|part| {
        let tail = |length: usize| part.len().checked_sub(length).and_then(|at| part.get(at..));
        BOT_ENDINGS
            .iter()
            .any(|ending| tail(ending.len()).is_some_and(|tail| tail.eq_ignore_ascii_case(ending)))
    });
    is_one_of(BOT_PRODUCTS) || (ends_like_one && !is_one_of(NO_BOTS))
}

/// A version without the zeros that browsers append to hide the rest, so that all sources of it agree:
/// `120.0.0.0` and `120` are one.
pub(crate) fn versioned(version: &str) -> Option<Text> {
    let digits = version.bytes().take(caps::VERSION_BYTES).take_while(|b| b.is_ascii_digit() || *b == b'.');
    let mut version = &version[..digits.count()];
    while let Some(shorter) = version.strip_suffix(".0").or_else(|| version.strip_suffix('.')) {
        version = shorter;
    }
    (!version.is_empty()).then(|| Text::bounded(version))
}

/// The family of a browser by the name that a client gives.
pub(crate) fn browser_named(name: &str) -> Browser {
    let name = name.to_ascii_lowercase();
    let has = |word: &str| name.contains(word);
    match () {
        () if has("edge") => Browser::Edge,
        () if has("samsung") => Browser::Samsung,
        () if has("firefox") => Browser::Firefox,
        () if has("chrom") || has("opera") || has("vivaldi") || has("brave") || has("yandex") => {
            Browser::Chrome
        }
        () if has("safari") => Browser::Safari,
        () => Browser::Other,
    }
}

/// The family of a system by the name that a client gives; `darwin` is none, for it names two.
pub(crate) fn os_named(name: &str) -> Option<Os> {
    let name = name.to_ascii_lowercase();
    let has = |word: &str| name.contains(word);
    match () {
        () if has("android") => Some(Os::Android),
        () if name.starts_with("ios") || has("ipados") || has("iphone") => Some(Os::Ios),
        () if has("chrome os") || has("chromeos") || has("cros") => Some(Os::ChromeOs),
        () if has("darwin") => None,
        () if has("windows") => Some(Os::Windows),
        () if name.starts_with("mac") || has("os x") => Some(Os::MacOs),
        () if has("linux") || has("ubuntu") || has("debian") || has("fedora") => Some(Os::Linux),
        () => Some(Os::Other),
    }
}

/// The browser among the brands that it reports (`"Google Chrome 120"`), with its version. Made-up brands
/// (`"Not A;Brand"`) and the engine's own count only where nothing better is there.
pub(crate) fn branded<'a>(brands: impl Iterator<Item = &'a str>) -> Option<(Named<Browser>, Option<Text>)> {
    let known = brands.filter_map(|brand| {
        let (name, number) = brand.trim().rsplit_once(' ').unwrap_or((brand, ""));
        let (name, number) = if versioned(number).is_some() { (name, number) } else { (brand.trim(), "") };
        let kind = browser_named(name);
        let rank = match name {
            _ if kind == Browser::Other => return None,
            "Chromium" => 1,
            _ => 0,
        };
        let shown = match name {
            "Google Chrome" => "Chrome",
            "Microsoft Edge" => "Edge",
            other => other,
        };
        Some((rank, Named { kind, name: shown.into() }, versioned(number)))
    });
    known.min_by_key(|(rank, ..)| *rank).map(|(_, browser, version)| (browser, version))
}
