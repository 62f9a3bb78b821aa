//! One member of a request, and the ways to read it.
//! Every reader says in its error what it would have taken.

use std::num::NonZeroU64;

use jiff::Timestamp;
use money::{Money, ParseMoneyError, ParseRateError, Rate};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::workspaces::Share;
use crate::{Invalid, Object, time};

/// A member of an [`Object`], given or not, with its full name for messages.
///
/// ```
/// # use api::{Field, Object};
/// let object = Object::parse(br#"{"limit": null, "disabled": "yes"}"#)?;
/// assert!(object.field("limit").given().is_some());
/// assert!(object.field("limit").given().and_then(Field::or_null).is_none());
/// assert_eq!(
///     object.field("disabled").flag().unwrap_err().to_string(),
///     "`disabled` is a string; allowed: true or false",
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Debug)]
pub struct Field<'a> {
    path: String,
    value: Option<&'a RawValue>,
    /// Whether `null` was asked for, and so belongs among what is allowed.
    is_nullable: bool,
}

impl<'a> Field<'a> {
    pub(crate) fn new(path: String, value: Option<&'a RawValue>) -> Field<'a> {
        Field { path, value, is_nullable: false }
    }

    /// This field where it was given at all, `null` included.
    pub fn given(self) -> Option<Field<'a>> {
        self.value.is_some().then_some(self)
    }

