use super::*;

/// Kind, name, version, system, bot.
fn shown(agent: &str) -> String {
    let agent = Agent::parse(agent);
    let browser = agent.browser.map_or("-".into(), |browser| format!("{}/{}", browser.kind, browser.name));
    let version = agent.version.map_or("-".into(), |version| version.to_string());
    let os = agent.os.map_or("-", Os::code);
    format!("{browser} {version} {os}{}", if agent.is_bot { " bot" } else { "" })
}

#[test]
fn browsers_and_systems() {
    for (agent, expected) in [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "Chrome/Chrome 126 Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87",
            "Edge/Edge 126.0.2592.87 Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
            "Safari/Safari 17.5 macOS",
        ),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
            "Firefox/Firefox 127 Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
            "Safari/Chrome 126.0.6478.54 iOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1.15",
            "Safari/Firefox 127 iOS",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
            "Safari/WebView - iOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
            "Samsung Internet/Samsung Internet 25 Android",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "Chrome/Chrome 126 ChromeOS",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 OPR/111.0.0.0",
            "Chrome/Opera 111 Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko",
            "other/Internet Explorer 7 Windows",
        ),
        ("okhttp/4.12.0", "- - -"),
        ("Bank/412 CFNetwork/1496.0.7 Darwin/23.5.0", "- - -"),
        ("", "- - -"),
    ] {
        assert_eq!(shown(agent), expected, "{agent}");
    }
}

#[test]
fn programs_are_bots_and_a_maker_of_phones_is_none() {
    for agent in [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "WhatsApp/2.23.20.0",
        "TelegramBot (like TwitterBot)",
        "SkypeUriPreview Preview/0.5",
        "facebookexternalhit/1.1",
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0; ms-office; MSOffice 16)",
        "curl/8.7.1",
        "python-requests/2.32.3",
        "Go-http-client/2.0",
    ] {
        assert!(Agent::parse(agent).is_bot, "{agent}");
    }
    let phone = "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";
    assert!(!Agent::parse(phone).is_bot);
}

#[test]
fn a_huge_agent_is_cut_at_a_character() {
    assert_eq!(Agent::parse(&"é".repeat(1_000_000)), Agent::default());
}

#[test]
fn versions_lose_the_zeros_that_say_nothing() {
    for (sent, kept) in [
        ("126.0.0.0", "126"),
        ("17.5", "17.5"),
        ("127.0", "127"),
        ("10.0.1", "10.0.1"),
        ("8beta", "8"),
        ("1.", "1"),
    ] {
        assert_eq!(versioned(sent).map(|version| version.to_string()).as_deref(), Some(kept), "{sent}");
    }
    assert_eq!(versioned("beta"), None);
}

#[test]
fn made_up_brands_do_not_count_and_the_engine_only_alone() {
    let of = |brands: &[&str]| {
        branded(brands.iter().copied()).map(|(browser, version)| {
            format!("{} {}", browser.name, version.map_or("-".into(), |v| v.to_string()))
        })
    };
    assert_eq!(of(&["Not A;Brand 99", "Chromium 126", "Google Chrome 126"]).as_deref(), Some("Chrome 126"));
    assert_eq!(of(&["Chromium 126", "Microsoft Edge 126"]).as_deref(), Some("Edge 126"));
    assert_eq!(of(&["Chromium 126"]).as_deref(), Some("Chromium 126"));
    assert_eq!(of(&["Google Chrome"]).as_deref(), Some("Chrome -"));
    assert_eq!(of(&["Not A;Brand 99"]), None);
}

#[test]
fn names_that_clients_give() {
    for (name, os) in [
        ("Windows 11", Some(Os::Windows)),
        ("macOS", Some(Os::MacOs)),
        ("Mac OS X", Some(Os::MacOs)),
        ("iPadOS", Some(Os::Ios)),
        ("iOS", Some(Os::Ios)),
        ("Android", Some(Os::Android)),
        ("Chrome OS", Some(Os::ChromeOs)),
        ("Ubuntu", Some(Os::Linux)),
        ("linux", Some(Os::Linux)),
        ("darwin", None),
        ("FreeBSD", Some(Os::Other)),
    ] {
        assert_eq!(os_named(name), os, "{name}");
    }
    for (name, browser) in [
        ("Chrome Mobile", Browser::Chrome),
        ("Mobile Safari", Browser::Safari),
        ("Microsoft Edge", Browser::Edge),
        ("Firefox", Browser::Firefox),
        ("Samsung Internet", Browser::Samsung),
        ("Opera", Browser::Chrome),
        ("NetSurf", Browser::Other),
    ] {
        assert_eq!(browser_named(name), browser, "{name}");
    }
}
