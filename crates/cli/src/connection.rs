//! Which server is asked, and with which key: from the arguments, the environment, the profiles and
//! the configuration of a local server, in this order.
//!
//! A key never goes to another server than the one it is kept for, unless the environment says so.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use client::Client;

use crate::profile::{Profiles, Source, checked_url};
use crate::{profile, setup};

/// The variables that are read here; docs/cli.md and `--help` say what each is for.
pub(crate) const PROFILE: &str = "TOLLGATE_PROFILE";
pub(crate) const URL: &str = "TOLLGATE_URL";
pub(crate) const API_KEY: &str = "TOLLGATE_API_KEY";
pub(crate) const MANAGEMENT_KEY: &str = "TOLLGATE_MANAGEMENT_KEY";
pub(crate) const OPENROUTER_KEY: &str = "OPENROUTER_API_KEY";
const CONFIG: &str = "TOLLGATE_CONFIG";
/// The configuration of a server in this folder.
const DEFAULT_CONFIG: &str = "tollgate.toml";
/// Whose API this is too.
const OPENROUTER: &str = "openrouter.ai";
pub(crate) const OPENROUTER_URL: &str = "https://openrouter.ai/api/v1";

/// Which server is asked, and how what it says is told.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Remote {
    /// Ask the server of this profile, in the place of TOLLGATE_PROFILE or the current one.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Server")]
    profile: Option<String>,
    /// Ask the API at this address, in the place of TOLLGATE_URL.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        value_parser = checked_url,
        conflicts_with = "profile",
        help_heading = "Server"
    )]
    url: Option<String>,
    /// Ask the local server of this configuration file. Where nothing else names a server, that of
    /// TOLLGATE_CONFIG or tollgate.toml is asked.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with_all = ["profile", "url"],
        help_heading = "Server"
    )]
    config: Option<PathBuf>,
    /// Print JSON, money as exact numbers.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Print only what is essential, for another program.
    #[arg(long, short, global = true, conflicts_with = "json", help_heading = "Output")]
    pub(crate) quiet: bool,
}

/// Which kind of key a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// One that administers.
    Management,
    /// One that infers.
    Inference,
    /// Whichever there is.
    Any,
    /// None, though one shows more.
    Nothing,
}

/// What names the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Argument,
    Variable,
    Profile(String),
    Config(PathBuf),
}

/// Where its key is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyFrom {
    Variable(String),
    Profile(Source),
    Nowhere,
}

/// A server, and the key to ask it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) named: Named,
    pub(crate) key: KeyFrom,
    /// The model that its profile names for `chat`.
    pub(crate) model: Option<String>,
    /// Where a local one serves metrics to whoever asks.
    pub(crate) admin: Option<SocketAddr>,
}

/// An open way to a server.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) server: Server,
    /// The text of the key, for what is asked beside the API.
    pub(crate) key: Option<String>,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Named::Argument => f.write_str("--url"),
            Named::Variable => f.write_str(URL),
            Named::Profile(name) => write!(f, "profile \"{name}\""),
            Named::Config(file) => write!(f, "{}", file.display()),
        }
    }
}

impl Server {
    /// Where its key is from, for a person.
    pub(crate) fn key_origin(&self) -> String {
        match (&self.key, &self.named) {
            (KeyFrom::Variable(name), _) => name.clone(),
            (KeyFrom::Profile(source), named) => format!("the {source} of {named}"),
            (KeyFrom::Nowhere, _) => "nowhere".to_owned(),
        }
    }
}

impl Remote {
    /// Opens a way to the server; nothing is sent yet.
    pub(crate) fn open(&self, need: Need) -> Result<Connection> {
        let variables = setup::environment();
        let server = self.server(&variables, need)?;
        connect(server, &variables, need)
    }

    /// The server of that profile; where none is named, whichever is asked without arguments.
    pub(crate) fn of_profile(profile: Option<String>) -> Remote {
        Remote { profile, ..Remote::default() }
    }

