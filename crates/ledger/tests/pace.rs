//! How fast an account may go, as tables: the words are those of `table.rs` and read in `script`.
#![cfg(not(feature = "shuttle"))]

mod script;

use script::check;

#[test]
fn a_minute_is_any_sixty_seconds_not_the_clocks() {
    check(
        "terms key 2 requests | unlimited
         at 2026-11-22T10:00:59Z | unlimited
         admit a 1            | held
         admit b 1            | held
         at 2026-11-22T10:01:00Z | unlimited, 2 held, 2 requests, 0 tokens, 2 at once
         admit c 1            | 2 requests, 0 free until 2026-11-22T10:01:59Z
         at 2026-11-22T10:01:58.999999999Z | unlimited, 2 held, 2 requests, 0 tokens, 2 at once
         admit c 1            | 2 requests, 0 free until 2026-11-22T10:01:59Z
         tick 1ns             | unlimited, 2 held, 0 requests, 0 tokens, 2 at once
         admit c 1            | held",
    );
}

#[test]
fn requests_come_free_one_by_one_as_each_is_a_minute_ago() {
    check(
        "terms key 3 requests | unlimited
         admit a 1  | held
         tick 20s   | unlimited, 1 held, 1 requests, 0 tokens, 1 at once
         admit b 1  | held
         tick 20s   | unlimited, 2 held, 2 requests, 0 tokens, 2 at once
         admit c 1  | held
         admit d 1  | 3 requests, 0 free until 2026-11-22T10:01:00Z
         tick 20s   | unlimited, 3 held, 2 requests, 0 tokens, 3 at once
         admit d 1  | held
         admit e 1  | 3 requests, 0 free until 2026-11-22T10:01:20Z
         settle a 1 | unlimited, 3 held, 3 requests, 0 tokens, 3 at once
         admit e 1  | 3 requests, 0 free until 2026-11-22T10:01:20Z",
    );
}

/// An admission counts up to a tenth of a second longer, never shorter.
#[test]
fn admissions_close_together_count_until_the_last_of_them_is_a_minute_ago() {
    check(
        "terms key 9 requests | unlimited
         admit a 1  | held
         tick 99ms  | unlimited, 1 held, 1 requests, 0 tokens, 1 at once
         admit b 1  | held
         tick 1ms   | unlimited, 2 held, 2 requests, 0 tokens, 2 at once
         admit c 1  | held
         at 2026-11-22T10:01:00.098Z | unlimited, 3 held, 3 requests, 0 tokens, 3 at once
         tick 1ms   | unlimited, 3 held, 1 requests, 0 tokens, 3 at once
         tick 1ms   | unlimited, 3 held, 0 requests, 0 tokens, 3 at once",
    );
}

#[test]
fn tokens_count_at_worst_until_they_are_known() {
    check(
        "terms key 100 tokens     | unlimited
         admit a 1 using 60       | held
         tick 10s                 | unlimited, 1 held, 1 requests, 60 tokens, 1 at once
         admit b 1 using 41       | 100 tokens, 40 free until 2026-11-22T10:01:00Z, not even the prompt fits
         admit b 1 using 40       | held
         settle a 1 using 20      | unlimited, 1 held, 2 requests, 60 tokens, 1 at once
         admit c 1 using 40       | held
         admit d 1 using 1        | 100 tokens, 0 free until 2026-11-22T10:01:00Z, not even the prompt fits
         admit d 1 using 21       | 100 tokens, 0 free until 2026-11-22T10:01:10Z, not even the prompt fits
         release b                | unlimited, 1 held, 3 requests, 60 tokens, 1 at once
         settle c 1 using 90      | unlimited, 3 requests, 110 tokens, 0 at once
         admit d 1 using 1        | 100 tokens, 0 free until 2026-11-22T10:01:00Z, not even the prompt fits
         at 2026-11-22T10:01:00Z  | unlimited, 2 requests, 90 tokens, 0 at once
         admit d 1 using 10       | held",
    );
}

#[test]
fn tokens_that_nobody_counted_stay_at_worst_for_the_minute() {
    check(
        "terms key 100 tokens | unlimited
         admit a 1 using 60   | held
         settle a 1           | unlimited, 1 requests, 60 tokens, 0 at once
         admit b 1 using 40   | held
         lose b               | unlimited, 1 held, 2 requests, 100 tokens, 0 at once
         tick 60s             | unlimited, 1 held",
    );
}

#[test]
fn what_ends_more_than_a_minute_later_changes_nothing_any_more() {
    check(
        "terms key 100 tokens   | unlimited
         admit a 1 using 60     | held
         tick 61s               | unlimited, 1 held, 0 requests, 0 tokens, 1 at once
         admit b 1 using 100    | held
         settle a 1 using 7     | unlimited, 1 held, 1 requests, 100 tokens, 1 at once
         tick 60s               | unlimited, 1 held, 0 requests, 0 tokens, 1 at once
         settle b 1 using 50    | unlimited",
    );
}

