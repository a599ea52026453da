//! The doors of the service: each an open address with what guards it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::ORIGIN;
use http::{HeaderMap, Request};
use tokio::net::TcpListener;

use crate::caps;
use crate::counters::Counters;
use crate::credentials::{Credentials, News};
use crate::error::{Listener, StartError};
use crate::listener::{Patience, bind};
use crate::refusal::Refusal;
use crate::settings::{Limits, Listening, Origin, Public, Settings};
use crate::shares::{Connected, Party, Sender, Shares};

/// What guards an address.
#[derive(Debug)]
pub(crate) struct Door {
    pub what: Listener,
    pub patience: Patience,
    pub counters: Arc<Counters>,
    credentials: Credentials,
    crowd: Option<Crowd>,
}

/// Those who come through a public door.
#[derive(Debug)]
struct Crowd {
    origins: Vec<Origin>,
    request_bytes: usize,
    shares: Arc<Shares>,
}

/// The address that a connection came from, kept with its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub IpAddr);

/// Who sent a request through a public door.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub party: Party,
    /// Bytes that the request may have.
    pub request_bytes: usize,
}

impl Door {
    /// The door of a listener, with its certificates and tokens, read for the first time.
    pub(crate) fn new(
        what: Listener,
        listening: &Listening,
        public: Option<&Public>,
        limits: Limits,
        counters: Arc<Counters>,
    ) -> Result<Self, String> {
        let patience =
            Patience { connections: limits.connections, head: limits.request_time, idle: caps::IDLE_TIME };
        let crowd = public.map(|public| Crowd {
            origins: public.origins.clone(),
            request_bytes: public.request_bytes.min(limits.request_bytes),
            shares: Shares::new(public.per_address, public.per_origin),
        });
        Ok(Self { what, patience, counters, credentials: Credentials::open(listening)?, crowd })
    }

    /// How connections are made secure, if they are.
    pub(crate) fn tls(&self) -> Option<Arc<rustls::ServerConfig>> {
        self.credentials.tls()
    }

    /// Lets a request in, or not. What was wrong with its token is nobody's business.
    pub(crate) fn admit(&self, headers: &HeaderMap, basic: bool) -> Result<(), Refusal> {
        if self.credentials.admit(headers, basic) {
            return Ok(());
        }
        self.counters.unauthorized.add(1);
        Err(Refusal::Unauthenticated)
    }

    /// Lets a connection in: at a public door, while its address has a share left.
    pub(crate) fn connect(&self, from: IpAddr) -> Result<Option<Connected>, ()> {
        let Some(crowd) = &self.crowd else { return Ok(None) };
        crowd.shares.connect(Sender::at(from)).map(Some).ok_or_else(|| self.counters.crowded_out.add(1))
    }

    /// Lets a page's request in if its origin is listed; an internal door is for no page. Programs name no origin.
    pub(crate) fn admit_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(named) = headers.get(ORIGIN) else { return Ok(()) };
        if self.origin(headers).is_some() {
            return Ok(());
        }
        self.counters.foreign_origins.add(1);
        let shown: String =
            String::from_utf8_lossy(named.as_bytes()).chars().take(caps::ORIGIN_BYTES).collect();
        Err(Refusal::Forbidden(format!(
            "pages of {shown} may not send here; accepted: those of listeners.public.origins, on the public listener"
        )))
    }

    /// The place of the origin that a request names, if it is listed.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Option<usize> {
        let named = headers.get(ORIGIN)?.to_str().ok()?;
        self.crowd.as_ref()?.origins.iter().position(|origin| origin.as_str() == named)
    }

    /// Who sends a request, at a public door.
    pub(crate) fn guest<B>(&self, request: &Request<B>) -> Option<Guest> {
        let crowd = self.crowd.as_ref()?;
        let Peer(address) = request.extensions().get().copied()?;
        let origin = self.origin(request.headers()).map(Sender::Origin);
        let party = Party::new(&crowd.shares, Sender::at(address), origin);
        Some(Guest { party, request_bytes: crowd.request_bytes })
    }

    /// Reads its files again, and says what came of it where that is news.
    pub(crate) fn refresh(&self) -> Option<Refreshed> {
        let name = self.what.name();
        let (refused, sentence) = match self.credentials.refresh()? {
            News::Changed => (false, format!("{name}: the certificates and tokens were read again")),
            News::Refused(why) => {
                self.counters.credentials_refused.add(1);
                (true, format!("{name}: the old certificates and tokens stay: {why}"))
            }
        };
        Some(Refreshed { listener: self.what.key(), refused, sentence })
    }
}

/// What came of reading a listener's certificates and tokens again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// The listener's key in the configuration.
    pub listener: &'static str,
    /// Whether the old ones stay.
    pub refused: bool,
    /// What came of it, for a person.
    pub sentence: String,
}

/// A door and its open address.
#[derive(Debug)]
pub(crate) struct Opened {
    pub listener: TcpListener,
    pub address: SocketAddr,
    pub door: Arc<Door>,
}

/// All doors.
#[derive(Debug)]
pub(crate) struct Doors {
    pub grpc: Opened,
    pub http: Opened,
    pub web: Opened,
    pub public: Option<Opened>,
}

impl Doors {
    /// Opens every address, or none.
    pub(crate) async fn open(settings: &Settings, counters: &Arc<Counters>) -> Result<Self, StartError> {
        let limits = settings.limits;
        let door = async |what, listening: &Listening, crowd: Option<&Public>| {
            let listener = bind(what, listening).await?;
            let address = listening.address;
            let opened = listener.local_addr().map_err(|source| StartError::Listen { what, address, source });
            let door = Door::new(what, listening, crowd, limits, Arc::clone(counters))
                .map_err(|why| StartError::Credentials { what, why })?;
            Ok::<_, StartError>(Opened { listener, address: opened?, door: Arc::new(door) })
        };
        Ok(Self {
            grpc: door(Listener::Grpc, &settings.grpc, None).await?,
            http: door(Listener::Http, &settings.http, None).await?,
            web: door(Listener::Web, &settings.web, None).await?,
            public: match &settings.public {
                Some(public) => Some(door(Listener::Public, &public.listening, Some(public)).await?),
                None => None,
            },
        })
    }

    /// Where each is.
    pub(crate) fn addresses(&self) -> Vec<(Listener, SocketAddr)> {
        let doors = [&self.grpc, &self.http, &self.web].into_iter().chain(&self.public);
        doors.map(|opened| (opened.door.what, opened.address)).collect()
    }

    /// Every door.
    pub(crate) fn all(&self) -> Vec<Arc<Door>> {
        let doors = [&self.grpc, &self.http, &self.web].into_iter().chain(&self.public);
        doors.map(|opened| Arc::clone(&opened.door)).collect()
    }
}
