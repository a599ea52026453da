//! `serve`: receives, judges and stores until it is told to stop; then drains. What takes longer
//! than `shutdown_seconds` is cut off, as by a second signal, and told. SIGHUP has it read its tables
//! again, and its certificates and tokens, at which it looks by itself, too.

use std::io::Write as _;
use std::pin::Pin;

use authstitch_service::caps::CREDENTIALS_CHECK;
use authstitch_service::{Clock, Counts, Log, LogLevel, Refreshed, Running, Settings, start, start_with_log};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::config;
use crate::args;
use crate::failure::{Failure, Outcome, While};
use crate::output::grouped;

pub fn run(args: &args::Serve) -> Outcome {
    let settings = settings(args)?;
    let log = Log::new(settings.log.format, settings.log.level, Box::new(std::io::stderr()));
    tell_panics(log.clone());
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve(settings, &log));
    // What was cut off ends with the process, and is not waited for.
    runtime.shutdown_background();
    outcome
}

async fn serve(settings: Settings, log: &Log) -> Outcome {
    let mut again = signal(SignalKind::hangup()).cannot("listen for SIGHUP")?;
    let mut terminate = signal(SignalKind::terminate()).cannot("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).cannot("listen for Ctrl-C")?;
    let patience = settings.shutdown;
    let running = start_with_log(settings, Clock::System, log.clone()).await;
    let running = running.map_err(|error| Failure::new(error.to_string()))?;
    print_addresses(&running);
    {
        let mut looks = interval(CREDENTIALS_CHECK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A signal to stop is heard while files are read, or while what was read waits for its place in the order.
        let mut reading: Option<Pin<Box<dyn Future<Output = ()> + '_>>> = None;
        loop {
            let at_work = reading.is_some();
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                () = async { if let Some(reading) = &mut reading { reading.await } }, if at_work => reading = None,
                _ = again.recv(), if !at_work => reading = Some(Box::pin(async {
                    reload_tables(&running, log).await;
                    refresh_credentials(&running, log).await;
                })),
                _ = looks.tick(), if !at_work => reading = Some(Box::pin(refresh_credentials(&running, log))),
            }
        }
    }
    log.tell(LogLevel::Info, "stopping", "stopping: what was received is judged and stored first", &[]);
    let cut_off = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = sleep(patience) => {}
        }
    };
    let summary = running.stop_unless(cut_off).await;
    tell_stopped(log, &summary.counts);
    summary.trouble.map_or(Ok(()), |trouble| Err(Failure::new(trouble)))
}

/// Has a panic told by its place alone: its message may hold what somebody sent.
fn tell_panics(log: Log) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let sentence = format!("a mistake in authstitch: it panicked at {place}; please report it");
        log.tell(LogLevel::Error, "panicked", &sentence, &[("place", place.into())]);
    }));
}

fn tell_stopped(log: &Log, counts: &Counts) {
    let (events, verdicts) = (counts.events, counts.journeys + counts.revisions);
    let mut sentence =
        format!("stopped: {} events taken, {} verdicts given", grouped(events), grouped(verdicts));
    for (name, latencies) in [("acknowledged", &counts.acknowledged), ("judged", &counts.judged)] {
        if latencies.count > 0 {
            sentence += &format!("\n{name} within: {latencies}");
        }
    }
    let fields = [("events", events.into()), ("verdicts", verdicts.into())];
    log.tell(LogLevel::Info, "stopped", &sentence, &fields);
}

/// Reads the file of tables again, and says what came of it.
async fn reload_tables(running: &Running, log: &Log) {
    match running.reload_tables().await {
        Ok(version) => {
            let sentence = format!("tables: journeys are judged by `{version}` from here on");
            log.tell(LogLevel::Info, "tables_changed", &sentence, &[("version", version.into())]);
        }
        Err(error) => {
            log.tell(LogLevel::Warn, "tables_refused", &format!("tables: not changed: {error}"), &[]);
        }
    }
}

/// Reads certificates and tokens again, and says what came of it where that is news.
async fn refresh_credentials(running: &Running, log: &Log) {
    for Refreshed { listener, refused, sentence } in running.refresh_credentials().await {
        let (level, event) = match refused {
            true => (LogLevel::Warn, "credentials_refused"),
            false => (LogLevel::Info, "credentials_changed"),
        };
        log.tell(level, event, &sentence, &[("listener", listener.into())]);
    }
}

/// What the file says, and over it what the command line says.
fn settings(args: &args::Serve) -> Result<Settings, Failure> {
    let mut settings = match &args.config {
        Some(file) => config::read(file)?,
        None => Settings::default(),
    };
    settings.grpc.address = args.grpc.unwrap_or(settings.grpc.address);
    settings.http.address = args.http.unwrap_or(settings.http.address);
    settings.web.address = args.web.unwrap_or(settings.web.address);
    if let Some(dir) = &args.data_dir {
        settings.data_dir = Some(dir.clone());
    }
    settings.store &= !args.no_store;
    Ok(settings)
}

/// The runtime under every command that listens or sends.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().cannot("start the runtime")
}

/// Starts the service.
pub async fn begin(settings: Settings, clock: Clock) -> Result<Running, Failure> {
    start(settings, clock).await.map_err(|error| Failure::new(error.to_string()))
}

/// Says where it listens, a line each.
pub fn print_addresses(running: &Running) {
    println!("listening: OTLP/gRPC {}", running.grpc);
    println!("listening: OTLP/HTTP {}", running.http);
    let scheme = if running.web_is_secure { "https" } else { "http" };
    println!("listening: web {scheme}://{}", running.web);
    if let Some(public) = running.public {
        println!("listening: public OTLP {public}");
    }
    let _ = std::io::stdout().flush();
}

/// Returns at the first Ctrl-C or SIGTERM.
pub async fn stop_signal() -> Outcome {
    let mut terminate = signal(SignalKind::terminate()).cannot("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).cannot("listen for Ctrl-C")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
