//! `merge`: what several senders of one load did together, from their reports and latency logs.

use std::path::Path;

use crate::args;
use crate::failure::{Failure, Outcome, While};
use crate::output::say;
use crate::sender::{IntervalLog, Report};

pub fn run(args: &args::Merge) -> Outcome {
    let (mut reports, mut logs) = (None::<Report>, None::<IntervalLog>);
    for path in &args.files {
        let text = std::fs::read(path).cannot(format!("read {}", path.display()))?;
        if text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
            let report = Report::read(path, &text)?;
            match &mut reports {
                Some(sum) => sum.add(&report),
                None => reports = Some(report),
            }
        } else {
            let log = IntervalLog::read(path, &text)?;
            match &mut logs {
                Some(sum) => sum.add(&log),
                None => logs = Some(log),
            }
        }
    }
    if let Some(path) = &args.report {
        wanted(reports.as_ref(), path, "report", "--report")?.write(path)?;
    }
    if let Some(path) = &args.hdr {
        wanted(logs.as_ref(), path, "latency log", "--hdr")?.write(path)?;
    }
    reports.map_or(Ok(()), |sum| say(&format!("{} senders together\n{sum}{}", sum.senders, sum.rates())))
}

fn wanted<'a, T>(sum: Option<&'a T>, path: &Path, what: &str, option: &str) -> Result<&'a T, Failure> {
    sum.ok_or_else(|| {
        Failure::usage(format!("there is no {what} among the files to write into {}", path.display()))
            .hint(format!("a sender writes one with `simulate {option} FILE`"))
    })
}
