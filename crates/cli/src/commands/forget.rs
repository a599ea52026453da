//! `forget`: erases a journey everywhere.
//!
//! A server that works in the data directory is asked, wherever its address stands in the directory; without one the
//! command opens the directory itself. What a person types can be seen by others of the machine as long as the command
//! runs, and stays in the shell's history: `-` reads the key from standard input instead.

use std::io::Read as _;
use std::path::Path;

use authstitch_service::Forgotten;

use crate::args;
use crate::asking::ask;
use crate::caps;
use crate::commands::serve::runtime;
use crate::failure::{Failure, Outcome, While};
use crate::journeys;
use crate::output::{grouped, say};

pub fn run(args: &args::Forget) -> Outcome {
    let key = key(&args.key)?;
    let dir = journeys::data_dir(args.data_dir.as_deref());
    let server = args.endpoint.clone().or_else(|| authstitch_service::served_at(&dir));
    let (forgotten, place) = match server {
        Some(endpoint) => (from_server(&endpoint, &key, args)?, endpoint),
        None => (from_directory(&dir, &key, args.realm.as_deref())?, dir.display().to_string()),
    };
    if forgotten.is_nothing() {
        return Err(Failure::new(format!("nothing in {place} has this key")).hint(
            "a key is a journey id, or the raw correlation id, challenge, code, flow id or session id; \
             `--realm` names the realm of one that is not known yet",
        ));
    }
    let Forgotten { journeys, stored, events } = forgotten;
    say(&format!(
        "forgotten in {place}: {} journeys, {} of them stored; {} events erased from the journal\n",
        grouped(journeys),
        grouped(stored),
        grouped(events)
    ))
}

/// The key as typed, or from standard input.
fn key(typed: &str) -> Result<String, Failure> {
    if typed != "-" {
        return Ok(typed.to_owned());
    }
    let mut key = String::new();
    let input = std::io::stdin().lock();
    input.take(caps::KEY_BYTES).read_to_string(&mut key).cannot("read the key from standard input")?;
    match key.trim() {
        "" => {
            Err(Failure::usage("standard input holds no key; write one, as `echo KEY | authstitch forget -`"))
        }
        key => Ok(key.to_owned()),
    }
}

fn from_directory(dir: &Path, key: &str, realm: Option<&str>) -> Result<Forgotten, Failure> {
    runtime()?.block_on(authstitch_service::forget(dir, key, realm)).map_err(|error| {
        Failure::new(error.to_string())
            .hint("a running server is asked with `--endpoint http://ADDRESS`, its web address; others with `--data-dir DIR`")
    })
}

fn from_server(endpoint: &str, key: &str, args: &args::Forget) -> Result<Forgotten, Failure> {
    #[derive(serde::Deserialize)]
    struct Answer {
        journeys: u64,
        stored: u64,
        events: u64,
    }
    let mut question = serde_json::json!({ "key": key });
    if let Some(realm) = &args.realm {
        question["realm"] = realm.as_str().into();
    }
    let Answer { journeys, stored, events } = ask(endpoint, "/api/v1/forget", &question, &args.access)?;
    Ok(Forgotten { journeys, stored, events })
}
