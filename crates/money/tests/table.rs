//! Amounts and prices as text, one case a line.
//! Every line is a corner: the ends of the range, signs of zero, and exponents no number can hold.

use money::ParseMoneyError::{NotANumber, TooFine, TooLarge};
use money::{Bill, Money, Overflow, ParseMoneyError, ParseRateError, Rate};

#[test]
fn amounts_are_read_exactly_or_refused() {
    let cases: &[(&str, Result<i64, ParseMoneyError>)] = &[
        ("0", Ok(0)),
        ("-0", Ok(0)),
        ("+0.0", Ok(0)),
        ("0e999999", Ok(0)),
        ("-0.000e-99999999999999999999", Ok(0)),
        ("25.5", Ok(25_500_000_000)),
        ("-0.4", Ok(-400_000_000)),
        ("+1", Ok(1_000_000_000)),
        ("007.50", Ok(7_500_000_000)),
        ("0.000004132", Ok(4_132)),
        ("5e-05", Ok(50_000)),
        ("1E3", Ok(1_000_000_000_000)),
        ("1.5e+2", Ok(150_000_000_000)),
        ("1e-9", Ok(1)),
        ("10e-10", Ok(1)),
        ("0.0000000010000000000000000000000000000000000000000000", Ok(1)),
        ("0.00000000000000000000000000000000000000000001e44", Ok(1_000_000_000)),
        ("100000000000000000000000000000000000000000000e-44", Ok(1_000_000_000)),
        ("9223372036.854775807", Ok(i64::MAX)),
        ("-9223372036.854775808", Ok(i64::MIN)),
        ("9223372036.854775808", Err(TooLarge)),
        ("-9223372036.854775809", Err(TooLarge)),
        ("1e10", Err(TooLarge)),
        ("1e400", Err(TooLarge)),
        ("-1e400", Err(TooLarge)),
        ("1e99999999999", Err(TooLarge)),
        ("1e99999999999999999999999999", Err(TooLarge)),
        ("1e-10", Err(TooFine)),
        ("1.0000000001", Err(TooFine)),
        ("1e-99999999999999999999999999", Err(TooFine)),
        ("", Err(NotANumber)),
        ("-", Err(NotANumber)),
        (".5", Err(NotANumber)),
        ("5.", Err(NotANumber)),
        ("1e", Err(NotANumber)),
        ("1e+", Err(NotANumber)),
        ("1e1.5", Err(NotANumber)),
        ("1e400x", Err(NotANumber)),
        ("--1", Err(NotANumber)),
        ("1 ", Err(NotANumber)),
        (" 1", Err(NotANumber)),
        ("1_000", Err(NotANumber)),
        ("1,5", Err(NotANumber)),
        ("0x10", Err(NotANumber)),
        ("NaN", Err(NotANumber)),
        ("inf", Err(NotANumber)),
        ("١", Err(NotANumber)),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Money>().map(Money::as_nanos), *expected, "{text:?}");
    }
}

#[test]
fn a_limit_with_more_digits_is_rounded_down() {
    let cases: &[(&str, Result<i64, ParseMoneyError>)] = &[
        ("0.1234567899", Ok(123_456_789)),
        ("-0.1234567891", Ok(-123_456_790)),
        ("1e-300", Ok(0)),
        ("-1e-300", Ok(-1)),
        ("0.3000000000000000444", Ok(300_000_000)),
        ("9223372036.8547758079", Ok(i64::MAX)),
        ("-9223372036.8547758080", Ok(i64::MIN)),
        ("-9223372036.8547758081", Err(TooLarge)),
        ("1e400", Err(TooLarge)),
        ("1e-x", Err(NotANumber)),
    ];
    for (text, expected) in cases {
        assert_eq!(Money::parse_floor(text).map(Money::as_nanos), *expected, "{text:?}");
    }
}

