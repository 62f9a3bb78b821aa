//! The rules of spending as tables: one event a line, and on the right what it must answer.
//! The words are read in `script`; an event that is no question answers with where limits stand.
#![cfg(not(feature = "shuttle"))]

mod script;

use jiff::SignedDuration;
use script::{Book, check, time};

#[test]
fn a_hold_takes_room_and_its_end_gives_back_what_was_not_spent() {
    check(
        "terms key 1 daily   | 1 of 1 daily
         admit a 0.6         | held
         now                 | 1 of 1 daily, 0.6 held
         admit b 0.4         | held
         now                 | 1 of 1 daily, 1 held
         admit c 0.000000001 | busy: 1 daily
         settle a 0.25       | 0.75 of 1 daily, 0.4 held
         admit c 0.35        | held
         admit d 0.000000001 | busy: 1 daily
         release b           | 0.75 of 1 daily, 0.35 held
         settle c 0.35       | 0.4 of 1 daily
         admit d 0.4         | held
         settle d 0.4        | 0 of 1 daily
         usage key           | total 1, day 1, week 1, month 1, held 0",
    );
}

#[test]
fn a_hold_that_was_sent_ends_by_an_answer_alone() {
    check(
        "terms key 1 daily | 1 of 1 daily
         admit a 0.6       | held
         refuse a          | 1 of 1 daily, 0.6 held
         settle a 0.1      | 0.9 of 1 daily
         admit b 0.6       | held
         refuse b          | 0.9 of 1 daily, 0.6 held
         release b         | 0.9 of 1 daily
         admit c 0.6       | held
         lose c            | 0.9 of 1 daily, 0.6 held
         admit d 0.4       | busy: 1 daily
         usage key         | total 0.1, day 0.1, week 0.1, month 0.1, held 0.6",
    );
}

#[test]
fn every_period_starts_afresh_at_its_own_midnight() {
    check(
        "at 2026-11-22T23:59:59.999999999Z |
         admit a 1                         | held
         settle a 1                        | unlimited
         terms key 9 daily                 | 8 of 9 daily
         resets                            | 2026-11-23T00:00:00Z
         tick 1ns                          | 9 of 9 daily
         resets                            | 2026-11-24T00:00:00Z
         terms key 9 weekly                | 9 of 9 weekly
         resets                            | 2026-11-30T00:00:00Z
         tick -1ns                         | 8 of 9 weekly
         resets                            | 2026-11-23T00:00:00Z
         terms key 9 monthly               | 8 of 9 monthly
         resets                            | 2026-12-01T00:00:00Z
         at 2026-11-30T23:59:59Z           | 8 of 9 monthly
         tick 1s                           | 9 of 9 monthly
         resets                            | 2027-01-01T00:00:00Z
         terms key 9 total                 | 8 of 9 total
         resets                            | never
         at 2099-01-01T00:00:00Z           | 8 of 9 total
         usage key                         | total 1, day 0, week 0, month 0, held 0",
    );
}

#[test]
fn weeks_run_over_months_and_months_over_leap_days() {
    check(
        "at 2028-02-28T12:00:00Z |
         admit monday 1          | held
         settle monday 1         | unlimited
         tick 24h                | unlimited
         usage key               | total 1, day 0, week 1, month 1, held 0
         admit leap 2            | held
         settle leap 2           | unlimited
         tick 24h                | unlimited
         usage key               | total 3, day 0, week 3, month 0, held 0
         at 2028-03-05T23:59:59Z | unlimited
         usage key               | total 3, day 0, week 3, month 0, held 0
         tick 1s                 | unlimited
         usage key               | total 3, day 0, week 0, month 0, held 0
         at 2028-02-29T00:00:00Z | unlimited
         usage key               | total 3, day 2, week 3, month 3, held 0",
    );
}

/// SEMANTICS 4.3, 4.4 and 19.7.
#[test]
fn a_lowered_limit_goes_below_zero_and_a_raised_one_counts_at_once() {
    check(
        "terms key 1 daily       | 1 of 1 daily
         admit a 0.9             | held
         settle a 0.9            | 0.1 of 1 daily
         terms key 0.5 daily     | -0.4 of 0.5 daily
         admit b 0.1             | spent: 0.5 daily
         at 2026-11-23T00:00:00Z | 0.5 of 0.5 daily
         admit b 0.5             | held
         release b               | 0.5 of 0.5 daily
         at 2026-11-22T23:59:59Z | -0.4 of 0.5 daily
         terms key 2 daily       | 1.1 of 2 daily
         admit b 1.1             | held
         settle b 1.1            | 0 of 2 daily
         at 2026-11-23T00:00:00Z | 2 of 2 daily",
    );
}

