//! Windows end at midnight UTC, by the clock alone: no job runs, none is missed, and the server's
//! time zone means nothing (DESIGN "Time").

use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use money::Money;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Answer, Behaviour};

use crate::client::Session;
use crate::world::{
    COMPLETION_TOKENS_MAX, Form, Key, World, amount, ask, number, sum, times, worst,
};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
/// Zones as rules, so that no time zone database is needed: Auckland and St. John's.
const FAR_EAST: &str = "NZST-12NZDT,M9.5.0,M4.1.0/3";
const HALF_HOURS_WEST: &str = "NST3:30NDT,M3.2.0,M11.1.0";

/// The gateway's clock, which a test moves instead of waiting. The test's own stays as it is.
pub(crate) struct Clock {
    path: PathBuf,
    _folder: TempDir,
}

impl Clock {
    pub(crate) fn at(moment: &str) -> Clock {
        let folder = TempDir::with_prefix("tollgate-clock-").expect("a folder");
        let clock = Clock { path: folder.path().join("clock"), _folder: folder };
        clock.set(moment);
        clock
    }

    /// Sets it; it runs on from there.
    #[expect(clippy::disallowed_methods, reason = "the offset is from the real clock")]
    pub(crate) fn set(&self, moment: &str) {
        let moment: Timestamp = moment.parse().expect("a moment");
        let offset: SignedDuration = moment.duration_since(Timestamp::now());
        let (sign, offset) = (if offset.is_negative() { '-' } else { '+' }, offset.unsigned_abs());
        let text = format!("{sign}{}.{:09}", offset.as_secs(), offset.subsec_nanos());
        // Replaced, not rewritten: half an offset must never be read.
        let fresh = self.path.with_extension("new");
        fs::write(&fresh, text).expect("a file");
        fs::rename(&fresh, &self.path).expect("a file in the place of another");
    }

    /// A gateway that lives by it, in a zone.
    pub(crate) async fn world(&self, zone: &str) -> World {
        self.world_of(zone, &["small"]).await
    }

    /// The same for those models.
    pub(crate) async fn world_of(&self, zone: &str, models: &[&str]) -> World {
        let library = library();
        let world = World::with(models, "", |builder| {
            builder
                .env("TZ", zone)
                .env("LD_PRELOAD", &library)
                .env("FAKETIME_TIMESTAMP_FILE", &self.path)
                .env("FAKETIME_NO_CACHE", "1")
                // Time-outs must not fire because the calendar moved.
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        })
        .await;
        let behaviour = Behaviour::new().prompt_tokens(128).completion_all_allowed();
        for model in models {
            world.upstream.on(model, behaviour.clone());
        }
        world
    }

