//! Asks a model and prints its answer as it comes, and what it cost.
//!
//! `TOLLGATE_URL=… TOLLGATE_API_KEY=sk-or-v1-… cargo run --example chat openai/gpt-4o-mini "Hello"`

use std::error::Error;
use std::io::Write as _;

use futures_util::TryStreamExt as _;
use tollgate::{ChatRequest, Client, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(model), Some(prompt)) = (arguments.next(), arguments.next()) else {
        return Err("give a model and a prompt".into());
    };
    let url = std::env::var("TOLLGATE_URL").unwrap_or_else(|_| tollgate::BASE_URL.to_owned());
    let client =
        Client::builder().base_url(url).api_key(std::env::var("TOLLGATE_API_KEY")?).build()?;

    let request = ChatRequest::new(model).message(Message::user(prompt)).max_tokens(200);
    let mut parts = match client.chat().stream(&request).await {
        Ok(parts) => parts,
        Err(error) if error.is_over_limit() => {
            return Err(format!("the limit is reached: {:?}", error.limit()).into());
        }
        Err(error) => return Err(error.into()),
    };
    let mut out = std::io::stdout().lock();
    let mut cost = None;
    while let Some(part) = parts.try_next().await? {
        write!(out, "{}", part.text())?;
        out.flush()?;
        cost = part.cost().or(cost);
    }
    match cost {
        Some(cost) => writeln!(out, "\n(${cost})")?,
        None => writeln!(out)?,
    }
    Ok(())
}