    /// Which server that is.
    fn server(&self, variables: &BTreeMap<String, String>, need: Need) -> Result<Server> {
        let get = |name: &str| variables.get(name).filter(|value| !value.is_empty());
        let (mut url, mut profile) = (self.url.clone(), self.profile.clone());
        let mut named = Named::Argument;
        let is_argument = url.is_some() || profile.is_some() || self.config.is_some();
        if !is_argument {
            named = Named::Variable;
            url = get(URL)
                .map(|url| checked_url(url))
                .transpose()
                .map_err(|why| anyhow!("{URL} {why}"))?;
            profile = get(PROFILE).cloned();
        }
        if url.is_some() && profile.is_some() {
            bail!(
                "both {URL} and {PROFILE} name a server; unset one, or say `--url` or `--profile`"
            );
        }
        let keyed = |url: &str| match get(API_KEY) {
            Some(_) => KeyFrom::Variable(API_KEY.to_owned()),
            None if is_openrouter(url) && get(OPENROUTER_KEY).is_some() => {
                KeyFrom::Variable(OPENROUTER_KEY.to_owned())
            }
            None => KeyFrom::Nowhere,
        };
        let local = |file: &Path| {
            let Some(local) = local(file, variables)? else { return Ok(None) };
            let url = format!("http://{}/api/v1", local.listen);
            let key = match keyed(&url) {
                // Whoever serves with it may ask with it.
                KeyFrom::Nowhere if need != Need::Inference && get(MANAGEMENT_KEY).is_some() => {
                    KeyFrom::Variable(MANAGEMENT_KEY.to_owned())
                }
                key => key,
            };
            let named = Named::Config(file.to_owned());
            Ok(Some(Server { url, named, key, model: None, admin: local.admin }))
        };
        if let Some(file) = &self.config {
            let found: Result<Option<Server>> = local(file);
            return found?.with_context(|| format!("there is no {}", file.display()));
        }
        if let Some(url) = url {
            let key = keyed(&url);
            return Ok(Server { url, named, key, model: None, admin: None });
        }
        let profiles = Profiles::read(variables)?;
        if let Some(name) = profile.as_deref().or(profiles.current()) {
            let profile = profiles.get(name)?;
            let url = checked_url(&profile.url).map_err(|why| anyhow!("`url` {why}"))?;
            // A profile that was named in the arguments goes before the environment.
            let key = match (profile.source(), keyed(&url)) {
                (Some(source), KeyFrom::Nowhere) => KeyFrom::Profile(source),
                (Some(source), _) if is_argument => KeyFrom::Profile(source),
                (_, found) => found,
            };
            let named = Named::Profile(name.to_owned());
            return Ok(Server { url, named, key, model: profile.model.clone(), admin: None });
        }
        let file = Path::new(get(CONFIG).map_or(DEFAULT_CONFIG, String::as_str));
        local(file)?.with_context(|| {
            format!(
                "no server is named: there is no --url or {URL}, no --profile or {PROFILE}, no \
                 current profile in {}, and no {} of a local server. Say `--url \
                 http://127.0.0.1:8787/api/v1`, or keep one: `tollgate profile add NAME --url URL`",
                profiles.path().display(),
                file.display()
            )
        })
    }
}

impl Connection {
    /// A way to the server at that address, with the management key that the variable has.
    pub(crate) fn to(url: &str, variable: &str) -> Result<Connection> {
        let variables = setup::environment();
        if variables.get(variable).is_none_or(String::is_empty) {
            let make = match is_openrouter(url) {
                true => "; https://openrouter.ai/settings/management-keys makes one",
                false => "",
            };
            bail!("this needs a management key of {url}, and {variable} has none{make}");
        }
        let (url, key) = (url.to_owned(), KeyFrom::Variable(variable.to_owned()));
        let server = Server { url, named: Named::Argument, key, model: None, admin: None };
        connect(server, &variables, Need::Management)
    }
}

