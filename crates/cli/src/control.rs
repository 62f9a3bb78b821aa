//! Asks a running server over its control socket; where none runs, opens the store and answers
//! in this process, through the same routes.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use gateway::core::Core;
use gateway::http::control::{Control, routes};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::{UnixListener, UnixStream};
use tower::ServiceExt as _;

use crate::http_client;
use crate::setup::Setup;

/// The longest path a socket's address can hold everywhere.
const SOCKET_PATH_BYTES_MAX: usize = 100;

const NO_SERVER: &str = "no server is running; it reads the configuration when it starts";

/// The socket's address: its path, or, where that is too long, a short way to it.
struct Address {
    path: PathBuf,
    _folder: Option<File>,
}

impl Address {
    fn of(path: &Path) -> io::Result<Address> {
        if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
            return Ok(Address { path: path.to_owned(), _folder: None });
        }
        let folder = File::open(path.parent().unwrap_or(Path::new(".")))?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        let name = path.file_name().unwrap_or_default();
        Ok(Address { path: short.join(name), _folder: Some(folder) })
    }
}

/// Answers on the control socket until the process ends. The store's lock must be held: a socket
/// that is there already was left by a process that is gone.
pub(crate) fn listen(setup: &Setup, control: Arc<Control>) -> Result<()> {
    let path = setup.beside(".sock")?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("can't replace {}", path.display()));
        }
        _ => {}
    }
    let address = Address::of(&path)?;
    let listener = UnixListener::bind(&address.path)
        .with_context(|| format!("can't listen on {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes(control)).await {
            tracing::error!(%error, "the control socket is closed");
        }
    });
    Ok(())
}

/// Whoever answers.
enum Answerer {
    Server(UnixStream),
    Here(Router, Arc<Core>),
}

/// One question to the gateway that the configuration at `path` describes, and its answer.
pub(crate) fn ask<Q: Serialize, A: DeserializeOwned>(
    path: &Path,
    method: Method,
    route: &str,
    question: &Q,
) -> Result<A> {
    ask_all(path, [(method, route.to_owned(), serde_json::to_vec(question)?)])?
        .pop()
        .context("no answer")
}

/// Several questions, one after another.
pub(crate) fn ask_all<A: DeserializeOwned>(
    path: &Path,
    questions: impl IntoIterator<Item = (Method, String, Vec<u8>)>,
) -> Result<Vec<A>> {
    let answers = ask_until(path, questions, Result::is_err)?;
    answers.into_iter().collect()
}

/// Several questions, of which one may be refused while the others are answered.
pub(crate) fn ask_each<A: DeserializeOwned>(
    path: &Path,
    questions: impl IntoIterator<Item = (Method, String, Vec<u8>)>,
) -> Result<Vec<Result<A>>> {
    ask_until(path, questions, |_| false)
}

/// The same up to the first answer that is `last`.
fn ask_until<A: DeserializeOwned>(
    path: &Path,
    questions: impl IntoIterator<Item = (Method, String, Vec<u8>)>,
    is_last: impl Fn(&Result<A>) -> bool,
) -> Result<Vec<Result<A>>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let setup = Setup::read(path)?;
    runtime.block_on(async {
        let mut answers = Vec::new();
        let mut here = None;
        for (method, route, body) in questions {
            let answerer = match here.take() {
                Some(answerer) => answerer,
                None => find(&setup, &method, &route).await?,
            };
            let request = Request::builder()
                .method(method)
                .uri(route)
                .header(http::header::CONTENT_TYPE, "application/json")
                .body(Full::new(Bytes::from(body)))?;
            let (status, text) = match answerer {
                Answerer::Server(stream) => {
                    let response = http_client::send(stream, request).await?;
                    let status = response.status();
                    (status, http_client::text(response.into_body()).await?)
                }
                Answerer::Here(router, core) => {
                    let response = router.clone().oneshot(request.map(Body::new)).await?;
                    let status = response.status();
                    let bytes = response.into_body().collect().await?.to_bytes();
                    here = Some(Answerer::Here(router, core));
                    (status, String::from_utf8_lossy(&bytes).into_owned())
                }
            };
            let answer = understood(status, &text);
            let is_last = is_last(&answer);
            answers.push(answer);
            if is_last {
                break;
            }
        }
        if let Some(Answerer::Here(_, core)) = here {
            core.close();
        }
        Ok(answers)
    })
}

/// One question to the server that runs there, and its answer; an error where none runs.
pub(crate) fn ask_server<A: DeserializeOwned>(
    setup: &Setup,
    method: Method,
    route: &str,
) -> Result<A> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let address = Address::of(&setup.beside(".sock")?)?;
        let stream = UnixStream::connect(&address.path).await.context(NO_SERVER)?;
        let request = Request::builder().method(method).uri(route);
        let answer = http_client::send(stream, request.body(Full::new(Bytes::new()))?).await?;
        let status = answer.status();
        understood(status, &http_client::text(answer.into_body()).await?)
    })
}

/// Whether a server answers on the control socket.
pub(crate) fn is_answering(setup: &Setup) -> Result<bool> {
    let address = Address::of(&setup.beside(".sock")?);
    Ok(address.is_ok_and(|address| std::os::unix::net::UnixStream::connect(&address.path).is_ok()))
}

/// Whoever answers that question. Where no server runs and there is no book, only a new management
/// key and an import are reasons to make one.
async fn find(setup: &Setup, method: &Method, route: &str) -> Result<Answerer> {
    let address = Address::of(&setup.beside(".sock")?);
    if let Ok(address) = address
        && let Ok(stream) = UnixStream::connect(&address.path).await
    {
        return Ok(Answerer::Server(stream));
    }
    if route == "/reload" {
        bail!("{NO_SERVER}");
    }
    let database = setup.database()?;
    let makes = ["/management-keys", "/import/keys", "/import/workspaces"];
    if !(database.exists() || (method == Method::POST && makes.contains(&route))) {
        bail!("there is no store at {}", database.display());
    }
    let core = setup.open()?;
    let reload = || Err(NO_SERVER.to_owned());
    let control = Control { core: Arc::clone(&core), reload: Box::new(reload) };
    Ok(Answerer::Here(routes(Arc::new(control)), core))
}

fn understood<A: DeserializeOwned>(status: StatusCode, text: &str) -> Result<A> {
    if status.is_success() {
        return serde_json::from_str(text).context("the server's answer was not understood");
    }
    #[derive(serde::Deserialize)]
    struct Envelope {
        error: Message,
    }
    #[derive(serde::Deserialize)]
    struct Message {
        message: String,
    }
    match serde_json::from_str::<Envelope>(text) {
        Ok(envelope) => bail!("{}", envelope.error.message),
        Err(_) => bail!("refused with {status}: {text}"),
    }
}

/// A name as a part of a path.
pub(crate) fn escaped(name: &str) -> String {
    let mut escaped = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
