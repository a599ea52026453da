//! What holds for the crate as a whole.

mod bad_input;
mod encodings_agree;
mod official_types;
mod requests;
mod scanner;
mod secrets;
mod unusual;