#[test]
fn amounts_print_as_the_shortest_exact_decimal() {
    let cases = [
        (0, "0"),
        (1, "0.000000001"),
        (4_132, "0.000004132"),
        (-400_000_000, "-0.4"),
        (25_500_000_000, "25.5"),
        (100_000_000_000, "100"),
        (i64::MAX, "9223372036.854775807"),
        (i64::MIN, "-9223372036.854775808"),
    ];
    for (nanos, text) in cases {
        assert_eq!(Money::nanos(nanos).to_string(), text);
    }
    assert_eq!(format!("{:?}", Money::nanos(25_500_000_000)), "Money($25.5)");
}

#[test]
fn prices_are_read_exactly_or_refused() {
    let cases: &[(&str, Result<&str, ParseRateError>)] = &[
        ("0", Ok("0")),
        ("-0", Ok("0")),
        ("0.00000015", Ok("0.00000015")),
        ("1.5E-7", Ok("0.00000015")),
        ("3.0", Ok("3")),
        ("1e-18", Ok("0.000000000000000001")),
        ("1000000", Ok("1000000")),
        ("1000000.000000000000000001", Err(ParseRateError::TooLarge)),
        ("1000000.0000000000000000001", Err(ParseRateError::TooFine)),
        ("1e400", Err(ParseRateError::TooLarge)),
        ("1e-19", Err(ParseRateError::TooFine)),
        ("-1", Err(ParseRateError::Negative)),
        ("-1e-400", Err(ParseRateError::Negative)),
        ("-1e400", Err(ParseRateError::Negative)),
        ("", Err(ParseRateError::NotANumber)),
        ("$1", Err(ParseRateError::NotANumber)),
    ];
    for (text, expected) in cases {
        let printed = text.parse::<Rate>().map(|rate| rate.to_string());
        assert_eq!(printed, expected.map(str::to_owned), "{text:?}");
    }
}

#[test]
fn the_most_to_pay_is_rounded_down_and_never_refused_for_its_size() {
    for (text, unit, million) in [
        ("0", "0", "0"),
        ("-0.0", "0", "0"),
        ("0.15", "0.15", "0.00000015"),
        ("1e-18", "0.000000000000000001", "0"),
        ("0.0000000000019", "0.0000000000019", "0.000000000000000001"),
        ("9e-19", "0", "0"),
        ("1000000.5", "1000000", "1.0000005"),
        ("1e18", "1000000", "1000000"),
        ("1e999999999999999999999", "1000000", "1000000"),
    ] {
        let found = [Rate::at_most(text), Rate::at_most_per_million(text)];
        assert_eq!(found.map(|rate| rate.unwrap().to_string()), [unit, million], "{text}");
    }
    for (text, error) in [
        ("-1", ParseRateError::Negative),
        ("free", ParseRateError::NotANumber),
        ("", ParseRateError::NotANumber),
    ] {
        assert_eq!(Rate::at_most(text), Err(error));
        assert_eq!(Rate::at_most_per_million(text), Err(error));
    }
}

#[test]
fn the_least_to_pay_is_rounded_up() {
    for (text, million) in [
        ("0", "0"),
        ("0.15", "0.00000015"),
        ("0.30000000000000004", "0.000000300000000001"),
        ("0.000000000001", "0.000000000000000001"),
        ("1e-300", "0.000000000000000001"),
        ("1000000000000", "1000000"),
        ("1000000000000.1", "1000000"),
        ("1e300", "1000000"),
    ] {
        assert_eq!(Rate::at_least_per_million(text).unwrap().to_string(), million, "{text}");
    }
    assert_eq!(Rate::at_least_per_million("-0.1"), Err(ParseRateError::Negative));
    assert_eq!(Rate::at_least_per_million("free"), Err(ParseRateError::NotANumber));
}