/// SEMANTICS 4.3 and 4.4: what is left is of the current window, and nothing is reset by an edit.
#[test]
fn a_switched_period_compares_with_what_its_window_has_seen() {
    check(
        "at 2026-10-30T12:00:00Z |
         admit october 8         | held
         settle october 8        | unlimited
         at 2026-11-20T12:00:00Z | unlimited
         admit friday 4          | held
         settle friday 4         | unlimited
         at 2026-11-21T12:00:00Z | unlimited
         admit saturday 2        | held
         settle saturday 2       | unlimited
         at 2026-11-22T12:00:00Z | unlimited
         admit sunday 1          | held
         terms key 10 daily      | 10 of 10 daily, 1 held
         terms key 10 weekly     | 4 of 10 weekly, 1 held
         terms key 10 monthly    | 4 of 10 monthly, 1 held
         terms key 10 total      | -4 of 10 total, 1 held
         admit b 0.1             | spent: 10 total
         settle sunday 0.5       | -4.5 of 10 total
         terms key 10 daily      | 9.5 of 10 daily
         admit b 9.6             | too dear: 10 daily, 0 tokens fit
         admit b 9.5             | held
         terms key 10 monthly    | 3.5 of 10 monthly, 9.5 held
         admit c 0.1             | busy: 10 monthly
         release b               | 3.5 of 10 monthly
         terms key               | unlimited
         usage key               | total 14.5, day 0.5, week 6.5, month 6.5, held 0",
    );
}

#[test]
fn an_edit_binds_the_next_admission_and_cuts_off_nothing_in_flight() {
    check(
        "terms key 1 daily   | 1 of 1 daily
         admit a 0.8         | held
         terms key 0.5 daily | 0.5 of 0.5 daily, 0.8 held
         admit b 0.1         | busy: 0.5 daily
         admit b 0.6         | too dear: 0.5 daily, 0 tokens fit
         terms key 0.9 daily | 0.9 of 0.9 daily, 0.8 held
         admit b 0.1         | held
         terms key 0 daily   | 0 of 0 daily, 0.9 held
         settle a 0.8        | -0.8 of 0 daily, 0.1 held
         terms key           | unlimited, 0.1 held
         admit c 100         | held
         terms key 1 daily   | 0.2 of 1 daily, 100.1 held
         release c           | 0.2 of 1 daily, 0.1 held
         admit d 0.1         | held
         settle d 0.1        | 0.1 of 1 daily, 0.1 held
         settle b 0.1        | 0 of 1 daily",
    );
}

#[test]
fn byok_use_counts_where_the_limit_includes_it_and_as_it_stands_now() {
    check(
        "terms key 1 daily      | 1 of 1 daily
         admit a 0.1+5b         | held
         now                    | 1 of 1 daily, 0.1 held
         terms key 1 daily byok | 1 of 1 daily, 5.1 held
         admit b 0.1            | busy: 1 daily
         terms key 1 daily      | 1 of 1 daily, 0.1 held
         settle a 0.1+3b        | 0.9 of 1 daily
         terms key 4 daily byok | 0.9 of 4 daily
         admit b 0.9b           | held
         admit c 0.1b           | busy: 4 daily
         settle b 0.9b          | 0 of 4 daily
         admit c 0.1b           | spent: 4 daily
         terms key 0.1 daily    | 0 of 0.1 daily
         admit c 0.1b           | held
         admit d 0.1            | spent: 0.1 daily
         release c              | 0 of 0.1 daily
         usage key              | total 0.1+3.9b, day 0.1+3.9b, week 0.1+3.9b, month 0.1+3.9b, held 0",
    );
}

#[test]
fn a_zero_limit_blocks_all_paid_use_and_nothing_else() {
    check(
        "terms key 0 total                     | 0 of 0 total
         admit a 0.000000001                   | spent: 0 total
         admit a 1..9 each 0.1 prompt 0 taking | spent: 0 total
         admit a 0                             | held
         admit b 7b                            | held
         settle a 0                            | 0 of 0 total
         terms key 0 total byok                | 0 of 0 total, 7 held
         admit c 7b                            | spent: 0 total",
    );
}

