//! A workspace's order: of all that say one, the last to be heard.

use api::routing::{ProviderPreferences, SortBy};

use super::sample::{ANY, NOW, called, catalogue, price, request};
use crate::config::RoutingOrder;
use crate::routing::{Question, choose, resolve};

#[test]
fn a_workspaces_order_is_taken_where_neither_the_request_nor_a_models_name_has_one() {
    let world = catalogue(&[
        ("m", &[("alpha", &price("4")), ("beta", &price("2"))]),
        ("n", &[("gamma", &price("9"))]),
    ]);
    let [dear, cheap, other] = ["m alpha", "m beta", "n gamma"];
    let by = SortBy::Exacto;
    let pooled = r#"{"sort":{"partition":"none"}}"#;
    for (sort, ids, wish, expected) in [
        (None, &["m"][..], "{}", &[cheap, dear][..]),
        (Some(by), &["m"], "{}", &[dear, cheap]),
        (Some(by), &["m"], r#"{"sort":"price"}"#, &[cheap, dear]),
        (Some(by), &["m:floor"], "{}", &[cheap, dear]),
        (Some(SortBy::Price), &["m"], r#"{"sort":"exacto"}"#, &[dear, cheap]),
        (Some(by), &["m"], r#"{"order":["beta"]}"#, &[cheap, dear]),
        (Some(by), &["m"], r#"{"ignore":["alpha"]}"#, &[cheap]),
        (Some(by), &["n", "m"], pooled, &[other, dear, cheap]),
        (Some(SortBy::Price), &["n", "m"], pooled, &[cheap, dear, other]),
    ] {
        let (request, wish) = (request(""), ProviderPreferences::parse(wish).unwrap());
        let order = RoutingOrder::Price;
        let question =
            Question { request: &request, wish: &wish, order, brought: None, sort, now: NOW };
        let asked = resolve(&world, ids.iter().copied(), &ANY).unwrap_or_else(|_| panic!("asked"));
        let places = choose(&asked, &question, &mut || 0).unwrap_or_else(|_| panic!("a place"));
        let places: Vec<String> = places.iter().map(|place| called(&place.endpoint)).collect();
        assert_eq!(places, expected, "{sort:?} {ids:?} {wish:?}");
    }
}
