//! What every key spent this month, the dearest first, without an async runtime of its own.
//!
//! `TOLLGATE_URL=… TOLLGATE_API_KEY=sk-or-v1-… cargo run --features blocking --example spend`
//! with a management key.

use std::error::Error;

use tollgate::{Client, ListKeys, Usd, blocking};

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("TOLLGATE_URL").unwrap_or_else(|_| tollgate::BASE_URL.to_owned());
    let client =
        Client::builder().base_url(url).api_key(std::env::var("TOLLGATE_API_KEY")?).build()?;
    let client = blocking::Client::from_async(client)?;

    let all = ListKeys::new().include_disabled(true).include_expired(true);
    let mut keys = client.keys().list_all(all).collect::<Result<Vec<_>, _>>()?;
    keys.sort_by_key(|key| std::cmp::Reverse((key.usage_monthly, key.name.clone())));
    for key in &keys {
        say(&format!("{:>14} {}", key.usage_monthly.to_string(), key.name));
    }
    let total: Usd = keys.iter().map(|key| key.usage_monthly).sum();
    say(&format!("{:>14} in all", total.to_string()));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "that is what an example is for")]
fn say(text: &str) {
    println!("{text}");
}
