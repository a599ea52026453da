//! The files that a configuration names: opened as a start opens them, and all that is wrong with them told at once.

use authstitch_model::document::{Problem, remark};

use super::Settings;
use crate::credentials::mistakes;
use crate::tables::{TablesError, read_tables};

/// What a start would refuse in the files, with the path of the key that names each.
pub(super) fn problems(settings: &Settings) -> Vec<Problem> {
    let Settings { grpc, http, web, public, tables, .. } = settings;
    let public = public.as_ref().map(|public| ("public", &public.listening));
    let listeners = [("grpc", grpc), ("http", http), ("web", web)].into_iter().chain(public);
    let of_listener = |(name, listening)| {
        let named = move |(key, message): (&str, String)| {
            Problem::at(&format!("listeners.{name}.{key}"), remark(message))
        };
        mistakes(listening).into_iter().map(named)
    };
    let of_tables = tables.as_deref().and_then(|path| read_tables(path).err());
    let of_tables = of_tables.map(|error| match error {
        // All mistakes of the file, each of them short.
        TablesError::Wrong { .. } => Problem::at("tables", error.to_string()),
        error => Problem::at("tables", remark(error)),
    });
    listeners.flat_map(of_listener).chain(of_tables).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use authstitch_model::document::Problems;
    use expect_test::expect;
    use tempfile::TempDir;

    use super::*;
    use crate::credentials::Credentials;

    /// A directory with good files, `stranger.pem`, which is another's certificate, and some that are good for nothing.
    fn directory() -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        for name in ["server.pem", "server.key", "ca.pem", "stranger.pem"] {
            let from = format!("{}/src/tests/data/tls/{name}", env!("CARGO_MANIFEST_DIR"));
            fs::copy(from, directory.path().join(name)).unwrap();
        }
        for (name, text) in [
            ("tokens", "the-token-of-a-reader\n"),
            ("short", "# a comment\nshort\n"),
            ("empty", ""),
            ("wrong.json", "{}"),
        ] {
            fs::write(directory.path().join(name), text).unwrap();
        }
        directory
    }

    fn said(directory: &TempDir, text: &str) -> String {
        let here = format!("{}/", directory.path().display());
        match Settings::check(&text.replace("@", &here)) {
            Ok(()) => String::new(),
            Err(problems) => problems.to_string().replace(&here, "@"),
        }
    }

    #[test]
    fn files_that_can_be_used_are_no_mistake() {
        let text = "listeners:\n  grpc: {address: '0.0.0.0:1', tls: {cert: '@server.pem', key: '@server.key', client_ca: '@ca.pem'}, token_file: '@tokens'}\n";
        assert_eq!(said(&directory(), text), "");
    }

    #[test]
    fn mistakes_of_the_text_and_of_all_files_are_told_at_once() {
        let text = "shards: many\ntables: '@wrong.json'\nlisteners:\n  grpc: {tls: {cert: '@gone', key: '@ca.pem', client_ca: '@empty'}}\n  \
                    http: {tls: {cert: '@stranger.pem', key: '@server.key'}, token_file: '@short'}\n  \
                    web: {tls: {cert: '@server.pem'}, token_file: '@empty'}\n  \
                    public: {address: '127.0.0.1:0', token_file: '@gone'}\n";
        expect![[r#"
            listeners.web.tls.key: is missing; accepted: a file in PEM
            shards: `"many"` is not a whole number from 1 to 256
            listeners.grpc.tls.cert: @gone cannot be read: No such file or directory (os error 2)
            listeners.grpc.tls.key: @ca.pem cannot be used: there is no key in it
            listeners.grpc.tls.client_ca: @empty cannot be used: there is no certificate in it
            listeners.http.tls: the certificate in @stranger.pem and the key in @server.key cannot be used together: keys may not be consistent: KeyMismatch
            listeners.http.token_file: the tokens in @short cannot be used: line 2 is no token; accepted: 16 to 512 visible ASCII characters, such as `openssl rand -hex 32` prints
            listeners.web.token_file: the tokens in @empty cannot be used: it has no token
            listeners.public.token_file: @gone cannot be read: No such file or directory (os error 2)
            tables: the tables in @wrong.json have mistakes
            version: is missing; a name that tells these tables from all others is accepted
            flows: is missing; a map with app_qr, passkey_cda, magic_link and unknown is accepted
            flows.app_qr.prior: is missing; a map from causes to how often each occurs is accepted
            flows.passkey_cda.prior: is missing; a map from causes to how often each occurs is accepted
            flows.magic_link.prior: is missing; a map from causes to how often each occurs is accepted
            flows.unknown.prior: is missing; a map from causes to how often each occurs is accepted"#]].assert_eq(&said(&directory(), text));
    }

    #[test]
    fn a_name_that_no_file_has_is_told_as_shortly_however_long_it_is() {
        let long = "x".repeat(100_000);
        let text = format!(
            "tables: {long}\nlisteners: {{http: {{token_file: {long}, tls: {{cert: {long}, key: {long}}}}}}}\n"
        );
        let Problems(problems) = Settings::check(&text).unwrap_err();
        assert!(problems.len() > 2, "{problems:?}");
        assert!(problems.iter().all(|problem| problem.path.len() + problem.message.len() < 4096));
    }

    #[test]
    fn each_is_said_as_a_start_says_it() {
        let directory = directory();
        for guard in [
            "tls: {cert: '@gone', key: '@server.key'}",
            "tls: {cert: '@server.pem', key: '@empty'}",
            "tls: {cert: '@server.pem', key: '@server.key', client_ca: '@empty'}",
            "tls: {cert: '@stranger.pem', key: '@server.key'}",
            "token_file: '@short'",
            "token_file: '@gone'",
        ] {
            let text = format!("listeners: {{http: {{{guard}}}}}");
            let settings =
                Settings::from_yaml(&text.replace("@", &format!("{}/", directory.path().display())));
            let settings = settings.unwrap();
            let found = problems(&settings);
            let at_start = Credentials::open(&settings.http).unwrap_err();
            assert_eq!(
                found.iter().map(|problem| &problem.message).collect::<Vec<_>>(),
                [&at_start],
                "{guard}"
            );
        }
    }
}
