//! Taking over what LiteLLM has: its configuration, shown first and written when it is asked for.

use std::path::Path;

use insta::assert_snapshot;

use crate::transcript::transcript;

const CONFIG: &str = r#"model_list:
  - model_name: gpt-4o-mini
    litellm_params:
      model: openai/gpt-4o-mini
      api_key: os.environ/OPENAI_API_KEY
      rpm: 100
  - model_name: fast
    litellm_params: &fast
      model: groq/openai/gpt-oss-20b
      api_key: gsk-literal-secret
    model_info: {id: fast-1}
  - model_name: fast
    litellm_params:
      <<: *fast
      api_key: another-literal-secret
  - model_name: house
    litellm_params:
      model: hosted_vllm/llama-house
      api_base: http://10.0.0.7:8000/v1
      input_cost_per_token: 1e-07
      output_cost_per_token: 0.0000004
      input_cost_per_token_above_128k_tokens: 0.0000002
    model_info: {max_input_tokens: 131_072, max_output_tokens: 8192}
  - model_name: unpriced
    litellm_params: {model: perplexity/sonar-house}
  - model_name: titan
    litellm_params: {model: bedrock/amazon.titan, aws_region_name: us-east-1}
router_settings:
  model_group_alias: {cheap: gpt-4o-mini, lost: nothing}
  routing_strategy: simple-shuffle
litellm_settings:
  fallbacks: [{house: [fast]}]
general_settings:
  master_key: sk-the-master-key
"#;

/// A folder with a LiteLLM configuration.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("litellm.yaml"), CONFIG).expect("a file");
    folder
}

fn exists(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}

