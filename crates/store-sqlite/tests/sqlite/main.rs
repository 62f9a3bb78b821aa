//! The SQLite store from outside: the contract of every backend, and what only a file has to do.
//! One binary, since each links SQLite anew; `crash` runs it again as the process to kill.

mod audit;
mod contract;
mod crash;
mod open;
mod properties;
mod temp;
