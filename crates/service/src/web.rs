//! The address for people and operators: an overview page, health, metrics, and the query interface.
//!
//! - `GET /`, `GET /health/live`, `GET /health/ready`, `GET /metrics`.
//! - `POST /api/v1/explain` with `{"key": "…"}` and, if wanted, `"realm"`, answers `{"journeys": […]}`.
//! - `POST /api/v1/forget` with the same forgets what `explain` finds, everywhere, and answers
//!   `{"journeys": N, "stored": N, "events": N}`.
//! - `POST /api/v1/query` with `{"sql": "…"}` answers `{"columns": […], "rows": [[…]]}`, and a `note` if rows
//!   were left out.
//!
//! Where the listener has tokens, everything but health asks for one: as a bearer, or as the password of any user,
//! which is what a browser asks people for.
//!
//! Keys never stand in a URL: those end up in logs. Questions must be `application/json`, which no foreign
//! page can send without being asked first, and without a token a server that only its own machine reaches answers
//! only under that machine's own names: a foreign name that leads here is a foreign page's trick to read the answers.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use authstitch_engine::line;
use authstitch_model::Secret;
use authstitch_store::{Reader, StoreError};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use http::uri::Authority;
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::admission::{Admission, Charge};
use crate::body;
use crate::caps;
use crate::counters::Counters;
use crate::door::Door;
use crate::find::find_with;
use crate::forgetting::{Forgetting, Forgotten, Wanted};
use crate::health::Health;
use crate::listener::{Reply, reply, text};
use crate::metrics::Sources;
use crate::sequencer::Sequencer;

mod metrics;
mod page;
#[cfg(test)]
mod tests;

/// What the pages show.
#[derive(Debug)]
pub(crate) struct Web {
    pub counters: Arc<Counters>,
    pub health: Arc<Health>,
    pub admission: Arc<Admission>,
    /// Everything that is told in numbers.
    pub numbers: Sources,
    pub sequencer: Arc<Sequencer>,
    pub forgetting: Forgetting,
    /// None if no journey is kept.
    pub kept: Option<Kept>,
    pub door: Arc<Door>,
    /// Whether only this machine can be asking.
    pub local_only: bool,
    /// Bounds how many questions are answered at once.
    pub questions: Semaphore,
    /// One is forgotten at a time: requests wait meanwhile.
    pub forgets: Semaphore,
}

/// Where journeys are kept, and the secret of their keys.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub data_dir: PathBuf,
    pub secret: Secret,
}

/// Answers one request.
pub(crate) async fn answer(web: Arc<Web>, request: Request<Incoming>) -> Reply {
    let path = request.uri().path().to_owned();
    let accepted = match path.as_str() {
        "/" | "/health/live" | "/health/ready" | "/metrics" => Method::GET,
        "/api/v1/explain" | "/api/v1/query" | "/api/v1/forget" => Method::POST,
        _ => {
            let known =
                "/, /health/live, /health/ready, /metrics, /api/v1/explain, /api/v1/query, /api/v1/forget";
            return text(StatusCode::NOT_FOUND, &format!("there is nothing at {path}; accepted: {known}\n"));
        }
    };
    if request.method() != accepted && !(accepted == Method::GET && request.method() == Method::HEAD) {
        let message = format!("{} is not accepted at {path}; accepted: {accepted}\n", request.method());
        let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, &message);
        let allow = if accepted == Method::GET { "GET, HEAD" } else { "POST" };
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        return reply;
    }
    let is_probe = path.starts_with("/health/");
    if !is_probe && web.door.admit(request.headers(), true).is_err() {
        let mut reply =
            text(StatusCode::UNAUTHORIZED, "accepted here: a token, as bearer or as any user's password\n");
        let ways = HeaderValue::from_static("Basic realm=\"authstitch\", charset=\"UTF-8\", Bearer");
        reply.headers_mut().insert(WWW_AUTHENTICATE, ways);
        return reply;
    }
    match path.as_str() {
        "/" => page::overview(&web),
        "/health/live" => health(web.health.live()),
        "/health/ready" => health(web.health.ready()),
        "/metrics" => metrics::exposition(&web),
        "/api/v1/explain" => told(asked(&web, request, explain).await),
        "/api/v1/query" => told(asked(&web, request, query).await),
        _ => told(forget(&web, request).await),
    }
}

fn health(state: Result<(), String>) -> Reply {
    match state {
        Ok(()) => text(StatusCode::OK, "ok\n"),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, &format!("{why}\n")),
    }
}

/// Why a question is not answered.
struct Unanswered(StatusCode, String);