    /// This field where it is not `null`.
    pub fn or_null(self) -> Option<Field<'a>> {
        (self.text_of_value() != "null").then_some(Field { is_nullable: true, ..self })
    }

    /// A string of any length; `allowed` is what the message says where it is none.
    pub fn text(&self, allowed: &str) -> Result<String, Invalid> {
        let value = self.text_of_value();
        if !value.starts_with('"') {
            return Err(self.invalid(self.kind(), allowed));
        }
        // Only an escape of half a surrogate pair is JSON and yet no text.
        serde_json::from_str(value).map_err(|_| self.invalid("is not Unicode", allowed))
    }

    /// A string of one line that says something: not blank, at most `chars_max` characters, no
    /// control characters. Given back as it came, blanks at its ends included.
    pub fn line(&self, chars_max: usize) -> Result<String, Invalid> {
        let allowed =
            format!("a string of 1 to {chars_max} characters, not blank, no control characters");
        let text = self.text(&allowed)?;
        let problem = if text.chars().any(char::is_control) {
            "has a control character"
        } else if text.trim().is_empty() {
            "is blank"
        } else if text.chars().nth(chars_max).is_some() {
            "is too long"
        } else {
            return Ok(text);
        };
        Err(self.invalid(problem, &allowed))
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Result<bool, Invalid> {
        match self.text_of_value() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.invalid(self.kind(), "true or false")),
        }
    }

    /// An amount of dollars from zero up, rounded down to the nano-dollar (DESIGN, "Money").
    pub fn amount(&self) -> Result<Money, Invalid> {
        let text = self.text_of_value();
        let problem = match Money::parse_floor(text) {
            Ok(amount) if !amount.is_negative() => return Ok(amount),
            Err(ParseMoneyError::NotANumber) => self.kind(),
            _ if text.starts_with('-') => "is negative",
            _ => "is too large",
        };
        let allowed = format!("a number of US dollars from 0 to {}", Money::MAX);
        Err(self.invalid(problem, &allowed))
    }

    /// A number from zero up that is no amount; `allowed` is what the message says where it is none.
    pub fn number(&self, allowed: &str) -> Result<f64, Invalid> {
        let text = self.text_of_value();
        let problem = match serde_json::from_str::<f64>(text) {
            Ok(number) if number >= 0.0 => return Ok(number),
            Ok(_) => "is negative",
            // A number that is JSON and yet none is beyond what can be held.
            Err(_) if self.kind() == "is a number" => "is too large",
            Err(_) => self.kind(),
        };
        Err(self.invalid(problem, allowed))
    }

    /// A share of a whole, from 0.0001 to 1.
    pub fn share(&self) -> Result<Share, Invalid> {
        let text = self.text_of_value();
        Share::parse(text).ok_or_else(|| {
            let problem = match self.kind() {
                "is a number" if text.starts_with('-') => "is negative",
                "is a number" => "is not such a number",
                kind => kind,
            };
            self.invalid(problem, Share::ALLOWED)
        })
    }

    /// A whole number of 64 bits; `allowed` is what the message says where it is none.
    pub fn integer(&self, allowed: &str) -> Result<i64, Invalid> {
        let problem = match self.kind() {
            "is a number" => "is not such a number",
            kind => kind,
        };
        self.text_of_value().parse().map_err(|_| self.invalid(problem, allowed))
    }

    /// A whole number from 0 to `most`; `allowed` is what the message says where it is none.
    pub fn count(&self, most: u64, allowed: &str) -> Result<u64, Invalid> {
        if self.text_of_value() == "0" {
            return Ok(0);
        }
        self.positive(most, allowed).map(NonZeroU64::get)
    }

    /// A whole number from 1 to `most`; `allowed` is what the message says where it is none.
    pub fn positive(&self, most: u64, allowed: &str) -> Result<NonZeroU64, Invalid> {
        let text = self.text_of_value();
        let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let problem = match text.parse::<NonZeroU64>() {
            Ok(number) if number.get() <= most => return Ok(number),
            _ if !is_number => self.kind(),
            _ if text == "0" => "is zero",
            _ if text.starts_with('-') => "is negative",
            _ if text.bytes().all(|byte| byte.is_ascii_digit()) => "is too large",
            _ => "is not a whole number",
        };
        Err(self.invalid(problem, allowed))
    }

    /// A price, as a number or as text, which `read` takes.
    pub fn rate(
        &self,
        read: impl Fn(&str) -> Result<Rate, ParseRateError>,
    ) -> Result<Rate, Invalid> {
        const ALLOWED: &str = "a number of US dollars from 0 up, or the same as text";
        let value = self.text_of_value();
        let is_text = value.starts_with('"');
        let text = if is_text { self.text(ALLOWED)? } else { value.to_owned() };
        let problem = match read(&text) {
            Ok(rate) => return Ok(rate),
            Err(ParseRateError::NotANumber) if is_text => "is not a decimal number",
            Err(ParseRateError::NotANumber) => self.kind(),
            Err(ParseRateError::Negative) => "is negative",
            Err(ParseRateError::TooLarge) => "is too large",
            Err(ParseRateError::TooFine) => "is too fine",
        };
        Err(self.invalid(problem, ALLOWED))
    }

    /// The elements of an array, each named by its place, such as `allowed_models[2]`; `allowed` is
    /// what the message says where it is none.
    pub fn elements(&self, allowed: &str) -> Result<Vec<Field<'a>>, Invalid> {
        let value = self.text_of_value();
        if !value.starts_with('[') {
            return Err(self.invalid(self.kind(), allowed));
        }
        // The body was read to its end before: an array in it is one.
        let elements: Vec<&RawValue> =
            serde_json::from_str(value).map_err(|_| self.invalid("is malformed", allowed))?;
        let named = |(place, element)| Field::new(format!("{}[{place}]", self.path), Some(element));
        Ok(elements.into_iter().enumerate().map(named).collect())
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.text_of_value().starts_with('{')
    }

    /// A UUID in its hyphenated form.
    pub fn uuid(&self) -> Result<Uuid, Invalid> {
        const ALLOWED: &str = "a UUID, such as `123e4567-e89b-42d3-a456-426614174000`";
        parse_uuid(&self.text(ALLOWED)?).ok_or_else(|| self.invalid("is not a UUID", ALLOWED))
    }

    /// A moment in UTC, as [`parse_expiry`](crate::parse_expiry) takes it.
    pub fn time(&self) -> Result<Timestamp, Invalid> {
        time::parse(&self.text(time::ALLOWED)?)
            .map_err(|problem| self.invalid(problem, time::ALLOWED))
    }

    /// An object, whose fields are named after this one.
    pub fn object(&self) -> Result<Object<'a>, Invalid> {
        if !self.text_of_value().starts_with('{') {
            return Err(self.invalid(self.kind(), "a JSON object"));
        }
        Object::read(&self.path, format!("{}.", self.path), self.text_of_value())
    }

    /// The refusal of this field.
    pub fn invalid(&self, problem: &str, allowed: &str) -> Invalid {
        let or_null = if self.is_nullable { ", or null" } else { "" };
        Invalid::new(&self.path, problem, format!("{allowed}{or_null}"))
    }

    /// The value as JSON; nothing, which is no JSON value, where the field is missing.
    fn text_of_value(&self) -> &'a str {
        self.value.map_or("", RawValue::get)
    }

    /// What the value is, as a problem where it should be something else.
    fn kind(&self) -> &'static str {
        kind(self.text_of_value())
    }
}

/// What a value is, as a problem where it should be something else.
pub(crate) fn kind(value: &str) -> &'static str {
    match value.bytes().next() {
        None => "is missing",
        Some(b'n') => "is null",
        Some(b't' | b'f') => "is a boolean",
        Some(b'"') => "is a string",
        Some(b'[') => "is an array",
        Some(b'{') => "is an object",
        Some(_) => "is a number",
    }
}

/// The UUID in `text`, or `None`; of the forms there are only the hyphenated one is known here.
pub(crate) fn parse_uuid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}