#[test]
fn a_request_above_the_limit_by_itself_is_told_what_would_fit() {
    check(
        "terms key 100 tokens                             | unlimited
         admit a 80..80 each 0.1 prompt 0.1 using 21      | more than 100 tokens, 79 tokens fit
         admit a 16..80 each 0.1 prompt 0.1 using 85      | more than 100 tokens, 15 tokens fit
         admit a 16..80 each 0.1 prompt 0.1 using 101     | more than 100 tokens, not even the prompt fits
         admit a 79..79 each 0.1 prompt 0.1 using 21      | held
         admit b 10..10 each 0.1 prompt 0.1 using 21      | 100 tokens, 0 free until 2026-11-22T10:01:00Z, not even the prompt fits
         settle a 1 using 70                              | unlimited, 1 requests, 70 tokens, 0 at once
         admit b 10..10 each 0.1 prompt 0.1 using 21      | 100 tokens, 30 free until 2026-11-22T10:01:00Z, 9 tokens fit",
    );
}

#[test]
fn a_range_is_held_for_as_many_tokens_as_are_free() {
    check(
        "terms key 100 tokens 5 total                    | 5 of 5 total
         admit a 16..80 each 0.01 prompt 0 using 30      | held for 70 tokens
         settle a 0.1 using 40                           | 4.9 of 5 total, 1 requests, 40 tokens, 0 at once
         admit b 16..80 each 0.01 prompt 0 using 20      | held for 40 tokens
         release b                                       | 4.9 of 5 total, 2 requests, 40 tokens, 0 at once
         admit c 16..30 each 0.01 prompt 0 using 20      | held for 30 tokens
         admit d 16..80 each 0.01 prompt 0 using 1       | 100 tokens, 10 free until 2026-11-22T10:01:00Z, 9 tokens fit
         release c                                       | 4.9 of 5 total, 3 requests, 40 tokens, 0 at once
         terms key 100 tokens 0.3 total                  | 0.2 of 0.3 total, 3 requests, 40 tokens, 0 at once
         admit d 16..80 each 0.01 prompt 0 using 20      | held for 20 tokens",
    );
}

#[test]
fn a_seat_is_taken_until_its_call_ends_whatever_its_holds_do() {
    check(
        "terms key 2 at-once | unlimited
         admit a 1           | held
         admit b 1           | held
         admit c 1           | 2 at once, 0 free
         tick 1000h          | unlimited, 2 held, 0 requests, 0 tokens, 2 at once
         admit c 1           | 2 at once, 0 free
         settle a 1          | unlimited, 1 held, 0 requests, 0 tokens, 1 at once
         admit c 1           | held
         sit b               | unlimited, 2 held, 1 requests, 0 tokens, 2 at once
         refuse b            | unlimited, 2 held, 1 requests, 0 tokens, 2 at once
         settle b 1          | unlimited, 1 held, 1 requests, 0 tokens, 2 at once
         admit d 1           | 2 at once, 0 free
         admit again 1 again | held
         settle again 1      | unlimited, 1 held, 1 requests, 0 tokens, 2 at once
         leave b             | unlimited, 1 held, 1 requests, 0 tokens, 1 at once
         lose c              | unlimited, 1 held, 1 requests, 0 tokens, 0 at once",
    );
}

#[test]
fn a_further_attempt_counts_its_tokens_and_no_request() {
    check(
        "terms key 1 requests 100 tokens | unlimited
         admit a 1 using 60              | held
         sit a                           | unlimited, 1 held, 1 requests, 60 tokens, 1 at once
         settle a 1                      | unlimited, 1 requests, 60 tokens, 1 at once
         admit b 1 using 41 again        | 100 tokens, 40 free until 2026-11-22T10:01:00Z, not even the prompt fits
         admit b 1 using 40 again        | held
         settle b 1 using 5              | unlimited, 1 requests, 65 tokens, 1 at once
         leave a                         | unlimited, 1 requests, 65 tokens, 0 at once",
    );
}

#[test]
fn what_time_does_not_cure_comes_first_and_what_is_refused_counts_nowhere() {
    check(
        "terms key 1 total 1 requests 100 tokens  | 1 of 1 total
         admit a 2 using 101                      | too dear: 1 total, 0 tokens fit
         admit a 1 using 101                      | more than 100 tokens, not even the prompt fits
         now                                      | 1 of 1 total
         admit a 0.6 using 60                     | held
         admit b 2 using 1                        | too dear: 1 total, 0 tokens fit
         admit b 0.6 using 101                    | more than 100 tokens, not even the prompt fits
         admit b 0.6 using 1                      | 1 requests, 0 free until 2026-11-22T10:01:00Z
         terms key 1 total 2 requests             | 1 of 1 total, 0.6 held, 1 requests, 60 tokens, 1 at once
         admit b 0.6 using 1                      | busy: 1 total
         now                                      | 1 of 1 total, 0.6 held, 1 requests, 60 tokens, 1 at once
         settle a 1 using 60                      | 0 of 1 total, 1 requests, 60 tokens, 0 at once
         terms key 1 total 1 requests             | 0 of 1 total, 1 requests, 60 tokens, 0 at once
         admit b 0.1                              | spent: 1 total
         terms key closed 1 requests              | closed: unlimited, 1 requests, 60 tokens, 0 at once
         admit b 0.1                              | closed",
    );
}

