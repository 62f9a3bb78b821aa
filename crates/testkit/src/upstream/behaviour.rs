//! What the provider does with a request: tokens, usage, pace and every way of going wrong.
//! A test says only what differs from a well-behaved provider.

use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;

/// Headers no provider's answer may bring to a client, as [`Behaviour::odd_headers`] sends them.
pub const ODD_HEADERS: [(&str, &str); 6] = [
    ("set-cookie", "session=upstream; Path=/"),
    ("openai-organization", "org-upstream"),
    ("x-ratelimit-remaining-requests", "41"),
    ("x-request-id", "req-upstream"),
    ("server", "fake-upstream"),
    ("access-control-allow-origin", "https://upstream.invalid"),
];

/// One way of answering; built from [`Behaviour::new`] by naming what is different.
#[derive(Debug, Clone)]
pub struct Behaviour {
    pub(super) tokens: TokenRules,
    pub(super) usage: Usage,
    pub(super) content: Content,
    pub(super) fixed: Option<Fixed>,
    pub(super) headers: HeaderMap,
    pub(super) pace: Pace,
    pub(super) faults: Faults,
    pub(super) stops_on_disconnect: bool,
}

/// How the provider reports what it charges.
#[derive(Debug, Clone)]
pub enum Usage {
    /// In the JSON body; in a stream, where `stream_options.include_usage` asks for it, in a last
    /// chunk without choices, every other chunk saying `null`.
    Reported,
    /// In every chunk of a stream, as it grows, asked for or not; in the JSON body.
    Running,
    /// Nowhere.
    Absent,
    /// As `null`.
    Null,
    /// As this JSON text, whatever it says, where [`Usage::Reported`] would put it; sent unasked.
    Nonsense(String),
}

/// Where the provider closes the connection.
///
/// Of a JSON answer the last three all close after half of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before the first byte of the answer.
    BeforeHead,
    /// Within the status line and headers.
    InHead,
    /// After that many events of a stream, `[DONE]` being one too; never, where it has fewer.
    AfterEvents(usize),
    /// Half way through the event of that number, counted from 0.
    InEvent(usize),
    /// After half of the answer's events.
    HalfBody,
}

/// Which field of the request the provider takes as the most tokens it may generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapField {
    /// The smaller of those that are there.
    Either,
    /// `max_tokens`; `max_completion_tokens` means nothing to it.
    MaxTokens,
    /// `max_completion_tokens`; `max_tokens` means nothing to it.
    MaxCompletionTokens,
}

#[derive(Debug, Clone)]
pub(super) struct TokenRules {
    /// `None`: a quarter of the bytes of `messages`, at least one.
    pub(super) prompt: Option<u64>,
    pub(super) completion: Completion,
    pub(super) cap_field: CapField,
    /// What an uncapped request may generate at most.
    pub(super) completion_max: u64,
    pub(super) cached: u64,
    pub(super) cache_written: u64,
    pub(super) reasoning: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Completion {
    UpTo(u64),
    AllAllowed,
    BeyondAllowed(u64),
}

#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) text: Option<String>,
    /// `None`: one for each token, at most eight.
    pub(super) events: Option<usize>,
    pub(super) filler_mib: usize,
}

/// An answer given in place of a generation: nothing is charged for it.
#[derive(Debug, Clone)]
pub(super) struct Fixed {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    pub(super) before_head: Duration,
    pub(super) before_first_event: Duration,
    pub(super) between_events: Duration,
    pub(super) stall_at: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    pub(super) cut: Option<Cut>,
    pub(super) error_event: Option<usize>,
    pub(super) is_malformed: bool,
    pub(super) omits_done: bool,
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour {
            tokens: TokenRules {
                prompt: None,
                completion: Completion::UpTo(16),
                cap_field: CapField::Either,
                completion_max: 16_384,
                cached: 0,
                cache_written: 0,
                reasoning: 0,
            },
            usage: Usage::Reported,
            content: Content { text: None, events: None, filler_mib: 0 },
            fixed: None,
            headers: HeaderMap::new(),
            pace: Pace::default(),
            faults: Faults::default(),
            stops_on_disconnect: false,
        }
    }
}

impl Behaviour {
    /// A well-behaved provider: a quarter of the bytes of `messages` as prompt tokens, 16 completion
    /// tokens or as many as the request allows, at once, with its usage.
    pub fn new() -> Behaviour {
        Behaviour::default()
    }

    /// Counts that many prompt tokens, whatever the request says.
    pub fn prompt_tokens(mut self, tokens: u64) -> Behaviour {
        self.tokens.prompt = Some(tokens);
        self
    }

    /// Generates that many tokens, or as many as the request allows where that is less.
    pub fn completion_tokens(mut self, tokens: u64) -> Behaviour {
        self.tokens.completion = Completion::UpTo(tokens);
        self
    }

    /// Generates every token the request allows: the worst case that a gateway has to hold for.
    pub fn completion_all_allowed(mut self) -> Behaviour {
        self.tokens.completion = Completion::AllAllowed;
        self
    }

    /// Generates that many tokens more than the request allows, and charges for them.
    pub fn completion_beyond_allowed(mut self, tokens: u64) -> Behaviour {
        self.tokens.completion = Completion::BeyondAllowed(tokens);
        self
    }

    /// Generates at most that many tokens where the request names no cap (16,384 by itself).
    pub fn completion_tokens_max(mut self, tokens: u64) -> Behaviour {
        self.tokens.completion_max = tokens;
        self
    }

    /// Obeys only that spelling of the cap.
    pub fn cap_field(mut self, field: CapField) -> Behaviour {
        self.tokens.cap_field = field;
        self
    }