    /// A person who lives by it too.
    pub(crate) fn session(&self, session: Session) -> Session {
        session
            .set("LD_PRELOAD", &library().display().to_string())
            .set("FAKETIME_TIMESTAMP_FILE", &self.path.display().to_string())
            .set("FAKETIME_NO_CACHE", "1")
            .set("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }
}

/// The library that moves a process's clock, wherever the system keeps it.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("a folder").flatten();
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = libraries.find(|path| Path::exists(path));
    found.expect("libfaketime, which scripts/system-packages installs")
}

/// What a key spent in each window, and in all.
async fn spent(world: &World, key: &Key) -> [Money; 4] {
    let facts: Answer = world.facts(key).await;
    let own = world.client().get(key.text.as_str(), "/key").await.expect("an answer");
    ["usage_daily", "usage_weekly", "usage_monthly", "usage"].map(|name| {
        let figure = amount(&facts, &format!("/data/{name}"));
        assert_eq!(amount(&own, &format!("/data/{name}")), figure, "{name}");
        figure
    })
}

/// One midnight: a moment before it, one after it, and whether day, week and month end there.
type Midnight = (&'static str, &'static str, [bool; 3]);

/// In the order of time: a clock never runs backwards here.
const MIDNIGHTS: [Midnight; 6] = [
    // A month ends on a Wednesday.
    ("2026-09-30T23:59:30Z", "2026-10-01T00:00:01Z", [true, false, true]),
    ("2026-11-18T23:59:30Z", "2026-11-19T00:00:01Z", [true, false, false]),
    // Sunday to Monday.
    ("2026-11-22T23:59:30Z", "2026-11-23T00:00:01Z", [true, true, false]),
    // A year ends on a Thursday.
    ("2026-12-31T23:59:30Z", "2027-01-01T00:00:01Z", [true, false, true]),
    // A leap day begins, and ends its month.
    ("2028-02-28T23:59:30Z", "2028-02-29T00:00:01Z", [true, false, false]),
    ("2028-02-29T23:59:30Z", "2028-03-01T00:00:01Z", [true, false, true]),
];

async fn windows_roll_in(zone: &str) {
    let clock = Clock::at("2026-09-30T12:00:00Z");
    let world = clock.world(zone).await;
    let one = worst(COMPLETION_TOKENS_MAX);
    for (before, after, ends) in MIDNIGHTS {
        clock.set(before);
        let mut keys = Vec::new();
        let resets = [json!("daily"), json!("weekly"), json!("monthly"), Value::Null];
        for (reset, ends) in resets.into_iter().zip([ends[0], ends[1], ends[2], false]) {
            let settings = json!({ "limit": number(one), "limit_reset": reset });
            keys.push((world.key(settings).await, ends));
        }
        for (key, _) in &keys {
            let told = world.ask(key, "small", Form::Json, NAMED).await.expect("an answer");
            assert_eq!(told.paid(), one);
            assert_eq!(spent(&world, key).await, [one; 4], "{before}");
            let told = world.ask(key, "small", Form::Stream, NAMED).await.expect("an answer");
            assert_eq!(told.status, 403, "{before}: {}", told.body);
        }
        clock.set(after);
        for (key, ends_its_window) in &keys {
            let rolled = |ends: bool| if ends { Money::ZERO } else { one };
            let expected = [rolled(ends[0]), rolled(ends[1]), rolled(ends[2]), one];
            assert_eq!(spent(&world, key).await, expected, "{after}");
            let left = world.figure(key, "limit_remaining").await;
            assert_eq!(left, if *ends_its_window { one } else { Money::ZERO }, "{after}");
            let told = world.ask(key, "small", Form::Json, NAMED).await.expect("an answer");
            let status = if *ends_its_window { 200 } else { 403 };
            assert_eq!(told.status, status, "{after}: {}", told.body);
        }
    }
    world.audit().await;
}

#[tokio::test]
async fn windows_end_at_midnight_utc_on_a_server_far_to_the_east() {
    windows_roll_in(FAR_EAST).await;
}

#[tokio::test]
async fn windows_end_at_midnight_utc_on_a_server_half_hours_to_the_west() {
    windows_roll_in(HALF_HOURS_WEST).await;
}

#[tokio::test]
async fn midnight_in_the_servers_own_zone_ends_nothing() {
    // 13:00 in Auckland's summer is midnight UTC; midnight there is 11:00 UTC.
    let clock = Clock::at("2026-11-18T10:59:30Z");
    let world = clock.world(FAR_EAST).await;
    let one = worst(COMPLETION_TOKENS_MAX);
    let key = world.key(json!({ "limit": number(one), "limit_reset": "daily" })).await;
    world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    clock.set("2026-11-18T11:00:01Z");
    assert_eq!(spent(&world, &key).await, [one; 4]);
    let told = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(told.status, 403, "{}", told.body);
    assert!(told.body.contains("2026-11-19T00:00:00"), "{}", told.body);
}

#[tokio::test]
async fn a_request_settled_after_midnight_belongs_to_the_day_it_was_admitted_on() {
    let clock = Clock::at("2026-11-30T23:59:00Z");
    let mut world = clock.world(FAR_EAST).await;
    let one = worst(COMPLETION_TOKENS_MAX);
    let key = world.key(json!({ "limit": number(one), "limit_reset": "daily" })).await;
    let gate = world.upstream.hold_answers("small");
    let (client, own) = (world.client(), key.clone());
    let asking =
        tokio::spawn(async move { ask(&client, &own, "small", Form::Stream, NAMED).await });
    gate.until_waiting(1).await;
    clock.set("2026-12-01T00:00:05Z");
    gate.release();
    let told = asking.await.expect("no panic").expect("an answer");
    assert_eq!(told.paid(), one);
    // A Monday ended and a new month began: the week is the same, the day and the month are not.
    assert_eq!(spent(&world, &key).await, [Money::ZERO, one, Money::ZERO, one]);
    let booked = world.generation(told.generation.as_deref().expect("an id")).await;
    let admitted = booked.exact("/data/created_at").expect("a moment");
    assert!(admitted.starts_with("\"2026-11-30T23:59:"), "{admitted}");
    let told = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(told.paid(), one, "the new day's limit is whole");
    world.tollgate.restart().await;
    assert_eq!(spent(&world, &key).await, [one, times(one, 2), one, times(one, 2)]);
    world.audit().await;
}

#[tokio::test]
async fn what_a_crash_left_belongs_to_the_day_it_was_admitted_on_though_the_start_is_days_later() {
    let clock = Clock::at("2026-11-22T23:59:00Z");
    let mut world = clock.world(HALF_HOURS_WEST).await;
    let one = worst(COMPLETION_TOKENS_MAX);
    let key = world.key(json!({ "limit": number(one), "limit_reset": "daily" })).await;
    let gate = world.upstream.hold_answers("small");
    let (client, own) = (world.client(), key.clone());
    let asking = tokio::spawn(async move { ask(&client, &own, "small", Form::Json, NAMED).await });
    gate.until_waiting(1).await;
    world.tollgate.kill9();
    assert!(asking.await.expect("no panic").is_err());
    clock.set("2026-11-24T06:00:00Z");
    gate.release();
    world.tollgate.restart().await;
    assert_eq!(spent(&world, &key).await, [Money::ZERO, Money::ZERO, one, one]);
    let told = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(told.paid(), one, "yesterday's crash takes nothing from today");
    // A correction is dated as what it corrects: it frees nothing today.
    world.command(&["holds", "void", "--all-interrupted"]).await;
    assert_eq!(spent(&world, &key).await, [one; 4]);
    let told = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(told.status, 403, "{}", told.body);
    world.audit().await;
}

#[tokio::test]
async fn a_key_expires_at_its_moment_in_utc_and_what_it_began_goes_on() {
    let clock = Clock::at("2026-11-18T11:59:00Z");
    let world = clock.world(FAR_EAST).await;
    let key = world.key(json!({ "expires_at": "2026-11-18T12:00:00Z" })).await;
    let gate = world.upstream.hold_answers("small");
    let (client, own) = (world.client(), key.clone());
    let asking =
        tokio::spawn(async move { ask(&client, &own, "small", Form::Stream, NAMED).await });
    gate.until_waiting(1).await;
    clock.set("2026-11-18T12:00:00Z");
    let late = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(late.status, 401, "{}", late.body);
    gate.release();
    let paid = asking.await.expect("no panic").expect("an answer").paid();
    assert_eq!(world.usage(&key).await, paid);
}

#[tokio::test]
async fn a_clock_that_is_set_back_frees_no_limit_and_each_day_keeps_what_was_spent_on_it() {
    let clock = Clock::at("2026-11-18T12:00:00Z");
    let mut world = clock.world(FAR_EAST).await;
    let one = worst(COMPLETION_TOKENS_MAX);
    let mut keys = Vec::new();
    for reset in [json!("daily"), json!("weekly"), json!("monthly"), Value::Null] {
        keys.push(world.key(json!({ "limit": number(one), "limit_reset": reset })).await);
    }
    let unlimited = world.key(json!({})).await;
    for key in &keys {
        world.ask(key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    }
    // By an hour, within the day: all stands. By two days, within the week and the month: only the
    // day is another one, and a request then belongs to it.
    for (moment, is_another_day) in
        [("2026-11-18T11:00:00Z", false), ("2026-11-16T12:00:00Z", true)]
    {
        clock.set(moment);
        world.ask(&unlimited, "small", Form::Stream, NAMED).await.expect("an answer").paid();
        for (key, is_free) in keys.iter().zip([is_another_day, false, false, false]) {
            let told = world.ask(key, "small", Form::Json, NAMED).await.expect("an answer");
            assert_eq!(told.status, if is_free { 200 } else { 403 }, "{moment}: {}", told.body);
        }
        world.tollgate.restart().await;
        world.audit().await;
    }
    // And forward again: each day has its own.
    clock.set("2026-11-18T13:00:00Z");
    let both = times(one, 2);
    assert_eq!(spent(&world, &keys[0]).await, [one, both, both, both]);
    for key in &keys {
        let told = world.ask(key, "small", Form::Json, NAMED).await.expect("an answer");
        assert_eq!(told.status, 403, "{}", told.body);
    }
    let all = sum([times(one, 5), world.usage(&unlimited).await]);
    assert_eq!(world.charged("small"), all);
    world.audit().await;
}
