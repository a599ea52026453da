use super::*;

const CHROME: Option<Browser> = Some(Browser::Chrome);
const SAFARI: Option<Browser> = Some(Browser::Safari);
const FIREFOX: Option<Browser> = Some(Browser::Firefox);

fn of(kind: &str, message: &str, browser: Option<Browser>, side: Side) -> ErrorClass {
    let some = |text| Some(text).filter(|text: &&str| !text.is_empty());
    class(Raised { kind: some(kind), message: some(message) }, browser, side).expect("something was raised")
}

/// A message, the browser, the class.
type Case = (&'static str, &'static str, Option<Browser>, ErrorClass);

fn check(side: Side, cases: &[Case]) {
    for (kind, message, browser, expected) in cases {
        assert_eq!(of(kind, message, *browser, side), *expected, "{kind} {message:?} {browser:?}");
    }
}

#[test]
fn nothing_raised_is_no_error() {
    assert_eq!(class(Raised::default(), CHROME, Side::Initiator), None);
}

#[test]
fn a_number_is_an_http_status() {
    check(
        Side::Server,
        &[
            ("404", "", None, Class::Http4xx),
            ("500", "", None, Class::Http5xx),
            ("504", "", None, Class::Http5xx),
            ("302", "", None, Class::Other),
        ],
    );
}

#[test]
fn browsers_go_by_name_and_message() {
    let chrome = "The operation either timed out or was not allowed. See: https://www.w3.org/TR/webauthn-2/#sctn-privacy.";
    check(
        Side::Initiator,
        &[
            ("NotAllowedError", chrome, CHROME, Class::NotAllowed),
            ("DOMException", chrome, CHROME, Class::NotAllowed),
            ("NotAllowedError", "", FIREFOX, Class::NotAllowed),
            ("NotAllowedError", "This request has been cancelled by the user.", SAFARI, Class::UserCancelled),
            ("NotAllowedError", "Operation timed out.", SAFARI, Class::TimedOut),
            ("NotAllowedError", "Operation failed.", SAFARI, Class::OperationFailed),
            (
                "NotAllowedError",
                "This request has been cancelled by a new request.",
                SAFARI,
                Class::Superseded,
            ),
            (
                "NotAllowedError",
                "The operation is not allowed because the page does not have focus.",
                CHROME,
                Class::NotFocused,
            ),
            (
                "NotAllowedError",
                "The 'publickey-credentials-get' feature is not enabled in this document.",
                CHROME,
                Class::Policy,
            ),
            ("OperationError", "A request is already pending.", CHROME, Class::Superseded),
            ("OperationError", "", CHROME, Class::Platform),
            ("AbortError", "", FIREFOX, Class::UserCancelled),
            ("AbortError", "", CHROME, Class::Aborted),
            ("UserCancelledError", "", CHROME, Class::UserCancelled),
            ("TimeoutError", "", CHROME, Class::TimedOut),
            ("TimeoutError", "signal timed out", CHROME, Class::Timeout),
            ("SecurityError", "", SAFARI, Class::Security),
            ("NotSupportedError", "", CHROME, Class::NotSupported),
            ("ConstraintError", "", CHROME, Class::NotSupported),
            ("InvalidStateError", "", CHROME, Class::InvalidState),
            ("NotReadableError", "", CHROME, Class::Platform),
            ("UnknownError", "", FIREFOX, Class::Platform),
            ("TypeError", "Failed to fetch", CHROME, Class::Network),
            ("TypeError", "Load failed", SAFARI, Class::Network),
            ("TypeError", "NetworkError when attempting to fetch resource.", FIREFOX, Class::Network),
            ("TypeError", "x is not a function", CHROME, Class::InvalidState),
            ("NetworkError", "", CHROME, Class::Network),
            ("ChunkLoadError", "", CHROME, Class::Render),
            ("QRCodeRenderError", "", CHROME, Class::Render),
            ("SomethingNewError", "", CHROME, Class::Other),
            ("_OTHER", "", CHROME, Class::Other),
        ],
    );
}

#[test]
fn the_outcomes_that_chrome_counts_are_known() {
    check(
        Side::Initiator,
        &[
            ("UserCancellation", "", CHROME, Class::UserCancelled),
            ("UiTimeout", "", CHROME, Class::TimedOut),
            ("CredentialNotRecognized", "", CHROME, Class::NoCredential),
            ("PlatformNotAllowed", "", CHROME, Class::Policy),
            ("FilterBlock", "", CHROME, Class::Policy),
            ("HybridTransportError", "", CHROME, Class::OperationFailed),
            ("OtherFailure", "", CHROME, Class::OperationFailed),
            ("UvNotSupported", "", CHROME, Class::NotSupported),
            ("EnclaveError", "", CHROME, Class::Platform),
            ("HardPinBlock", "", CHROME, Class::Platform),
        ],
    );
}

