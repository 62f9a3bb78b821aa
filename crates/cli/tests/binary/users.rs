//! `tollgate users`: who keys are made for, beside a server and without one.

use serde_json::{Value, json};

use crate::world::{Form, World, said};

#[tokio::test]
async fn users_come_and_go_beside_a_server_and_without_one() {
    let mut world = World::with(
        &["small"],
        "[[users]]\nid = \"ada\"\nemail = \"ada@example.com\"\nrole = \"org:admin\"",
        |builder| builder,
    )
    .await;
    let add = ["users", "add", "--id", "bob", "--email", "bob@example.com", "--first-name", "Bob"];
    assert_eq!(world.command(&add).await, "added bob\n");
    let key = world.key(json!({ "creator_user_id": "bob" })).await;
    assert_eq!(world.ask(&key, "small", Form::Json, None).await.expect("an answer").status, 200);
    let taken = world.tollgate.run(add).await;
    assert_eq!(taken.status.code(), Some(1), "{}", said(&taken));
    assert!(said(&taken).contains("`id` is that of another user"), "{}", said(&taken));
    let owner = world.tollgate.run(["users", "remove", "bob"]).await;
    assert!(said(&owner).contains("owns keys"), "{}", said(&owner));
    world.tollgate.kill9();
    // Without a server the command opens the book itself.
    world.command(&["users", "add", "--id", "eve", "--email", "eve@example.com", "--admin"]).await;
    let configured = world.tollgate.run(["users", "remove", "ada"]).await;
    assert!(said(&configured).contains("is in the configuration"), "{}", said(&configured));
    world.tollgate.restart().await;
    let listed: Value =
        serde_json::from_str(&world.command(&["users", "list", "--json"]).await).expect("a list");
    let shown = |user: &Value| {
        ["id", "role", "origin"].map(|name| user[name].as_str().expect("a text").to_owned())
    };
    assert_eq!(
        listed.as_array().expect("a list").iter().map(shown).collect::<Vec<_>>(),
        [
            ["operator", "org:admin", "operator"],
            ["ada", "org:admin", "configured"],
            ["bob", "org:member", "added"],
            ["eve", "org:admin", "added"],
        ]
    );
    assert_eq!(world.command(&["users", "remove", "eve"]).await, "removed eve\n");
    assert!(!world.command(&["users", "list"]).await.contains("eve@example.com"));
    world.audit().await;
}
