//! How a login ended, and how we know.

use crate::codes::codes;

codes! {
    /// What became of a login; it follows from the cause.
    Outcome {
        /// The session reached the person's initiator.
        Succeeded = "succeeded",
        /// A mishap stopped it.
        TechnicalFailure = "technical_failure",
        /// The person left or took another way.
        UserAbandoned = "user_abandoned",
        /// The person said no.
        UserDeclined = "user_declined",
        /// Displayed where no outcome reaches a probability of one half; never true of an attempt.
        Undetermined = "undetermined",
    }
}

codes! {
    /// The act that ended the attempt, apart from its cause.
    EndAct {
        /// The session was established.
        Succeeded = "succeeded",
        /// The person pressed cancel.
        Cancelled = "cancelled",
        /// A limit ran out.
        TimedOut = "timed_out",
        /// Another method was chosen.
        Switched = "switched",
        /// The page was closed.
        Closed = "closed",
        /// The person refused on the phone.
        Declined = "declined",
        /// An error ended it.
        Failed = "failed",
        /// Nothing more was heard.
        Silent = "silent",
    }
}

codes! {
    /// How sure we are of a statement, by kind of reason.
    Basis {
        /// An event evidences it.
        Observed = "observed",
        /// Another observed event makes it certain.
        Implied = "implied",
        /// A probability.
        Inferred = "inferred",
    }
}

codes! {
    /// Why a journey was closed.
    CloseReason {
        /// A terminal event, and its grace ran out.
        Terminal = "terminal",
        /// Nothing more came for its flow's idle time.
        Idle = "idle",
        /// It reached the greatest age a journey may have.
        Age = "age",
        /// A bound was reached and it was the oldest.
        Evicted = "evicted",
        /// The program stopped without a journal.
        Shutdown = "shutdown",
    }
}

codes! {
    /// What tied an event to its journey.
    JoinedBy {
        /// A journey, challenge, code or container key.
        Strong = "strong",
        /// A session or a trace, and the time.
        Weak = "weak",
    }
}
