//! One wish after the other, with where it leads.

use std::time::Duration;

use api::routing::{MaxPrice, ProviderPreferences, SortBy};
use bytes::Bytes;
use upstream::{Request, Surface, scan};

use super::sample::{ANY, NOW, catalogue, price, request, routed, written};
use crate::catalogue::Catalogue;
use crate::config::RoutingOrder;
use crate::routing::{OUTAGE_FAILURES_MIN, Pace, Question, Step, Terms, choose, resolve};

/// `m` at four endpoints, a cheaper one after the other, and `n` at one.
fn world() -> Catalogue {
    let dear = price("4");
    catalogue(&[
        (
            "m",
            &[
                ("alpha", &format!("{dear}\nvariant = \"fp8\"\nquantization = \"fp8\"")),
                ("alpha", &format!("{}\nvariant = \"bf16\"", price("3"))),
                ("beta", &format!("{}\nzdr = true\nmax_completion_tokens = 100", price("2"))),
                ("delta/eu", &price("1")),
            ],
        ),
        ("n", &[("gamma", &price("9"))]),
    ])
}

const FP8: &str = "m alpha/fp8";
const BF16: &str = "m alpha/bf16";
const BETA: &str = "m beta";
const DELTA: &str = "m delta/eu";
const OTHER: &str = "n gamma";