#[test]
fn a_bill_is_rounded_once_and_up() {
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    type Lines = &'static [(u64, &'static str)];
    let cases: &[(Lines, Result<i64, Overflow>)] = &[
        (&[], Ok(0)),
        (&[(u64::MAX, "0")], Ok(0)),
        (&[(1, "0.000000000000000001")], Ok(1)),
        (&[(1, "0.0000000005"), (1, "0.0000000005")], Ok(1)),
        (&[(1, "0.0000000005"), (1, "0.0000000006")], Ok(2)),
        (&[(1_000_000, "0.000000037")], Ok(37_000_000)),
        (&[(9_223, "1000000"), (372_036_854_775_807, "1e-9")], Ok(9_223_372_036_854_775_807)),
        (&[(9_223, "1000000"), (372_036_854_775_808, "1e-9")], Err(Overflow)),
        (&[(u64::MAX, "1000000")], Err(Overflow)),
    ];
    for (lines, expected) in cases {
        let mut bill = Bill::default();
        let cost = lines
            .iter()
            .try_for_each(|(units, price)| bill.add(*units, rate(price)))
            .and_then(|()| bill.round_up());
        assert_eq!(cost.map(Money::as_nanos), *expected, "{lines:?}");
    }
}

#[test]
fn a_line_that_does_not_fit_leaves_the_bill_as_it_was() {
    let mut bill = Bill::default();
    bill.add(7, "0.5".parse().unwrap()).unwrap();
    assert_eq!(bill.add(u64::MAX, "1000000".parse().unwrap()), Err(Overflow));
    assert_eq!(bill.round_up(), Ok(Money::nanos(3_500_000_000)));
}

#[test]
fn a_sum_out_of_range_is_none() {
    let (one, least) = (Money::nanos(1), Money::nanos(i64::MIN));
    assert_eq!(Money::MAX.checked_add(one), None);
    assert_eq!(least.checked_sub(one), None);
    assert_eq!(Money::ZERO.checked_sub(least), None);
    assert_eq!(Money::MAX.checked_sub(Money::MAX), Some(Money::ZERO));
}

#[test]
fn a_megabyte_of_digits_is_answered() {
    let zeros = "0".repeat(1 << 20);
    assert_eq!(format!("0.{zeros}1").parse::<Money>(), Err(TooFine));
    assert_eq!(format!("1{zeros}").parse::<Money>(), Err(TooLarge));
    assert_eq!(format!("{zeros}1.{zeros}").parse::<Money>(), Ok(Money::nanos(1_000_000_000)));
}

#[test]
fn an_amount_is_nothing_or_on_one_side_of_it() {
    // Nothing, less than nothing, more than nothing.
    let cases: &[(i64, [bool; 3])] = &[
        (i64::MIN, [false, true, false]),
        (-1, [false, true, false]),
        (0, [true, false, false]),
        (1, [false, false, true]),
        (i64::MAX, [false, false, true]),
    ];
    for (nanos, expected) in cases {
        let amount = Money::nanos(*nanos);
        let found = [amount.is_zero(), amount.is_negative(), amount.is_positive()];
        assert_eq!(found, *expected, "{amount}");
    }
    let prices = ["0", "0.000000000000000001"].map(|text| text.parse::<Rate>().unwrap());
    assert_eq!(prices.map(Rate::is_zero), [true, false]);
    assert_eq!(
        prices.map(|price| format!("{price:?}")),
        ["Rate($0)", "Rate($0.000000000000000001)"]
    );
    assert_eq!(format!("{:?}", Money::nanos(-400_000_000)), "Money($-0.4)");
}

#[test]
fn a_blend_is_the_sum_of_shares_times_prices() {
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    let (cheap, dear) = (rate("0.000000000000000002"), rate("0.000000000000000005"));
    assert_eq!(Rate::blend(&[(3, cheap), (1, dear)]), 11);
    assert_eq!(Rate::blend(&[(7, Rate::ZERO)]), 0);
    assert_eq!(Rate::blend(&[]), 0);
    let most = rate("1000000");
    let all = u128::from(u32::MAX) * 1_000_000_000_000_000_000_000_000;
    assert_eq!(Rate::blend(&[(u32::MAX, most)]), all);
}
