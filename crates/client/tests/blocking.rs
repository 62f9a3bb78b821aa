//! The blocking form: the same answers without an async runtime of the caller's.
#![cfg(feature = "blocking")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use tollgate::blocking::Client;
use tollgate::{ChatRequest, Message};

/// A server that answers one request after the other with those bodies.
fn server(answers: Vec<(&'static str, String)>) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (kind, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let head =
                format!("HTTP/1.1 200 x\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    let client = tollgate::Client::builder().base_url(url).api_key("sk-or-v1-test").build();
    Client::from_async(client.unwrap()).unwrap()
}

fn page(hashes: &[&str]) -> (&'static str, String) {
    let key = |hash: &&str| include_str!("key.json").replace("\"h\"", &format!("{hash:?}"));
    let keys: Vec<_> = hashes.iter().map(key).collect();
    ("application/json", format!(r#"{{"data":[{}]}}"#, keys.join(",")))
}

#[test]
fn a_list_is_an_iterator_over_all_pages() {
    let client = server(vec![page(&["a", "b"]), page(&["c"]), page(&[])]);
    let hashes: Vec<String> =
        client.keys().list_all(Default::default()).map(|key| key.unwrap().hash).collect();
    assert_eq!(hashes, ["a", "b", "c"]);
}

#[test]
fn a_streamed_answer_is_an_iterator_over_its_parts() {
    let part = |text| {
        format!(
            "data: {{\"id\":\"g\",\"model\":\"a/b\",\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
        )
    };
    let events = format!("{}{}data: [DONE]\n\n", part("Hel"), part("lo"));
    let client = server(vec![("text/event-stream", events)]);
    let request = ChatRequest::new("a/b").message(Message::user("Hello"));
    let parts = client.chat().stream(&request).unwrap();
    let text: String = parts.map(|part| part.unwrap().text().to_owned()).collect();
    assert_eq!(text, "Hello");
}

#[test]
fn threads_share_a_client() {
    let client = server(vec![page(&["a"]), page(&["b"])]);
    let list = |client: Client| client.keys().list(&Default::default()).unwrap()[0].hash.clone();
    let first = thread::spawn({
        let client = client.clone();
        move || list(client)
    });
    let mut hashes = [list(client), first.join().unwrap()];
    hashes.sort();
    assert_eq!(hashes, ["a", "b"]);
}