#[test]
fn a_wish_leaves_the_endpoints_that_fulfil_it_the_cheapest_first() {
    let world = world();
    let cases: &[(&str, &[&str])] = &[
        ("{}", &[DELTA, BETA, BF16, FP8]),
        (r#"{"only":["alpha"]}"#, &[BF16, FP8]),
        (r#"{"only":["ALPHA cloud"]}"#, &[BF16, FP8]),
        (r#"{"only":["alpha/fp8"]}"#, &[FP8]),
        (r#"{"only":["Alpha Cloud/FP8"]}"#, &[FP8]),
        (r#"{"only":["alpha","beta"]}"#, &[BETA, BF16, FP8]),
        // A region of a provider is the provider's, and not the other way round.
        (r#"{"only":["delta"]}"#, &[DELTA]),
        (r#"{"only":["delta/eu"]}"#, &[DELTA]),
        (r#"{"ignore":["alpha"]}"#, &[DELTA, BETA]),
        (r#"{"ignore":["alpha/fp8","delta"]}"#, &[BETA, BF16]),
        (r#"{"only":["alpha"],"ignore":["alpha/fp8"]}"#, &[BF16]),
        (r#"{"zdr":true}"#, &[BETA]),
        (r#"{"data_collection":"deny"}"#, &[DELTA, BETA]),
        (r#"{"quantizations":["fp8"]}"#, &[FP8]),
        (r#"{"quantizations":["unknown","fp8"]}"#, &[DELTA, BETA, BF16, FP8]),
        (r#"{"max_price":{"prompt":2}}"#, &[DELTA, BETA]),
        (r#"{"max_price":{"prompt":"1.999999999999"}}"#, &[DELTA]),
        (r#"{"max_price":{"prompt":3,"completion":"1"}}"#, &[DELTA]),
        (r#"{"max_price":{"request":0,"image":0,"audio":0}}"#, &[DELTA, BETA, BF16, FP8]),
        (r#"{"order":["alpha"]}"#, &[BF16, FP8, DELTA, BETA]),
        (r#"{"order":["alpha/fp8","beta"]}"#, &[FP8, BETA, DELTA, BF16]),
        (r#"{"order":["nobody","beta"]}"#, &[BETA, DELTA, BF16, FP8]),
        (r#"{"order":["alpha","beta"],"allow_fallbacks":false}"#, &[BF16, FP8, BETA]),
        (r#"{"allow_fallbacks":false}"#, &[DELTA]),
        (r#"{"sort":"price"}"#, &[DELTA, BETA, BF16, FP8]),
        (r#"{"sort":"exacto"}"#, &[FP8, BF16, BETA, DELTA]),
        (r#"{"sort":"exacto","order":["beta"]}"#, &[BETA, FP8, BF16, DELTA]),
        (r#"{"sort":"exacto","allow_fallbacks":false}"#, &[FP8]),
        // Nothing is known of how quick any of them is.
        (r#"{"sort":"latency"}"#, &[DELTA, BETA, BF16, FP8]),
        (r#"{"preferred_max_latency":1,"preferred_min_throughput":99}"#, &[DELTA, BETA, BF16, FP8]),
    ];
    for (wish, expected) in cases {
        assert_eq!(routed(&world, &["m"], wish, "").unwrap(), *expected, "{wish}");
    }
}

#[test]
fn a_wish_that_none_fulfils_names_the_step_that_left_none() {
    let world = world();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let at_most = |text| MaxPrice {
        prompt: Some(money::Rate::at_most_per_million(text).unwrap()),
        ..MaxPrice::default()
    };
    let cases = [
        (r#"{"only":["nobody"]}"#, Step::Only { field: "only", requested: names(&["nobody"]) }),
        (
            r#"{"only":["alpha/fp4"]}"#,
            Step::Only { field: "only", requested: names(&["alpha/fp4"]) },
        ),
        (r#"{"only":["delta/us"]}"#, Step::Only { field: "only", requested: names(&["delta/us"]) }),
        (
            r#"{"order":["nobody"],"allow_fallbacks":false}"#,
            Step::Only { field: "order", requested: names(&["nobody"]) },
        ),
        (
            r#"{"ignore":["alpha","beta","delta"]}"#,
            Step::Ignore { requested: names(&["alpha", "beta", "delta"]) },
        ),
        (r#"{"quantizations":["int4"]}"#, Step::Quantizations { requested: names(&["int4"]) }),
        (r#"{"max_price":{"prompt":0.5}}"#, Step::MaxPrice(Box::new(at_most("0.5")))),
        // The first step that leaves none is named.
        (
            r#"{"zdr":true,"only":["alpha"]}"#,
            Step::Only { field: "only", requested: names(&["alpha"]) },
        ),
    ];
    for (wish, step) in cases {
        assert_eq!(routed(&world, &["m"], wish, "").unwrap_err(), step, "{wish}");
    }
    for (wish, field) in
        [(r#"{"zdr":true}"#, "zdr"), (r#"{"data_collection":"deny"}"#, "data_collection")]
    {
        let step = routed(&world, &["n"], wish, "").unwrap_err();
        assert_eq!(step, Step::DataPolicy { field });
    }
}

#[test]
fn a_refusal_says_which_providers_were_left_before_the_step() {
    let world = world();
    let (request, wish) = (request(""), r#"{"data_collection":"deny","only":["alpha"]}"#);
    let wish = ProviderPreferences::parse(wish).unwrap();
    let question = Question {
        request: &request,
        wish: &wish,
        order: RoutingOrder::Price,
        brought: None,
        sort: None,
        now: NOW,
    };
    let asked = resolve(&world, ["m"].into_iter(), &ANY).unwrap();
    let Err(why) = choose(&asked, &question, &mut || 0) else { panic!("there is a place") };
    assert_eq!((why.model.as_str(), why.providers), ("m", vec!["beta".into(), "delta/eu".into()]));
}

#[test]
fn models_are_fallen_back_to_in_order_each_with_its_own_endpoints() {
    let world = world();
    let both = |wish| routed(&world, &["n", "m", "n"], wish, "").unwrap();
    assert_eq!(both("{}"), [OTHER, DELTA, BETA, BF16, FP8]);
    assert_eq!(both(r#"{"allow_fallbacks":false}"#), [OTHER, DELTA]);
    assert_eq!(both(r#"{"only":["alpha"]}"#), [BF16, FP8]);
    assert_eq!(both(r#"{"max_price":{"prompt":9}}"#), [OTHER, DELTA, BETA, BF16, FP8]);
    // The last model's reason is told.
    let refused = routed(&world, &["m", "n"], r#"{"zdr":true,"only":["delta"]}"#, "");
    assert_eq!(refused.unwrap_err(), Step::DataPolicy { field: "zdr" });
}

#[test]
fn pooled_models_are_one_list() {
    let world = world();
    let pooled = |ids: &[&str], by: &str| {
        let wish = format!(r#"{{"sort":{{"by":{by},"partition":"none"}}}}"#);
        routed(&world, ids, &wish, "").unwrap()
    };
    assert_eq!(pooled(&["n", "m"], r#""price""#), [DELTA, BETA, BF16, FP8, OTHER]);
    assert_eq!(pooled(&["n", "m"], r#""exacto""#), [OTHER, FP8, BF16, BETA, DELTA]);
    assert_eq!(pooled(&["n", "m"], "null"), [DELTA, BETA, BF16, FP8, OTHER]);
}

#[test]
fn a_name_is_an_id_an_alias_or_an_order() {
    let mut models = String::new();
    for (id, aliases) in
        [("a/m", "aliases = [\"~a/m-latest\", \"m\"]"), ("a/m:free", ""), ("a/n:extended", "")]
    {
        models.push_str(&format!(
            "[[models]]\nid = \"{id}\"\n{aliases}\ncontext_length = 1\n\
             endpoints = [{{ provider = \"alpha\", free = true }}]\n"
        ));
    }
    let catalogue = written(&models);
    for (name, expected) in [
        ("a/m", Some(("a/m", None))),
        ("~a/m-latest", Some(("a/m", None))),
        ("m:floor", Some(("a/m", Some(SortBy::Price)))),
        ("a/m:nitro", Some(("a/m", Some(SortBy::Throughput)))),
        ("~a/m-latest:nitro", Some(("a/m", Some(SortBy::Throughput)))),
        ("a/m:free", Some(("a/m:free", None))),
        ("a/m:free:floor", Some(("a/m:free", Some(SortBy::Price)))),
        ("a/n:extended", Some(("a/n:extended", None))),
        ("a/m:exacto", None),
        ("a/m:online", None),
        ("a/m:thinking", None),
        ("a/m:extended", None),
        ("a/n", None),
        ("a/n:nitro", None),
        ("a/n:free", None),
        ("A/m", None),
        (":nitro", None),
        ("", None),
    ] {
        let found = resolve(&catalogue, [name].into_iter(), &ANY);
        let found = found.as_ref().ok().map(|asked| {
            assert_eq!(asked.len(), 1);
            (asked[0].model.config.id.as_str(), asked[0].sort)
        });
        assert_eq!(found, expected, "{name}");
    }
    let ids = ["nobody/nothing", "m", "a/m", "a/m:nitro", "a/m:free"];
    let asked = resolve(&catalogue, ids.into_iter(), &ANY).unwrap();
    let found: Vec<_> = asked.iter().map(|asked| asked.model.config.id.as_str()).collect();
    assert_eq!(found, ["a/m", "a/m:free"], "each once, and none that is not there");
    let Err(why) = resolve(&catalogue, ["a/n:extended:free"].into_iter(), &ANY) else { panic!() };
    assert_eq!(why.step, Step::Model { instead: Some("a/n:extended".into()) });
}

#[test]
fn a_model_that_may_not_be_asked_for_so_is_left_out() {
    let world = world();
    let terms = |surface, allows| Terms { surface, allows };
    let asked = |terms: &Terms<'_>, ids: &[&str]| -> Result<Vec<String>, (String, Step)> {
        let asked = resolve(&world, ids.iter().copied(), terms);
        let asked = asked.map_err(|why| (why.model, why.step))?;
        Ok(asked.iter().map(|asked| asked.model.config.id.clone()).collect())
    };
    let only_n = terms(Surface::Chat, &|id| id == "n");
    assert_eq!(asked(&only_n, &["m", "n:nitro"]).unwrap(), ["n"]);
    assert_eq!(asked(&only_n, &["nobody", "m"]).unwrap_err(), ("m".into(), Step::Allowed));
    let embeddings = terms(Surface::Embeddings, &|_| true);
    let path = Step::Path { surface: Surface::Chat };
    assert_eq!(asked(&embeddings, &["m"]).unwrap_err(), ("m".into(), path));
}

#[test]
fn a_completion_goes_where_it_fits_and_else_is_cut_everywhere() {
    let world = world();
    let routed = |more: &str| routed(&world, &["m"], "{}", more).unwrap();
    assert_eq!(routed(r#","max_tokens":100"#), [DELTA, BETA, BF16, FP8]);
    assert_eq!(routed(r#","max_tokens":101"#), [DELTA, BF16, FP8]);
    assert_eq!(routed(r#","max_tokens":9000"#), [DELTA, BETA, BF16, FP8]);
}

#[test]
fn a_prompt_that_is_sure_not_to_fit_goes_where_there_is_more_context() {
    let large = format!("{}\ncontext_length = 100000", price("9"));
    let world = catalogue(&[("m", &[("alpha", &price("1")), ("beta", &large)])]);
    let of_bytes = |bytes: usize| {
        let more = format!(r#","tools":[{{"type":"function","x":"{}"}}]"#, "x".repeat(bytes));
        routed(&world, &["m"], "{}", &more).unwrap()
    };
    assert_eq!(of_bytes(60_000), ["m alpha", "m beta"]);
    assert_eq!(of_bytes(70_000), ["m beta"]);
    // Too much for any: the provider says so itself.
    assert_eq!(of_bytes(900_000), ["m alpha", "m beta"]);
}

#[test]
fn a_parameter_is_preferred_or_required() {
    let taking = |names: &str, dollars: &str| {
        format!("supported_parameters = [{names}]\n{}", price(dollars))
    };
    let world = catalogue(&[
        (
            "m",
            &[
                ("alpha", &taking("", "1")),
                ("beta", &taking("\"tools\", \"tool_choice\"", "2")),
                ("gamma", &taking("\"response_format\", \"top_k\"", "3")),
                // Not said: what most take is taken for granted, the rest is not.
                ("delta/eu", &price("4")),
            ],
        ),
        ("n", &[("alpha", &taking("", "1"))]),
    ]);
    const TOOLS: &str = r#","tools":[{"type":"function"}]"#;
    const CHOICE: &str = r#","tools":[{"type":"function"}],"tool_choice":"auto""#;
    const FORMAT: &str = r#","response_format":{"type":"json_object"}"#;
    let cases: &[(&str, &[&str], &[&str])] = &[
        // more, where it goes, where it goes if all parameters are required
        ("", &["alpha", "beta", "gamma", "delta/eu"], &["alpha", "beta", "gamma", "delta/eu"]),
        (TOOLS, &["beta", "delta/eu"], &["beta", "delta/eu"]),
        (CHOICE, &["beta", "delta/eu"], &["beta", "delta/eu"]),
        (
            r#","tools":[]"#,
            &["alpha", "beta", "gamma", "delta/eu"],
            &["alpha", "beta", "gamma", "delta/eu"],
        ),
        (FORMAT, &["gamma", "delta/eu"], &["gamma", "delta/eu"]),
        (
            r#","response_format":null"#,
            &["alpha", "beta", "gamma", "delta/eu"],
            &["alpha", "beta", "gamma", "delta/eu"],
        ),
        (r#","top_k":3,"temperature":1"#, &["alpha", "beta", "gamma", "delta/eu"], &["gamma"]),
        (
            r#","unheard_of":3,"max_tokens":5"#,
            &["alpha", "beta", "gamma", "delta/eu"],
            &["alpha", "beta", "gamma", "delta/eu"],
        ),
        (r#","verbosity":"low""#, &["alpha", "beta", "gamma", "delta/eu"], &[]),
        (r#","response_format":{"type":"json_schema"}"#, &["gamma", "delta/eu"], &[]),
    ];
    for (more, preferred, required) in cases {
        let tags = |places: Vec<String>| -> Vec<String> {
            places.into_iter().map(|place| place.replace("m ", "")).collect()
        };
        assert_eq!(tags(routed(&world, &["m"], "{}", more).unwrap()), *preferred, "{more}");
        let found = routed(&world, &["m"], r#"{"require_parameters":true}"#, more);
        assert_eq!(tags(found.unwrap_or_default()), *required, "{more}");
    }
    let refused =
        |model, more| routed(&world, &[model], r#"{"require_parameters":true}"#, more).unwrap_err();
    assert_eq!(refused("n", TOOLS), Step::Tools);
    assert_eq!(refused("m", r#","verbosity":"low""#), Step::Parameters(vec!["verbosity".into()]));
    let together = r#","tool_choice":"auto","top_k":1"#;
    assert_eq!(refused("m", together), Step::Parameters(vec![]));
    // A model of which no endpoint takes them is kept all the same.
    assert_eq!(routed(&world, &["n"], "{}", TOOLS).unwrap(), ["n alpha"]);
}

#[test]
fn a_picture_goes_to_no_model_that_is_said_not_to_take_any() {
    let mut models = String::new();
    for (id, said) in [
        ("m", "input_modalities = [\"text\"]"),
        ("n", "input_modalities = [\"text\", \"image\"]"),
        ("o", ""),
    ] {
        models.push_str(&format!(
            "[[models]]\nid = \"{id}\"\n{said}\ncontext_length = 8192\n\
             endpoints = [{{ provider = \"alpha\", free = true }}]\n"
        ));
    }
    let world = written(&models);
    let part = |part: &str| {
        let body = format!(r#"{{"messages":[{{"role":"user","content":[{part}]}}]}}"#);
        scan(&Bytes::from(body)).unwrap()
    };
    let image = part(r#"{"type":"image_url","image_url":{"url":"https://h/i"}}"#);
    let sound = part(r#"{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}"#);
    let served = |request: &Request| {
        let wish = ProviderPreferences::default();
        let question = Question {
            request,
            wish: &wish,
            order: RoutingOrder::Price,
            brought: None,
            sort: None,
            now: NOW,
        };
        ["m", "n", "o"].map(|id| {
            let asked = resolve(&world, [id].into_iter(), &ANY).unwrap();
            choose(&asked, &question, &mut || 0).err().map(|why| why.step)
        })
    };
    let not = |modality| Some(Step::Input { modality });
    assert_eq!(served(&image), [not("image"), None, None]);
    assert_eq!(served(&sound), [not("audio"), not("audio"), None]);
    assert_eq!(served(&request("")), [None, None, None]);
}

#[test]
fn a_long_prompts_price_is_the_one_that_may_not_be_too_high() {
    let tiered = r#"pricing = { prompt = "0.000001", completion = "0.000001", overrides = [{ min_prompt_tokens = 2000, prompt = "0.000002" }] }"#;
    let world = catalogue(&[("m", &[("alpha", tiered)])]);
    let of_bytes = |bytes: usize| {
        let more = format!(r#","tools":[{{"type":"function","x":"{}"}}]"#, "x".repeat(bytes));
        routed(&world, &["m"], r#"{"max_price":{"prompt":1}}"#, &more).is_ok()
    };
    assert!(of_bytes(500));
    assert!(!of_bytes(2_000));
}

#[test]
fn what_is_measured_decides_where_it_is_asked_for() {
    let world = world();
    let endpoints = &world.model("m").unwrap().endpoints;
    // fp8: quick to begin, slow. bf16: the other way round. beta: slow in both. delta: not known.
    for (place, began_ms, tokens) in [(0, 100, 10), (1, 2_000, 200), (2, 4_000, 5)] {
        let pace = Pace {
            began_after: Duration::from_millis(began_ms),
            took: Duration::from_secs(1),
            completion_tokens: tokens,
            is_streamed: true,
        };
        endpoints[place].learned.health.succeeded(NOW, pace);
    }
    let cases: &[(&str, &[&str])] = &[
        (r#"{"sort":"latency"}"#, &[FP8, BF16, BETA, DELTA]),
        (r#"{"sort":"throughput"}"#, &[BF16, FP8, BETA, DELTA]),
        (r#"{"sort":"price","preferred_max_latency":3}"#, &[DELTA, BF16, FP8, BETA]),
        (r#"{"preferred_max_latency":3}"#, &[DELTA, BF16, FP8, BETA]),
        (r#"{"preferred_max_latency":{"p50":3,"p99":0.5}}"#, &[DELTA, FP8, BETA, BF16]),
        (r#"{"preferred_min_throughput":50}"#, &[DELTA, BF16, BETA, FP8]),
        (r#"{"preferred_min_throughput":50,"preferred_max_latency":1}"#, &[DELTA, BETA, BF16, FP8]),
        (r#"{"preferred_min_throughput":50,"order":["beta"]}"#, &[BETA, DELTA, BF16, FP8]),
    ];
    for (wish, expected) in cases {
        assert_eq!(routed(&world, &["m"], wish, "").unwrap(), *expected, "{wish}");
    }
    assert_eq!(routed(&world, &["m:nitro"], "{}", "").unwrap(), [BF16, FP8, BETA, DELTA]);
    assert_eq!(routed(&world, &["m:floor"], "{}", "").unwrap(), [DELTA, BETA, BF16, FP8]);
    // A wish in the body goes before the one in the name.
    let both = routed(&world, &["m:nitro"], r#"{"sort":"latency"}"#, "").unwrap();
    assert_eq!(both, [FP8, BF16, BETA, DELTA]);
    // A model that is quick enough goes before the rest of one that is not.
    let across = routed(&world, &["m", "n"], r#"{"preferred_max_latency":3}"#, "").unwrap();
    assert_eq!(across, [DELTA, BF16, FP8, OTHER, BETA]);
}

#[test]
fn an_outage_puts_an_endpoint_last_but_where_an_order_was_asked_for() {
    let world = world();
    let delta = &world.model("m").unwrap().endpoints[3];
    (0..OUTAGE_FAILURES_MIN).for_each(|_| delta.learned.health.failed(NOW));
    assert_eq!(routed(&world, &["m"], "{}", "").unwrap(), [BETA, BF16, FP8, DELTA]);
    for wish in [r#"{"sort":"price"}"#, r#"{"order":["delta"]}"#] {
        assert_eq!(routed(&world, &["m"], wish, "").unwrap()[0], DELTA, "{wish}");
    }
    let request = request("");
    let configured = Question {
        request: &request,
        wish: &ProviderPreferences::default(),
        order: RoutingOrder::Configured,
        brought: None,
        sort: None,
        now: NOW,
    };
    let asked = resolve(&world, ["m"].into_iter(), &ANY).unwrap();
    let places = choose(&asked, &configured, &mut || panic!("nothing is drawn")).unwrap();
    let tags: Vec<_> = places.iter().map(|place| place.endpoint.tag()).collect();
    assert_eq!(tags, ["alpha/fp8", "alpha/bf16", "beta", "delta/eu"]);
    let fp8 = &world.model("m").unwrap().endpoints[0];
    (0..OUTAGE_FAILURES_MIN).for_each(|_| fp8.learned.health.failed(NOW));
    let places = choose(&asked, &configured, &mut || panic!("nothing is drawn")).unwrap();
    let tags: Vec<_> = places.iter().map(|place| place.endpoint.tag()).collect();
    assert_eq!(tags, ["alpha/bf16", "beta", "alpha/fp8", "delta/eu"]);
}
