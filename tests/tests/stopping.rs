//! SIGTERM ends the service within its deadline, and a second one at once; what was not done is told.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use authstitch_tests::Serve;

/// A server that logs objects, and a connection with half a request, which it waits for as long as it drains.
fn held_up(directory: &Path, shutdown_seconds: u32) -> (Serve, TcpStream) {
    let file = directory.join("settings.yaml");
    let configuration = format!("log: {{format: json}}\nshutdown_seconds: {shutdown_seconds}\n");
    std::fs::write(&file, configuration).expect("the directory is ours");
    let mut serve = Serve::start(&directory.join("data"), &["--config", &file.display().to_string()]);
    assert!(serve.said("\"event\":\"started\""));
    let mut stream = TcpStream::connect(serve.http.trim_start_matches("http://")).expect("it listens");
    let head = "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    stream.write_all(head.as_bytes()).expect("it reads");
    // It says so once it reads the body: from then on the request is under way.
    stream.write_all(b"expect: 100-continue\r\ncontent-length: 9\r\n\r\n").expect("it reads");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("it answers");
    assert_eq!(&answer, b"HTTP/1.1 100");
    (serve, stream)
}

#[test]
fn an_end_that_takes_too_long_is_cut_off_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let (mut serve, _stream) = held_up(directory.path(), 1);
    serve.terminate();
    assert!(serve.said("stopping was cut off: "));
    assert_eq!(serve.ended().code(), Some(1));
}

#[test]
fn a_second_signal_cuts_off() {
    let directory = tempfile::tempdir().unwrap();
    let (mut serve, _stream) = held_up(directory.path(), 60);
    serve.terminate();
    assert!(serve.said("\"event\":\"stopping\""));
    serve.terminate();
    assert!(serve.said("the next start goes on with it"));
    assert_eq!(serve.ended().code(), Some(1));
}

#[test]
fn sighup_does_not_end_what_drains_and_the_end_is_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let (mut serve, mut stream) = held_up(directory.path(), 60);
    serve.terminate();
    assert!(serve.said("\"event\":\"stopping\""));
    serve.hang_up();
    std::thread::sleep(std::time::Duration::from_millis(300));
    // It is still there, and hears the rest of what is under way.
    stream.write_all(b"{       }").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.contains("HTTP/1.1 "), "{answer}");
    assert!(serve.said("\"event\":\"stopped\""));
    assert_eq!(serve.ended().code(), Some(0));
}
