//! Errors, reduced to a class; the raw type and message are then dropped.
//!
//! The rules, first match wins:
//! - A number is an HTTP status: 4xx or 5xx.
//! - What a browser throws goes by its name. Where the name says too little the message decides: Safari's tells
//!   a cancel, a timeout and a failure apart; Chrome's tells only a lost focus. `AbortError` is a cancel in
//!   Firefox and the page's own act elsewhere; `TimeoutError` is the ceremony's in a browser and a request's in
//!   a backend.
//! - Native apps on phones say more: a cancel, no credential, no app for a link, Bluetooth off.
//! - Then words: of codes without an app, sessions and browsers that a backend does not know, what is not
//!   supported, filters and policies, links, delivery, rendering, time limits, networks.
//! - A mistake of the program on a device is one of its state.
//! - What a server throws and nothing above explains is a failure of the backend.
//! - Everything else is `other`: the set of errors stays open.
//!
//! A type is compared by its last segment (`java.net.ConnectException` is `connectexception`), whole or by the
//! words in it, without regard to case.

use authstitch_model::{Browser, ErrorClass, Side};

use crate::caps;

#[cfg(test)]
mod tests;

/// An error as raised.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raised<'a> {
    /// `error.type` or `exception.type`.
    pub(crate) kind: Option<&'a str>,
    /// `exception.message`.
    pub(crate) message: Option<&'a str>,
}

/// One line of the table: what the type is, what the message says, who raised it, and the class.
type Rule = (Text, Text, Who, ErrorClass);

