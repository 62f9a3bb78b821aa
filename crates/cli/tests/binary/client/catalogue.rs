//! What can be asked and who runs it, without a key.

use insta::assert_snapshot;

use super::Session;
use super::session::url;
use crate::world::World;

#[tokio::test]
async fn models_their_endpoints_and_providers_are_shown_to_anyone() {
    let world = World::start(&["small", "large"]).await;
    let me = Session::new()
        .set("TOLLGATE_URL", &url(&world))
        .named(&world.tollgate.address().to_string(), "SERVER");
    let mut told = String::new();
    for line in [
        "models",
        "models list small",
        "models list --context 1000000",
        "models --quiet --sort newest",
        "models get test/small",
        "models endpoints test/small",
        "models endpoints test/small --quiet",
        "providers",
        "providers --json",
    ] {
        told.push_str(&me.say(line).await);
    }
    assert_snapshot!(told, @r#"
    $ tollgate models
    [0]
    MODEL       CONTEXT  $/M IN  $/M OUT  NAME
    test/small      128    0.15   0.6001  test/small
    test/large      128    0.15   0.6001  test/large
    $ tollgate models list small
    [0]
    MODEL       CONTEXT  $/M IN  $/M OUT  NAME
    test/small      128    0.15   0.6001  test/small
    $ tollgate models list --context 1000000
    [0]
    ! there are no such models; `tollgate models` lists all
    $ tollgate models --quiet --sort newest
    [0]
    test/large
    test/small
    $ tollgate models get test/small
    [0]
    id              test/small
    name            test/small
    context         128 tokens
    longest answer  100 tokens
    prompt          0.15 $ a million tokens
    completion      0.6001 $ a million tokens
    takes           text
    gives           text
    parameters      max_tokens, temperature, top_p, stop, seed, frequency_penalty, presence_penalty, response_format, tools
    $ tollgate models endpoints test/small
    [0]
    ENDPOINT  PROVIDER  CONTEXT  LONGEST  $/M IN  $/M OUT  QUANT  UP 30M
    fake      fake          128      100    0.15   0.6001  –           –
    $ tollgate models endpoints test/small --quiet
    [0]
    fake
    $ tollgate providers
    [0]
    SLUG  NAME  STATUS PAGE
    fake  fake  –
    $ tollgate providers --json
    [0]
    [
      {
        "name": "fake",
        "slug": "fake",
        "privacy_policy_url": null,
        "terms_of_service_url": null,
        "status_page_url": null,
        "headquarters": null,
        "datacenters": null
      }
    ]
    "#);
}
