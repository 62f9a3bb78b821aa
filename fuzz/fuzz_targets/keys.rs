//! An administrator's request: what is taken is what a key may be, and what is refused is refused
//! in one printable line that repeats no value.

#![no_main]

use api::keys::{CreateKey, ListKeys, UpdateKey};
use libfuzzer_sys::fuzz_target;

const MESSAGE_BYTES_MAX: usize = 1_000;
const NAME_CHARS_MAX: usize = 255;

fuzz_target!(|data: &[u8]| {
    match CreateKey::parse(data) {
        Ok(key) => {
            is_line(&key.name);
            key.creator_user_id.iter().for_each(|user| is_line(user));
            key.limit.iter().for_each(|limit| assert!(!limit.0.is_negative()));
            let secrets = key.external.iter().filter_map(|external| external.api_key.as_ref());
            secrets.for_each(|secret| assert!((32..=512).contains(&secret.expose().len())));
            // What was read can be written, and is read as the same.
            let again = serde_json::to_vec(&key).expect("a key as JSON");
            let again = CreateKey::parse(&again).expect("a key that was written");
            assert_eq!((again.name, again.limit), (key.name, key.limit));
        }
        Err(refusal) => refused(&refusal.to_string()),
    }
    match UpdateKey::parse(data) {
        Ok(update) => {
            assert_ne!(update, UpdateKey::default());
            update.name.iter().for_each(|name| is_line(name));
            update.limit.flatten().iter().for_each(|limit| assert!(!limit.0.is_negative()));
        }
        Err(refusal) => refused(&refusal.to_string()),
    }
    if let Ok(query) = std::str::from_utf8(data) {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        if let Err(refusal) = ListKeys::parse(pairs) {
            refused(&refusal.to_string());
        }
    }
});

fn is_line(text: &str) {
    let chars = text.chars().count();
    assert!((1..=NAME_CHARS_MAX).contains(&chars) && !text.contains(char::is_control), "{text:?}");
}

fn refused(message: &str) {
    assert!(message.len() <= MESSAGE_BYTES_MAX, "{message}");
    assert!(!message.contains(char::is_control), "{message:?}");
}
