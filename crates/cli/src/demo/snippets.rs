//! Ready-to-paste lines for the running demo, in the languages that have an SDK for it.

use std::net::SocketAddr;

/// Everything to try, for a server at `address`.
pub(super) fn all(address: SocketAddr, key: &str, management: &str, model: &str) -> String {
    let base = format!("http://{address}/api/v1");
    format!(
        r#"
The demo key's limit is spent until midnight UTC. Raise it, then try it yourself:

curl
  curl -s {base}/key -H "Authorization: Bearer {key}"
  HASH=$(printf %s {key} | sha256sum | cut -d' ' -f1)
  curl -s -X PATCH {base}/keys/$HASH -H "Authorization: Bearer {management}" -d '{{"limit": 1}}'
  curl -s {base}/chat/completions -H "Authorization: Bearer {key}" \
    -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "hello"}}], "max_tokens": 20}}'

Python (pip install openrouter)
  from openrouter import OpenRouter
  with OpenRouter(api_key="{key}", server_url="{base}") as client:
      answer = client.chat.send(model="{model}", messages=[{{"role": "user", "content": "hello"}}], max_tokens=20)
      print(answer.choices[0].message.content, answer.usage.cost)

TypeScript (npm install @openrouter/sdk)
  import {{ OpenRouter }} from "@openrouter/sdk";
  const client = new OpenRouter({{ apiKey: "{key}", serverURL: "{base}" }});
  const answer = await client.chat.send({{ chatRequest: {{ model: "{model}", messages: [{{ role: "user", content: "hello" }}], maxTokens: 20 }} }});
  console.log(answer.choices[0].message.content, answer.usage?.cost);

Go (go get github.com/OpenRouterTeam/go-sdk)
  client := openrouter.New(openrouter.WithServerURL("{base}"), openrouter.WithSecurity("{key}"))
  key, err := client.APIKeys.GetCurrentKeyMetadata(ctx)

Rust (cargo add tollgate tokio --features tokio/full)
  use tollgate::{{ChatRequest, Client, Message}};
  let client = Client::builder().base_url("{base}").api_key("{key}").build()?;
  let request = ChatRequest::new("{model}").message(Message::user("hello")).max_tokens(20);
  let answer = client.chat().send(&request).await?;
  println!("{{}} {{:?}}", answer.text(), answer.cost());
"#
    )
}