#[test]
fn what_can_cost_nothing_passes_a_spent_limit() {
    check(
        "terms key 1 daily   | 1 of 1 daily
         admit a 1           | held
         admit b 0           | held
         settle a 1          | 0 of 1 daily
         admit c 0           | held
         settle c 0          | 0 of 1 daily
         terms key 0.5 daily | -0.5 of 0.5 daily
         admit d 0           | held
         settle d 0          | -0.5 of 0.5 daily
         admit e 0.000000001 | spent: 0.5 daily",
    );
}

#[test]
fn spent_too_dear_and_busy_are_told_apart() {
    check(
        "terms key 1 daily                           | 1 of 1 daily
         admit a 1.1                                 | too dear: 1 daily, 0 tokens fit
         admit a 90..90 each 0.01 prompt 0.2         | too dear: 1 daily, 80 tokens fit
         admit a 90..90 each 0.01 prompt 1.000000001 | too dear: 1 daily, not even the prompt fits
         admit a 0..0 each 1 prompt 1.1              | too dear: 1 daily, not even the prompt fits
         admit a 0.7                                 | held
         admit b 0.4                                 | busy: 1 daily
         admit b 90..90 each 0.01 prompt 0.2         | too dear: 1 daily, 80 tokens fit
         settle a 0.7                                | 0.3 of 1 daily
         admit b 0.4                                 | too dear: 1 daily, 0 tokens fit
         admit b 0.3                                 | held
         admit c 0.1                                 | busy: 1 daily
         settle b 0.3                                | 0 of 1 daily
         admit c 0.1                                 | spent: 1 daily",
    );
}

#[test]
fn a_request_that_named_no_maximum_is_capped_at_what_is_left() {
    check(
        "terms key 1 daily                     | 1 of 1 daily
         admit a 10..1000 each 0.01 prompt 0.1 | held for 90 tokens
         now                                   | 1 of 1 daily, 1 held
         release a                             | 1 of 1 daily
         admit a 10..90 each 0.01 prompt 0.1   | held for 90 tokens
         release a                             | 1 of 1 daily
         admit a 10..89 each 0.01 prompt 0.1   | held for 89 tokens
         settle a 0.791                        | 0.209 of 1 daily
         admit b 11..1000 each 0.01 prompt 0.1 | too dear: 1 daily, 10 tokens fit
         admit b 10..1000 each 0.01 prompt 0.1 | held for 10 tokens
         now                                   | 0.209 of 1 daily, 0.2 held
         terms key                             | unlimited, 0.2 held
         admit c 10..1000 each 0.01 prompt 0.1 | held for 1000 tokens",
    );
}

#[test]
fn a_capped_request_waits_for_what_others_hold_or_takes_what_is_free() {
    check(
        "terms key 1 daily                        | 1 of 1 daily
         admit a 0.75                             | held
         admit b 10..50 each 0.01 prompt 0        | busy: 1 daily
         admit b 10..50 each 0.01 prompt 0 taking | held for 25 tokens
         admit c 10..50 each 0.01 prompt 0 taking | busy: 1 daily
         release b                                | 1 of 1 daily, 0.75 held
         admit b 25..50 each 0.01 prompt 0 taking | held for 25 tokens
         release b                                | 1 of 1 daily, 0.75 held
         admit b 26..50 each 0.01 prompt 0 taking | busy: 1 daily
         settle a 0.75                            | 0.25 of 1 daily
         admit b 10..50 each 0.01 prompt 0        | held for 25 tokens
         release b                                | 0.25 of 1 daily
         admit b 26..50 each 0.01 prompt 0 taking | too dear: 1 daily, 25 tokens fit",
    );
}

#[test]
fn nothing_is_admitted_from_the_instant_an_account_expires_or_closes() {
    check(
        "terms key 1 daily until 2026-11-22T12:00:00Z | 1 of 1 daily
         admit a 0.5                                  | held
         at 2026-11-22T11:59:59.999999999Z            | 1 of 1 daily, 0.5 held
         admit b 0.1                                  | held
         tick 1ns                                     | closed: 1 of 1 daily, 0.6 held
         admit c 0                                    | closed
         settle a 0.5                                 | closed: 0.5 of 1 daily, 0.1 held
         terms key 1 daily closed                     | closed: 0.5 of 1 daily, 0.1 held
         tick -1h                                     | closed: 0.5 of 1 daily, 0.1 held
         admit c 0                                    | closed
         settle b 0.1                                 | closed: 0.4 of 1 daily
         terms key 1 daily                            | 0.4 of 1 daily
         admit c 0.4                                  | held
         terms team closed                            | 0.4 of 1 daily, 0.4 held; closed: unlimited
         admit d 0 on key team                        | closed",
    );
}