    /// Says that so many of the prompt tokens came from its cache, or all where it has fewer.
    pub fn cached_tokens(mut self, tokens: u64) -> Behaviour {
        self.tokens.cached = tokens;
        self
    }

    /// Says that so many of the prompt tokens went into its cache, or all that were not read from it.
    pub fn cache_write_tokens(mut self, tokens: u64) -> Behaviour {
        self.tokens.cache_written = tokens;
        self
    }

    /// Says that so many of the completion tokens were reasoning, or all where it made fewer.
    pub fn reasoning_tokens(mut self, tokens: u64) -> Behaviour {
        self.tokens.reasoning = tokens;
        self
    }

    /// Reports its usage in that way.
    ///
    /// # Panics
    /// Where [`Usage::Nonsense`] is not JSON: what is to be tested is a usage, not a broken body.
    pub fn usage(mut self, usage: Usage) -> Behaviour {
        if let Usage::Nonsense(text) = &usage {
            assert!(serde_json::from_str::<&RawValue>(text).is_ok(), "usage is not JSON: {text}");
        }
        self.usage = usage;
        self
    }

    /// Answers with that text, cut into events between characters.
    pub fn text(mut self, text: &str) -> Behaviour {
        self.content.text = Some(text.to_owned());
        self
    }

    /// Sends the text in that many events (by itself one for each token, at most eight).
    pub fn events(mut self, events: usize) -> Behaviour {
        self.content.events = Some(events);
        self
    }

    /// Answers with that many MiB of text, in a stream as events of 64 KiB.
    pub fn huge(mut self, mib: usize) -> Behaviour {
        self.content.filler_mib = mib;
        self
    }

    /// Refuses with that status and body, generating and charging nothing. In the place of
    /// `{shown}` the body has what the request showed in `Authorization`, without its scheme.
    ///
    /// # Panics
    /// Where `status` is no status code.
    pub fn status(mut self, status: u16, body: &str) -> Behaviour {
        let status = StatusCode::from_u16(status).expect("a status code");
        self.fixed = Some(Fixed { status, body: body.to_owned() });
        self
    }

    /// The same, having seen those headers.
    pub(super) fn shown(mut self, headers: &HeaderMap) -> Behaviour {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = header.and_then(|header| header.split_once(' ')).map_or("", |(_, text)| text);
        if let Some(fixed) = &mut self.fixed {
            fixed.body = fixed.body.replace("{shown}", shown);
        }
        self
    }

    /// Refuses with an error object under status 200, as some providers do.
    pub fn error_with_status_200(self) -> Behaviour {
        self.status(200, r#"{"error":{"code":500,"message":"the upstream failed"}}"#)
    }

    /// Redirects to `location` with status 302, which nobody may follow.
    pub fn redirect(self, location: &str) -> Behaviour {
        self.status(302, "").header(LOCATION.as_str(), location)
    }

    /// Sends `Retry-After` with that many seconds.
    pub fn retry_after(self, seconds: u64) -> Behaviour {
        self.header(RETRY_AFTER.as_str(), &seconds.to_string())
    }

    /// Sends a header with the answer, in place of its own of that name; given twice, sent twice.
    ///
    /// # Panics
    /// Where it is not a header.
    pub fn header(mut self, name: &str, value: &str) -> Behaviour {
        let name = name.parse::<HeaderName>().expect("a header's name");
        self.headers.append(name, HeaderValue::from_str(value).expect("a header's value"));
        self
    }

    /// Sends all [`ODD_HEADERS`].
    pub fn odd_headers(self) -> Behaviour {
        ODD_HEADERS.iter().fold(self, |behaviour, (name, value)| behaviour.header(name, value))
    }

    /// Calls its answer that, in place of JSON or an event stream.
    pub fn content_type(self, value: &str) -> Behaviour {
        self.header("content-type", value)
    }

    /// Waits that long before the head of its answer.
    pub fn delay_head(mut self, delay: Duration) -> Behaviour {
        self.pace.before_head = delay;
        self
    }

    /// Waits that long between the head and the first event or byte of the body.
    pub fn delay_first_event(mut self, delay: Duration) -> Behaviour {
        self.pace.before_first_event = delay;
        self
    }

    /// Waits that long before every event but the first.
    pub fn delay_between_events(mut self, delay: Duration) -> Behaviour {
        self.pace.between_events = delay;
        self
    }

    /// Sends that many events and then nothing, the connection staying open for ever.
    ///
    /// A JSON answer counts as two events, its halves.
    pub fn stall_at(mut self, event: usize) -> Behaviour {
        self.pace.stall_at = Some(event);
        self
    }

    /// Closes the connection there.
    pub fn cut(mut self, cut: Cut) -> Behaviour {
        self.faults.cut = Some(cut);
        self
    }

    /// Ends a stream with an error in place of that event of its text, and charges for those before.
    ///
    /// Neither a finish reason nor a usage follows, only `[DONE]`.
    pub fn error_event(mut self, event: usize) -> Behaviour {
        self.faults.error_event = Some(event);
        self
    }

    /// Breaks the JSON of the body, or of a stream's first event, in its middle.
    pub fn malformed_json(mut self) -> Behaviour {
        self.faults.is_malformed = true;
        self
    }

    /// Ends a stream without `[DONE]`.
    pub fn without_done(mut self) -> Behaviour {
        self.faults.omits_done = true;
        self
    }

    /// Stops generating, and charging, where its answer is not taken to its end.
    ///
    /// What was handed to the connection by then is charged, and the prompt.
    pub fn stops_on_disconnect(mut self) -> Behaviour {
        self.stops_on_disconnect = true;
        self
    }
}
