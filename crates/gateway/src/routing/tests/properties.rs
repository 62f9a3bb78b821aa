//! Laws that hold for any endpoints and any wish.

use proptest::prelude::*;

use super::sample::{catalogue, drawn, price};

/// An endpoint as it is drawn.
#[derive(Clone, Debug)]
struct Drawn {
    provider: usize,
    dollars: u8,
    is_fp8: bool,
    is_zdr: bool,
    takes_tools: bool,
}

const SLUGS: [&str; 4] = ["alpha", "beta", "gamma", "delta/eu"];
/// Whether the provider of that place is known to keep nothing for itself.
const KEEPS_NOTHING: [bool; 4] = [false, true, false, true];

/// A wish as it is drawn.
#[derive(Clone, Debug)]
struct Wish {
    order: Vec<usize>,
    only: Vec<usize>,
    ignore: Vec<usize>,
    allow_fallbacks: bool,
    zdr: bool,
    deny: bool,
    fp8: bool,
    most: Option<u8>,
    sorts: bool,
    tools: bool,
    requires: bool,
}

impl Wish {
    fn json(&self) -> String {
        let names = |places: &[usize]| {
            let names: Vec<_> = places.iter().map(|at| format!("\"{}\"", SLUGS[*at])).collect();
            format!("[{}]", names.join(","))
        };
        let most = self.most.map_or("null".to_owned(), |most| format!(r#"{{"prompt":{most}}}"#));
        format!(
            r#"{{"order":{},"only":{},"ignore":{},"allow_fallbacks":{},"zdr":{},"data_collection":"{}",
               "quantizations":{},"max_price":{most},"sort":{},"require_parameters":{}}}"#,
            names(&self.order),
            names(&self.only),
            names(&self.ignore),
            self.allow_fallbacks,
            self.zdr,
            if self.deny { "deny" } else { "allow" },
            if self.fp8 { r#"["fp8"]"# } else { "[]" },
            if self.sorts { "\"price\"" } else { "null" },
            self.requires,
        )
    }

    /// Whether an endpoint does all that is not merely preferred.
    fn admits(&self, endpoint: &Drawn) -> bool {
        let is_listed = |list: &[usize]| list.contains(&endpoint.provider);
        (self.only.is_empty() || is_listed(&self.only))
            && !is_listed(&self.ignore)
            && (self.allow_fallbacks || self.order.is_empty() || is_listed(&self.order))
            && (!self.zdr || endpoint.is_zdr)
            && (!self.deny || endpoint.is_zdr || KEEPS_NOTHING[endpoint.provider])
            && (!self.fp8 || endpoint.is_fp8)
            && self.most.is_none_or(|most| endpoint.dollars <= most)
            && (!(self.requires && self.tools) || endpoint.takes_tools)
    }
}

fn endpoint() -> impl Strategy<Value = Drawn> {
    (0_usize..4, 0_u8..5, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(provider, dollars, is_fp8, is_zdr, takes_tools)| Drawn {
            provider,
            dollars,
            is_fp8,
            is_zdr,
            takes_tools,
        },
    )
}

fn wish() -> impl Strategy<Value = Wish> {
    let few = || proptest::collection::vec(0_usize..4, 0..3);
    let seldom = || proptest::bool::weighted(0.3);
    let flags = (seldom(), seldom(), seldom(), seldom(), seldom(), seldom(), any::<bool>());
    (few(), few(), few(), flags, proptest::option::of(0_u8..5)).prop_map(
        |(order, only, ignore, flags, most)| {
            let (no_fallbacks, zdr, deny, fp8, requires, sorts, tools) = flags;
            Wish {
                order,
                only,
                ignore,
                allow_fallbacks: !no_fallbacks,
                zdr,
                deny,
                fp8,
                most,
                sorts,
                tools,
                requires,
            }
        },
    )
}

proptest! {
    #[test]
    fn a_request_goes_where_its_client_lets_it_in_the_order_it_asks_for(
        endpoints in proptest::collection::vec(endpoint(), 1..7),
        wish in wish(),
        chance in any::<u64>(),
    ) {
        let settings: Vec<(&str, String)> = endpoints.iter().enumerate().map(|(place, drawn)| {
            let Drawn { provider, dollars, is_fp8, is_zdr, takes_tools } = drawn;
            let quantization = if *is_fp8 { "fp8" } else { "bf16" };
            let taken = if *takes_tools { "\"tools\"" } else { "" };
            let settings = format!(
                "variant = \"{place}\"\nquantization = \"{quantization}\"\nzdr = {is_zdr}\n\
                 supported_parameters = [{taken}]\n{}",
                price(&dollars.to_string()),
            );
            (SLUGS[*provider], settings)
        }).collect();
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(slug, settings)| (*slug, settings.as_str())).collect();
        let world = catalogue(&[("m", &settings)]);
        let more = if wish.tools { r#","tools":[{"type":"function"}]"# } else { "" };
        let found = drawn(&world, &["m"], &wish.json(), more, chance).unwrap_or_default();
        let places: Vec<usize> =
            found.iter().map(|place| place.rsplit_once('/').unwrap().1.parse().unwrap()).collect();

        // Each once, and each one that may be.
        let mut once = places.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), places.len());
        prop_assert!(places.iter().all(|place| wish.admits(&endpoints[*place])));

        // All that may be, of those that take the tools where any does.
        let mut admitted: Vec<usize> =
            (0..endpoints.len()).filter(|place| wish.admits(&endpoints[*place])).collect();
        if wish.tools && admitted.iter().any(|place| endpoints[*place].takes_tools) {
            admitted.retain(|place| endpoints[*place].takes_tools);
        }
        if !wish.allow_fallbacks && wish.order.is_empty() {
            prop_assert_eq!(places.len(), admitted.len().min(1));
        } else {
            prop_assert_eq!(once, admitted);
        }

        // In the order asked for; from the cheapest on, of which only the first of all may be drawn.
        let rank = |place: &usize| {
            let provider = endpoints[*place].provider;
            wish.order.iter().position(|listed| *listed == provider).unwrap_or(usize::MAX)
        };
        prop_assert!(places.is_sorted_by_key(rank));
        let dollars = |place: &usize| endpoints[*place].dollars;
        for group in places.chunk_by(|one, next| rank(one) == rank(next)) {
            let is_drawn = !wish.sorts;
            let sorted = if is_drawn { &group[1..] } else { group };
            prop_assert!(sorted.is_sorted_by_key(dollars));
        }
    }
}
