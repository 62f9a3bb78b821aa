//! Makes a key with a monthly limit, shows its facts, and deletes it.
//!
//! `TOLLGATE_URL=http://127.0.0.1:8787/api/v1 TOLLGATE_API_KEY=sk-or-v1-… cargo run --example keys`
//! with a management key.

use std::error::Error;

use tollgate::{Client, CreateKey, LimitReset, UpdateKey, Usd};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("TOLLGATE_URL").unwrap_or_else(|_| tollgate::BASE_URL.to_owned());
    let client =
        Client::builder().base_url(url).api_key(std::env::var("TOLLGATE_API_KEY")?).build()?;

    let wanted = CreateKey::new("example").limit(Usd::from(25)).limit_reset(LimitReset::Monthly);
    let made = client.keys().create(&wanted).await?;
    say(&format!("made {}, whose text is shown once: {}", made.data.hash, made.key.expose()));

    let key = client.keys().update(&made.data.hash, &UpdateKey::new().disabled(true)).await?;
    say(&format!(
        "{}: ${} today, ${} this month, {} left, disabled: {}",
        key.name,
        key.usage_daily,
        key.usage_monthly,
        key.limit_remaining.map_or("no limit".to_owned(), |left| format!("${left}")),
        key.disabled,
    ));

    client.keys().delete(&key.hash).await?;
    say("deleted");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "that is what an example is for")]
fn say(text: &str) {
    println!("{text}");
}
