//! The commands that ask a server by its API, as a person has them: arguments, variables and stdin
//! in; exit code, stdout and stderr out.

mod catalogue;
mod chat;
mod failures;
mod keys;
mod openrouter;
mod profile;
mod session;
mod spend;
mod terminal;
mod top;
mod workspaces;

pub(crate) use session::{Session, url};
