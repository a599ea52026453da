//! x
use authstitch_simulate::{Schedule, Simulation, World};
use std::collections::BTreeMap;
fn main() {
    for (name, yaml) in authstitch_simulate::SHIPPED {
        let world = World::from_yaml(yaml).unwrap_or_else(|e| panic!("{name}: {e}"));
        let start = std::time::Instant::now();
        let mut schedule = Schedule::new(Simulation::new(world, 1), 0..20_000);
        let (mut requests, mut bytes, mut records, mut pend) = (0, 0, 0, 0);
        let mut truth = vec![];
        while let Some(r) = schedule.next() {
            requests += 1;
            bytes += r.encode_protobuf().len();
            records += r.records;
            if requests % 500 == 0 {
                pend = pend.max(schedule.pending());
            }
            truth.extend(schedule.drain_truth());
        }
        truth.extend(schedule.drain_truth());
        println!(
            "{name}: {requests} requests {records} records {bytes} bytes pending {pend} in {:?}",
            start.elapsed()
        );
        let mut o: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        let mut fl: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let (mut s, mut l) = (0, 0);
        for t in &truth {
            *o.entry(t.outcome.to_string())
                .or_default()
                .entry(t.cause.map_or("none".into(), |c| c.to_string()))
                .or_default() += 1;
            for k in [format!("{}", t.flow), format!("seg {}", t.segment)] {
                let e = fl.entry(k).or_default();
                e.0 += 1;
                if t.cause.is_none() {
                    e.1 += 1;
                }
            }
            s += t.spans.len();
            l += t.lost.len();
        }
        println!("  survived {s} lost {l}");
        for (k, v) in fl {
            println!("  {k}: {} success {:.3}", v.0, v.1 as f64 / v.0 as f64);
        }
        for (k, v) in o {
            println!("  {k} {:.3} {v:?}", v.values().sum::<usize>() as f64 / truth.len() as f64);
        }
        for t in truth.iter().take(3) {
            println!("{}", serde_json::to_string(t).unwrap());
        }
    }
}
