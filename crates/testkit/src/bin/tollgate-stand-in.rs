//! A program with the command line of tollgate and nothing behind it.
//! The harness is tested on it, so that these tests need no gateway to be built.

use std::io::{self, Write as _};
use std::process::ExitCode;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const READY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", "--config", path] => serve(path),
        ["audit", "--config", path] => {
            let config = std::fs::read_to_string(path)?;
            writeln!(io::stdout(), "{} bytes of settings, the book agrees", config.len())?;
            Ok(ExitCode::SUCCESS)
        }
        _ => Ok(ExitCode::from(2)),
    }
}

fn serve(path: &str) -> io::Result<ExitCode> {
    let config: toml::Table = std::fs::read_to_string(path)?.parse().map_err(io::Error::other)?;
    let listen = config["server"]["listen"].as_str().unwrap_or_default().to_owned();
    let key = std::env::var("TOLLGATE_MANAGEMENT_KEY").unwrap_or_default();
    let zone = std::env::var("TZ").unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(&listen).await?;
        let mut ended = signal(SignalKind::terminate())?;
        writeln!(io::stdout(), "started with a key of {} bytes, TZ={zone}", key.len())?;
        loop {
            tokio::select! {
                _ = ended.recv() => return Ok(ExitCode::SUCCESS),
                accepted = listener.accept() => {
                    let (mut stream, _) = accepted?;
                    let mut head = [0; 1024];
                    let _ = stream.read(&mut head).await;
                    let _ = stream.write_all(READY).await;
                }
            }
        }
    })
}
