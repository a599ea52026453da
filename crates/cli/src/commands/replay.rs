//! `replay`: OTLP files in, journey lines out, without a server.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use authstitch_engine::{Effect, Engine, Judged, Settings, line};
use authstitch_model::line::JourneyLine;
use authstitch_model::{Completeness, JourneyId, Position, Record, RecordBody, Secret, UnixNanos};
use authstitch_otlp::Mapping;
use authstitch_service as service;

use super::config;
use crate::args;
use crate::failure::{Failure, Outcome, While};
use crate::otlp_files::OtlpFile;
use crate::output::heard;
use crate::tables;

mod clock;

use clock::{Received, ReplayClock};

pub fn run(args: &args::Replay) -> Outcome {
    let (journeys, _) = judge(&args.inputs, args.config.as_deref(), args.tables.as_deref())?;
    let lines: Vec<_> = journeys.iter().map(line).collect();
    match &args.out {
        Some(path) => {
            let file = File::create(path).cannot(format!("write {}", path.display()))?;
            write_lines(BufWriter::new(file), &lines).cannot(format!("write {}", path.display()))
        }
        None => heard(write_lines(BufWriter::new(stdout().lock()), &lines)),
    }
}

/// The last revision of every journey in these files, and the completeness with which they were judged.
pub fn judge(
    inputs: &[PathBuf],
    configuration: Option<&Path>,
    tables: Option<&Path>,
) -> Result<(Vec<Judged>, Completeness), Failure> {
    let mut inputs = inputs.iter().map(|path| Input::open(path)).collect::<Result<Vec<_>, _>>()?;
    let service = configuration.map_or_else(|| Ok(service::Settings::default()), config::read)?;
    let mapping = service.mapping.with_secret(Secret::PUBLIC);
    let mut replay = ReplayRun::new(Settings {
        stitch: service.stitch,
        completeness: service.completeness,
        tables: tables::of_file(tables.or(service.tables.as_deref()))?,
    });
    // Several inputs merge by time: the next event is taken from the input whose next one is earliest.
    loop {
        for input in &mut inputs {
            input.fill(&mapping)?;
        }
        let waiting = inputs.iter_mut().filter_map(|input| {
            let (_, time) = input.settled.front()?;
            Some((*time, input))
        });
        let Some((_, input)) = waiting.min_by_key(|(time, _)| *time) else { break };
        if let Some((event, time)) = input.settled.pop_front() {
            replay.step(time, RecordBody::Events(vec![event]));
        }
    }
    if inputs.iter().all(|input| input.file.is_all_malformed()) {
        return Err(Failure::new("not one request of the input could be read")
            .hint("accepted: OTLP JSON, one request a line; protobuf requests, each behind its length"));
    }
    Ok((replay.finish(), service.completeness))
}

fn write_lines(mut out: impl Write, lines: &[JourneyLine]) -> std::io::Result<()> {
    for line in lines {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// One file with its clock.
struct Input {
    file: OtlpFile,
    clock: ReplayClock,
    settled: VecDeque<Received>,
    at_end: bool,
}

impl Input {
    fn open(path: &Path) -> Result<Self, Failure> {
        let (clock, settled) = (ReplayClock::default(), VecDeque::new());
        Ok(Self { file: OtlpFile::open(path)?, clock, settled, at_end: false })
    }

    /// Reads requests until the receipt time of an event is settled, or the file ends.
    fn fill(&mut self, mapping: &Mapping) -> Outcome {
        let mut events = Vec::new();
        while self.settled.is_empty() && !self.at_end {
            self.at_end = !self.file.next(mapping, &mut events)?;
            for event in events.drain(..) {
                self.clock.take(event, &mut self.settled);
            }
            if self.at_end {
                self.clock.finish(&mut self.settled);
            }
        }
        Ok(())
    }
}

/// The engine, fed one record an event, and the last revision of every journey.
struct ReplayRun {
    engine: Engine,
    position: u64,
    now: UnixNanos,
    effects: Vec<Effect>,
    journeys: BTreeMap<JourneyId, Judged>,
}

impl ReplayRun {
    fn new(settings: Settings) -> Self {
        Self {
            engine: Engine::new(settings),
            position: 0,
            now: UnixNanos(0),
            effects: Vec::new(),
            journeys: BTreeMap::new(),
        }
    }

    fn step(&mut self, time: UnixNanos, body: RecordBody) {
        self.now = self.now.max(time);
        self.position += 1;
        let record = Record { position: Position(self.position), received: self.now, body };
        self.engine.step(record, &mut self.effects);
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Judged(judged) => {
                    self.journeys.insert(judged.journey.id, *judged);
                }
                Effect::Merged { journey, .. } => {
                    self.journeys.remove(&journey);
                }
            }
        }
    }

    /// The clock runs on until all timers have fired, so nothing closes as shutdown.
    fn finish(mut self) -> Vec<Judged> {
        while let Some(deadline) = self.engine.next_deadline() {
            self.step(deadline, RecordBody::Tick);
        }
        self.journeys.into_values().collect()
    }
}
