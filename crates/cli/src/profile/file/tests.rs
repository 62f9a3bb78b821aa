use super::*;

fn read(text: &str) -> Result<Profiles> {
    Profiles::parse(PathBuf::from("/nowhere/config.toml"), text)
}

/// Why a file is refused.
fn why(text: &str) -> String {
    read(text).err().map_or_else(|| panic!("{text} is not refused"), |error| error.to_string())
}

#[test]
fn a_profile_comes_back_as_it_was_put_in_and_comments_stay() {
    let text = "# mine\ncurrent = \"a\"\n\n[profiles.a] # the first\nurl = \"http://h/api/v1\"\n";
    let mut profiles = read(text).unwrap();
    let sources = [
        None,
        Some(Source::Command(vec!["pass".to_owned(), "show".to_owned(), "it".to_owned()])),
        Some(Source::Variable("PROD_KEY".to_owned())),
        Some(Source::File("~/key".into())),
        Some(Source::Keyring),
    ];
    for source in sources {
        let profile = Profile::new("https://h/api/v1".to_owned(), None, source.clone());
        profiles.put("b", &profile).unwrap();
        assert_eq!(profiles.get("b").unwrap(), &profile);
        assert_eq!(profiles.get("b").unwrap().source(), source);
    }
    let written = profiles.document.to_string();
    assert!(written.starts_with(text), "{written}");
    assert_eq!(profiles.names().collect::<Vec<_>>(), ["a", "b"]);
    profiles.remove("a").unwrap();
    assert_eq!(profiles.current(), None);
}

#[test]
fn the_text_of_a_key_is_refused_wherever_it_stands_and_never_shown() {
    let text = "sk-or-v1-0123456789abcdef";
    for line in [
        format!("key = \"{text}\""),
        format!("api_key = \"{text}\""),
        format!("url = \"{text}\""),
        format!("key_command = [\"echo\", \"{text}\"]"),
        "token = \"another-kind\"".to_owned(),
    ] {
        let why = why(&format!("[profiles.a]\n{line}\n"));
        assert!(why.contains("is the text of a key") && why.contains("key_command"), "{why}");
        assert!(!why.contains("0123456789"), "{why}");
    }
    // A line that is no TOML is not shown either.
    let why = why(&format!("[profiles.a]\nkey = {text}\n"));
    assert!(why.starts_with("line 2: ") && !why.contains("0123456789"), "{why}");
}

#[test]
fn a_file_that_says_something_unknown_or_twice_is_refused_by_name() {
    let unknown = why("[profiles.a]\nurl = \"http://h\"\nkey_program = \"x\"\n");
    assert!(unknown.contains("unknown field `key_program`"), "{unknown}");
    let twice = why("[profiles.a]\nurl = \"http://h\"\nkey_env = \"A\"\nkey_keyring = true\n");
    assert!(twice.contains("in several ways"), "{twice}");
    let nowhere = why("[profiles.a]\nurl = \"h\"\n");
    assert!(nowhere.contains("profile \"a\": `url` is no whole address"), "{nowhere}");
}

#[test]
fn an_address_gets_the_path_of_the_api_and_no_slash_at_its_end() {
    for (given, kept) in [
        ("http://127.0.0.1:8787", Ok("http://127.0.0.1:8787/api/v1")),
        ("https://h/", Ok("https://h/api/v1")),
        ("https://h/gateway/v1/", Ok("https://h/gateway/v1")),
        ("ftp://h", Err("must begin with")),
        ("h:8787", Err("is no whole address")),
        ("https://user:word@h", Err("has a user or a password")),
        ("https://h/api?x=1", Err("has a query")),
    ] {
        match (checked_url(given), kept) {
            (Ok(url), Ok(kept)) => assert_eq!(url, kept),
            (Err(why), Err(part)) => assert!(why.contains(part), "{given}: {why}"),
            (got, _) => panic!("{given}: {got:?}"),
        }
    }
}
