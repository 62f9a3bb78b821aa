use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::catalogue::{Catalogue, LearnedBook, build};
use crate::config::read::{Loaded, parse};

/// A configuration that serves every built-in model at every provider.
fn all() -> String {
    let provider = |known: BuiltInProvider| {
        let models = if ids_of(known.slug).next().is_some() { "models = \"all\"" } else { "" };
        format!("[[providers]]\nslug = \"{}\"\n{models}\n", known.slug)
    };
    PROVIDERS.map(provider).concat()
}

fn loaded(text: &str) -> Loaded {
    parse(text, &Default::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn built(text: &str) -> Catalogue {
    build(&loaded(text).config, Path::new(""), &LearnedBook::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    parse(text, &Default::default()).unwrap_err().to_string()
}

#[test]
fn every_line_of_the_file_is_a_model_and_every_model_can_be_served() {
    let text = all();
    let (loaded, catalogue) = (loaded(&text), built(&text));
    let served: Vec<&str> = catalogue.models.iter().map(|model| &*model.config.id).collect();
    assert_eq!(served, ids().collect::<Vec<_>>());
    assert_eq!(served.len(), FILE.lines().count() - 1, "a line of the file is not a model");
    assert!(served.len() > 200, "{} models are left", served.len());
    assert_eq!(loaded.list_priced.len(), catalogue.endpoints().count());
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn the_file_is_sorted_and_names_nothing_twice() {
    let written: Vec<&str> = ids().collect();
    let sorted: Vec<&str> = written.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(written, sorted);
    for id in ids() {
        let model = model(id).unwrap();
        let providers: Vec<&str> = model.providers().collect();
        let different: BTreeSet<&str> = providers.iter().copied().collect();
        assert_eq!(different.len(), providers.len(), "{id}");
        for slug in providers {
            assert!(provider(slug).is_some(), "{id} runs at {slug}, whose address is not known");
            assert!(ids_of(slug).any(|known| known == id), "{id} is not found at {slug}");
        }
    }
}

#[test]
fn the_file_says_where_its_figures_come_from() {
    let source = source().unwrap();
    assert!(source.source.starts_with("litellm "), "{source:?}");
    assert!(source.date.parse::<jiff::civil::Date>().is_ok(), "{source:?}");
}

/// The rules that `scripts/built-in-models` keeps, held against what it made.
#[test]
fn every_endpoint_is_bounded_and_priced() {
    let catalogue = built(&all());
    let date = source().unwrap().date;
    for endpoint in catalogue.endpoints() {
        let named = format!("{} at {}", endpoint.model, endpoint.provider.slug);
        let model = &catalogue.model(&endpoint.model).unwrap().config;
        let is_embedding = model.output_modalities == ["embeddings"];
        let base = &endpoint.prices.base;
        assert!(!base.prompt.is_zero(), "{named}: a prompt costs nothing");
        assert_eq!(base.completion.is_zero(), is_embedding, "{named}");
        for cheaper in [base.input_cache_read, base.input_cache_write].into_iter().flatten() {
            assert!(!cheaper.is_zero(), "{named}: the cache costs nothing");
        }
        let tiers = &endpoint.prices.overrides;
        for tier in tiers {
            assert!(tier.prices.prompt > base.prompt, "{named}: a long prompt is no dearer");
            assert!(tier.min_prompt_tokens < endpoint.context_length, "{named}");
        }
        let gone = model.expiration_date.as_ref();
        assert!(gone.is_none_or(|gone| *gone > date), "{named} was switched off by {date}");
        if !is_embedding {
            assert!(endpoint.context_length >= 16_384, "{named}");
            assert!(endpoint.max_completion_tokens < endpoint.context_length, "{named}");
        }
        assert!(endpoint.model.split_once('/').is_some_and(|(author, _)| !author.is_empty()));
        assert!(!endpoint.model.ends_with("-latest"), "{named} moves from model to model");
    }
}

#[test]
fn a_slug_and_an_id_are_a_whole_configuration() {
    let catalogue = built(
        r#"
        [[providers]]
        slug = "openai"
        api_key = "${KEY}"
        [[models]]
        id = "openai/gpt-4o-mini"
        "#
        .replace("${KEY}", "k")
        .as_str(),
    );
    assert_eq!(catalogue.models.len(), 1);
    let endpoint = catalogue.endpoints().next().unwrap();
    assert_eq!(endpoint.provider.name, "OpenAI");
    assert_eq!(endpoint.provider.chat_path.path(), "/v1/chat/completions");
    assert_eq!(endpoint.upstream_model, "gpt-4o-mini");
    assert_eq!((endpoint.context_length, endpoint.max_completion_tokens), (128_000, 16_384));
    assert_eq!(endpoint.max_tokens_field, "max_completion_tokens");
    let base = &endpoint.prices.base;
    assert_eq!(base.prompt.to_string(), "0.00000015");
    assert_eq!(base.completion.to_string(), "0.0000006");
    assert_eq!(base.input_cache_read.unwrap().to_string(), "0.000000075");
}

#[test]
fn what_is_written_goes_before_what_is_known_field_by_field() {
    let text = r#"
        [[providers]]
        slug = "openai"
        name = "Ours"
        [[models]]
        id = "openai/gpt-4o-mini"
        context_length = 1000
        listed = false
        [[models]]
        id = "openai/gpt-4o"
        input_modalities = ["text"]
        [[models.endpoints]]
        provider = "openai"
        pricing = { prompt = "1", completion = "2" }
        [[models]]
        id = "openai/gpt-4.1"
        [[models.endpoints]]
        provider = "openai"
        max_completion_tokens = 7
    "#;
    let (loaded, catalogue) = (loaded(text), built(text));
    let model = |id: &str| catalogue.model(id).unwrap();
    let mini = &model("openai/gpt-4o-mini");
    assert!(!mini.config.listed);
    assert_eq!(mini.endpoints[0].context_length, 1_000);
    assert_eq!(mini.endpoints[0].provider.name, "Ours");
    let full = &model("openai/gpt-4o");
    assert_eq!(full.config.input_modalities, Some(vec!["text".to_owned()]));
    // A price is one thing: none of the known ones is mixed into it.
    assert_eq!(full.endpoints[0].prices.base.input_cache_read, None);
    assert_eq!(full.endpoints[0].prices.base.completion.to_string(), "2");
    assert_eq!(full.endpoints[0].context_length, 128_000);
    let capped = &model("openai/gpt-4.1").endpoints[0];
    assert_eq!(capped.max_completion_tokens, 7);
    assert_eq!(capped.prices.base.prompt.to_string(), "0.000002");
    let listed = [("openai/gpt-4.1".to_owned(), 0), ("openai/gpt-4o-mini".to_owned(), 0)];
    assert_eq!(loaded.list_priced.into_iter().collect::<Vec<_>>(), listed);
}

#[test]
fn a_list_of_endpoints_is_the_whole_list_and_another_model_there_is_not_known() {
    let text = r#"
        [[providers]]
        slug = "deepinfra"
        [[providers]]
        slug = "together"
        [[providers]]
        slug = "mine"
        base_url = "http://127.0.0.1:1"
        [[models]]
        id = "openai/gpt-oss-120b"
        [[models.endpoints]]
        provider = "mine"
        upstream_model = "oss"
        context_length = 100
        free = true
        [[models.endpoints]]
        provider = "together"
    "#;
    let catalogue = built(text);
    let run_by: Vec<&str> = catalogue.endpoints().map(|at| &*at.provider.slug).collect();
    assert_eq!(run_by, ["mine", "together"]);
    // The name of a fine-tuned copy: what the original costs says nothing of it.
    let tuned = text.replace(
        "provider = \"together\"",
        "provider = \"together\"\nupstream_model = \"x\"\ncontext_length = 9",
    );
    let error = build(&loaded(&tuned).config, Path::new(""), &LearnedBook::default());
    let error = error.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("`models[0].endpoints[1].pricing` is missing"), "{error}");
}

#[test]
fn a_provider_serves_what_is_named_what_it_lists_or_all() {
    let served = |openai: &str, groq: &str, models: &[&str]| {
        let provider =
            |slug: &str, models: &str| format!("[[providers]]\nslug = \"{slug}\"\n{models}\n");
        let named: String =
            models.iter().map(|id| format!("[[models]]\nid = \"{id}\"\n")).collect();
        let text = provider("openai", openai) + &provider("groq", groq) + &named;
        let catalogue = built(&text);
        let each = catalogue.endpoints().map(|at| format!("{} {}", at.provider.slug, at.model));
        each.collect::<Vec<_>>()
    };
    assert_eq!(served("", "", &[]), Vec::<String>::new());
    assert_eq!(served("", "", &["openai/gpt-oss-20b"]), ["groq openai/gpt-oss-20b"]);
    let listed = r#"models = ["openai/gpt-4o", "openai/gpt-4.1"]"#;
    assert_eq!(
        served(listed, "", &["openai/gpt-oss-20b", "openai/gpt-4o"]),
        ["groq openai/gpt-oss-20b", "openai openai/gpt-4o", "openai openai/gpt-4.1"]
    );
    let all = served("", "models = \"all\"", &["openai/gpt-4o"]);
    assert_eq!(all[0], "openai openai/gpt-4o");
    assert_eq!(all.len(), 1 + ids_of("groq").count());
}

#[test]
fn the_order_of_the_providers_is_that_of_the_endpoints() {
    let order = |slugs: [&str; 2]| {
        let providers = slugs.map(|slug| format!("[[providers]]\nslug = \"{slug}\"\n")).concat();
        let catalogue = built(&(providers + "[[models]]\nid = \"openai/gpt-oss-120b\"\n"));
        catalogue.endpoints().map(|at| at.provider.slug.clone()).collect::<Vec<_>>()
    };
    assert_eq!(order(["groq", "cerebras"]), ["groq", "cerebras"]);
    assert_eq!(order(["cerebras", "groq"]), ["cerebras", "groq"]);
}

#[test]
fn what_is_not_known_is_an_error_that_names_the_nearest_known() {
    let provider = "[[providers]]\nslug = \"openai\"\n";
    for (text, problem) in [
        (
            "[[providers]]\nslug = \"opnai\"".to_owned(),
            "setting `providers[0].base_url` is missing, and `opnai` is no built-in provider; did \
             you mean `openai`?; built in are anthropic, cerebras,",
        ),
        (
            format!("{provider}[[models]]\nid = \"openai/gpt-4o-min\""),
            "setting `models[0].endpoints` is missing, and `openai/gpt-4o-min` is no built-in \
             model; did you mean `openai/gpt-4o-mini`?",
        ),
        (
            format!("{provider}[[models]]\nid = \"gpt-4o-mini\""),
            "did you mean `openai/gpt-4o-mini`?",
        ),
        (
            format!("{provider}[[models]]\nid = \"acme/unheard-of\""),
            "setting `models[0].endpoints` is missing, and `acme/unheard-of` is no built-in model",
        ),
        (
            format!("{provider}[[models]]\nid = \"x-ai/grok-4.3\""),
            "setting `models[0].endpoints` is missing, and none of the providers runs this model; \
             built in it runs at xai",
        ),
        (
            format!("{provider}models = [\"openai/gpt-4o-min\"]"),
            "setting `providers[0].models` lists `openai/gpt-4o-min`, which is no built-in model \
             of `openai`; did you mean `openai/gpt-4o-mini`?",
        ),
        (
            format!("{provider}models = \"most\""),
            "invalid value: a text, expected \"all\" or a list of models' ids",
        ),
        (
            format!("{provider}models = [\"openai/gpt-4o\", \"openai/gpt-4o\"]"),
            "`openai/gpt-4o` is listed twice",
        ),
        (
            "[[providers]]\nslug = \"mine\"\nbase_url = \"http://h\"\nmodels = \"all\"".to_owned(),
            "setting `providers[0].models` is given, and no built-in model runs at `mine`",
        ),
    ] {
        let error = refused(&text);
        assert!(error.contains(problem), "{error}\nshould say: {problem}");
    }
}

#[test]
fn list_prices_at_another_address_are_warned_of_once() {
    let text = r#"
        [[providers]]
        slug = "openai"
        base_url = "https://eu.api.openai.com/v1"
        models = ["openai/gpt-4o", "openai/gpt-4o-mini"]
        [[providers]]
        slug = "groq"
        base_url = "https://api.groq.com/openai/v1/"
        models = "all"
    "#;
    assert_eq!(
        loaded(text).warnings,
        ["provider `openai` is not at https://api.openai.com/v1: the list prices of its \
             built-in models may not be what is charged where it is"]
    );
    let own = text.replace(
        "models = [\"openai/gpt-4o\", \"openai/gpt-4o-mini\"]",
        "[[models]]\nid = \"openai/gpt-4o\"\n[[models.endpoints]]\nprovider = \"openai\"\nfree = true",
    );
    assert_eq!(loaded(&own).warnings, Vec::<String>::new());
}