#[test]
fn a_configuration_is_shown_with_all_that_does_not_come_over_and_nothing_is_changed() {
    let folder = folder();
    let told = transcript(folder.path(), "import litellm litellm.yaml --output tollgate.toml");
    assert!(!told.contains("secret") && !told.contains("sk-the"), "{told}");
    assert_snapshot!(told, @r#"
    $ tollgate import litellm litellm.yaml --output tollgate.toml
    [0]
    MODEL NAME   ID HERE              PROVIDER     UPSTREAM MODEL      PRICES
    gpt-4o-mini  openai/gpt-4o-mini   openai       gpt-4o-mini         catalogue
    fast         openai/gpt-oss-20b   groq         openai/gpt-oss-20b  catalogue
    fast         openai/gpt-oss-20b   groq-2       openai/gpt-oss-20b  catalogue
    house        hosted_vllm/house    hosted_vllm  llama-house         file
    unpriced     perplexity/unpriced  perplexity   sonar-house         missing

    PLACE            NOTE      WHAT                               WHY
    litellm.yaml:26  unmapped  bedrock/amazon.titan               `bedrock` has no address that speaks OpenAI's format
    litellm.yaml:29  unmapped  model_group_alias.lost             means `nothing`, which is none of the models that came over
    litellm.yaml:6   unmapped  model_list[0].litellm_params.rpm   a deployment has no pace of its own; keys have, as `requests_per_minute`
    litellm.yaml:11  unmapped  model_list[1].model_info.id        a note of LiteLLM's own: nothing here reads it
    litellm.yaml:30  unmapped  router_settings.routing_strategy   endpoints are drawn by price, or as `routing.order` says
    litellm.yaml:32  unmapped  litellm_settings.fallbacks         a request names what it falls back to itself, in `models`
    litellm.yaml:34  unmapped  general_settings.master_key        management keys are Tollgate's own: set TOLLGATE_MANAGEMENT_KEY
    litellm.yaml:7   variable  the api_key of `groq`              is written out in the file: set GROQ_API_KEY to it
    litellm.yaml:12  variable  the api_key of `groq-2`            is written out in the file: set GROQ_API_KEY_2 to it
    litellm.yaml:24  missing   pricing.prompt of sonar-house      is not in the file and not built in: add it, and take the `#` away
    litellm.yaml:24  missing   pricing.completion of sonar-house  is not in the file and not built in: add it, and take the `#` away
    litellm.yaml:24  missing   context_length of sonar-house      is not in the file and not built in: add it, and take the `#` away

    variables to set: GROQ_API_KEY, GROQ_API_KEY_2, OPENAI_API_KEY, PERPLEXITYAI_API_KEY
    5 endpoints, 1 of them not whole; 12 notes
    tollgate.toml: add
    nothing was changed; --apply does it
    "#);
    assert!(!exists(folder.path(), "tollgate.toml"));
}

#[test]
fn it_is_written_once_and_never_over_another_file() {
    let folder = folder();
    let line = "import litellm litellm.yaml --output tollgate.toml --apply";
    let told = transcript(folder.path(), line);
    assert!(told.ends_with("wrote tollgate.toml\n"), "{told}");
    let path = folder.path().join("tollgate.toml");
    let written = std::fs::read_to_string(&path).expect("a configuration");
    assert!(!written.contains("secret"), "{written}");
    assert_snapshot!(written, @r#"
    # Made from LiteLLM's litellm.yaml by `tollgate import litellm`.
    # Look it over with `tollgate config check`: prices are what will be charged.

    [[providers]]
    slug = "openai"
    api_key = "${OPENAI_API_KEY}"

    [[providers]]
    slug = "groq"
    api_key = "${GROQ_API_KEY}"

    [[providers]]
    slug = "groq-2"
    base_url = "https://api.groq.com/openai/v1"
    api_key = "${GROQ_API_KEY_2}"

    [[providers]]
    slug = "hosted_vllm"
    base_url = "http://10.0.0.7:8000/v1"

    [[providers]]
    slug = "perplexity"
    base_url = "https://api.perplexity.ai"
    api_key = "${PERPLEXITYAI_API_KEY}"

    [[models]]
    id = "openai/gpt-4o-mini"
    aliases = ["gpt-4o-mini", "cheap"]
    [[models.endpoints]]
    provider = "openai"

    [[models]]
    id = "openai/gpt-oss-20b"
    aliases = ["fast"]
    [[models.endpoints]]
    provider = "groq"
    [[models.endpoints]]
    provider = "groq-2"
    upstream_model = "openai/gpt-oss-20b"
    context_length = 131072
    max_completion_tokens = 65536
    max_tokens_field = "max_completion_tokens"
    pricing = { completion = "0.0000003", input_cache_read = "0.0000000375", prompt = "0.000000075" }
    supported_parameters = ["tools", "tool_choice", "response_format", "structured_outputs", "reasoning"]
    tokenizer = "o200k_harmony"

    [[models]]
    id = "hosted_vllm/house"
    aliases = ["house"]
    [[models.endpoints]]
    provider = "hosted_vllm"
    upstream_model = "llama-house"
    context_length = 131072
    max_completion_tokens = 8192
    pricing = { completion = "0.0000004", overrides = [{ min_prompt_tokens = 128000, prompt = "0.0000002" }], prompt = "0.0000001" }

    # [[models]]
    # id = "perplexity/unpriced"
    # aliases = ["unpriced"]
    # [[models.endpoints]]
    # provider = "perplexity"
    # upstream_model = "sonar-house"
    # pricing.prompt is missing
    # pricing.completion is missing
    # context_length is missing
    "#);
    let told = transcript(folder.path(), line);
    assert!(told.contains("[0]\n") && told.ends_with("tollgate.toml: unchanged\n"), "{told}");
    std::fs::write(&path, "[server]\n").expect("a file");
    let told = transcript(folder.path(), line);
    assert_eq!(
        told.lines().skip(1).collect::<Vec<_>>(),
        [
            "[1]",
            "! tollgate: tollgate.toml is there and says something else; name another file with \
             --output"
        ]
    );
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "[server]\n");
}

#[test]
fn what_was_written_is_a_good_configuration_once_its_variables_are_set() {
    let folder = folder();
    transcript(folder.path(), "import litellm litellm.yaml --output tollgate.toml --apply");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.current_dir(folder.path()).args(["config", "check"]);
    for variable in ["OPENAI_API_KEY", "GROQ_API_KEY", "GROQ_API_KEY_2", "PERPLEXITYAI_API_KEY"] {
        command.env(variable, "a-credential");
    }
    let output = command.output().expect("a binary that runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert_snapshot!(told, @r#"
    MODEL               PROVIDER     UPSTREAM MODEL      PROMPT  COMPLETION
    openai/gpt-4o-mini  openai       gpt-4o-mini         0.15    0.6         list
    openai/gpt-oss-20b  groq         openai/gpt-oss-20b  0.075   0.3         list
    openai/gpt-oss-20b  groq-2       openai/gpt-oss-20b  0.075   0.3
    hosted_vllm/house   hosted_vllm  llama-house         0.1     0.4
    list: prices of 2026-11-20, litellm 1.110.2, model_prices_and_context_window_backup.json (MIT)
    the configuration is good
    "#);
}

#[test]
fn what_is_no_configuration_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("bad.yaml"), "model_list: [").expect("a file");
    assert_snapshot!(transcript(folder.path(), "import litellm bad.yaml"), @r#"
    $ tollgate import litellm bad.yaml
    [1]
    ! tollgate: can't read bad.yaml: it is no YAML: while parsing a node, did not find expected node content at byte 13 line 2 column 1
    "#);
    assert_snapshot!(transcript(folder.path(), "import litellm none.yaml"), @r#"
    $ tollgate import litellm none.yaml
    [1]
    ! tollgate: can't read none.yaml: No such file or directory (os error 2)
    "#);
    assert_snapshot!(transcript(folder.path(), "import litellm bad.yaml --apply"), @r#"
    $ tollgate import litellm bad.yaml --apply
    [1]
    ! tollgate: --apply needs --output, the file to write the configuration to, or --keys
    "#);
}
