//! A server whose receivers have TLS and a token, from its configuration file to journeys, and the renewal of its
//! certificate without a restart.

use std::fs;
use std::path::Path;
use std::process::Output;

use authstitch_tests::{IN_MEMORY, Serve, authstitch, journeys, path, workspace};

const TOKEN: &str = "the-token-of-the-collectors";

fn certificate(name: &str) -> String {
    workspace().join("tests/data/tls").join(name).display().to_string()
}

fn simulate(endpoint: &str, protocol: &str, token: &str) -> Output {
    let endpoint = endpoint.replace("http://127.0.0.1", "https://localhost");
    let mut command = authstitch();
    command
        .args(["simulate", "--world", "baseline", "--attempts", "8", "--seed", "1", "--speed", "1000"])
        .args(["--protocol", protocol, "--endpoint", &endpoint, "--tls-ca", &certificate("ca.pem")])
        .args(["--header", &format!("authorization=Bearer {token}")]);
    command.output().expect("it starts")
}

fn configuration(directory: &Path) -> (String, String) {
    let (file, cert) = (path(directory, "config.yaml"), path(directory, "server.pem"));
    fs::copy(certificate("server.pem"), &cert).expect("it can be copied");
    let guarded = |address: &str| {
        let key = certificate("server.key");
        format!("{{address: '{address}', tls: {{cert: '{cert}', key: '{key}'}}, tokens: ['{TOKEN}']}}")
    };
    let text = format!(
        "{IN_MEMORY}listeners:\n  grpc: {}\n  http: {}\n  public: {{address: '127.0.0.1:0', origins: ['https://shop.example']}}\n",
        guarded("127.0.0.1:4317"),
        guarded("127.0.0.1:4318"),
    );
    fs::write(&file, text).expect("it can be written");
    (file, cert)
}

#[test]
fn guarded_receivers_take_what_shows_the_token_and_a_broken_renewal_changes_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let (file, cert) = configuration(directory.path());
    let mut serve = Serve::start(&data, &["--config", &file]);
    for (endpoint, protocol) in [(&serve.grpc, "grpc"), (&serve.http, "http/protobuf")] {
        let sent = simulate(endpoint, protocol, TOKEN);
        assert!(sent.status.success(), "{protocol}: {}", String::from_utf8_lossy(&sent.stderr));
        let refused = simulate(endpoint, protocol, "another-token-altogether");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("authorization: Bearer"), "{protocol}: {said}");
    }
    fs::write(&cert, "no certificate").expect("it can be written");
    serve.hang_up();
    assert!(serve.said("OTLP/gRPC: the old certificates and tokens stay: "));
    let sent = simulate(&serve.grpc, "grpc", TOKEN);
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    // A file that has changed is noticed without being told.
    let renewed = format!("\n{}", fs::read_to_string(certificate("server.pem")).expect("it can be read"));
    fs::write(&cert, renewed).expect("it can be written");
    assert!(serve.said("OTLP/gRPC: the certificates and tokens were read again"));
    serve.stop();
    assert!(!journeys(&data).is_empty());
}
