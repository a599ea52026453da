//! The sender of `benches/peers`: one OTLP/gRPC stream of logins for authstitch and the Collector alike.
//!
//! It does as little as it can, so that the receiver is what is measured: requests are copies of a template,
//! one connection, one thread. At a rate, what is refused is lost; without one, it is sent again until it is
//! taken, so that every receiver has done the same work in the end. Prints one JSON object.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use tokio::sync::Semaphore;

use client::Client;
use pace::{Pace, now, wall_clock};
use report::{Report, Tally};
use stream::{Layout, Stream};

mod client;
mod login;
mod marks;
mod pace;
mod report;
mod stream;

/// Sends a stream of logins to an OTLP/gRPC receiver and prints what became of it as JSON.
#[derive(Parser)]
struct Args {
    /// Address of the receiver, as 127.0.0.1:4317
    #[arg(long)]
    endpoint: String,
    /// Spans to send, rounded up to whole requests
    #[arg(long)]
    spans: u64,
    /// Spans a second; 0 is as fast as they are taken, and sends again what was refused
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// Requests that may wait for their answers at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    in_flight: u32,
    /// Spans in a request
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(5..=10_000))]
    batch: u16,
    /// Send each span of a login in another request, as page, server and phone do
    #[arg(long)]
    spread: bool,
    /// Begin with this request of the stream; a receiver that took others must not meet their logins again
    #[arg(long, default_value_t = 0)]
    first: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(send(&args))?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

async fn send(args: &Args) -> Result<Report, String> {
    let layout = if args.spread { Layout::Spread } else { Layout::Whole };
    let stream = Stream::new(args.batch.into(), layout);
    let batch = stream.batch();
    let apart = (args.rate > 0).then(|| Duration::from_secs_f64(batch as f64 / args.rate as f64));
    let client = Client::connect(&args.endpoint).await?;
    let in_flight = Arc::new(Semaphore::new(args.in_flight as usize));
    let tally = Arc::new(Mutex::new(Tally::new()));
    let mut pace = Pace::new(args.spans.div_ceil(batch), apart);
    let began = now();
    let (mut number, persistent) = (args.first, args.rate == 0);
    loop {
        let Ok(permit) = Arc::clone(&in_flight).acquire_owned().await else { break };
        let Some(due) = pace.next().await else { break };
        let request = stream.request(number, wall_clock());
        number += 1;
        let (mut client, tally) = (client.clone(), Arc::clone(&tally));
        tokio::spawn(async move {
            let (answer, refused) = if persistent {
                client.export_persistently(request).await
            } else {
                (client.export(request).await, 0)
            };
            tally.lock().unwrap_or_else(PoisonError::into_inner).answered(answer, refused, now() - due);
            drop(permit);
        });
    }
    // Every permit back means every request answered.
    let _ = in_flight.acquire_many(args.in_flight).await;
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(tally.report(batch, stream.span_bytes(), now() - began))
}
