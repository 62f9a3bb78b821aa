//! Laws of amounts, prices and bills, over arbitrary numbers.
//! The second opinion is schoolbook arithmetic on decimal digits, which knows no overflow.

use std::str::FromStr;

use money::{Bill, Money, ParseMoneyError, Rate};
use proptest::collection::vec;
use proptest::prelude::*;

/// A natural number as decimal digits, the least first.
#[derive(Clone, Debug, Default)]
struct Naive(Vec<u8>);

impl Naive {
    fn read(text: &str) -> Naive {
        Naive(text.bytes().rev().map(|digit| digit - b'0').collect())
    }

    fn plus(&self, other: &Naive) -> Naive {
        let mut carry = 0;
        let mut sum = Vec::new();
        for place in 0..=self.0.len().max(other.0.len()) {
            let digit = |number: &Naive| number.0.get(place).copied().unwrap_or(0);
            let total = digit(self) + digit(other) + carry;
            sum.push(total % 10);
            carry = total / 10;
        }
        Naive(sum)
    }

    fn times(&self, other: &Naive) -> Naive {
        let mut product = Naive::default();
        for (place, digit) in other.0.iter().enumerate() {
            for _ in 0..*digit {
                let mut shifted = vec![0; place];
                shifted.extend(&self.0);
                product = product.plus(&Naive(shifted));
            }
        }
        product
    }

    /// Divided by 10^`places`, rounded up, where the answer fits an amount.
    fn shifted_up(&self, places: usize) -> Option<i64> {
        let cut = places.min(self.0.len());
        let rest = u8::from(self.0[..cut].iter().any(|digit| *digit != 0));
        let whole = Naive(self.0[cut..].to_vec()).plus(&Naive(vec![rest]));
        let text: String = whole.0.iter().rev().map(|digit| char::from(b'0' + digit)).collect();
        text.parse().ok()
    }
}

/// Up to the dearest price there is, with small ones as likely as large.
fn attos() -> impl Strategy<Value = u128> {
    let most = 10_u128.pow(24);
    prop_oneof![0..=most, 0..=1_000_000_000_000_u128, Just(most)]
}

fn rate(attos: u128) -> Rate {
    Rate::from_str(&format!("{attos}e-18")).unwrap()
}

proptest! {
    #[test]
    fn an_amount_survives_its_text(nanos: i64) {
        let amount = Money::nanos(nanos);
        prop_assert_eq!(amount.to_string().parse(), Ok(amount));
    }

    #[test]
    fn the_text_of_an_amount_is_the_shortest(nanos: i64) {
        let text = Money::nanos(nanos).to_string();
        let (_, fraction) = text.split_once('.').unwrap_or((&text, "1"));
        prop_assert!(!fraction.ends_with('0') && fraction.len() <= 9);
        prop_assert!(!text.contains(['e', 'E', '+']));
    }

    #[test]
    fn a_text_survives_its_amount(text in "-?(0|[1-9][0-9]{0,8})\\.[0-9]{0,8}[1-9]") {
        prop_assert_eq!(text.parse::<Money>().unwrap().to_string(), text);
    }

    #[test]
    fn a_price_survives_its_text(attos in attos()) {
        prop_assert_eq!(rate(attos).to_string().parse(), Ok(rate(attos)));
    }

    #[test]
    fn prices_are_ordered_as_their_numbers(one in attos(), other in attos()) {
        prop_assert_eq!(rate(one).cmp(&rate(other)), one.cmp(&other));
    }

    #[test]
    fn an_exponent_only_moves_the_point(
        sign in "[+-]?", whole in "[0-9]{1,12}", fraction in "[0-9]{1,12}", exponent in -30_i32..30,
    ) {
        let pad = "0".repeat(30);
        let digits = format!("{pad}{whole}{fraction}{pad}");
        let point = usize::try_from(30 + exponent).unwrap() + whole.len();
        let plain = format!("{sign}{}.{}", &digits[..point], &digits[point..]);
        let written = format!("{sign}{whole}.{fraction}e{exponent}");
        prop_assert_eq!(written.parse::<Money>(), plain.parse::<Money>());
        prop_assert_eq!(Money::parse_floor(&written), Money::parse_floor(&plain));
        prop_assert_eq!(written.parse::<Rate>(), plain.parse::<Rate>());
    }

    #[test]
    fn rounding_down_is_by_less_than_a_nano(nanos in -10_i64.pow(18)..10_i64.pow(18), more in 0..1000_u16) {
        let exact = i128::from(nanos) * 1000 + i128::from(more);
        let text = format!("{exact}e-12");
        prop_assert_eq!(Money::parse_floor(&text), Ok(Money::nanos(nanos)));
        let expected = if more == 0 { Ok(Money::nanos(nanos)) } else { Err(ParseMoneyError::TooFine) };
        prop_assert_eq!(text.parse::<Money>(), expected);
    }

    #[test]
    fn a_bill_is_what_schoolbook_arithmetic_says(
        lines in vec((prop_oneof![any::<u64>(), 0..1_000_000_u64], attos()), 0..6),
    ) {
        let mut bill = Bill::default();
        let billed = lines
            .iter()
            .try_for_each(|(units, attos)| bill.add(*units, rate(*attos)))
            .and_then(|()| bill.round_up());
        let naive = lines.iter().fold(Naive::default(), |sum, (units, attos)| {
            sum.plus(&Naive::read(&units.to_string()).times(&Naive::read(&attos.to_string())))
        });
        prop_assert_eq!(billed.ok().map(Money::as_nanos), naive.shifted_up(9));
    }

    #[test]
    fn sums_are_those_of_the_nanos(one: i64, other: i64) {
        let (a, b) = (Money::nanos(one), Money::nanos(other));
        prop_assert_eq!(a.checked_add(b).map(Money::as_nanos), one.checked_add(other));
        prop_assert_eq!(a.checked_sub(b).map(Money::as_nanos), one.checked_sub(other));
        prop_assert_eq!(a.cmp(&b), one.cmp(&other));
    }

    #[test]
    fn no_text_is_read_with_a_panic(text in ".*", near in "[+-]?[0-9.eE+-]{0,60}") {
        for text in [text, near] {
            let _ = (text.parse::<Money>(), Money::parse_floor(&text), text.parse::<Rate>());
        }
    }
}