fn connect(server: Server, variables: &BTreeMap<String, String>, need: Need) -> Result<Connection> {
    let key = match &server.key {
        KeyFrom::Nowhere => None,
        KeyFrom::Variable(name) => {
            let text = variables.get(name).map(String::as_str).unwrap_or_default();
            Some(profile::checked_key(text).with_context(|| format!("no key from {name}"))?)
        }
        KeyFrom::Profile(source) => {
            let Named::Profile(name) = &server.named else {
                bail!("a profile's key of no profile")
            };
            let home = variables.get("HOME").map(Path::new);
            Some(source.read(name, |variable| variables.get(variable).cloned(), home)?)
        }
    };
    if key.is_none() && need != Need::Nothing {
        bail!("{}", no_key(&server, need));
    }
    let mut builder = Client::builder().base_url(&server.url);
    if let Some(key) = &key {
        builder = builder.api_key(key.as_str());
    }
    let client = builder.build().with_context(|| format!("can't ask {}", server.url))?;
    Ok(Connection { client, server, key })
}

fn no_key(server: &Server, need: Need) -> String {
    let kind = match need {
        Need::Management => "a management key",
        Need::Inference => "an inference key",
        Need::Any | Need::Nothing => "a key",
    };
    let make = match (need, &server.named) {
        (Need::Inference, _) => "`tollgate keys create NAME --limit 5` makes one",
        (_, Named::Config(_)) => "`tollgate management-keys create --name NAME` makes one",
        _ => "`tollgate management-keys create --name NAME` makes one, beside the server",
    };
    let whose = match &server.named {
        Named::Profile(name) => format!(
            ", or let the profile say where it is: `tollgate profile add {name} --force --url {} \
             --key-command PROGRAM …`",
            server.url
        ),
        _ => String::new(),
    };
    format!(
        "this needs {kind} of {} (from {}), and there is none: set {API_KEY}{whose}. {make}",
        server.url, server.named
    )
}

/// What the configuration of a local server says of its addresses.
#[derive(Debug, PartialEq, Eq)]
struct Local {
    listen: SocketAddr,
    admin: Option<SocketAddr>,
}

/// The local server of that file, where there is one. Only its addresses are read: the rest may need
/// variables that whoever asks a server does not have.
fn local(file: &Path, variables: &BTreeMap<String, String>) -> Result<Option<Local>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("can't read {}", file.display())),
    };
    addresses(&text, variables).with_context(|| file.display().to_string()).map(Some)
}

fn addresses(text: &str, variables: &BTreeMap<String, String>) -> Result<Local> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // The line that is wrong may have a secret in it.
        anyhow!("it is no TOML: {}", error.message())
    })?;
    let address = |name: &str| -> Result<Option<SocketAddr>> {
        let setting = format!("TOLLGATE_SERVER__{}", name.to_uppercase());
        let said = variables.get(&setting).map(String::as_str);
        let written = || table.get("server")?.get(name)?.as_str();
        let Some(text) = said.or_else(written) else { return Ok(None) };
        let parsed = text.parse::<SocketAddr>();
        let address = parsed.map_err(|_| anyhow!("`server.{name}` is no address: {text:?}"))?;
        Ok(Some(reachable(address)))
    };
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 8787));
    Ok(Local { listen: address("listen")?.unwrap_or(default), admin: address("admin_listen")? })
}

/// Where a server that listens everywhere is reached from its own machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// The host of an address.
pub(crate) fn host(url: &str) -> String {
    let host = url.parse::<http::Uri>().ok().and_then(|url| url.host().map(str::to_owned));
    host.unwrap_or_default()
}

pub(crate) fn is_openrouter(url: &str) -> bool {
    let host = host(url);
    host == OPENROUTER || host.ends_with(&format!(".{OPENROUTER}"))
}

#[cfg(test)]
mod tests;