#[test]
fn a_request_belongs_to_the_window_it_was_admitted_in() {
    check(
        "terms key 1 daily       | 1 of 1 daily
         at 2026-11-22T23:59:59Z | 1 of 1 daily
         admit late 0.6          | held
         at 2026-11-23T00:00:00Z | 1 of 1 daily
         admit early 1           | held
         settle late 0.5         | 1 of 1 daily, 1 held
         usage key               | total 0.5, day 0, week 0, month 0.5, held 1
         tick -1s                | 0.5 of 1 daily
         usage key               | total 0.5, day 0.5, week 0.5, month 0.5, held 1
         terms key 2 monthly     | 1.5 of 2 monthly, 1 held
         admit c 0.6             | busy: 2 monthly
         settle early 0.9        | 0.6 of 2 monthly
         usage key               | total 1.4, day 0.5, week 0.5, month 1.4, held 0
         tick 1s                 | 0.6 of 2 monthly
         usage key               | total 1.4, day 0.9, week 0.9, month 1.4, held 0",
    );
}

#[test]
fn a_charge_above_its_hold_is_recorded_in_full() {
    check(
        "terms key 1 daily       | 1 of 1 daily
         admit a 0.5             | held
         settle a 1.5            | -0.5 of 1 daily
         admit b 0.1             | spent: 1 daily
         at 2026-11-23T00:00:00Z | 1 of 1 daily
         usage key               | total 1.5, day 0, week 0, month 1.5, held 0",
    );
}

#[test]
fn a_correction_counts_on_the_day_it_is_dated() {
    check(
        "terms key 1 daily     | 1 of 1 daily
         admit a 1             | held
         settle a 1            | 0 of 1 daily
         post 2026-11-22 -0.25 | 0.25 of 1 daily
         post 2026-11-21 -0.5  | 0.25 of 1 daily
         admit b 0.25          | held
         release b             | 0.25 of 1 daily
         post 2026-11-22 0.5b  | 0.25 of 1 daily
         usage key             | total 0.25+0.5b, day 0.75+0.5b, week 0.25+0.5b, month 0.25+0.5b, held 0",
    );
}

#[test]
fn several_limits_are_held_on_all_or_none_and_the_first_that_refuses_is_named() {
    check(
        "terms team 1 daily 3 weekly                   | 1 of 1 daily; 3 of 3 weekly
         terms key 2 monthly                           | 1 of 1 daily; 3 of 3 weekly; 2 of 2 monthly
         admit a 4 on team key                         | too dear: 1 daily, 0 tokens fit
         admit a 4 on key team                         | too dear: 2 monthly, 0 tokens fit
         admit a 1.5 on key team                       | too dear: 1 daily, 0 tokens fit
         now                                           | 1 of 1 daily; 3 of 3 weekly; 2 of 2 monthly
         admit a 0.8 on team key                       | held
         now                                           | 1 of 1 daily, 0.8 held; 3 of 3 weekly, 0.8 held; 2 of 2 monthly, 0.8 held
         admit b 0.3 on key team                       | busy: 1 daily
         admit b 1.2 on key                            | held
         admit c 0.3 on team key                       | busy: 1 daily
         admit c 0.1 on team key                       | busy: 2 monthly
         admit c 0.3 on key team                       | busy: 2 monthly
         settle a 0.5                                  | 0.5 of 1 daily; 2.5 of 3 weekly; 1.5 of 2 monthly, 1.2 held
         settle b 1.2                                  | 0.5 of 1 daily; 2.5 of 3 weekly; 0.3 of 2 monthly
         admit c 0.5 on team key                       | too dear: 2 monthly, 0 tokens fit
         admit c 10..90 each 0.01 prompt 0 on team key | held for 30 tokens",
    );
}

