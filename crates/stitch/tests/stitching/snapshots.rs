//! What is restored goes on as what was written would have, to the very end; and no bytes do any harm.

use authstitch_model::event::Transports;
use authstitch_model::{
    AuthEvent, EventId, Facts, HttpMethod, Mediation, Method, Millis, Reason, Synthetic, UnixNanos,
};
use authstitch_stitch::{Change, Settings, SnapshotError, Stitcher};
use proptest::collection::vec;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, TestCaseError, any, prop_assert, prop_assert_eq, proptest,
};
use proptest::prop_oneof;
use proptest::sample::Index;

use crate::attempts::arrivals;
use crate::dsl::{Line, What, parse, shown};
use crate::properties::anything;

mod damage;
mod golden;

/// An event that says more than the line does, so that everything that can be packed is.
fn talkative(line: &Line, nth: usize) -> Option<AuthEvent> {
    let mut event = line.event()?;
    if nth.is_multiple_of(3) {
        event.observed = Some(event.time.plus(Millis(nth as u64)));
        event.event_id = Some(EventId::new(&format!("record-{nth}")));
        event.origin.parent_span_id = event.origin.span_id;
    }
    if nth.is_multiple_of(4) {
        event.facts = Facts {
            duration: Some(Millis(nth as u64 * 1000)),
            network: Some(nth as u64),
            country: Some(*b"DE"),
            sampled: Some(7),
            synthetic: Some(Synthetic::ALL[0]),
            webauthn_elapsed: Some(Millis(3)),
            mediation: Some(Mediation::ALL[0]),
            hybrid_capability: Some(true),
            aaguid: Some(9),
            transports: Transports::PHONE,
            backup_state: Some(false),
            reason: Some(Reason::ALL[0]),
            method: Some(Method::ALL[0]),
            http_method: Some(HttpMethod::ALL[0]),
            ..event.facts
        };
    }
    Some(event)
}

fn feed(stitcher: &mut Stitcher, line: &Line, nth: usize, changes: &mut Vec<Change>) {
    stitcher.advance(line.received(), changes);
    match (&line.what, talkative(line, nth)) {
        (What::Shutdown, _) => while stitcher.shut_down(line.received(), 3, changes) {},
        (_, Some(event)) => stitcher.accept(line.received(), &event, changes),
        (_, None) => {}
    }
}

fn written(stitcher: &Stitcher) -> Vec<u8> {
    let mut bytes = Vec::new();
    stitcher.snapshot(&mut bytes);
    bytes
}

/// Restores a stitcher from what it is, which must be what the other one is.
fn restored(settings: Settings, plain: &Stitcher, other: &Stitcher) -> Result<Stitcher, TestCaseError> {
    let bytes = written(plain);
    prop_assert!(written(other) == bytes, "the same records by another way give the same bytes");
    let anew = Stitcher::restore(settings, &bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert!(written(&anew) == bytes, "what is restored is written as it was");
    prop_assert_eq!(anew.counters(), plain.counters());
    prop_assert_eq!(anew.next_deadline().is_none(), plain.next_deadline().is_none());
    Ok(anew)
}

/// Feeds two, one of which is restored from itself before each line that `cuts` names.
fn compare(settings: Settings, lines: &[Line], cuts: &[usize]) -> Result<(), TestCaseError> {
    let (mut plain, mut other) = (Stitcher::new(settings), Stitcher::new(settings));
    let (mut said, mut again) = (Vec::new(), Vec::new());
    for (nth, line) in lines.iter().enumerate() {
        if cuts.contains(&nth) {
            other = restored(settings, &plain, &other)?;
        }
        feed(&mut plain, line, nth, &mut said);
        let is_quiet = other.next_deadline().is_none_or(|deadline| deadline > line.received());
        other.advance(line.received(), &mut again);
        prop_assert!(again.is_empty() || !is_quiet, "nothing happens before the next deadline");
        feed(&mut other, line, nth, &mut again);
        agree(line.received(), &mut said, &mut again)?;
        prop_assert_eq!(other.counters(), plain.counters(), "after {:?}", line);
    }
    let mut steps = 0;
    while let Some(deadline) = [plain.next_deadline(), other.next_deadline()].into_iter().flatten().min() {
        if cuts.contains(&(lines.len() + steps)) {
            other = restored(settings, &plain, &other)?;
        }
        plain.advance(deadline, &mut said);
        other.advance(deadline, &mut again);
        agree(deadline, &mut said, &mut again)?;
        prop_assert_eq!(other.counters(), plain.counters());
        steps += 1;
    }
    restored(settings, &plain, &other)?;
    // What is left is remembered only, until everything is forgotten.
    plain.advance(UnixNanos(u64::MAX), &mut said);
    other.advance(UnixNanos(u64::MAX), &mut again);
    agree(UnixNanos(u64::MAX), &mut said, &mut again)?;
    prop_assert_eq!((plain.counters().tombstones, other.counters()), (0, plain.counters()));
    restored(settings, &plain, &other).map(drop)
}

fn agree(at: UnixNanos, said: &mut Vec<Change>, again: &mut Vec<Change>) -> Result<(), TestCaseError> {
    let text =
        |changes: &mut Vec<Change>| shown(&changes.drain(..).map(|change| (at, change)).collect::<Vec<_>>());
    if said != again {
        let (said, again) = (text(said), text(again));
        return Err(TestCaseError::fail(format!("without\n{said}restored\n{again}")));
    }
    said.clear();
    again.clear();
    Ok(())
}

/// Several cuts in so many lines and the steps after them.
fn cuts() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 1..6)
}

