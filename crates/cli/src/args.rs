//! The command line as typed. What the words mean is decided by the commands.

mod simulate;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use simulate::{Format, Protocol, Simulate};

/// Why cross-device logins fail: stitches desktop, phone and server into journeys and judges them.
#[derive(Debug, Parser)]
#[command(name = "authstitch", version, max_term_width = 80)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole way once: simulate, send over OTLP, stitch, judge, score
    Demo(Demo),
    /// Receive OTLP and judge journeys until stopped
    Serve(Serve),
    /// Make attempts of a world and send or write their telemetry
    Simulate(Box<Simulate>),
    /// Add up the reports and latency logs of several senders
    Merge(Merge),
    /// Judge the journeys of OTLP files, without a server
    Replay(Replay),
    /// Score journeys against the truth
    Evaluate(Evaluate),
    /// Fit the model's tables to labelled telemetry, or adapt them to one's own
    Train(Train),
    /// Show one journey's two-sided timeline and its evidence
    Explain(Explain),
    /// Erase a journey from store, journal and memory
    Forget(Forget),
    /// Ask the store in SQL, read-only
    Query(Query),
    /// Check and show configuration
    Config(Config),
}

#[derive(Debug, Args)]
pub struct Demo {
    /// A shipped world, or a world file
    #[arg(long, value_name = "W", default_value = "baseline")]
    pub world: String,
    /// How many attempts
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub attempts: u64,
    /// The seed: the same one prints the same journeys
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Print the scorecard as one JSON object and nothing else
    #[arg(long)]
    pub json: bool,
    /// Judge by these model tables instead of the shipped ones
    #[arg(long, value_name = "FILE")]
    pub tables: Option<PathBuf>,
    /// Leave the server up with the data when done
    #[arg(long)]
    pub keep_serving: bool,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Configuration (YAML); see `authstitch config default`
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where journeys and the secret are kept
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address of OTLP/gRPC
    #[arg(long, value_name = "ADDR")]
    pub grpc: Option<SocketAddr>,
    /// Address of OTLP/HTTP
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Address of pages, queries, health and metrics
    #[arg(long, value_name = "ADDR")]
    pub web: Option<SocketAddr>,
    /// Judge and count, but keep no journey
    #[arg(long)]
    pub no_store: bool,
}

#[derive(Debug, Args)]
pub struct Merge {
    /// What `simulate --report` and `simulate --hdr` wrote
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Write the sum of the reports (JSON)
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write the sum of the latency logs
    #[arg(long, value_name = "FILE")]
    pub hdr: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Replay {
    /// OTLP files: JSON, one request a line, or length-delimited protobuf
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Configuration (YAML), for its realms, mapping and times
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Judge by these model tables instead of those of the configuration or the shipped ones
    #[arg(long, value_name = "FILE")]
    pub tables: Option<PathBuf>,
    /// Write the journeys here instead of to standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true), group = clap::ArgGroup::new("judged"))]
pub struct Evaluate {
    /// What really happened, one truth line an attempt
    #[arg(long, value_name = "FILE", group = "what", requires = "judged")]
    pub truth: Option<PathBuf>,
    /// What was judged, one journey line a journey
    #[arg(long, value_name = "FILE", group = "judged", conflicts_with = "suite")]
    pub journeys: Option<PathBuf>,
    /// Take the journeys from a store
    #[arg(long, value_name = "DIR", group = "judged", conflicts_with = "suite")]
    pub data_dir: Option<PathBuf>,
    /// Simulate and judge every shipped world and variant in process, and score them side by side
    #[arg(long, group = "what")]
    pub suite: bool,
    /// How many attempts of each world
    #[arg(long, value_name = "N", default_value_t = 20_000, conflicts_with = "truth", value_parser = clap::value_parser!(u64).range(1..))]
    pub attempts: u64,
    /// The seed of every world
    #[arg(long, value_name = "S", default_value_t = 1, conflicts_with = "truth")]
    pub seed: u64,
    /// Judge by these model tables instead of the shipped ones
    #[arg(long, value_name = "FILE", conflicts_with = "truth")]
    pub tables: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Write a report with plots, one HTML file that stands alone
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// A journey id, or a raw correlation id, challenge, code, flow id or session id
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Read the store in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "endpoint")]
    pub data_dir: Option<PathBuf>,
    /// Ask a running server, as http://127.0.0.1:4380
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    #[command(flatten)]
    pub access: Access,
}

