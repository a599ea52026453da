//! The closed sets of values, each in the order in which the tables index it.

/// Declares the closed sets of values; each value has one code, the text used in the tables.
macro_rules! values {
    ($($(#[$meta:meta])* $name:ident { $($(#[$value_meta:meta])* $value:ident = $code:literal,)+ })+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            #[repr(u8)]
            pub enum $name { $($(#[$value_meta])* $value,)+ }

            impl $name {
                /// The text of each value, in order.
                pub const CODES: &'static [&'static str] = &[$($code,)+];

                /// Every value, in order.
                pub const ALL: &'static [Self] = &[$(Self::$value,)+];
            }

            const _: () = assert!($name::ALL.len() == $name::CODES.len(), "every value has a text");
        )+
    };
}

values! {
    /// The act by which the person parted.
    Parting {
        /// None was seen.
        Nothing = "nothing",
        /// The page was closed.
        Closed = "closed",
        /// Cancel was pressed.
        Cancelled = "cancelled",
        /// Another method was taken.
        Switched = "switched",
        /// The prompt on the phone was refused.
        Declined = "declined",
    }
    /// How the WebAuthn ceremony stands or ended. A completed one has no value.
    Ceremony {
        /// It was never begun.
        Absent = "absent",
        /// It was begun, and no end was seen.
        Pending = "pending",
        /// `NotAllowedError` of a browser that does not say why.
        NotAllowed = "not_allowed",
        /// `NotAllowedError` of a browser that would have said that the person cancelled.
        NotCancelled = "not_cancelled",
        /// The browser says that the person cancelled.
        UserCancelled = "user_cancelled",
        /// The browser says that time ran out.
        TimedOut = "timed_out",
        /// Safari's failure, or a timeout of its newer path.
        OperationFailed = "operation_failed",
        /// The page aborted it.
        Aborted = "aborted",
        /// The page's or the browser's own fault.
        Client = "client",
        /// An error of the platform: a policy's, or its own.
        Platform = "platform",
        /// The platform says that there is no credential.
        NoCredential = "no_credential",
        /// A network failure.
        Network = "network",
        /// Policy or a filter.
        Policy = "policy",
        /// Bluetooth is off, absent or not permitted.
        Bluetooth = "bluetooth",
        /// An error that says nothing.
        Unnamed = "unnamed",
    }
    /// How long a ceremony ran that failed, against the browser's own limit. Short of the limit each value is
    /// the lower end of a range that ends where the next one begins.
    Elapsed {
        /// Under a second: not the person.
        Instant = "0s",
        /// From one second.
        From1 = "1s",
        /// From two.
        From2 = "2s",
        /// From four.
        From4 = "4s",
        /// From seven.
        From7 = "7s",
        /// From twelve.
        From12 = "12s",
        /// From twenty.
        From20 = "20s",
        /// From 35.
        From35 = "35s",
        /// From one minute.
        From60 = "60s",
        /// From two.
        From120 = "120s",
        /// At the limit.
        Limit = "limit",
        /// Past the limit: a sheet that had timed out was dismissed later.
        Beyond = "beyond",
    }
    /// The browser's own limit of a ceremony, by its upper end.
    Limit {
        /// Not known.
        Unknown = "unknown",
        /// Up to 45 seconds.
        Short = "short",
        /// Up to 90 seconds.
        Minute = "minute",
        /// Up to 150 seconds.
        TwoMinutes = "two_minutes",
        /// Up to 4 minutes.
        ThreeMinutes = "three_minutes",
        /// Up to 10 minutes.
        FiveMinutes = "five_minutes",
        /// Longer.
        Long = "long",
    }
    /// An error that was never overcome, by what it is about.
    Fault {
        /// None was seen.
        Nothing = "nothing",
        /// Rendering.
        Render = "render",
        /// Delivery of mail or message.
        Delivery = "delivery",
        /// Opening the app.
        Handoff = "handoff",
        /// The network.
        Network = "network",
        /// A request or prompt that ran out of time.
        Timeout = "timeout",
        /// Policy or a filter.
        Policy = "policy",
        /// Bluetooth.
        Bluetooth = "bluetooth",
        /// No credential.
        NoCredential = "no_credential",
        /// The person cancelled.
        Cancelled = "cancelled",
        /// The page's or app's own code.
        Client = "client",
        /// What it runs on cannot do it.
        Unsupported = "unsupported",
        /// The backend failed.
        Backend = "backend",
        /// The backend refused.
        Refused = "refused",
        /// Anything else.
        Other = "other",
    }
    /// Who told the last error that was never overcome, whatever it was about.
    Complaint {
        /// Nobody.
        Nobody = "nobody",
        /// The page.
        Page = "page",
        /// The phone.
        Phone = "phone",
        /// The server.
        Server = "server",
    }
    /// A verification that failed and was not followed by one that succeeded.
    Refusal {
        /// None was seen.
        Nothing = "nothing",
        /// Without a reason, or with one outside the vocabulary.
        Unnamed = "unnamed",
        /// Challenge, origin, RP ID, signature, credential or user verification.
        Rejected = "rejected",
        /// Challenge or token had expired.
        Expired = "expired",
        /// The token had been used.
        Replayed = "replayed",
        /// Another account.
        Account = "account",
        /// Another device.
        Device = "device",
        /// A risk rule.
        Risk = "risk",
    }
    /// Whether a code or link was used after its lifetime.
    CodeUse {
        /// No such use was seen.
        NoSign = "no_sign",
        /// One was.
        Late = "late",
    }
    /// How often the code was replaced before it was scanned.
    Refreshes {
        /// Never.
        Never = "never",
        /// Once.
        Once = "once",
        /// Twice.
        Twice = "twice",
        /// Three times or more.
        Many = "many",
    }
    /// Whether the initiator's page was in front when it was last heard of.
    Page {
        /// In front, or not said.
        Shown = "shown",
        /// In the background.
        Hidden = "hidden",
    }
    /// Whether the same person tried again, how soon, and whether in the same flow.
    Retry {
        /// Not soon.
        Never = "never",
        /// Within 4 seconds.
        AtOnce = "at_once",
        /// Within 10 seconds.
        Soon = "soon",
        /// Within 25 seconds.
        While = "while",
        /// Within a minute.
        Minute = "minute",
        /// Later than that.
        Later = "later",
        /// Within 10 seconds, with another flow.
        OtherSoon = "other_flow_soon",
        /// Later than that, with another flow.
        OtherLater = "other_flow_later",
    }
    /// Whether it is a retry itself.
    Previous {
        /// Nothing came before.
        Nothing = "nothing",
        /// Within 15 seconds after another attempt.
        Soon = "soon",
        /// Later than that.
        Later = "later",
    }
    /// The furthest phase, of all that is certain or of what one side reported.
    Stage {
        /// None.
        Nothing = "nothing",
        /// `started`.
        Started = "started",
        /// `presented`.
        Presented = "presented",
        /// `scanned`.
        Scanned = "scanned",
        /// `opened`.
        Opened = "opened",
        /// `proximity`.
        Proximity = "proximity",
        /// `prompted`.
        Prompted = "prompted",
        /// `confirmed`.
        Confirmed = "confirmed",
        /// `verified`.
        Verified = "verified",
        /// `returned`.
        Returned = "returned",
        /// `established`.
        Established = "established",
    }
    /// As what the page's telemetry comes: spans wait longer for their batch than log records.
    #[derive(Default)]
    Form {
        /// Nothing came.
        #[default]
        Nothing = "nothing",
        /// As spans.
        Spans = "spans",
        /// As log records.
        Logs = "logs",
    }
    /// What samplers say.
    Sampled {
        /// Nothing, or that they keep everything.
        All = "all",
        /// That they keep at least half.
        Most = "most",
        /// That they keep less.
        Few = "few",
    }
    /// Whose reports have holes: a phase of theirs is certain, and they did not tell of it.
    Holes {
        /// Nobody's.
        Nobody = "nobody",
        /// The page's.
        Page = "page",
        /// The phone's.
        Phone = "phone",
        /// Both sides', or the server's.
        Several = "several",
    }
    /// The initiator's browser.
    Family {
        /// Not known.
        Unknown = "unknown",
        /// Chrome.
        Chrome = "chrome",
        /// Edge.
        Edge = "edge",
        /// Safari.
        Safari = "safari",
        /// Firefox.
        Firefox = "firefox",
        /// Another one.
        Other = "other",
    }
    /// The phone's system.
    PhoneSystem {
        /// Not known.
        Unknown = "unknown",
        /// iOS.
        Ios = "ios",
        /// Android.
        Android = "android",
        /// Another one.
        Other = "other",
    }
    /// Whether the browser says that it can use a phone nearby.
    Hybrid {
        /// It can.
        Able = "able",
        /// It cannot.
        Unable = "unable",
    }
    /// User verification on the phone.
    UserVerification {
        /// No failure was seen.
        Fine = "fine",
        /// It failed once and was not overcome.
        FailedOnce = "failed_once",
        /// It failed repeatedly.
        FailedOften = "failed_often",
    }
    /// Whether the page reported a credential that the server did not know.
    Credential {
        /// No such report.
        NoSign = "no_sign",
        /// It did.
        Unknown = "unknown",
    }
    /// Where both devices stand.
    Place {
        /// In one network.
        Same = "same",
        /// In different networks of one country, or of unknown countries.
        OtherNetwork = "other_network",
        /// In different countries.
        OtherCountry = "other_country",
    }
    /// Whether a program fetched the link before the person.
    Scanner {
        /// No sign of it.
        NoSign = "no_sign",
        /// A fetch within seconds of sending, and another one later.
        Suspected = "suspected",
        /// A fetch by a known scanner.
        Fetched = "fetched",
    }
    /// Who began a ceremony that is still pending.
    Begun {
        /// The person, by a button.
        ByPerson = "by_person",
        /// The page, in autofill: nobody has to have noticed it.
        Conditional = "conditional",
    }
    /// Whether a session was established on the phone.
    PhoneSession {
        /// None was seen.
        NoSign = "no_sign",
        /// One was.
        Established = "established",
    }
    /// What the initiator runs on.
    System {
        /// Windows.
        Windows = "windows",
        /// macOS.
        MacOs = "macos",
        /// Linux.
        Linux = "linux",
        /// ChromeOS.
        ChromeOs = "chromeos",
        /// iOS or Android.
        Mobile = "mobile",
        /// Anything else.
        Other = "other",
    }
    /// How long something took; each value is the lower end of a range that ends where the next one begins.
    Wait {
        /// Under a second.
        From0 = "0s",
        /// From one second.
        From1 = "1s",
        /// From two.
        From2 = "2s",
        /// From four.
        From4 = "4s",
        /// From seven.
        From7 = "7s",
        /// From twelve.
        From12 = "12s",
        /// From twenty.
        From20 = "20s",
        /// From 35.
        From35 = "35s",
        /// From one minute.
        From60 = "60s",
        /// From two.
        From120 = "120s",
        /// From three.
        From180 = "180s",
        /// From five.
        From300 = "300s",
    }
}
