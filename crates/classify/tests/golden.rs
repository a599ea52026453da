//! Golden journeys: `tests/golden/*.txt` holds a journey, a line an event, and after `---` what is to be said
//! of it. `UPDATE_EXPECT=1 cargo test -p authstitch-classify` writes what is said now.
//!
//! Each states what happened as `cause …`, and the verdict must hold it possible: in the credible set, or, where
//! the line ends in `hidden` because nobody could tell from what arrived, not ruled out. Every cause stands in
//! every flow where it can stop a login.

use std::fmt::Write as _;
use std::path::Path;

use authstitch_classify::{Tables, classify, explain};
use authstitch_model::{Cause, Completeness, Flow, Phase, Verdict, phases};

mod support;

/// A cause with less than this is ruled out.
const RULED_OUT: f32 = 0.001;

const DIVIDER: &str = "---\n";

#[test]
fn golden_journeys() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut missing = of_every_flow();
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (events, expected) = text.split_once(DIVIDER).unwrap_or((&text, ""));
        let (flow, cause, hidden) = happened(events);
        missing.retain(|wanted| *wanted != (flow, cause));
        let (verdict, said) = judged(events);
        let possible = match hidden {
            true => verdict.causes.of(cause) > RULED_OUT,
            false => verdict.causes.credible_set().has(cause),
        };
        let explanation = said.lines().last().unwrap_or_default();
        assert!(explanation.matches(". ").count() < 3, "more than three sentences: {explanation}");
        if !possible {
            let _ =
                writeln!(wrong, "{}\n{cause} happened, and was not held possible:\n{said}", file.display());
        }
        if update {
            std::fs::write(&file, format!("{events}{DIVIDER}{said}")).unwrap();
        } else if said != expected {
            let _ = writeln!(wrong, "{}\nexpected:\n{expected}\nsaid:\n{said}", file.display());
        }
    }
    assert!(missing.is_empty(), "no golden journey shows {missing:?}");
    assert!(wrong.is_empty(), "{wrong}\nUPDATE_EXPECT=1 accepts what is said now, but no impossible cause");
}

/// Every cause in every flow where it can stop a phase, and success in each.
fn of_every_flow() -> Vec<(Flow, Cause)> {
    let stops = |flow: Flow, cause: Cause| {
        cause == Cause::None || phases::of(flow).iter().any(|place| cause.stops().contains(&place.phase))
    };
    let flows = [Flow::AppQr, Flow::PasskeyCda, Flow::MagicLink];
    flows
        .iter()
        .flat_map(|flow| Cause::ALL.iter().map(move |cause| (*flow, *cause)))
        .filter(|(flow, cause)| stops(*flow, *cause))
        .collect()
}

/// What a journey says that happened, and whether nobody could tell.
fn happened(events: &str) -> (Flow, Cause, bool) {
    let word = |key: &str| events.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    let flow = Flow::from_code(word("flow ")).unwrap_or_else(|| panic!("no flow:\n{events}"));
    let (cause, hidden) = match word("cause ").split_once(' ') {
        Some((cause, rest)) => (cause, rest == "hidden"),
        None => (word("cause "), false),
    };
    let cause = Cause::from_code(cause).unwrap_or_else(|| panic!("no cause:\n{events}"));
    (flow, cause, hidden)
}

fn judged(events: &str) -> (Verdict, String) {
    let journey = support::journey(events);
    let completeness = Completeness {
        phone_instrumented: !events.contains("\nphones never-report\n"),
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
    (verdict, text)
}

fn phases(verdict: &Verdict) -> String {
    let known = Phase::ALL.iter().filter_map(|phase| Some((phase, verdict.phases[phase.index()]?)));
    join(known.map(|(phase, known)| format!("{phase} {} {:.2}", known.basis, known.reached)))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
