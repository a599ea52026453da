//! Any text as a configuration: it is read or refused, a refusal is short enough to be read, and what is accepted is
//! the same configuration when it is written as JSON, which is YAML, too.

#![no_main]

use authstitch_service::Settings;
use libfuzzer_sys::fuzz_target;

/// What the variables of the environment are.
fn variable(name: &str) -> Option<String> {
    match name {
        "EMPTY" => Some(String::new()),
        "TOKEN" => Some("the-token-of-the-collectors".to_owned()),
        "ADDRESS" => Some("127.0.0.1:4317".to_owned()),
        _ => None,
    }
}

/// All that is said, but the mapping's tables, which have no order.
fn shown(settings: &Settings) -> String {
    let Settings {
        grpc,
        http,
        web,
        public,
        data_dir,
        store,
        journal,
        stitch,
        shards,
        tables,
        completeness,
        limits,
        ..
    } = settings;
    format!(
        "{:?}",
        ((grpc, http, web, public, data_dir, store), (journal, stitch, shards, tables, completeness, limits))
    )
}

fuzz_target!(|text: &str| {
    match Settings::from_yaml_with(text, variable) {
        Err(problems) => {
            let said = problems.to_string();
            assert!(!said.is_empty() && said.len() < 256 << 10, "{} bytes", said.len());
        }
        Ok(settings) => {
            let document: yaml_serde::Value = yaml_serde::from_str(text).expect("it was read before");
            let json = serde_json::to_string(&document).expect("its keys are texts");
            let again = Settings::from_yaml_with(&json, variable).expect("it was accepted before");
            assert_eq!(shown(&again), shown(&settings));
        }
    }
});
