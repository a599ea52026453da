//! Golden journeys: `tests/golden/*.txt` holds a journey, a line an event, and after `---` what is to be said
//! of it. `UPDATE_EXPECT=1 cargo test -p authstitch-classify` writes what is said now.

use std::fmt::Write as _;
use std::path::Path;

use authstitch_classify::{Tables, classify, explain};
use authstitch_model::{Cause, Completeness, Phase, Verdict};

mod support;

const DIVIDER: &str = "---\n";

#[test]
fn golden_journeys() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 15, "golden journeys were not found");
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (events, expected) = text.split_once(DIVIDER).unwrap_or((&text, ""));
        let said = judged(events);
        if update {
            std::fs::write(&file, format!("{events}{DIVIDER}{said}")).unwrap();
        } else if said != expected {
            let _ = writeln!(wrong, "{}\nexpected:\n{expected}\nsaid:\n{said}", file.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nUPDATE_EXPECT=1 accepts what is said now");
}

fn judged(events: &str) -> String {
    let journey = support::journey(events);
    let completeness = Completeness {
        phone_instrumented: !events.contains("# the phones of this realm never report"),
        ..Completeness::default()
    };
    let verdict = classify(&journey, &completeness, &Tables::shipped());
    let mut text = String::new();
    let cause = verdict.cause().map_or("-", Cause::code);
    let phase = verdict.failing_phase().map_or("-", Phase::code);
    let _ = writeln!(text, "{} | {cause} | {phase} | {}", verdict.outcome(), verdict.end_act);
    let ranked = verdict.causes.ranked();
    let causes = ranked.iter().take_while(|(_, probability)| *probability >= 0.015);
    let _ = writeln!(text, "causes: {}", join(causes.map(|(cause, share)| format!("{cause} {share:.2}"))));
    let _ = writeln!(text, "phases: {}", phases(&verdict));
    if let Some(transport) = verdict.transport {
        let (value, share, basis) = (transport.value, transport.probability, transport.basis);
        let _ = writeln!(text, "transport: {value} {share:.2} {basis}");
    }
    if verdict.hiccups != Default::default() {
        let _ = writeln!(text, "hiccups: {}", join(verdict.hiccups.iter().map(|cause| cause.to_string())));
    }
    if verdict.relay_suspected {
        text.push_str("relay suspected\n");
    }
    let evidence = verdict.evidence.iter().flatten();
    let _ = writeln!(
        text,
        "evidence: {}",
        join(evidence.map(|weighed| format!("{} {:+.1}", weighed.evidence, weighed.weight)))
    );
    let _ = writeln!(text, "{}", explain(&journey, &verdict));
    text
}

fn phases(verdict: &Verdict) -> String {
    let known = Phase::ALL.iter().filter_map(|phase| Some((phase, verdict.phases[phase.index()]?)));
    join(known.map(|(phase, known)| format!("{phase} {} {:.2}", known.basis, known.reached)))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
