//! One file a command.

pub mod config;
pub mod demo;
pub mod evaluate;
pub mod explain;
pub mod forget;
pub mod merge;
pub mod query;
pub mod replay;
pub mod serve;
pub mod simulate;
pub mod train;
