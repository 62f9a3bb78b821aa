//! What was spent: by day, week, month, model and key, and what all of it came to.

use insta::assert_snapshot;
use serde_json::json;

use super::Session;
use crate::clock::Clock;
use crate::world::{Form, World};

/// A week of spending by two keys with two models, seen on a Saturday; the key "ci".
async fn week(clock: &Clock) -> (World, Session) {
    let world = clock.world_of("UTC", &["small", "large"]).await;
    let ci = world.key(json!({ "name": "ci", "limit": 1, "limit_reset": "monthly" })).await;
    let web = world.key(json!({ "name": "web" })).await;
    for (moment, key, model, requests) in [
        ("2026-11-13T12:00:00Z", &ci, "small", 1),
        ("2026-11-16T12:00:00Z", &web, "large", 2),
        ("2026-11-19T12:00:00Z", &ci, "small", 4),
        ("2026-11-19T12:00:30Z", &web, "small", 1),
        ("2026-11-21T12:00:00Z", &ci, "large", 3),
    ] {
        clock.set(moment);
        for _ in 0..requests {
            world.ask(key, model, Form::Json, Some(50)).await.expect("an answer").paid();
        }
    }
    let me = clock
        .session(Session::of_manager(&world))
        .named(&ci.hash[..12], "CI")
        .named(&web.hash[..12], "WEB")
        .named(&ci.hash, "HASH");
    (world, me)
}

#[tokio::test]
async fn usage_is_shown_in_parts_with_a_bar_for_each() {
    let clock = Clock::at("2026-11-13T00:00:00Z");
    let (_world, me) = week(&clock).await;
    let mut told = String::new();
    for line in [
        "usage --days 6",
        "usage --by week --days 10",
        "usage --by month",
        "usage --by model",
        "usage --by provider --days 3",
        "usage --by key",
        "usage --key ci --by model",
        "usage --quiet",
        "credits",
        "credits --quiet",
        "activity --key ci",
        "activity --date 2026-11-16",
        "activity --date 2026-11-21",
        "usage --days 31",
        "keys list",
    ] {
        told.push_str(&me.say(line).await);
    }
    assert_snapshot!(told, @r"
    $ tollgate usage --days 6
    [0]
    spent $0.000147615 today, $0.00049205 this week, $0.000541255 this month, $0.000541255 in all

    DAY                SPENT  REQUESTS  TOKENS
    2026-11-15         $0.00         0       0
    2026-11-16   $0.00009841         2     356  █████████▌
    2026-11-17         $0.00         0       0
    2026-11-18         $0.00         0       0
    2026-11-19  $0.000246025         5     890  ████████████████████████
    2026-11-20         $0.00         0       0
    2026-11-21  $0.000147615         –       –  ██████████████▍
    $ tollgate usage --by week --days 10
    [0]
    spent $0.000147615 today, $0.00049205 this week, $0.000541255 this month, $0.000541255 in all

    WEEK                                        SPENT  REQUESTS  TOKENS
    week of 2026-11-09, from 2026-11-11  $0.000049205         1     178  ██▍
    week of 2026-11-16                    $0.00049205         –       –  ████████████████████████
    $ tollgate usage --by month
    [0]
    spent $0.000147615 today, $0.00049205 this week, $0.000541255 this month, $0.000541255 in all

    MONTH                            SPENT  REQUESTS  TOKENS
    2026-10, from 2026-10-22         $0.00         0       0
    2026-11                   $0.000541255         –       –  ████████████████████████
    $ tollgate usage --by model
    [0]
    spent $0.000147615 today, $0.00049205 this week, $0.000541255 this month, $0.000541255 in all

    MODEL             SPENT  REQUESTS  TOKENS
    test/small  $0.00029523         6   1,068  ████████████████████████
    test/large  $0.00009841         2     356  ████████
    $ tollgate usage --by provider --days 3
    [0]
    spent $0.000147615 today, $0.00049205 this week, $0.000541255 this month, $0.000541255 in all

    PROVIDER         SPENT  REQUESTS  TOKENS
    fake      $0.000246025         5     890  ████████████████████████
    $ tollgate usage --by key
    [0]
    spent $0.000147615 today, $0.00049205 this week, $0.000541255 this month, $0.000541255 in all

    KEY                 THIS MONTH  REQUESTS  TOKENS
    ci CI    $0.00039364         –       –  ████████████████████████
    web WEB  $0.000147615         –       –  █████████
    $ tollgate usage --key ci --by model
    [0]
    spent $0.000147615 today, $0.000344435 this week, $0.00039364 this month, $0.00039364 in all

    MODEL              SPENT  REQUESTS  TOKENS
    test/small  $0.000246025         5     890  ████████████████████████
    $ tollgate usage --quiet
    [0]
    0.000541255
    $ tollgate credits
    [0]
    credits  $0.00
    used     $0.000541255
    $ tollgate credits --quiet
    [0]
    0.000541255
    $ tollgate activity --key ci
    [0]
    DAY         MODEL       PROVIDER         SPENT  OWN CREDENTIALS  REQUESTS   IN  OUT  REASONING
    2026-11-19  test/small  fake       $0.00019682            $0.00         4  512  200          0
    2026-11-13  test/small  fake      $0.000049205            $0.00         1  128   50          0
    $ tollgate activity --date 2026-11-16
    [0]
    DAY         MODEL       PROVIDER        SPENT  OWN CREDENTIALS  REQUESTS   IN  OUT  REASONING
    2026-11-16  test/large  fake      $0.00009841            $0.00         2  256  100          0
    $ tollgate activity --date 2026-11-21
    [1]
    ! tollgate: `date` is not one of the last 30 completed UTC days; allowed: a day from 2026-10-22 to 2026-11-20 (400)
    $ tollgate usage --days 31
    [2]
    ! error: invalid value '31' for '--days <DAYS>': 31 is not in 1..=30
    !
    ! For more information, try '--help'.
    $ tollgate keys list
    [0]
    NAME  HASH          STATE   LIMIT  RESET           LEFT         SPENT  LAST USED
    web   WEB  active      –  –                  –  $0.000147615  2026-11-19 12:00
    ci    CI  active  $1.00  monthly  $0.99960636   $0.00039364  2026-11-21 12:00
    ");
}

#[tokio::test]
async fn a_program_is_told_every_amount_exactly() {
    let clock = Clock::at("2026-11-13T00:00:00Z");
    let (_world, me) = week(&clock).await;
    let mut told = me.say("usage --by week --days 10 --json").await;
    told.push_str(&me.say("credits --json").await);
    assert_snapshot!(told, @r#"
    $ tollgate usage --by week --days 10 --json
    [0]
    {
      "by": "week",
      "from": "2026-11-11",
      "today": "2026-11-21",
      "totals": {
        "usage_daily": 0.000147615,
        "usage_weekly": 0.00049205,
        "usage_monthly": 0.000541255,
        "usage": 0.000541255,
        "byok_usage": 0
      },
      "parts": [
        {
          "name": "week of 2026-11-09, from 2026-11-11",
          "usage": 0.000049205,
          "byok_usage": 0,
          "requests": 1,
          "prompt_tokens": 128,
          "completion_tokens": 50
        },
        {
          "name": "week of 2026-11-16",
          "usage": 0.00049205,
          "byok_usage": 0,
          "requests": null,
          "prompt_tokens": null,
          "completion_tokens": null
        }
      ]
    }
    $ tollgate credits --json
    [0]
    {
      "total_credits": 0,
      "total_usage": 0.000541255
    }
    "#);
}
