//! How what a server says is told: words and amounts for a person, JSON for a program.

use std::io::Write as _;

use anyhow::Result;
use client::Usd;
use jiff::Timestamp;
use serde::Serialize;

use crate::connection::Remote;

/// What stands where there is nothing.
pub(crate) const NOTHING: &str = "–";
/// Digits of a hash that tables show; enough to name it by.
pub(crate) const HASH_SHOWN: usize = 12;

/// A command that was typed wrong in a way that the reader of arguments can't see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misused(pub(crate) String);

/// A document of JSON, on stdout.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    crate::print::line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// What is said of a deletion: of `id` to a program, of `name` to a person.
pub(crate) fn deleted(remote: &Remote, id: &str, name: &str) -> Result<()> {
    #[derive(Serialize)]
    struct Deleted<'a> {
        id: &'a str,
        deleted: bool,
    }
    match (remote.json, remote.quiet) {
        (true, _) => json(&Deleted { id, deleted: true })?,
        (_, true) => crate::print::line(id),
        _ => crate::print::line(&format!("deleted {}", plain(name))),
    }
    Ok(())
}

/// A line of JSON, of several, on stdout.
pub(crate) fn json_line(value: &impl Serialize) -> Result<()> {
    crate::print::line(&serde_json::to_string(value)?);
    Ok(())
}

/// A line that may be coloured, without the colours where stdout shows none.
pub(crate) fn styled(text: &str) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// An amount as people write it: to the cent at least, exact below.
pub(crate) fn dollars(amount: Usd) -> String {
    let text = amount.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    match digits.split_once('.') {
        None => format!("{sign}${digits}.00"),
        Some((_, cents)) if cents.len() < 2 => format!("{sign}${digits}0"),
        Some(_) => format!("{sign}${digits}"),
    }
}

/// The same of an amount that may not be there.
pub(crate) fn dollars_or(amount: Option<Usd>, otherwise: &str) -> String {
    amount.map_or(otherwise.to_owned(), dollars)
}

/// All of them together; where that is more than an amount can be, as much as one can be summed.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Usd>) -> Usd {
    amounts.into_iter().fold(Usd::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(sum))
}

/// A moment to the minute, in UTC.
pub(crate) fn minute(moment: Option<Timestamp>) -> String {
    moment.map_or(NOTHING.to_owned(), |moment| moment.strftime("%Y-%m-%d %H:%M").to_string())
}

/// A moment to the second, in UTC.
pub(crate) fn second(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A count with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// The beginning of a hash.
pub(crate) fn short(hash: &str) -> String {
    hash.chars().take(HASH_SHOWN).collect()
}

/// A text from elsewhere, without what would command a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { char::REPLACEMENT_CHARACTER } else { it }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_to_the_cent_and_exactly_below() {
        for (amount, told) in [
            ("25", "$25.00"),
            ("25.5", "$25.50"),
            ("0", "$0.00"),
            ("0.000004132", "$0.000004132"),
            ("-3.1", "-$3.10"),
        ] {
            assert_eq!(dollars(amount.parse().unwrap()), told);
        }
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_name_can_not_command_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
    }
}