/// What a server that is asked is shown, and whether it is trusted.
#[derive(Debug, Default, Args)]
pub struct Access {
    /// Show a server that asks for one the first token in this file
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Trust the certificates in this file (PEM), for https
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Forget {
    /// A journey id, or a raw correlation id, challenge, code, flow id or session id; `-` reads it from standard input, as
    /// other users of the machine can see what is typed here
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Forget in this directory; a server that works in it is asked
    #[arg(long, value_name = "DIR", conflicts_with = "endpoint")]
    pub data_dir: Option<PathBuf>,
    /// Ask a running server, as http://127.0.0.1:4380
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// The realm of a raw value, rather than every one that is known
    #[arg(long, value_name = "R")]
    pub realm: Option<String>,
    #[command(flatten)]
    pub access: Access,
}

#[derive(Debug, Args)]
pub struct Train {
    /// Telemetry: OTLP JSON, one request a line, or protobuf requests, each behind its length
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Simulated worlds: `mixture`, the training mixture, or names with commas between
    #[arg(long, value_name = "W", default_value = "mixture", conflicts_with_all = ["truth", "adapt"])]
    pub worlds: String,
    /// How many attempts of each world
    #[arg(long, value_name = "N", default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(1..), conflicts_with_all = ["truth", "adapt"])]
    pub attempts: u64,
    /// The seed
    #[arg(long, value_name = "S", default_value_t = 20_261_124, conflicts_with_all = ["truth", "adapt"])]
    pub seed: u64,
    /// What really happened in the inputs, one truth line an attempt
    #[arg(long, value_name = "FILE", requires = "inputs", conflicts_with = "adapt")]
    pub truth: Option<PathBuf>,
    /// Only re-estimate how often each cause occurs, from journeys without truth
    #[arg(long)]
    pub adapt: bool,
    /// Adapt to the journeys of the store in this directory
    #[arg(long, value_name = "DIR", requires = "adapt", conflicts_with = "inputs")]
    pub data_dir: Option<PathBuf>,
    /// The tables to adapt; those of the program otherwise
    #[arg(long, value_name = "FILE", requires = "adapt")]
    pub tables: Option<PathBuf>,
    /// Realms and mapping, as for `serve` (YAML)
    #[arg(long, value_name = "FILE", requires = "inputs")]
    pub config: Option<PathBuf>,
    /// Where the tables are written (JSON)
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct Query {
    /// One SELECT; the table `journeys` has one row a journey
    #[arg(value_name = "SQL")]
    pub sql: String,
    /// The store's directory
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub format: TableFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For reading
    Table,
    /// An array of objects
    Json,
    /// Comma-separated, with a header
    Csv,
}

#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    pub action: ConfigAction,
}

#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Check a file; all mistakes are shown at once
    Check {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print a commented example that holds every default
    Default,
    /// Print the JSON schema
    Schema,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use expect_test::expect_file;

    use super::Arguments;

    /// The help of every command, as users see it.
    #[test]
    fn help_is_as_written_down() {
        let mut root = Arguments::command().term_width(80);
        root.build();
        let mut pages = root.render_long_help().to_string();
        let mut commands: Vec<_> =
            root.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect();
        while let Some(mut command) = (!commands.is_empty()).then(|| commands.remove(0)) {
            let name = command.get_display_name().unwrap_or_default().to_owned();
            pages.push_str(&format!("\n──── {name}\n\n{}", command.render_long_help()));
            let inner: Vec<_> =
                command.get_subcommands().filter(|inner| inner.get_name() != "help").cloned().collect();
            commands.splice(0..0, inner);
        }
        let pages: String = pages.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        expect_file!["../help.txt"].assert_eq(&pages);
    }
}
