//! The stitcher from outside: one test a sentence of its rules, a naive oracle beside it, and properties that
//! hold for any input.

mod attempts;
mod dsl;
mod forgetting;
mod oracle;
mod properties;
mod rules;
mod same_as_oracle;
mod snapshots;
