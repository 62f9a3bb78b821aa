use store::Source;
use upstream::Reported;

use super::*;
use crate::meter::sample::{endpoint, hello};

const OVERHEAD: &str = "prompt_overhead_tokens = 16";
const STOPS: &str = "stops_on_disconnect = true";
/// 63 prompt tokens at most and 100 of completion.
const HELD: i64 = 263_000;
const NOTHING: Counted = Counted { prompt: 0, completion: 0 };

fn used(prompt_tokens: u64, completion_tokens: u64) -> Reported {
    Reported::Usage(Usage { prompt_tokens, completion_tokens, ..Usage::default() })
}

fn said(usage: Reported, text_bytes: u64) -> Seen {
    Seen { usage, text_bytes, ..Seen::default() }
}

fn charged(provider: &str, settings: &str, end: End, seen: &Seen, may_hide: bool) -> (Source, i64) {
    let candidate = Candidate::by_bytes(&endpoint(provider, settings), &hello());
    let held = candidate.worst(100).unwrap();
    let counted = Counted { prompt: candidate.prompt_tokens, completion: seen.text_bytes };
    let charge = charge(&candidate, end, seen, held, 0, counted, may_hide);
    assert_eq!(charge.amounts().credits, charge.cost.total);
    let is_counted = must_count(&candidate, end, seen, may_hide);
    assert_eq!(is_counted, charge.source == Source::Counted, "what is counted is used");
    (charge.source, charge.amounts().credits.as_nanos())
}

#[test]
fn an_answer_is_charged_by_what_is_known_of_its_end_and_its_usage() {
    use End::{Complete, Stopped, Unseen};
    use Source::{Counted, Held, Reported as Told};
    let finished = |usage| Seen { finish_reason: Some("stop".into()), ..said(usage, 20) };
    let media = Seen { has_media: true, ..said(Reported::Nothing, 20) };
    let nothing = || said(Reported::Nothing, 20);
    let unusable = || said(Reported::Unusable, 20);
    let running = || said(used(10, 5), 20);
    let unreadable = |usage| Seen { is_unreadable: true, ..said(usage, 20) };
    #[rustfmt::skip]
    let table = [
        // provider, end, what was seen, may hide, where the charge comes from, nano-dollars
        ("",    Complete, running(),                        false, Told,    20_000),
        ("",    Complete, running(),                        true,  Told,    20_000),
        ("",    Complete, said(used(10, 500), 20),          false, Told,    1_010_000),
        ("",    Complete, said(used(0, 0), 20),             false, Told,    0),
        ("",    Complete, nothing(),                        false, Counted, 103_000),
        ("",    Complete, unusable(),                       false, Counted, 103_000),
        ("",    Complete, said(Reported::Nothing, 0),       false, Counted, 63_000),
        ("",    Complete, said(Reported::Nothing, 101),     false, Counted, HELD),
        ("",    Complete, said(Reported::Nothing, u64::MAX), false, Counted, HELD),
        ("",    Complete, nothing(),                        true,  Held,    HELD),
        ("",    Complete, unusable(),                       true,  Held,    HELD),
        ("",    Complete, media,                            false, Held,    HELD),
        ("",    Unseen,   nothing(),                        false, Held,    HELD),
        ("",    Unseen,   running(),                        false, Held,    HELD),
        ("",    Unseen,   finished(used(10, 5)),            false, Told,    20_000),
        ("",    Unseen,   finished(Reported::Nothing),      false, Held,    HELD),
        (STOPS, Unseen,   nothing(),                        false, Counted, 103_000),
        (STOPS, Unseen,   running(),                        false, Counted, 103_000),
        (STOPS, Stopped,  nothing(),                        false, Counted, 103_000),
        (STOPS, Stopped,  Seen::default(),                  false, Counted, 63_000),
        (STOPS, Stopped,  running(),                        false, Told,    20_000),
        (STOPS, Stopped,  nothing(),                        true,  Held,    HELD),
        (STOPS, Unseen,   nothing(),                        true,  Held,    HELD),
        (STOPS, Stopped,  unreadable(Reported::Nothing),    false, Held,    HELD),
        ("",    Complete, unreadable(Reported::Nothing),    false, Held,    HELD),
        ("",    Complete, unreadable(used(10, 5)),          false, Told,    20_000),
    ];
    for (provider, end, seen, may_hide, source, nanos) in table {
        assert_eq!(
            charged(provider, OVERHEAD, end, &seen, may_hide),
            (source, nanos),
            "{provider:?} {end:?} {seen:?} may hide: {may_hide}"
        );
    }
}

