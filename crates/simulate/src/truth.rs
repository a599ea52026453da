//! The truth line of an attempt: from its story, and from what became of its telemetry.

use authstitch_model::truth::TruthLine;
use authstitch_model::{Cause, Phase, Transport};

use crate::faults::Fates;
use crate::life::Story;
use crate::stack::{Scene, environment};

pub(crate) fn line(
    scene: &Scene<'_>,
    attempt: u64,
    previous_attempt: Option<u64>,
    fates: Fates,
) -> TruthLine {
    let story = scene.story;
    TruthLine {
        attempt,
        world: scene.world.name().to_owned(),
        segment: scene.person.segment.name.to_string(),
        flow: story.flow,
        outcome: story.outcome(),
        cause: Some(story.cause()).filter(|cause| *cause != Cause::None),
        failing_phase: story.stopped.map(|stopped| stopped.phase),
        end_act: story.end.act,
        hiccups: story.hiccups.iter().map(|hiccup| hiccup.cause).collect(),
        relayed: scene.person.segment.relayed,
        transport: transport(story),
        started_at: story.started_at,
        phases: story.reached.clone(),
        spans: fates.survived,
        lost: fates.lost,
        environment: environment(scene),
        previous_attempt,
        ideal: None,
        ideal_blind: None,
    }
}

/// The transport that was used: none if no authenticator was reached.
fn transport(story: &Story) -> Option<Transport> {
    let reached_one = [Phase::Scanned, Phase::Proximity, Phase::Prompted];
    story.ceremony.map(|ceremony| {
        let reached = reached_one.iter().any(|phase| story.at(*phase).is_some());
        if reached { ceremony.transport } else { Transport::None }
    })
}
