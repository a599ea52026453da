//! Any text as a configuration: it is read or refused, each problem is short whatever the text, and what is accepted is
//! the same configuration when it is written as JSON, which is YAML, too.

#![no_main]

use authstitch_fuzz::assert_short;
use authstitch_model::document;
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
        Err(problems) => assert_short(problems),
        Ok(settings) => {
            let yaml = yaml_serde::Deserializer::from_str(text);
            let (document, problems) = document::value(yaml).expect("it was read before");
            assert!(problems.is_empty());
            let json = document.to_string();
            let again = Settings::from_yaml_with(&json, variable).expect("it was accepted before");
            assert_eq!(shown(&again), shown(&settings));
        }
    }
});
