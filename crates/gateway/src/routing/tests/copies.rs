//! Copies of endpoints, one a credential, each row a wish with where it leads. A way is written
//! `model tag`, a credential's name behind it where one is gone with.

use api::routing::ProviderPreferences;
use store::{CredentialRecord, KeyHash};
use uuid::Uuid;

use super::sample::{ANY, NOW, called, price, request};
use crate::catalogue::{Catalogue, LearnedBook, build};
use crate::config::{Config, RoutingOrder};
use crate::credentials::{CredentialSet, Credentials, encrypted, sample::credential};
use crate::entropy::Entropy;
use crate::master_key::MasterKey;
use crate::routing::{Brought, Question, Step, choose, resolve};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5A);
    }
}

/// `alpha` is cheaper than `beta`, and keeps what it is sent; `bare` has no key of the operator's.
fn world() -> Catalogue {
    let text = format!(
        r#"
        providers = [
            {{ slug = "alpha", base_url = "http://127.0.0.1:1", api_key = "a" }},
            {{ slug = "beta", base_url = "http://127.0.0.1:1", api_key = "b", collects_data = false }},
            {{ slug = "bare", base_url = "http://127.0.0.1:1" }},
        ]
        [[models]]
        id = "m"
        context_length = 8192
        endpoints = [{{ provider = "alpha", {} }}, {{ provider = "beta", zdr = true, {} }}]
        [[models]]
        id = "n"
        context_length = 8192
        endpoints = [{{ provider = "bare", {} }}]
        "#,
        price("1"),
        price("2"),
        price("3"),
    );
    let config: Config = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    build(&config, std::path::Path::new(""), &LearnedBook::default()).unwrap()
}

/// A credential of that name for that provider.
fn named(
    name: &str,
    provider: &str,
    change: impl FnOnce(&mut CredentialRecord),
) -> CredentialRecord {
    let id = name.bytes().fold(0, |id: u128, byte| id << 8 | u128::from(byte));
    let mut record = CredentialRecord {
        id: Uuid::from_u128(id),
        name: Some(name.to_owned()),
        ..credential(provider)
    };
    change(&mut record);
    let key = MasterKey::parse(&"5a".repeat(32)).unwrap();
    encrypted(&key, record, name, &Fixed)
}

fn set(records: Vec<CredentialRecord>) -> Credentials {
    Credentials::open(records, MasterKey::parse(&"5a".repeat(32)).ok()).unwrap()
}

/// Where `ids` may go, stage by stage.
fn routed(
    world: &Catalogue,
    set: &CredentialSet,
    ids: &[&str],
    wish: &str,
) -> Result<Vec<Vec<String>>, Step> {
    let wish = ProviderPreferences::parse(wish).unwrap();
    let brought = Brought {
        credentials: set,
        key: KeyHash([1; 32]),
        user: None,
        workspace: Uuid::from_u128(7),
    };
    let question = Question {
        request: &request(""),
        wish: &wish,
        order: RoutingOrder::Price,
        brought: (!set.is_empty()).then_some(&brought),
        sort: None,
        now: NOW,
    };
    let asked = resolve(world, ids.iter().copied(), &ANY).map_err(|why| why.step)?;
    let places = choose(&asked, &question, &mut || 0).map_err(|why| why.step)?;
    assert!(places.is_sorted_by_key(|place| place.stage));
    let stages = places.chunk_by(|one, next| one.stage == next.stage);
    Ok(stages
        .map(|stage| {
            let name = |place: &crate::routing::Place| match &place.credential {
                None => called(&place.endpoint),
                Some(known) => format!("{} {}", called(&place.endpoint), known.text()),
            };
            stage.iter().map(name).collect()
        })
        .collect())
}

const ALPHA: &str = "m alpha";
const BETA: &str = "m beta";

