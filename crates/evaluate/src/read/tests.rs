use authstitch_model::Cause;
use expect_test::{Expect, expect};

use crate::testing::{attempt, events, journey};
use crate::{caps, read_journeys, read_truth};

fn truth_line(number: u64) -> String {
    serde_json::to_string(&attempt(number, Cause::ScanFailed, events(0..2))).unwrap()
}

/// What is said of a file of truth lines.
fn refused(text: &str, expected: &Expect) {
    expected.assert_eq(&read_truth(text.as_bytes()).unwrap_err().to_string());
}

#[test]
fn lines_read_back_as_they_were_written_and_empty_ones_are_skipped() {
    let text = format!("{}\n\n  \r\n{}\r\n", truth_line(1), truth_line(2));
    let read = read_truth(text.as_bytes()).unwrap();
    assert_eq!(read, [1, 2].map(|number| attempt(number, Cause::ScanFailed, events(0..2))));
    let line = journey(1, events(0..2), &[(Cause::None, 1.0)]);
    let text = serde_json::to_string(&line).unwrap();
    assert_eq!(read_journeys(text.as_bytes()).unwrap(), [line]);
    assert_eq!(read_journeys([].as_slice()).unwrap(), []);
}

#[test]
fn an_error_names_the_line_and_what_is_wrong() {
    refused(
        &format!("{}\n{{\"attempt\":", truth_line(1)),
        &expect!["line 2: not a truth line: EOF while parsing a value (column 11)"],
    );
    refused(
        "[]",
        &expect![
            "line 1: not a truth line: invalid length 0, expected struct TruthLine with 19 elements (column 2)"
        ],
    );
    refused("{\"attempt\":1}", &expect!["line 1: not a truth line: missing field `world` (column 13)"]);
    refused(
        &truth_line(1).replace("scan_failed", "gremlins"),
        &expect![
            "line 1: not a truth line: `gremlins` is not a Cause; accepted: render_failed, delivery_failed, scan_failed, wrong_app, wrong_browser, code_expired, handoff_failed, link_prefetched, wrong_device, wrong_account, unsupported_device, policy_blocked, no_credential, bluetooth_unavailable, proximity_failed, network_blocked, prompt_expired, user_verification_failed, result_lost, verification_rejected, risk_denied, callback_lost, session_not_kept, server_error, client_error, walked_away, confirmation_abandoned, switched_method, cancelled, declined, none, unknown (column 108)"
        ],
    );
    refused(
        &truth_line(1).replace("journey:1", "journey"),
        &expect![
            "line 1: not a truth line: `journey` is not a key label: a kind and a number, such as code:2 (column 418)"
        ],
    );
}

#[test]
fn a_truth_whose_outcome_does_not_follow_from_its_cause_is_refused() {
    refused(
        &truth_line(1).replace("technical_failure", "succeeded"),
        &expect![
            "line 1: attempt 1: outcome `succeeded` does not follow from cause `scan_failed`, which is `technical_failure`"
        ],
    );
}

#[test]
fn an_attempt_stands_on_one_line() {
    refused(
        &format!("{}\n{}\n{}", truth_line(1), truth_line(2), truth_line(1)),
        &expect!["line 3: attempt 1 stands on line 1 already; score one world and one seed at a time"],
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let error = read_journeys([b'{', 0xff, b'}'].as_slice()).unwrap_err().to_string();
    assert!(error.starts_with("line 1: not a journey line: "), "{error}");
}

#[test]
fn a_line_without_end_is_refused() {
    let text = " ".repeat(caps::LINE_BYTES as usize + 1);
    refused(
        &text,
        &expect!["line 1: longer than 16777216 bytes; a truth line stands on one line of its own"],
    );
}
