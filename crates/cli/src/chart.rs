//! Bars of block characters, to an eighth of a cell. Amounts are scaled as integers.

use client::Usd;
use money::Money;

const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const WHOLE: char = '█';

/// An amount in nano-dollars, for what is drawn of it; what is finer is left out.
pub(crate) fn nanos(amount: Usd) -> i64 {
    let floor = Money::parse_floor(&amount.to_string());
    floor.map_or(if amount.is_negative() { i64::MIN } else { i64::MAX }, Money::as_nanos)
}

/// `amount` as a bar, where `most` fills all `cells`; what is there at all is seen.
pub(crate) fn bar(amount: i64, most: i64, cells: u16) -> String {
    if amount <= 0 || most <= 0 {
        return String::new();
    }
    let whole = i128::from(cells) * 8;
    let eighths = (i128::from(amount.min(most)) * whole / i128::from(most)).max(1);
    let cells = usize::try_from(eighths / 8).unwrap_or(0);
    let rest = usize::try_from(eighths % 8).unwrap_or(0);
    let mut bar: String = std::iter::repeat_n(WHOLE, cells).collect();
    if rest > 0 {
        bar.push(EIGHTHS[rest]);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_to_an_eighth_and_never_nothing_for_something() {
        assert_eq!(bar(100, 100, 4), "████");
        assert_eq!(bar(50, 100, 4), "██");
        assert_eq!(bar(56, 100, 4), "██▏");
        assert_eq!(bar(1, 1_000_000_000, 4), "▏");
        assert_eq!(bar(0, 100, 4), "");
        assert_eq!(bar(-5, 100, 4), "");
        assert_eq!(bar(5, 0, 4), "");
        assert_eq!(bar(i64::MAX, i64::MAX, 4), "████");
    }

    #[test]
    fn an_amount_is_scaled_without_a_float() {
        assert_eq!(nanos("0.000000001".parse().unwrap()), 1);
        assert_eq!(nanos("9007199.254740993".parse().unwrap()), 9_007_199_254_740_993);
        assert_eq!(nanos("1e20".parse().unwrap()), i64::MAX);
    }
}