#[test]
fn what_was_brought_comes_first_then_the_operators_own_then_what_is_to_fall_back_to() {
    let world = world();
    let credentials = set(vec![
        named("a1", "alpha", |record| record.sort_order = 1),
        named("a0", "alpha", |_| {}),
        named("b0", "beta", |_| {}),
        named("fb", "beta", |record| record.is_fallback = true),
        named("fa", "alpha", |record| record.is_fallback = true),
    ]);
    let set = credentials.current();
    let routed = |wish: &str| routed(&world, &set, &["m"], wish).unwrap();
    let (a0, a1, b0) = ("m alpha a0", "m alpha a1", "m beta b0");
    let (fa, fb) = ("m alpha fa", "m beta fb");
    assert_eq!(routed("{}"), [vec![a0, a1, b0], vec![ALPHA, BETA], vec![fa, fb]]);
    let beta_first = [vec![b0, fb, a0, a1, fa], vec![BETA, ALPHA]];
    assert_eq!(
        routed(r#"{"order":["beta"]}"#),
        beta_first,
        "all of them before the operator's own"
    );
    let only_beta = [vec![b0, fb], vec![BETA]];
    assert_eq!(routed(r#"{"order":["beta"],"allow_fallbacks":false}"#), only_beta);
    assert_eq!(routed(r#"{"allow_fallbacks":false}"#), [[a0]]);
    assert_eq!(routed(r#"{"ignore":["alpha"]}"#), [vec![b0], vec![BETA], vec![fb]]);
}

#[test]
fn no_stage_holds_for_the_operators_account_and_another() {
    let world = world();
    let credentials = set(vec![named("b0", "beta", |_| {}), named("n0", "bare", |_| {})]);
    let set = credentials.current();
    let stages = routed(&world, &set, &["m", "n"], "{}").unwrap();
    assert_eq!(stages, [vec!["m beta b0"], vec![ALPHA, BETA], vec!["n bare n0"]]);
    let pooled = r#"{"sort":{"by":"price","partition":"none"}}"#;
    let stages = routed(&world, &set, &["m", "n"], pooled).unwrap();
    assert_eq!(stages, [vec!["m beta b0", "n bare n0"], vec![ALPHA, BETA]]);
}

#[test]
fn the_operators_own_stays_out_where_a_credential_says_so_or_there_is_none() {
    let world = world();
    let routed = |records: Vec<CredentialRecord>, id: &str| {
        let credentials = set(records);
        routed(&world, &credentials.current(), &[id], "{}")
    };
    let required = named("a0", "alpha", |record| record.is_required = true);
    assert_eq!(routed(vec![required.clone()], "m").unwrap(), [vec!["m alpha a0"], vec![BETA]]);
    let of_other_model = named("a0", "alpha", |record| {
        record.is_required = true;
        record.allowed_models = Some(vec!["x".to_owned()]);
    });
    assert_eq!(routed(vec![of_other_model], "m").unwrap(), [[ALPHA, BETA]]);
    let only = |record: &mut CredentialRecord| {
        record.is_byok_only = true;
        record.allowed_models = Some(vec!["x".to_owned()]);
    };
    assert_eq!(routed(vec![named("a0", "alpha", only)], "m").unwrap(), [[BETA]]);
    let both = vec![named("a0", "alpha", only), named("b0", "beta", only)];
    assert_eq!(routed(both, "m").unwrap_err(), Step::Health);

    // Without a key of the operator's, and with nothing brought, none is sent, as before.
    assert_eq!(routed(vec![], "n").unwrap(), [["n bare"]]);
    assert_eq!(routed(vec![required], "n").unwrap(), [["n bare"]]);
    assert_eq!(routed(vec![named("n0", "bare", |_| {})], "n").unwrap(), [["n bare n0"]]);
    let others = named("n0", "bare", |record| record.workspace = Some(Uuid::from_u128(8)));
    assert_eq!(routed(vec![others], "n").unwrap_err(), Step::Health);
}

#[test]
fn a_credential_lifts_no_wish_about_data_but_what_its_owner_says_of_it_counts() {
    let world = world();
    let routed = |zdr: Option<bool>, wish: &str| {
        let credentials = set(vec![
            named("a0", "alpha", |record| record.declared_zdr = zdr),
            named("b0", "beta", |record| record.declared_zdr = zdr),
        ]);
        routed(&world, &credentials.current(), &["m"], wish)
    };
    let (zdr, deny) = (r#"{"zdr":true}"#, r#"{"data_collection":"deny"}"#);
    assert_eq!(routed(None, zdr).unwrap(), [vec!["m beta b0"], vec![BETA]]);
    assert_eq!(routed(None, deny).unwrap(), [vec!["m beta b0"], vec![BETA]]);
    let declared = [vec!["m alpha a0", "m beta b0"], vec![BETA]];
    assert_eq!(routed(Some(true), zdr).unwrap(), declared);
    assert_eq!(routed(Some(true), deny).unwrap(), declared);
    assert_eq!(routed(Some(false), zdr).unwrap(), [vec![BETA]]);
    assert_eq!(routed(Some(false), deny).unwrap(), [vec!["m beta b0"], vec![BETA]]);
    let only_alpha = r#"{"zdr":true,"only":["alpha"]}"#;
    let step = Step::Only { field: "only", requested: vec!["alpha".to_owned()] };
    assert_eq!(routed(None, only_alpha).unwrap_err(), step);
}

#[test]
fn a_credential_that_rests_is_passed_over_alone() {
    let world = world();
    let credentials = set(vec![named("a0", "alpha", |_| {}), named("a1", "alpha", |_| {})]);
    let set = credentials.current();
    set.of("alpha")[0].rest_until(NOW, crate::credentials::REST);
    let stages = routed(&world, &set, &["m"], "{}").unwrap();
    assert_eq!(stages, [vec!["m alpha a1"], vec![ALPHA, BETA]]);
}