/// What a text must be: words in lowercase, separated by `|`, one of which must fit.
enum Text {
    Any,
    /// The last segment is one of them.
    Is(&'static str),
    /// One of them stands in it.
    Has(&'static str),
}

/// Who must have raised it.
enum Who {
    Anyone,
    Browser,
    Firefox,
    Device,
    Server,
}

use ErrorClass as Class;
use Text::{Any, Has, Is};
use Who::{Anyone, Device, Firefox, Server};

#[rustfmt::skip]
const RULES: &[Rule] = &[
    // What browsers throw.
    (Any, Has("cancelled by a new request|request is already pending"), Anyone, Class::Superseded),
    (Any, Has("no credentials available|no passkey|no credential found"), Anyone, Class::NoCredential),
    (Any, Has("cancelled by the user|canceled by the user|user cancelled|user canceled"), Device, Class::UserCancelled),
    (Any, Has("not have focus|is not focused"), Device, Class::NotFocused),
    (Is("notallowederror"), Has("permissions policy|not enabled in this document"), Anyone, Class::Policy),
    (Any, Has("either timed out or was not allowed"), Anyone, Class::NotAllowed),
    (Is("notallowederror"), Has("timed out"), Anyone, Class::TimedOut),
    (Is("notallowederror"), Has("operation failed"), Anyone, Class::OperationFailed),
    (Is("notallowederror|type_not_allowed_error"), Any, Anyone, Class::NotAllowed),
    (Is("aborterror"), Any, Firefox, Class::UserCancelled),
    (Is("aborterror|type_abort_error"), Any, Anyone, Class::Aborted),
    (Is("usercancellederror|usercancelled|usercanceled|usercancel|usercancellation"), Any, Anyone, Class::UserCancelled),
    (Is("timeouterror"), Has("signal timed out"), Anyone, Class::Timeout),
    (Is("timeouterror"), Any, Who::Browser, Class::TimedOut),
    (Is("uitimeout"), Any, Anyone, Class::TimedOut),
    (Is("securityerror|type_security_error"), Any, Anyone, Class::Security),
    (Is("notsupportederror|constrainterror|rknotsupported|uvnotsupported"), Any, Anyone, Class::NotSupported),
    (Is("invalidstateerror"), Any, Anyone, Class::InvalidState),
    (Is("credentialnotrecognized"), Any, Anyone, Class::NoCredential),
    (Is("platformnotallowed|filterblock"), Any, Anyone, Class::Policy),
    (Is("hybridtransporterror|otherfailure"), Any, Anyone, Class::OperationFailed),
    (Is("operationerror|notreadableerror|unknownerror|unknownresponsefromauthenticator"), Any, Anyone, Class::Platform),
    (Is("softpinblock|hardpinblock|enclaveerror"), Any, Anyone, Class::Platform),
    // What native apps throw.
    (Any, Has("not associated with domain"), Anyone, Class::Security),
    (Has("authorizationerror"), Has("error 1001"), Anyone, Class::UserCancelled),
    (Is("canceled|cancelled|userdeclined|error_negative_button"), Any, Device, Class::UserCancelled),
    (Is("getcredentialcancellationexception|type_user_canceled|error_user_canceled"), Any, Anyone, Class::UserCancelled),
    (Is("nocredentialexception|type_no_credential|nocredential|no_credential"), Any, Anyone, Class::NoCredential),
    (Is("getcredentialproviderconfigurationexception|getcredentialunsupportedexception"), Any, Anyone, Class::NotSupported),
    (Is("error_no_biometrics|error_hw_not_present|error_hw_unavailable"), Any, Anyone, Class::NotSupported),
    (Is("error_timeout"), Any, Anyone, Class::TimedOut),
    (Is("getcredentialinterruptedexception|getcredentialunknownexception"), Any, Anyone, Class::Platform),
    (Is("getpublickeycredentialdomexception|error_lockout|error_lockout_permanent"), Any, Anyone, Class::Platform),
    // Words, wherever they come from.
    (Has("no_app_for|unrecognized_qr|unrecognised_qr|unknown_qr|invalid_qr|unsupported_qr"), Any, Anyone, Class::Handoff),
    (Has("session_missing|session_lost|session_not_found|no_session|invalid_session"), Any, Anyone, Class::Http4xx),
    (Has("wrong_browser|browser_mismatch|state_mismatch"), Any, Anyone, Class::Http4xx),
    (Has("unsupported|notsupported|not_supported|os_too_old"), Any, Anyone, Class::NotSupported),
    (Has("bluetooth|cbmanager"), Any, Anyone, Class::Bluetooth),
    (Any, Has("bluetooth"), Anyone, Class::Bluetooth),
    (Has("policy|blocked_by_administrator|blocked_by_client|device_admin|mdm_|managed_profile|work_profile"), Any, Anyone, Class::Policy),
    (Any, Has("blocked by your administrator|managed by your organization"), Anyone, Class::Policy),
    (Has("activitynotfound|deep_link|deeplink|universal_link|universallink"), Any, Anyone, Class::Handoff),
    (Has("app_link|applink|app_not_installed|handoff"), Any, Anyone, Class::Handoff),
    (Has("smtp|delivery|bounce|mailer|sendgrid|mailgun"), Any, Anyone, Class::Delivery),
    (Has("render|canvas|chunkload|qrcode|qr_code|imageload"), Any, Anyone, Class::Render),
    (Has("timeout|timedout|timed_out|deadline|expired"), Any, Anyone, Class::Timeout),
    (Is("typeerror"), Has("fetch|load failed|networkerror"), Anyone, Class::Network),
    (Has("eventsource|websocket|tunnel"), Any, Anyone, Class::Network),
    (Has("network|econn|enotfound|eai_again|epipe|ehostunreach|enetunreach"), Any, Anyone, Class::Network),
    (Has("connectexception|connecterror|connectionerror|connectionreset|connectionrefused"), Any, Anyone, Class::Network),
    (Has("connection_|unknownhost|noroutetohost|socket|gaierror|operror|dnserror|urlerror"), Any, Anyone, Class::Network),
    (Has("ssl|tls|certificate|httprequestexception|err_internet|err_name|err_address"), Any, Anyone, Class::Network),
    (Is("authorizationerror|laerror|asauthorizationerror"), Any, Anyone, Class::Platform),
    (Has("asauthorizationerror|laerror"), Any, Device, Class::Platform),
    // Mistakes of a program on a device.
    (Has("illegalstate|illegalargument|invalidargument|nullpointer|outofbounds"), Any, Device, Class::InvalidState),
    (Is("typeerror|referenceerror|rangeerror|syntaxerror"), Any, Device, Class::InvalidState),
    // What backends answer and throw.
    (Is("unauthenticated|unauthorized|permission_denied|forbidden"), Any, Anyone, Class::Http4xx),
    (Is("badrequest|bad_request|resource_exhausted|too_many_requests"), Any, Anyone, Class::Http4xx),
    (Is("internal|internalservererror|internal_server_error|internal_error|panic"), Any, Anyone, Class::Http5xx),
    (Is("unavailable|service_unavailable|bad_gateway"), Any, Anyone, Class::Http5xx),
    (Has("exception|error"), Any, Server, Class::Http5xx),
    // Nothing but a message.
    (Any, Has("timed out|timeout"), Anyone, Class::Timeout),
];

/// The class of an error; `None` where nothing was raised.
pub(crate) fn class(raised: Raised<'_>, browser: Option<Browser>, side: Side) -> Option<ErrorClass> {
    if raised.kind.is_none() && raised.message.is_none() {
        return None;
    }
    let kind = lowercase(raised.kind.unwrap_or_default());
    let message = lowercase(raised.message.unwrap_or_default());
    if let Some(class) = http_status(&kind) {
        return Some(class);
    }
    let rule = RULES.iter().find(|(kinds, messages, who, _)| {
        kinds.fits(last_segment(&kind), &kind) && messages.fits(&message, &message) && who.fits(browser, side)
    });
    Some(rule.map_or(ErrorClass::Other, |(.., class)| *class))
}

fn http_status(kind: &str) -> Option<ErrorClass> {
    match kind.parse::<u16>() {
        Ok(400..=499) => Some(ErrorClass::Http4xx),
        Ok(500..=599) => Some(ErrorClass::Http5xx),
        _ => None,
    }
}

fn last_segment(kind: &str) -> &str {
    kind.rsplit(['.', ':', '/', '$', '\\', ' ']).find(|segment| !segment.is_empty()).unwrap_or(kind)
}

fn lowercase(text: &str) -> String {
    let mut end = text.len().min(caps::ERROR_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim().to_ascii_lowercase()
}

impl Text {
    fn fits(&self, name: &str, whole: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(accepted) => accepted.split('|').any(|word| word == name),
            Self::Has(words) => words.split('|').any(|word| whole.contains(word)),
        }
    }
}

impl Who {
    fn fits(&self, browser: Option<Browser>, side: Side) -> bool {
        match self {
            Self::Anyone => true,
            Self::Browser => browser.is_some() && side != Side::Server,
            Self::Firefox => browser == Some(Browser::Firefox),
            Self::Device => side != Side::Server,
            Self::Server => side == Side::Server,
        }
    }
}
