//! Servers by name: the file, where keys are from, and that none stands in it.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use super::Session;
use super::session::url;
use crate::world::World;

const FILE: &str = ".config/tollgate/config.toml";

#[tokio::test]
async fn profiles_are_added_listed_used_and_removed() {
    let me = Session::new();
    let mut told = String::new();
    for line in [
        "profile list",
        "profile add local --url http://127.0.0.1:8787 --key-env ADMIN_KEY",
        "profile add prod --url https://tollgate.example.com/api/v1/ --key-command pass show prod",
        "profile add prod --url https://elsewhere.example.com",
        "profile add b@d --url https://h",
        "profile add bad --url tollgate.example.com",
        "profile use prod",
        "profile use lab",
        "profile list",
        "profile list --json",
        "profile remove local",
        "profile remove prod",
    ] {
        told.push_str(&me.say(line).await);
    }
    assert_snapshot!(told, @r#"
    $ tollgate profile list
    [0]
    ! there are no profiles in HOME/.config/tollgate/config.toml; `tollgate profile add NAME --url URL --key-env VARIABLE` makes one
    $ tollgate profile add local --url http://127.0.0.1:8787 --key-env ADMIN_KEY
    [0]
    added local: http://127.0.0.1:8787/api/v1 (key from variable ADMIN_KEY)
    it is the current profile
    $ tollgate profile add prod --url https://tollgate.example.com/api/v1/ --key-command pass show prod
    [0]
    added prod: https://tollgate.example.com/api/v1 (key from command `pass show prod`)
    $ tollgate profile add prod --url https://elsewhere.example.com
    [1]
    ! tollgate: there is a profile "prod" already; `--force` puts this one in its place, `tollgate profile remove prod` removes it
    $ tollgate profile add b@d --url https://h
    [1]
    ! tollgate: a profile's name is 1 to 64 letters, digits, `-`, `_` and `.`, and not "b@d"
    $ tollgate profile add bad --url tollgate.example.com
    [2]
    ! error: invalid value 'tollgate.example.com' for '--url <URL>': is no whole address, with `https://` or `http://`; it looks like https://tollgate.example.com/api/v1
    !
    ! For more information, try '--help'.
    $ tollgate profile use prod
    [0]
    the current profile is prod (https://tollgate.example.com/api/v1)
    $ tollgate profile use lab
    [1]
    ! tollgate: there is no profile "lab" in HOME/.config/tollgate/config.toml (it has local, prod); `tollgate profile add lab --url URL` makes it
    $ tollgate profile list
    [0]
       NAME   URL                                  KEY
       local  http://127.0.0.1:8787/api/v1         variable ADMIN_KEY
    *  prod   https://tollgate.example.com/api/v1  command `pass show prod`
    $ tollgate profile list --json
    [0]
    [
      {
        "name": "local",
        "is_current": false,
        "url": "http://127.0.0.1:8787/api/v1",
        "key_env": "ADMIN_KEY"
      },
      {
        "name": "prod",
        "is_current": true,
        "url": "https://tollgate.example.com/api/v1",
        "key_command": [
          "pass",
          "show",
          "prod"
        ]
      }
    ]
    $ tollgate profile remove local
    [0]
    removed local
    $ tollgate profile remove prod
    [0]
    removed prod
    "#);
    let file = me.home().join(FILE);
    let mode = std::fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let folder = file.parent().expect("a folder");
    let mode = std::fs::metadata(folder).expect("the folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_key_written_out_in_the_file_is_refused_and_not_shown() {
    let me = Session::new();
    let secret = "sk-or-v1-00000000000000000000000000000000";
    me.file(FILE, &format!("[profiles.prod]\nurl = \"https://h/api/v1\"\nkey = \"{secret}\"\n"));
    let told = me.say("keys list --profile prod").await;
    assert!(!told.contains("0000"), "{told}");
    assert_snapshot!(told, @r#"
    $ tollgate keys list --profile prod
    [1]
    ! tollgate: HOME/.config/tollgate/config.toml: `profiles.prod.key` is the text of a key, and none is kept in this file. Put it into a password manager, the keyring, a file of its own or a variable, and say here where it is: key_command = ["pass", "show", "tollgate"], key_keyring = true, key_file = "FILE" or key_env = "VARIABLE". Who could read this file has seen the key: make another
    "#);
}

#[tokio::test]
async fn a_key_is_from_a_program_a_variable_a_file_or_the_keyring() {
    let world = World::start(&["small"]).await;
    let manager = world.tollgate.management_key();
    let me = Session::new()
        .named(&world.tollgate.address().to_string(), "SERVER")
        .named(&manager[9..12], "abc")
        .named(&manager[manager.len() - 4..], "wxyz")
        .set("ADMIN_KEY", manager);
    me.file("admin.key", &format!("{manager}\n"));
    // What the keyring's own program does, over a file.
    let tool = me.file(
        "bin/secret-tool",
        "#!/bin/sh\ncase \"$1\" in store) cat > \"$HOME/ring.$7\" ;; lookup) cat \"$HOME/ring.$5\" ;; esac\n",
    );
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).expect("a program");
    let path = format!("{}:{}", me.home().join("bin").display(), std::env::var("PATH").unwrap());
    let me = me.set("PATH", &path);
    let mut told = String::new();
    let url = url(&world);
    for (name, option, stdin) in [
        ("program", "--key-command cat admin.key", ""),
        ("variable", "--key-env ADMIN_KEY", ""),
        ("file", "--key-file ~/admin.key", ""),
        ("ring", "--key-keyring", manager),
        ("none", "", ""),
        ("broken", "--key-command false", ""),
        ("unset", "--key-env NOT_SET", ""),
    ] {
        told.push_str(&me.pipe(&format!("profile add {name} --url {url} {option}"), stdin).await);
        told.push_str(&me.say(&format!("profile check {name}")).await);
    }
    assert!(!told.contains(manager), "{told}");
    assert_snapshot!(told, @r#"
    $ tollgate profile add program --url http://SERVER/api/v1 --key-command cat admin.key
    [0]
    added program: http://SERVER/api/v1 (key from command `cat admin.key`)
    it is the current profile
    $ tollgate profile check program
    [0]
    server      http://SERVER/api/v1 (profile "program")
    key from    the command `cat admin.key` of profile "program"
    it is good  management key sk-or-v1-abc...wxyz
    $ tollgate profile add variable --url http://SERVER/api/v1 --key-env ADMIN_KEY
    [0]
    added variable: http://SERVER/api/v1 (key from variable ADMIN_KEY)
    $ tollgate profile check variable
    [0]
    server      http://SERVER/api/v1 (profile "variable")
    key from    the variable ADMIN_KEY of profile "variable"
    it is good  management key sk-or-v1-abc...wxyz
    $ tollgate profile add file --url http://SERVER/api/v1 --key-file ~/admin.key
    [0]
    added file: http://SERVER/api/v1 (key from file ~/admin.key)
    $ tollgate profile check file
    [0]
    server      http://SERVER/api/v1 (profile "file")
    key from    the file ~/admin.key of profile "file"
    it is good  management key sk-or-v1-abc...wxyz
    $ tollgate profile add ring --url http://SERVER/api/v1 --key-keyring
    [0]
    added ring: http://SERVER/api/v1 (key from keyring)
    $ tollgate profile check ring
    [0]
    server      http://SERVER/api/v1 (profile "ring")
    key from    the keyring of profile "ring"
    it is good  management key sk-or-v1-abc...wxyz
    $ tollgate profile add none --url http://SERVER/api/v1
    [0]
    added none: http://SERVER/api/v1 (key from TOLLGATE_API_KEY)
    $ tollgate profile check none
    [1]
    ! tollgate: this needs a key of http://SERVER/api/v1 (from profile "none"), and there is none: set TOLLGATE_API_KEY, or let the profile say where it is: `tollgate profile add none --force --url http://SERVER/api/v1 --key-command PROGRAM …`. `tollgate management-keys create --name NAME` makes one, beside the server
    $ tollgate profile add broken --url http://SERVER/api/v1 --key-command false
    [0]
    added broken: http://SERVER/api/v1 (key from command `false`)
    $ tollgate profile check broken
    [1]
    ! tollgate: profile "broken": no key from command `false`: `false` ended with exit status: 1
    $ tollgate profile add unset --url http://SERVER/api/v1 --key-env NOT_SET
    [0]
    added unset: http://SERVER/api/v1 (key from variable NOT_SET)
    $ tollgate profile check unset
    [1]
    ! tollgate: profile "unset": no key from variable NOT_SET: variable NOT_SET is not set; set it
    "#);
}
