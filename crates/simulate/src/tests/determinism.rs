use std::collections::HashSet;
use std::hash::Hasher;

use expect_test::expect;

use super::{requests, shipped, world};
use crate::random::mixed;
use crate::{Block, Emission, Exporter, SHIPPED, Schedule, Simulation, World};

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    for world in shipped() {
        let bytes = |seed| -> Vec<u8> {
            requests(world.clone(), seed, 64).iter().flat_map(crate::Request::encode_protobuf).collect()
        };
        assert_eq!(bytes(3), bytes(3));
        assert_ne!(bytes(3), bytes(4));
    }
}

#[test]
fn a_block_is_the_same_alone_among_others_and_on_other_threads() {
    for world in shipped() {
        let simulation = Simulation::new(world, 11);
        let in_order: Vec<Block> = (0..24).map(|number| simulation.block(number)).collect();
        let backwards: Vec<Block> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..24)
                .rev()
                .map(|number| {
                    let simulation = &simulation;
                    scope.spawn(move || simulation.block(number))
                })
                .collect();
            threads.into_iter().rev().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(in_order, backwards);
    }
}

#[test]
fn blocks_that_share_a_server_batch_agree_on_its_fate() {
    let world = world("{name: w, based_on: baseline}");
    let simulation = Simulation::new(world, 5);
    let mut arrivals = std::collections::HashMap::new();
    let mut shared = HashSet::new();
    for emission in (0..200).flat_map(|number| simulation.block(number).emissions) {
        let Emission { exporter: Exporter::Server { .. }, copy: 0, .. } = emission else { continue };
        let batch =
            (emission.exporter, emission.sent, emission.content.signal() == authstitch_otlp::Signal::Logs);
        let first = *arrivals.entry(batch).or_insert((emission.arrives, emission.attempt / 8));
        assert_eq!(first.0, emission.arrives, "{batch:?}");
        if first.1 != emission.attempt / 8 {
            shared.insert(batch.1);
        }
    }
    assert!(shared.len() > 10, "no batch was shared by two blocks");
}

#[test]
fn a_range_of_attempts_is_a_part_of_the_whole() {
    for world in shipped() {
        let simulation = Simulation::new(world, 2);
        let of = |range| {
            let mut schedule = Schedule::new(simulation.clone(), range);
            let records: usize = schedule.by_ref().map(|request| request.records).sum();
            let truth: Vec<_> = schedule.drain_truth().collect();
            (records, truth)
        };
        let (whole, parts) = (of(0..100), [of(0..13), of(13..50), of(50..100)]);
        assert_eq!(whole.0, parts.iter().map(|part| part.0).sum::<usize>());
        assert_eq!(whole.1, parts.into_iter().flat_map(|part| part.1).collect::<Vec<_>>());
    }
}

#[test]
fn requests_come_in_the_order_of_their_time_and_hold_every_emission() {
    for world in shipped() {
        let simulation = Simulation::new(world, 2);
        let emitted: usize = (0..50).map(|number| simulation.block(number).emissions.len()).sum();
        let requests: Vec<_> = Schedule::new(simulation, 0..400).collect();
        assert!(requests.is_sorted_by_key(|request| request.at));
        assert_eq!(requests.iter().map(|request| request.records).sum::<usize>(), emitted);
    }
}

#[test]
fn without_a_gateway_every_batch_is_a_request_of_its_own() {
    let direct = world("{name: w, based_on: baseline, telemetry: {batching: {gateway_ms: 0}}}");
    let simulation = Simulation::new(direct, 2);
    let batches: HashSet<_> = (0..20)
        .flat_map(|number| simulation.block(number).emissions)
        .map(|one| (one.exporter, one.sent, one.copy, one.content.signal() == authstitch_otlp::Signal::Logs))
        .collect();
    assert_eq!(Schedule::new(simulation, 0..160).count(), batches.len());
}

#[test]
fn what_waits_to_be_sent_is_bounded_by_the_horizon_and_not_by_the_attempts() {
    let mut schedule = Schedule::new(Simulation::new(world("{name: w, based_on: baseline}"), 1), 0..6000);
    let mut most = 0;
    while schedule.next().is_some() {
        most = most.max(schedule.pending());
    }
    assert!(most < 40_000, "{most} records waited");
}

/// How the telemetry fails does not change what happened.
#[test]
fn faults_leave_the_lives_as_they_were() {
    let perfect = "{name: baseline, based_on: baseline, telemetry: {loss: {initiator: 0.5}, delayed: 0.5, sampling: {head: 0.2}}}";
    let lives = |world: World| {
        let lines = super::truth(world, 9, 30).into_iter();
        lines.map(|line| (line.cause, line.phases, line.end_act, line.started_at)).collect::<Vec<_>>()
    };
    assert_eq!(lives(world(perfect)), lives(world(World::shipped("baseline").unwrap())));
}

/// A change of these hashes says that the generator makes other bytes than before: meant, or a mistake.
#[test]
fn fingerprints_of_the_payloads() {
    let mut found = String::new();
    for (name, yaml) in SHIPPED {
        let mut hash = Mixed(0);
        for request in requests(world(yaml), 1, 400) {
            hash.write(&request.at.0.to_le_bytes());
            hash.write(&request.encode_protobuf());
        }
        found += &format!("{name} {:016x}\n", hash.finish());
    }
    expect![[r#"
        baseline 143dd1f32d2058bd
        passkey_launch eb013ae1df8a299d
        quick_retries b9deb0b08a84a1c5
        kiosk 76c98aff7f8c3518
        lossy_mobile 35bf575e303e88fe
        clock_chaos 54ebae41c73e5102
        sampled f09504680709ebd1
        magic_link_mail_scanners 7d7e863b8c5f2751
        android_regression 9c5cb9ef35a4d61a
        partly_instrumented 46744020e9da65ca
        corporate_network 57134d6f32358451
        attack cfb6121b9a17bc1f
    "#]]
    .assert_eq(&found);
}

struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = mixed(self.0.rotate_left(8) ^ u64::from(*byte));
        }
    }
}
