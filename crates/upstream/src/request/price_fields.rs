//! The fields that change what a request costs, or how many tokens it takes beyond its own bytes.
//! Each has values that change nothing; with any other, an endpoint must price it or refuse it.

use crate::json;

/// The values of a field that leave the price alone; `null` always does.
enum Neutral {
    Null,
    One,
    False,
    Words(&'static [&'static str]),
    TextModality,
    ModeOff,
    ShortLifetime,
}

/// The table beside the wire format (DESIGN step 2).
const FIELDS: [(&str, Neutral); 19] = [
    ("service_tier", Neutral::Words(&["default", "auto", "standard"])),
    ("speed", Neutral::Words(&["standard"])),
    ("prediction", Neutral::Null),
    ("modalities", Neutral::TextModality),
    ("audio", Neutral::Null),
    // Searches are billed by the piece, and what they find is read by the model.
    ("web_search_options", Neutral::Null),
    ("search_parameters", Neutral::ModeOff),
    ("enable_search", Neutral::False),
    // What is kept in the cache for longer is dearer to write.
    ("prompt_cache_options", Neutral::ShortLifetime),
    // Further spellings of "several answers to one prompt".
    ("best_of", Neutral::One),
    ("n_cmpl", Neutral::One),
    ("num_return_sequences", Neutral::One),
    ("num_generations", Neutral::One),
    ("candidate_count", Neutral::One),
    ("use_beam_search", Neutral::False),
    // With these the prompt is not what the body says, so its bytes bound nothing.
    ("chat_template", Neutral::Null),
    ("previous_response_id", Neutral::Null),
    ("conversation", Neutral::Null),
    ("container", Neutral::Null),
];

/// The field's name where this value of it changes the price, `None` where it does not.
pub(super) fn priced(name: &str, value: &str) -> Option<&'static str> {
    let (field, neutral) = FIELDS.iter().find(|(field, _)| *field == name)?;
    (!json::is_null(value) && !neutral.admits(value)).then_some(*field)
}

impl Neutral {
    fn admits(&self, value: &str) -> bool {
        match self {
            Neutral::Null => false,
            Neutral::One => value == "1",
            Neutral::False => value == "false",
            Neutral::Words(words) => {
                json::string(value).is_some_and(|word| words.contains(&word.as_ref()))
            }
            Neutral::TextModality => serde_json::from_str::<Vec<String>>(value)
                .is_ok_and(|modalities| modalities.iter().all(|modality| modality == "text")),
            Neutral::ModeOff => json::members(value).is_ok_and(|members| {
                matches!(&members[..], [mode] if mode.name == "mode" && mode.value == r#""off""#)
            }),
            Neutral::ShortLifetime => json::members(value).is_ok_and(|members| {
                members.iter().all(|member| match &*member.name {
                    "mode" => true,
                    "ttl" => json::is_null(member.value) || member.value == r#""30m""#,
                    _ => false,
                })
            }),
        }
    }
}