#[test]
fn a_spent_limit_is_named_before_one_too_small_and_that_before_a_busy_one() {
    check(
        "terms busy 1 daily              | 1 of 1 daily
         terms small 0.2 daily           | 1 of 1 daily; 0.2 of 0.2 daily
         terms spent 0 daily             | 1 of 1 daily; 0.2 of 0.2 daily; 0 of 0 daily
         admit a 0.9 on busy             | held
         admit b 0.5 on busy small spent | spent: 0 daily
         admit b 0.5 on busy small       | too dear: 0.2 daily, 0 tokens fit
         admit b 0.15 on busy small      | busy: 1 daily
         admit b 0.15 on small busy      | busy: 1 daily
         admit b 0.1 on busy small       | held",
    );
}

#[test]
fn a_capped_request_names_the_limit_that_leaves_too_few_tokens() {
    check(
        "terms team 1 daily                                    | 1 of 1 daily
         terms key 2 daily                                     | 1 of 1 daily; 2 of 2 daily
         admit a 0.5 on team                                   | held
         admit b 2 on key                                      | held
         admit c 10..100 each 0.01 prompt 0 on team key        | busy: 1 daily
         admit c 10..100 each 0.01 prompt 0 taking on team key | busy: 2 daily",
    );
}

#[test]
fn an_account_named_twice_is_held_once() {
    check(
        "terms key 1 daily           | 1 of 1 daily
         terms team 1 weekly         | 1 of 1 daily; 1 of 1 weekly
         admit a 0.6 on key team key | held
         now                         | 1 of 1 daily, 0.6 held; 1 of 1 weekly, 0.6 held
         settle a 0.5                | 0.5 of 1 daily; 0.5 of 1 weekly",
    );
}

#[test]
fn what_is_past_the_largest_amount_is_refused_and_holds_nothing() {
    check(
        "terms key                               | unlimited
         terms team                              | unlimited; unlimited
         admit a 2..2 each 9000000000 prompt 0   | too large
         admit a 9000000000+9000000000b          | too large
         admit a 9000000000 on key               | held
         admit b 1000000000 on team key          | too large
         now                                     | unlimited, 9000000000 held; unlimited
         settle a 9000000000                     | unlimited; unlimited
         admit b 1000000000 on team key          | too large
         admit b 223372036.854775807 on team key | held
         admit c 0.000000001 on key              | too large
         release b                               | unlimited; unlimited
         post 2026-11-22 -9000000000             | unlimited; unlimited
         post 2026-11-21 -9000000000             | unlimited; unlimited
         admit b 9000000000                      | held
         admit c 9000000000                      | too large
         release b                               | unlimited; unlimited
         admit c -1                              | too large",
    );
}

#[test]
fn a_sum_past_the_largest_amount_stops_there_and_blocks() {
    check(
        "terms key 5 daily                         | 5 of 5 daily
         admit a 1                                 | held
         admit b 1+1b                              | held
         settle a 9000000000                       | -8999999995 of 5 daily, 1 held
         settle b 9000000000+1b                    | -9223372031.854775807 of 5 daily
         admit c 0.000000001                       | spent: 5 daily
         terms key 9223372036.854775807 daily byok | 0 of 9223372036.854775807 daily
         admit c 0.000000001                       | spent: 9223372036.854775807 daily",
    );
}

#[test]
fn a_month_is_counted_whole_however_wrong_the_clock_was_in_between() {
    let mut book = Book::new();
    let dollar_a_day = |book: &mut Book, from: &str, days: i64| {
        for day in 0..days {
            book.now = time(from) + SignedDuration::from_hours(24 * day);
            assert_eq!(book.answer("admit a 1"), "held");
            book.answer("settle a 1");
        }
    };
    book.answer("terms key 300 monthly");
    dollar_a_day(&mut book, "2026-08-01T12:00:00Z", 92);
    assert_eq!(book.answer("now"), "269 of 300 monthly");
    dollar_a_day(&mut book, "2036-01-01T00:00:00Z", 33);
    assert_eq!(book.answer("now"), "298 of 300 monthly");
    assert_eq!(book.answer("at 2026-10-31T12:00:00Z"), "269 of 300 monthly");
    dollar_a_day(&mut book, "2026-11-01T12:00:00Z", 30);
    assert_eq!(book.answer("now"), "270 of 300 monthly");
    dollar_a_day(&mut book, "1970-01-01T00:00:00Z", 31);
    assert_eq!(book.answer("now"), "269 of 300 monthly");
    assert_eq!(book.answer("at 2026-11-30T12:00:00Z"), "270 of 300 monthly");
    let usage = "total 186, day 1, week 1, month 30, held 0";
    assert_eq!(book.answer("usage key"), usage);
}
