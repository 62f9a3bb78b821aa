//! The commands that ask a server by its API, as a person has them: arguments, variables and stdin
//! in; exit code, stdout and stderr out.

mod failures;
mod keys;
mod profile;
mod session;

pub(crate) use session::Session;
