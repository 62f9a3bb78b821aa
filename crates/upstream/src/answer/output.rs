//! What the model put out, read from the `choices` of a chunk or an answer.
//! It is counted where a provider reports no usage, so no shape of it may be worth nothing.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::Malformed;
use crate::json::{self, each_element, members};
use crate::{Reported, Surface};

/// What the model put out in one chunk or one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output<'a> {
    /// Why it ended, where this says so; of several the last.
    pub finish_reason: Option<Cow<'a, str>>,
    /// Whether sound or pictures are in it, whose tokens cannot be counted from here.
    pub has_media: bool,
    /// Values as JSON: mostly strings.
    values: SmallVec<[&'a str; 2]>,
}

impl<'a> Output<'a> {
    /// The output of a whole answer, which is checked to be valid JSON from end to end.
    ///
    /// ```
    /// # use upstream::Output;
    /// let answer = br#"{"choices":[{"message":{"content":"1\n2"},"finish_reason":"stop"}]}"#;
    /// let output = Output::of_answer(answer)?;
    /// assert_eq!(output.finish_reason.as_deref(), Some("stop"));
    /// assert_eq!(output.texts().collect::<Vec<_>>(), ["1\n2"]);
    /// # Ok::<(), upstream::Malformed>(())
    /// ```
    pub fn of_answer(answer: &'a [u8]) -> Result<Output<'a>, Malformed> {
        let answer =
            std::str::from_utf8(answer).map_err(|_| Malformed { fault: "is not valid UTF-8" })?;
        let choices = members(answer)?.into_iter().rfind(|member| member.name == "choices");
        Ok(choices.map(|choices| Output::read(choices.value).0).unwrap_or_default())
    }

    /// The texts put out, escapes undone: content, reasoning, refusals, and what calls of tools say.
    pub fn texts(&self) -> impl Iterator<Item = Cow<'a, str>> {
        self.values.iter().map(|value| json::string(value).unwrap_or(Cow::Borrowed(value)))
    }

    /// The bytes of the texts as JSON, quotes left out: no fewer than the tokens seen.
    pub fn text_bytes(&self) -> u64 {
        let bytes: usize = self
            .values
            .iter()
            .map(|value| if value.starts_with('"') { value.len() - 2 } else { value.len() })
            .sum();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Reads the value of `choices`, and the usage some providers put there.
    pub(super) fn read(choices: &'a str) -> (Output<'a>, Reported) {
        let mut output = Output::default();
        let mut usage = Reported::Nothing;
        let read = each_element::<serde_json::Error>(choices, |_, choice| {
            let choice: Choice<'a> = serde_json::from_str(choice)?;
            if let Some(Word(reason)) = choice.finish_reason {
                output.finish_reason = Some(reason);
            }
            usage = usage
                .then(Reported::read(choice.usage.map_or("null", RawValue::get), Surface::Chat));
            for said in [choice.delta, choice.message].into_iter().flatten() {
                output.add(&said);
            }
            Ok(())
        });
        if read.is_err() && !json::is_null(choices) {
            // A shape nobody knows: all of it counts.
            output.values = SmallVec::from_slice(&[choices]);
        }
        (output, usage)
    }

    fn add(&mut self, said: &Said<'a>) {
        // Some providers say their reasoning twice, under an older and a newer name.
        let reasoning = [said.reasoning, said.reasoning_content].into_iter().flatten();
        let reasoning = reasoning.max_by_key(|text| text.get().len());
        let reasoning = reasoning.filter(|text| text.get() != r#""""#).or(said.reasoning_details);
        for text in [said.content, reasoning, said.refusal, said.function_call] {
            self.push(text);
        }
        if let Some(calls) = said.tool_calls {
            self.add_calls(calls.get());
        }
        self.has_media |= said.audio.is_some() || said.images.is_some();
    }

    fn add_calls(&mut self, calls: &'a str) {
        let before = self.values.len();
        let read = each_element::<serde_json::Error>(calls, |_, call| {
            let call: Call<'a> = serde_json::from_str(call)?;
            self.push(call.id);
            if let Some(function) = call.function {
                self.push(function.name);
                self.push(function.arguments);
            } else if let Some(custom) = call.custom {
                self.push(Some(custom));
            }
            Ok(())
        });
        if read.is_err() {
            self.values.truncate(before);
            self.values.push(calls);
        }
    }

    fn push(&mut self, value: Option<&'a RawValue>) {
        if let Some(value) =
            value.map(RawValue::get).filter(|value| !matches!(*value, r#""""# | "[]"))
        {
            self.values.push(value);
        }
    }
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    finish_reason: Option<Word<'a>>,
    #[serde(borrow)]
    delta: Option<Said<'a>>,
    #[serde(borrow)]
    message: Option<Said<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

/// A delta or a message; values are kept raw, for providers differ in their types.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow)]
    audio: Option<&'a RawValue>,
    #[serde(borrow)]
    images: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
    #[serde(borrow)]
    custom: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}
