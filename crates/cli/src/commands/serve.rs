//! `serve`: receives, judges and stores until it is told to stop; then drains. SIGHUP has it read its tables
//! again, and its certificates and tokens, at which it looks by itself, too.

use std::io::Write as _;
use std::pin::pin;

use authstitch_service::caps::CREDENTIALS_CHECK;
use authstitch_service::{Clock, Running, Settings, start};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use super::config;
use crate::args;
use crate::failure::{Failure, Outcome, While};
use crate::output::grouped;

pub fn run(args: &args::Serve) -> Outcome {
    let settings = settings(args)?;
    runtime()?.block_on(async {
        let mut again = signal(SignalKind::hangup()).cannot("listen for SIGHUP")?;
        let running = begin(settings, Clock::System).await?;
        running.recovered.iter().for_each(|line| eprintln!("{line}"));
        print_addresses(&running);
        let mut stopped = pin!(stop_signal());
        let mut looks = interval(CREDENTIALS_CHECK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                stopped = &mut stopped => break stopped?,
                _ = again.recv() => {
                    reload_tables(&running).await;
                    refresh_credentials(&running).await;
                }
                _ = looks.tick() => refresh_credentials(&running).await,
            }
        }
        eprintln!("stopping: what was received is judged and stored first");
        let summary = running.stop().await;
        let counts = &summary.counts;
        eprintln!(
            "stopped: {} events taken, {} verdicts given",
            grouped(counts.events),
            grouped(counts.journeys + counts.revisions)
        );
        for (name, latencies) in [("acknowledged", &counts.acknowledged), ("judged", &counts.judged)] {
            if latencies.count > 0 {
                eprintln!("{name} within: {latencies}");
            }
        }
        summary.trouble.map_or(Ok(()), |trouble| Err(Failure::new(trouble)))
    })
}

/// Reads the file of tables again, and says what came of it.
async fn reload_tables(running: &Running) {
    match running.reload_tables().await {
        Ok(version) => eprintln!("tables: journeys are judged by `{version}` from here on"),
        Err(error) => eprintln!("tables: not changed: {error}"),
    }
}

/// Reads certificates and tokens again, and says what came of it where that is news.
async fn refresh_credentials(running: &Running) {
    for line in running.refresh_credentials().await {
        eprintln!("{line}");
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