#[test]
fn native_apps_say_more() {
    check(
        Side::Authenticator,
        &[
            ("UserCancelled", "", None, Class::UserCancelled),
            ("ASAuthorizationError.canceled", "", None, Class::UserCancelled),
            ("LAError.userCancel", "", None, Class::UserCancelled),
            ("LAError.biometryLockout", "", None, Class::Platform),
            ("ASAuthorizationError.notInteractive", "", None, Class::Platform),
            (
                "com.apple.AuthenticationServices.AuthorizationError",
                "The operation couldn't be completed. (com.apple.AuthenticationServices.AuthorizationError error 1001.)",
                None,
                Class::UserCancelled,
            ),
            (
                "com.apple.AuthenticationServices.AuthorizationError",
                "No credentials available for login. error 1001",
                None,
                Class::NoCredential,
            ),
            (
                "ASAuthorizationError.failed",
                "Application is not associated with domain example.com",
                None,
                Class::Security,
            ),
            (
                "androidx.credentials.exceptions.GetCredentialCancellationException",
                "",
                None,
                Class::UserCancelled,
            ),
            ("android.credentials.GetCredentialException.TYPE_USER_CANCELED", "", None, Class::UserCancelled),
            ("androidx.credentials.exceptions.NoCredentialException", "", None, Class::NoCredential),
            ("android.credentials.GetCredentialException.TYPE_NO_CREDENTIAL", "", None, Class::NoCredential),
            (
                "androidx.credentials.exceptions.GetCredentialUnsupportedException",
                "",
                None,
                Class::NotSupported,
            ),
            ("androidx.credentials.exceptions.GetCredentialInterruptedException", "", None, Class::Platform),
            (
                "androidx.credentials.TYPE_GET_PUBLIC_KEY_CREDENTIAL_DOM_EXCEPTION/androidx.credentials.TYPE_NOT_ALLOWED_ERROR",
                "",
                None,
                Class::NotAllowed,
            ),
            ("BiometricPrompt.ERROR_NEGATIVE_BUTTON", "", None, Class::UserCancelled),
            ("BiometricPrompt.ERROR_LOCKOUT", "", None, Class::Platform),
            ("BiometricPrompt.ERROR_TIMEOUT", "", None, Class::TimedOut),
            ("BiometricPrompt.ERROR_HW_NOT_PRESENT", "", None, Class::NotSupported),
            ("android.content.ActivityNotFoundException", "", None, Class::Handoff),
            ("deep_link_failed", "", None, Class::Handoff),
            ("app_link_unverified", "", None, Class::Handoff),
            ("BluetoothUnavailable", "", None, Class::Bluetooth),
            ("CBManagerStatePoweredOff", "", None, Class::Bluetooth),
            ("Error", "Check network and Bluetooth", None, Class::Bluetooth),
            ("NSURLErrorDomain", "", None, Class::Network),
            ("java.net.UnknownHostException", "", None, Class::Network),
            ("javax.net.ssl.SSLHandshakeException", "", None, Class::Network),
            ("DevicePolicyException", "", None, Class::Policy),
            ("", "blocked by your administrator", None, Class::Policy),
            ("java.lang.IllegalStateException", "", None, Class::InvalidState),
            ("NSInvalidArgumentException", "", None, Class::InvalidState),
            ("unsupported_device", "", None, Class::NotSupported),
            ("managed_profile", "", None, Class::Policy),
            ("no_app_for_code", "", None, Class::Handoff),
            ("session_missing", "", None, Class::Http4xx),
            ("wrong_browser", "", None, Class::Http4xx),
            ("tunnel_failed", "", None, Class::Network),
            ("code_expired", "", None, Class::Timeout),
        ],
    );
}

#[test]
fn backends_answer_and_throw() {
    check(
        Side::Server,
        &[
            ("java.net.SocketTimeoutException", "", None, Class::Timeout),
            ("requests.exceptions.ConnectTimeout", "", None, Class::Timeout),
            ("TimeoutError", "", None, Class::Timeout),
            ("context.deadlineExceededError", "", None, Class::Timeout),
            ("DEADLINE_EXCEEDED", "", None, Class::Timeout),
            ("", "request timed out", None, Class::Timeout),
            ("java.net.ConnectException", "", None, Class::Network),
            ("ECONNREFUSED", "", None, Class::Network),
            ("*net.OpError", "", None, Class::Network),
            ("socket.gaierror", "", None, Class::Network),
            ("System.Net.Http.HttpRequestException", "", None, Class::Network),
            ("SMTPRecipientsRefused", "", None, Class::Delivery),
            ("mail_bounced: bounce", "", None, Class::Delivery),
            ("UNAUTHENTICATED", "", None, Class::Http4xx),
            ("RESOURCE_EXHAUSTED", "", None, Class::Http4xx),
            ("INTERNAL", "", None, Class::Http5xx),
            ("UNAVAILABLE", "", None, Class::Http5xx),
            ("java.lang.NullPointerException", "", None, Class::Http5xx),
            ("*errors.errorString", "context canceled", None, Class::Http5xx),
            ("canceled", "", None, Class::Other),
            ("invalid_grant", "", None, Class::Other),
        ],
    );
}

#[test]
fn every_class_has_a_line() {
    let has = |class: &ErrorClass| RULES.iter().any(|(.., known)| known == class) || *class == Class::Other;
    assert!(ErrorClass::ALL.iter().all(has));
}

#[test]
fn a_huge_message_is_cut_at_a_character() {
    assert_eq!(of("Error", &"é".repeat(1_000_000), None, Side::Initiator), Class::Other);
}