impl From<StoreError> for Unanswered {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::NotOneRead { .. } | StoreError::Query { .. } | StoreError::TooMuchWork => {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

type Answer = fn(&Kept, &Value) -> Result<Value, Unanswered>;

/// Writes the answer.
fn told(answer: Result<Value, Unanswered>) -> Reply {
    let (status, body) = match answer {
        Ok(answer) => (StatusCode::OK, answer),
        Err(Unanswered(status, why)) => (status, json!({ "error": why })),
    };
    reply(status, "application/json", Bytes::from(body.to_string()))
}

/// Reads a question and answers it off the threads that receive.
async fn asked(web: &Web, request: Request<Incoming>, answer: Answer) -> Result<Value, Unanswered> {
    let (asked, _charge) = read(web, request).await?;
    let Some(kept) = web.kept.clone() else {
        let why = "this server keeps no journeys; start it with a store to ask for them".to_owned();
        return Err(Unanswered(StatusCode::NOT_FOUND, why));
    };
    // The semaphore is never closed.
    let _turn = web.questions.acquire().await;
    let answered = spawn_blocking(move || answer(&kept, &asked)).await;
    answered.unwrap_or_else(|_panic| {
        let why = "the question met a mistake in authstitch".to_owned();
        Err(Unanswered(StatusCode::INTERNAL_SERVER_ERROR, why))
    })
}

/// Has what is known under a key forgotten; whoever asked may go, it is done all the same.
async fn forget(web: &Web, request: Request<Incoming>) -> Result<Value, Unanswered> {
    let (asked, _charge) = read(web, request).await?;
    let realm = asked.get("realm").and_then(Value::as_str).map(str::to_owned);
    let wanted = Wanted { key: word(&asked, "key")?.to_owned(), realm };
    let busy = |_taken| {
        let why = "something else is being forgotten; ask again".to_owned();
        Unanswered(StatusCode::SERVICE_UNAVAILABLE, why)
    };
    let _turn = web.forgets.try_acquire().map_err(busy)?;
    let done = web.sequencer.forget(&web.forgetting, wanted).await;
    let Forgotten { journeys, stored, events } =
        done.map_err(|why| Unanswered(StatusCode::SERVICE_UNAVAILABLE, why))?;
    Ok(json!({ "journeys": journeys, "stored": stored, "events": events }))
}

/// Reads a question, if it may be asked.
async fn read(web: &Web, request: Request<Incoming>) -> Result<(Value, Charge), Unanswered> {
    let bad = |why: String| Unanswered(StatusCode::BAD_REQUEST, why);
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        let why = format!("content-type `{kind}` is not accepted; accepted: application/json");
        return Err(Unanswered(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    if web.local_only && !is_local(&request) {
        let why = "questions are answered under the names localhost, 127.0.0.1 and [::1] only".to_owned();
        return Err(Unanswered(StatusCode::FORBIDDEN, why));
    }
    let busy = |why: &str| Unanswered(StatusCode::SERVICE_UNAVAILABLE, why.to_owned());
    let slot = web.admission.enter().map_err(|_full| busy("too many requests are in flight; ask again"))?;
    let mut charge = slot.charge();
    let read = timeout(caps::REQUEST_TIME, body::read(request, caps::QUERY_BYTES, &mut charge));
    let body = match read.await {
        Ok(Ok(body)) => body,
        Ok(Err(refusal)) => return Err(Unanswered(refusal.http(), refusal.status().message)),
        Err(_late) => return Err(busy("the question was not complete in time; ask again")),
    };
    let asked =
        serde_json::from_slice(&body).map_err(|error| bad(format!("the question is not JSON: {error}")))?;
    Ok((asked, charge))
}

/// Whether a request was made to a name of this machine.
fn is_local(request: &Request<Incoming>) -> bool {
    let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let named = header.and_then(|host| host.parse::<Authority>().ok());
    let Some(authority) = request.uri().authority().or(named.as_ref()) else { return false };
    let host = authority.host().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn explain(kept: &Kept, question: &Value) -> Result<Value, Unanswered> {
    let key = word(question, "key")?;
    let realm = question.get("realm").and_then(Value::as_str);
    let journeys = find_with(&Reader::open(&kept.data_dir, line)?, &kept.secret, key, realm)?;
    Ok(json!({ "journeys": journeys }))
}

fn query(kept: &Kept, question: &Value) -> Result<Value, Unanswered> {
    let table = Reader::open(&kept.data_dir, line)?.query(word(question, "sql")?)?;
    let mut answer = json!({ "columns": table.columns, "rows": table.rows });
    if let Some(note) = table.note {
        answer["note"] = note.into();
    }
    Ok(answer)
}

fn word<'q>(question: &'q Value, key: &str) -> Result<&'q str, Unanswered> {
    question.get(key).and_then(Value::as_str).ok_or_else(|| {
        let why = format!("the question has no text `{key}`; accepted: {{\"{key}\": \"…\"}}");
        Unanswered(StatusCode::BAD_REQUEST, why)
    })
}
