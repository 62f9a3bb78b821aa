use super::*;

const PROVIDER: &str = r#"
    [[providers]]
    slug = "p"
    base_url = "http://127.0.0.1:1/v1"
"#;
const MODEL: &str = r#"
    [[models]]
    id = "a/m"
    context_length = 100
    endpoints = [{ provider = "p", pricing = { prompt = "1", completion = "1" } }]
"#;

fn built(text: &str, learned: &LearnedBook) -> Result<Catalogue, BuildError> {
    build(&toml::from_str(text).unwrap(), Path::new(""), learned)
}

#[test]
fn what_is_wrong_is_refused_by_the_name_of_its_setting() {
    let endpoint = |endpoint: &str| {
        format!(
            "{PROVIDER}\n[[models]]\nid = \"a/m\"\ncontext_length = 100\nendpoints = [{{ {endpoint} }}]"
        )
    };
    let provider =
        |more: &str| format!("[[providers]]\nslug = \"p\"\nbase_url = \"http://h\"\n{more}");
    let described =
        |more: &str| MODEL.replace("context_length", &format!("{more}\ncontext_length"));
    let described = |more: &str| format!("{PROVIDER}{}", described(more));
    let priced = |prices: &str| endpoint(&format!("provider = \"p\", pricing = {{ {prices} }}"));
    for (text, problem) in [
        (endpoint("provider = \"p\""), "setting `models[0].endpoints[0].pricing` is missing"),
        (
            endpoint(
                "provider = \"p\", free = true, pricing = { prompt = \"1\", completion = \"1\" }",
            ),
            "setting `models[0].endpoints[0].free` contradicts",
        ),
        (
            endpoint("provider = \"q\", free = true"),
            "setting `models[0].endpoints[0].provider` names `q`",
        ),
        (
            endpoint("provider = \"p\", free = true, context_length = 0"),
            "setting `models[0].endpoints[0].context_length` must be from 1",
        ),
        (
            endpoint("provider = \"p\", free = true, max_completion_tokens = 4294967297"),
            "setting `models[0].endpoints[0].max_completion_tokens` must be from 1",
        ),
        (
            endpoint("provider = \"p\", free = true, tokenizer = \"nobodys\""),
            "setting `models[0].endpoints[0].tokenizer`",
        ),
        (
            endpoint("provider = \"p\", free = true, upstream_model = \"a b\""),
            "setting `models[0].endpoints[0].upstream_model` must be 1 to 100 bytes",
        ),
        (priced("prompt = \"-1\", completion = \"1\""), "pricing.prompt` is `-1`"),
        (priced("prompt = \"1\", completion = \"cheap\""), "pricing.completion` is `cheap`"),
        (
            priced("prompt = \"1\", completion = \"1\", input_cache_read = \"-0.1\""),
            "pricing.input_cache_read` is `-0.1`",
        ),
        (
            format!(
                "{PROVIDER}\n[[models]]\nid = \"a/m\"\nendpoints = [{{ provider = \"p\", free = true }}]"
            ),
            "setting `models[0].endpoints[0].context_length` is needed",
        ),
        (
            format!("{PROVIDER}\n[[models]]\nid = \"a/m\"\nendpoints = []"),
            "setting `models[0].endpoints` is empty",
        ),
        (format!("{PROVIDER}{MODEL}{MODEL}"), "setting `models[1].id` is used twice"),
        (format!("{PROVIDER}{PROVIDER}"), "setting `providers[1].slug` is used twice"),
        (
            endpoint("provider = \"p\", free = true, quantization = \"fp7\""),
            "quantization` has `fp7`; known are int4, ",
        ),
        (
            endpoint("provider = \"p\", free = true, variant = \"a/b\""),
            "endpoints[0].variant` must not have a `/`",
        ),
        (
            endpoint("provider = \"p\", free = true, variant = \"\""),
            "endpoints[0].variant` must be 1 to 100",
        ),
        (
            endpoint("provider = \"p\", free = true, supported_parameters = [\"tool\"]"),
            "endpoints[0].supported_parameters` has `tool`; known are temperature, ",
        ),
        (described("input_modalities = [\"smell\"]"), "models[0].input_modalities` has `smell`"),
        (
            described("output_modalities = []"),
            "models[0].output_modalities` must be some of text, ",
        ),
        (
            described("knowledge_cutoff = \"2026-02-30\""),
            "models[0].knowledge_cutoff` must be a day",
        ),
        (described("expiration_date = \"soon\""), "models[0].expiration_date` must be a day"),
        (described("hugging_face_id = \"a b\""), "models[0].hugging_face_id` must be 1 to 100"),
        (
            provider("privacy_policy_url = \"alpha.example\""),
            "providers[0].privacy_policy_url` must be a URL",
        ),
        (provider("status_page_url = \"/status\""), "providers[0].status_page_url` must be a URL"),
        (
            provider("headquarters = \"us\""),
            "providers[0].headquarters` must be two capital letters",
        ),
        (
            provider("datacenters = [\"US\", \"USA\"]"),
            "providers[0].datacenters` must be two capital",
        ),
        (provider("api = \"other\""), "setting `providers[0].api` must be `openai`"),
        (provider("api_key = \"a\\nb\""), "setting `providers[0].api_key` has characters"),
        (provider("headers = { \"a b\" = \"c\" }"), "setting `providers[0].headers.a b` is not"),
        (
            "[[providers]]\nslug = \"\"\nbase_url = \"http://h\"".into(),
            "setting `providers[0].slug` must be",
        ),
        (
            "[[providers]]\nslug = \"p\"\nbase_url = \"ftp://h\"".into(),
            "setting `providers[0].base_url`",
        ),
    ] {
        let error = built(&text, &LearnedBook::default()).err().map(|error| error.to_string());
        assert!(
            error.as_ref().is_some_and(|error| error.contains(problem)),
            "{problem}: {error:?}"
        );
    }
}

