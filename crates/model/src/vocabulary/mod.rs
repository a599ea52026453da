//! The closed sets of words: what an event, a phase, a cause or an outcome can be called.

mod cause;
mod evidence;
mod flow;
mod name;
mod observed;
mod outcome;

pub use cause::Cause;
pub use evidence::Evidence;
pub use flow::{Flow, Phase, Side, Transport};
pub use name::EventName;
pub use observed::{Attachment, Browser, ErrorClass, HttpMethod, Mediation, Method, Os, Reason, Synthetic};
pub use outcome::{Basis, CloseReason, EndAct, JoinedBy, Outcome};