#[test]
fn of_several_limits_the_one_that_keeps_out_longest_is_named() {
    check(
        "terms key 1 requests 1 at-once 100 tokens | unlimited
         admit a 1 using 10                        | held
         admit b 1 using 10                        | 1 requests, 0 free until 2026-11-22T10:01:00Z
         tick 60s                                  | unlimited, 1 held, 0 requests, 0 tokens, 1 at once
         admit b 1 using 10                        | 1 at once, 0 free
         settle a 1 using 10                       | unlimited
         terms key 2 requests 50 tokens            | unlimited
         admit b 1 using 50                        | held
         tick 1s                                   | unlimited, 1 held, 1 requests, 50 tokens, 1 at once
         settle b 1 using 1                        | unlimited, 1 requests, 1 tokens, 0 at once
         admit c 1 using 49                        | held
         admit d 1 using 50                        | 50 tokens, 0 free until 2026-11-22T10:02:01Z, not even the prompt fits
         admit d 1 using 1                         | 2 requests, 0 free until 2026-11-22T10:02:00Z",
    );
}

#[test]
fn an_edit_binds_the_next_admission_and_cuts_off_nothing() {
    check(
        "terms key 5 requests 5 at-once | unlimited
         admit a 1            | held
         admit b 1            | held
         terms key 1 at-once  | unlimited, 2 held, 2 requests, 0 tokens, 2 at once
         admit c 1            | 1 at once, 0 free
         settle a 1           | unlimited, 1 held, 2 requests, 0 tokens, 1 at once
         admit c 1            | 1 at once, 0 free
         terms key            | unlimited, 1 held, 2 requests, 0 tokens, 1 at once
         admit c 1            | held
         settle c 1           | unlimited, 1 held, 2 requests, 0 tokens, 1 at once
         terms key 2 requests | unlimited, 1 held, 2 requests, 0 tokens, 1 at once
         admit d 1            | 2 requests, 0 free until 2026-11-22T10:01:00Z
         terms key 3 requests | unlimited, 1 held, 2 requests, 0 tokens, 1 at once
         admit d 1            | held",
    );
}

#[test]
fn every_account_of_a_request_has_its_own_pace() {
    check(
        "terms key 2 requests           | unlimited
         terms team 3 requests 50 tokens | unlimited; unlimited
         admit a 1 using 30 on key team | held
         now | unlimited, 1 held, 1 requests, 30 tokens, 1 at once; unlimited, 1 held, 1 requests, 30 tokens, 1 at once
         admit b 1 using 30 on key team | 50 tokens, 20 free until 2026-11-22T10:01:00Z, not even the prompt fits
         now | unlimited, 1 held, 1 requests, 30 tokens, 1 at once; unlimited, 1 held, 1 requests, 30 tokens, 1 at once
         admit b 1 using 30 on key      | held
         admit c 1 using 1 on team key  | 2 requests, 0 free until 2026-11-22T10:01:00Z
         release a | unlimited, 1 held, 2 requests, 30 tokens, 1 at once; unlimited, 1 requests, 0 tokens, 0 at once",
    );
}

/// A clock that is set back must lock nobody out for longer than a minute, nor forget what was.
#[test]
fn a_clock_set_back_dates_what_lies_ahead_at_now() {
    check(
        "terms key 3 requests 100 tokens | unlimited
         admit a 1 using 10 | held
         tick 10s           | unlimited, 1 held, 1 requests, 10 tokens, 1 at once
         admit b 1 using 10 | held
         tick 10s           | unlimited, 2 held, 2 requests, 20 tokens, 2 at once
         admit c 1 using 10 | held
         at 2026-11-22T09:00:00Z | unlimited, 3 held, 3 requests, 30 tokens, 3 at once
         admit d 1 using 10 | 3 requests, 0 free until 2026-11-22T09:01:00Z
         settle a 1 using 1 | unlimited, 2 held, 3 requests, 21 tokens, 2 at once
         settle c 1 using 2 | unlimited, 1 held, 3 requests, 13 tokens, 1 at once
         at 2026-11-22T09:00:59.999Z | unlimited, 1 held, 3 requests, 13 tokens, 1 at once
         tick 1ms           | unlimited, 1 held, 0 requests, 0 tokens, 1 at once
         settle b 1 using 3 | unlimited",
    );
}

#[test]
fn figures_near_the_largest_number_are_exact() {
    let most = u64::MAX;
    check(&format!(
        "terms key {most} tokens     | unlimited
         admit a 1 using {most}      | held
         admit b 1 using 1           | {most} tokens, 0 free until 2026-11-22T10:01:00Z, not even the prompt fits
         settle a 1 using 1          | unlimited, 1 requests, 1 tokens, 0 at once
         admit b 1 using 1           | held
         settle b 1 using {most}     | unlimited, 2 requests, {most} tokens, 0 at once
         admit c 1 using 1           | {most} tokens, 0 free until 2026-11-22T10:01:00Z, not even the prompt fits
         tick 1m                     | unlimited"
    ));
}
