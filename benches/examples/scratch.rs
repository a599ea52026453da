#![allow(missing_docs, clippy::all)]
use authstitch_benches::*;
use authstitch_engine::{Engine, Settings, Effect};
use authstitch_model::*;
use authstitch_otlp::Encoding;
use authstitch_stitch::*;
use std::time::Instant;
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    s.split_whitespace().next().unwrap().parse::<f64>().unwrap()
}
fn main() {
    let mode = std::env::args().nth(1).unwrap();
    let n: u64 = std::env::args().nth(2).unwrap().parse().unwrap();
    let rounds: usize = std::env::args().nth(3).unwrap().parse().unwrap();
    let reqs = requests(n);
    let spans: usize = reqs.iter().map(|r| r.records as usize).sum();
    let records = records(&encoded(&reqs, Encoding::Protobuf));
    let mut count = 0usize; let mut strong=0; let mut weak=0; let mut keys=[0usize;6]; let mut obs=0; let mut eid=0; let mut par=0; let mut span=0; let mut net=0; let mut flow=0; let mut dur=0;
    for r in &records { if let RecordBody::Events(e)=&r.body { for e in e { count+=1; if e.keys.has_strong(){strong+=1} else {weak+=1}
      for (i,k) in [e.keys.journey,e.keys.challenge,e.keys.code,e.keys.flow,e.keys.session,e.keys.trace].iter().enumerate(){ if k.is_some(){keys[i]+=1}}
      obs+=e.observed.is_some() as usize; eid+=e.event_id.is_some() as usize; par+=e.origin.parent_span_id.is_some() as usize; span+=e.origin.span_id.is_some() as usize; net+=e.facts.network.is_some() as usize; flow+=e.flow.is_some() as usize; dur+=e.facts.duration.is_some() as usize;
    }}}
    eprintln!("sizeof AuthEvent {} JourneyEvent {}", size_of::<AuthEvent>(), size_of::<JourneyEvent>());
    eprintln!("records {} spans {spans} events {count} strong {strong} weak {weak} keys {keys:?} obs {obs} eid {eid} parent {par} span {span} net {net} flow {flow} dur {dur}", records.len());
    let mut best = f64::MAX; let mut told=0; let mut evs=0;
    for _ in 0..rounds {
        let rs = records.clone();
        let t = cpu(); let w = Instant::now();
        let (a,b) = if mode == "stitch" { feed_stitch(rs) } else { feed_engine(rs) };
        told += a; evs += b;
        let _ = w;
        let e = cpu() - t;
        if e < best { best = e; }
    }
    println!("{mode}: {:.0} ns/event {:.0} ns/span, told {} events told {}", best / count as f64, best / spans as f64, told/rounds, evs/rounds);
}
#[inline(never)]
fn feed_stitch(rs: Vec<Record>) -> (usize, usize) {
            let (mut told, mut evs) = (0, 0);
            let (mut s, mut ch) = (Stitcher::default(), Vec::new());
            for r in rs { s.advance(r.received, &mut ch); if let RecordBody::Events(e) = r.body { for e in e { s.accept(r.received, e, &mut ch); } }
              told += ch.len(); for c in ch.drain(..) { if let Change::Closed(j)=c { evs += j.events.len(); } } }
    (told, evs)
}
#[inline(never)]
fn feed_engine(rs: Vec<Record>) -> (usize, usize) {
            let (mut told, mut evs) = (0, 0);
            let (mut s, mut ch) = (Engine::new(Settings::default()), Vec::new());
            for r in rs { s.step(r, &mut ch); told += ch.len(); for c in ch.drain(..) { if let Effect::Judged(j)=c { evs += j.journey.events.len(); } } }
    (told, evs)
}