#[test]
fn an_answer_without_completion_is_free_only_where_that_is_agreed() {
    let settings = format!("{OVERHEAD}\nzero_completion_free = true");
    let complete =
        |settings: &str, usage| charged("", settings, End::Complete, &said(usage, 0), false).1;
    assert_eq!(complete(&settings, used(10, 0)), 0);
    assert_eq!(complete(&settings, used(10, 1)), 12_000);
    assert_eq!(complete(OVERHEAD, used(10, 0)), 10_000);
}

#[test]
fn with_an_owners_credential_all_that_is_charged_is_the_fee() {
    let byok = Byok { credential: uuid::Uuid::nil(), fee: "5".parse().unwrap() };
    let candidate = Candidate::by_bytes(&endpoint("", OVERHEAD), &hello()).with(byok);
    let held = candidate.worst(100).unwrap();
    let counted = Counted { prompt: 10, completion: 5 };
    let table = [
        (End::Complete, used(10, 5), false, Source::Reported, (1_000, 20_000)),
        (End::Complete, Reported::Nothing, false, Source::Counted, (1_000, 20_000)),
        (End::Complete, Reported::Nothing, true, Source::Held, (13_150, HELD)),
        (End::Unseen, used(10, 5), false, Source::Held, (13_150, HELD)),
    ];
    for (end, usage, may_hide, source, (credits, list)) in table {
        let charge = charge(&candidate, end, &said(usage, 5), held, 0, counted, may_hide);
        let amounts = Amounts { credits: Money::nanos(credits), byok: Money::nanos(list) };
        assert_eq!((charge.source, charge.amounts()), (source, amounts), "{end:?}");
    }
}

#[test]
fn pictures_are_charged_besides_their_tokens() {
    let prices = r#"pricing = { prompt = "0.000001", completion = "0.000002", image = "0.01" }"#;
    let candidate = Candidate::by_bytes(&endpoint("", prices), &hello());
    let held = Amounts::credits(Money::MAX);
    let seen = said(used(10, 5), 0);
    let reported = charge(&candidate, End::Complete, &seen, held, 2, NOTHING, false);
    assert_eq!(reported.cost.total, Money::nanos(20_020_000));
    let tokens = Counted { prompt: 10, completion: 5 };
    let seen = said(Reported::Nothing, 5);
    let counted = charge(&candidate, End::Complete, &seen, held, 2, tokens, false);
    assert_eq!((counted.source, counted.cost.total), (Source::Counted, reported.cost.total));
}

#[test]
fn a_prompt_is_never_counted_above_its_bound() {
    let candidate = Candidate::by_bytes(&endpoint("", OVERHEAD), &hello());
    let held = candidate.worst(100).unwrap();
    let counted = Counted { prompt: 1_000, completion: 5 };
    let seen = said(Reported::Nothing, 5);
    let charge = charge(&candidate, End::Complete, &seen, held, 0, counted, false);
    assert_eq!((charge.usage.prompt_tokens, charge.cost.total), (63, Money::nanos(73_000)));
}

#[test]
fn a_reported_cost_past_the_largest_amount_is_no_cost() {
    let prices = r#"pricing = { prompt = "1000", completion = "0.000002" }"#;
    let candidate = Candidate::by_bytes(&endpoint("", prices), &hello());
    let held = Amounts::credits(Money::nanos(HELD));
    let seen = said(used(upstream::USAGE_TOKENS_MAX, 5), 0);
    let counted = Counted { prompt: 63, completion: 5 };
    let charge = charge(&candidate, End::Complete, &seen, held, 0, counted, false);
    assert_eq!((charge.source, charge.cost.total), (Source::Counted, Money::nanos(HELD)));
}