fn places(cuts: &[Index], lines: &[Line]) -> Vec<usize> {
    cuts.iter().map(|cut| cut.index(lines.len() * 3 / 2 + 2)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn goes_on_as_if_it_had_never_stopped(lines in arrivals(), cuts in cuts()) {
        compare(Settings::default(), &lines, &places(&cuts, &lines))?;
    }

    #[test]
    fn goes_on_so_at_the_bound_of_journeys(lines in arrivals(), cuts in cuts(), journeys in 1usize..6) {
        compare(Settings { journeys, ..Settings::default() }, &lines, &places(&cuts, &lines))?;
    }

    /// Nothing outlives its deadline, and what stands side by side at one time is told in one order.
    #[test]
    fn goes_on_so_where_everything_is_due_at_once(lines in arrivals(), cuts in cuts(), millis in 0..3u64) {
        let soon = Millis(millis * 500);
        let settings = Settings {
            idle_margin: soon, idle_after_unload: soon, grace: soon, hold: soon, reopen_window: soon,
            greatest_age: Millis(5_000), ..Settings::default()
        };
        compare(settings, &lines, &places(&cuts, &lines))?;
    }

    /// At any times, with events that nobody would send.
    #[test]
    fn goes_on_so_whatever_comes(soup in vec((anything(), any::<bool>()), 1..60), journeys in 1..8usize) {
        let settings = Settings { journeys, ..Settings::default() };
        let (mut plain, mut other) = (Stitcher::new(settings), Stitcher::new(settings));
        let (mut said, mut again, mut now) = (Vec::new(), Vec::new(), UnixNanos(0));
        for ((later, event), cut) in soup {
            if cut {
                other = restored(settings, &plain, &other)?;
            }
            now = now.plus(later);
            for (stitcher, changes) in [(&mut plain, &mut said), (&mut other, &mut again)] {
                stitcher.advance(now, changes);
                stitcher.accept(now, &event, changes);
            }
            agree(now, &mut said, &mut again)?;
            prop_assert_eq!(other.counters(), plain.counters());
        }
        for (stitcher, changes) in [(&mut plain, &mut said), (&mut other, &mut again)] {
            while stitcher.shut_down(now, 2, changes) {}
        }
        agree(now, &mut said, &mut again)?;
        restored(settings, &plain, &other)?;
    }

    #[test]
    fn other_settings_change_what_is_restored_from_there_on(lines in arrivals(), cut in any::<Index>()) {
        let cut = cut.index(lines.len());
        let (mut stitcher, mut changes) = (Stitcher::default(), Vec::new());
        for (nth, line) in lines[..cut].iter().enumerate() {
            feed(&mut stitcher, line, nth, &mut changes);
        }
        let at_once = Settings { greatest_age: Millis(0), hold: Millis(0), ..Settings::default() };
        let mut stitcher = Stitcher::restore(at_once, &written(&stitcher)).unwrap();
        let now = lines[cut].received();
        stitcher.advance(now, &mut changes);
        let counters = stitcher.counters();
        prop_assert_eq!((counters.open, counters.waiting), (0, 0), "at {:?}", now);
    }
}

/// The journeys of one session, which come to it in the order 0, 7, 14, … and not in that of their ids; then more of
/// them than a session keeps.
#[test]
fn the_first_to_come_to_a_session_is_the_first_to_go_from_it() {
    let mut text = String::new();
    let mut at = 0.0;
    let mut say = |what: String| {
        at += 0.25;
        text.push_str(&format!("{at} {what}\n"));
    };
    (0..64).for_each(|nth| say(format!("server challenge.created challenge=C{nth}")));
    (0..64).for_each(|nth| say(format!("desktop qr.shown challenge=C{} session=S", nth * 7 % 64)));
    (64..90).for_each(|nth| say(format!("desktop qr.shown challenge=C{nth} session=S")));
    let lines = parse(&text);
    let cuts: Vec<_> = (100..lines.len() + 20).collect();
    compare(Settings::default(), &lines, &cuts).unwrap();
}

/// More codes than a byte counts, more events than are kept, and then another journey that turns out to be this one.
#[test]
fn a_journey_of_the_greatest_size_is_restored() {
    let begin = "0 server challenge.created challenge=A\n1 server challenge.created challenge=B\n".to_owned();
    let shown = |nth: usize| format!("{} desktop qr.shown challenge=A code=K{nth}\n", 1.0 + nth as f64 / 8.0);
    let end = "80 server verification.succeeded challenge=A code=Z\n81 phone qr.scanned challenge=B code=Z\n";
    let lines = parse(&(begin + &(1..600).map(shown).collect::<String>() + end));
    compare(Settings::default(), &lines, &[1, 3, 260, 261, 511, 512, 590, 601, 602, 603, 604]).unwrap();
}

#[test]
fn a_snapshot_of_nothing_is_small_and_restores_nothing() {
    let bytes = written(&Stitcher::default());
    assert_eq!(bytes.len(), 40);
    let stitcher = Stitcher::restore(Settings::default(), &bytes).unwrap();
    assert_eq!((stitcher.counters(), stitcher.next_deadline()), (Stitcher::default().counters(), None));
}
