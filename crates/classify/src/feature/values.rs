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
            }
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
    /// How long a ceremony ran that failed, against the browser's own limit.
    Elapsed {
        /// Under a second: not the person.
        Instant = "instant",
        /// Under 5 seconds.
        FewSeconds = "few_seconds",
        /// Under 15 seconds.
        Seconds = "seconds",
        /// Under 45 seconds.
        HalfMinute = "half_minute",
        /// Longer, and short of the limit.
        Minutes = "minutes",
        /// At the limit.
        Limit = "limit",
        /// Past the limit: a sheet that had timed out was dismissed later.
        Beyond = "beyond",
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
        /// The page's or app's own code, or what it runs on.
        Client = "client",
        /// The backend failed.
        Backend = "backend",
        /// The backend refused.
        Refused = "refused",
        /// Anything else.
        Other = "other",
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
        /// Once or twice.
        Few = "few",
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
    /// Whether the same person tried again.
    Retry {
        /// Not soon.
        Never = "never",
        /// Within 10 seconds.
        AtOnce = "at_once",
        /// Within a minute.
        Soon = "soon",
        /// Later than that.
        Later = "later",
        /// With another flow.
        OtherFlow = "other_flow",
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
    /// From the last phase that was seen to the act of parting.
    Dwell {
        /// Under 5 seconds.
        Moment = "moment",
        /// Under 20 seconds.
        Brief = "brief",
        /// Under a minute.
        While = "while",
        /// Under three minutes.
        Long = "long",
        /// Longer.
        VeryLong = "very_long",
    }
}
