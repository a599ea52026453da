//! A small login, instrumented with the official OpenTelemetry crates, that plays one device of one attempt.
//!
//! Several processes of it make one login: start `desktop`, `phone` and `server` together, with the same
//! challenge and code. They share nothing else, so whatever ties their telemetry together must be in it. The
//! program knows nothing of authstitch but the names of the convention.

mod logins;
mod telemetry;

use std::error::Error;
use std::process::ExitCode;

use logins::{Attempt, Flow, Role};
use telemetry::{Protocol, Telemetry};

const USAGE: &str = "usage: instrumented_login --role desktop|phone|server --flow app_qr|passkey_cda \
--endpoint URL --protocol grpc|http --challenge BASE64URL [--code TEXT] [--traceparent W3C]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match Part::read(&arguments) {
        Ok(part) => part.play().map_err(|error| error.to_string()),
        Err(problem) => Err(format!("{problem}\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("instrumented_login: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// One process's part in a login.
struct Part<'a> {
    role: Role,
    flow: Flow,
    protocol: Protocol,
    endpoint: &'a str,
    attempt: Attempt<'a>,
}

impl<'a> Part<'a> {
    fn read(arguments: &'a [String]) -> Result<Self, String> {
        let role = match required(arguments, "--role")? {
            "desktop" => Role::Desktop,
            "phone" => Role::Phone,
            "server" => Role::Server,
            other => return Err(format!("--role: `{other}` is not desktop, phone or server")),
        };
        let flow = match required(arguments, "--flow")? {
            "app_qr" => Flow::AppQr,
            "passkey_cda" => Flow::PasskeyCda,
            other => return Err(format!("--flow: `{other}` is not app_qr or passkey_cda")),
        };
        let protocol = match required(arguments, "--protocol")? {
            "grpc" => Protocol::Grpc,
            "http" => Protocol::Http,
            other => return Err(format!("--protocol: `{other}` is not grpc or http")),
        };
        let endpoint = required(arguments, "--endpoint")?;
        let challenge = required(arguments, "--challenge")?;
        let code = optional(arguments, "--code").unwrap_or_default();
        let page = telemetry::remote_parent(optional(arguments, "--traceparent"));
        Ok(Self { role, flow, protocol, endpoint, attempt: Attempt { challenge, code, page } })
    }

    fn play(&self) -> Result<(), Box<dyn Error>> {
        let telemetry = Telemetry::start(self.endpoint, self.protocol, self.role.resource())?;
        logins::play(self.role, self.flow, &self.attempt, &telemetry);
        telemetry.finish()
    }
}

fn required<'a>(arguments: &'a [String], name: &str) -> Result<&'a str, String> {
    optional(arguments, name).ok_or_else(|| format!("{name} is missing"))
}

fn optional<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1).map(String::as_str)
}