#[test]
fn a_credential_is_never_part_of_an_error() {
    let text = "[[providers]]\nslug = \"p\"\nbase_url = \"http://h\"\napi_key = \"secret\\n\"";
    let error = built(text, &LearnedBook::default()).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[test]
fn what_was_learned_outlives_a_reload_of_the_same_endpoint() {
    let learned = LearnedBook::default();
    let first = built(&format!("{PROVIDER}{MODEL}"), &learned).unwrap();
    first.models[0].endpoints[0].learned.charged_above_hold(true);
    let same = built(&format!("{PROVIDER}{MODEL}"), &learned).unwrap();
    assert!(same.models[0].endpoints[0].learned.is_barred());
    let other = MODEL.replace("provider = \"p\"", "provider = \"p\", upstream_model = \"other\"");
    let other = built(&format!("{PROVIDER}{other}"), &learned).unwrap();
    assert!(!other.models[0].endpoints[0].learned.is_barred());
}

#[test]
fn a_model_that_gives_embeddings_has_no_completion() {
    let embeddings = |output: &str, endpoint: &str| {
        format!(
            "{PROVIDER}\n[[models]]\nid = \"a/e\"\ncontext_length = 100\n\
             output_modalities = [{output}]\nendpoints = [{{ provider = \"p\", {endpoint} }}]"
        )
    };
    let priced = "pricing = { prompt = \"1\" }";
    let catalogue = built(&embeddings("\"embeddings\"", priced), &LearnedBook::default()).unwrap();
    let endpoint = catalogue.endpoints().next().unwrap();
    assert_eq!(catalogue.models[0].surface(), Surface::Embeddings);
    assert_eq!((endpoint.max_completion_tokens, endpoint.context_length), (0, 100));
    assert_eq!(endpoint.provider.path(Surface::Embeddings).path(), "/v1/embeddings");
    for (output, settings, problem) in [
        ("\"text\"", "", "setting `models[0].endpoints[0].pricing.completion` is missing"),
        (
            "\"text\", \"embeddings\"",
            "",
            "setting `models[0].output_modalities` must be `embeddings` alone, or without it",
        ),
        (
            "\"embeddings\"",
            "zero_completion_free = true, ",
            "setting `models[0].endpoints[0].zero_completion_free` has no meaning",
        ),
        (
            "\"embeddings\"",
            "max_completion_tokens = 5, ",
            "setting `models[0].endpoints[0].max_completion_tokens` has no meaning",
        ),
        (
            "\"embeddings\"",
            "reasoning_tokens_max = 5, ",
            "setting `models[0].endpoints[0].reasoning_tokens_max` has no meaning",
        ),
    ] {
        let text = embeddings(output, &format!("{settings}{priced}"));
        let error = built(&text, &LearnedBook::default()).err().unwrap().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
