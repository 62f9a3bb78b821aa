use super::*;

const PROFILES: &str = "current = \"prod\"\n\
    [profiles.prod]\nurl = \"https://prod/api/v1\"\nkey_env = \"PROD_KEY\"\n\
    [profiles.open]\nurl = \"https://openrouter.ai/api/v1\"\nmodel = \"a/b\"\n\
    [profiles.bare]\nurl = \"http://bare/api/v1\"\n";

/// A folder with those profiles and that configuration of a server.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn with(profiles: Option<&str>, config: Option<&str>) -> Place {
        let folder = tempfile::tempdir().unwrap();
        if let Some(profiles) = profiles {
            std::fs::create_dir(folder.path().join("tollgate")).unwrap();
            std::fs::write(folder.path().join("tollgate/config.toml"), profiles).unwrap();
        }
        if let Some(config) = config {
            std::fs::write(folder.path().join("tollgate.toml"), config).unwrap();
        }
        Place { folder }
    }

    /// Who is asked, as one line: the address, what names it and where the key is from.
    fn ask(
        &self,
        (url, profile): (Option<&str>, Option<&str>),
        variables: &[(&str, &str)],
        need: Need,
    ) -> Result<String> {
        let remote = Remote {
            url: url.map(str::to_owned),
            profile: profile.map(str::to_owned),
            ..Remote::default()
        };
        let home = self.folder.path().to_str().unwrap();
        let config = format!("{home}/tollgate.toml");
        let variables =
            variables.iter().copied().chain([("XDG_CONFIG_HOME", home), (CONFIG, &config)]);
        let variables: BTreeMap<String, String> =
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let server = remote.server(&variables, need)?;
        let told = format!("{} by {}, key from {}", server.url, server.named, server.key_origin());
        Ok(told.replace(home, "HOME"))
    }
}

const NOTHING: (Option<&str>, Option<&str>) = (None, None);

#[test]
fn arguments_go_before_variables_before_the_current_profile_before_the_local_server() {
    let place = Place::with(Some(PROFILES), Some(""));
    let ask = |given, variables: &[_]| place.ask(given, variables, Need::Management).unwrap();
    let both = [(URL, "http://variable"), (API_KEY, "a-key")];
    assert_eq!(
        ask((Some("http://argument/api/v1"), None), &both),
        "http://argument/api/v1 by --url, key from TOLLGATE_API_KEY"
    );
    assert_eq!(
        ask((None, Some("bare")), &both),
        "http://bare/api/v1 by profile \"bare\", key from TOLLGATE_API_KEY"
    );
    assert_eq!(
        ask(NOTHING, &both),
        "http://variable/api/v1 by TOLLGATE_URL, key from TOLLGATE_API_KEY"
    );
    assert_eq!(
        ask(NOTHING, &[(PROFILE, "bare")]),
        "http://bare/api/v1 by profile \"bare\", key from nowhere"
    );
    assert_eq!(
        ask(NOTHING, &[]),
        "https://prod/api/v1 by profile \"prod\", key from the variable PROD_KEY of profile \"prod\""
    );
    let local = Place::with(None, Some(""));
    assert_eq!(
        local.ask(NOTHING, &[(API_KEY, "a-key")], Need::Any).unwrap(),
        "http://127.0.0.1:8787/api/v1 by HOME/tollgate.toml, key from TOLLGATE_API_KEY"
    );
}

#[test]
fn a_profile_named_in_the_arguments_keeps_its_own_key_and_the_environments_goes_before_others() {
    let place = Place::with(Some(PROFILES), None);
    let key = [(API_KEY, "a-key")];
    let ask = |given, variables: &[_]| place.ask(given, variables, Need::Any).unwrap();
    assert!(ask((None, Some("prod")), &key).ends_with("the variable PROD_KEY of profile \"prod\""));
    assert!(ask(NOTHING, &key).ends_with("key from TOLLGATE_API_KEY"));
    assert!(ask(NOTHING, &[(PROFILE, "prod"), key[0]]).ends_with("key from TOLLGATE_API_KEY"));
}

#[test]
fn a_configuration_named_in_the_arguments_goes_before_profiles_and_variables() {
    let place = Place::with(Some(PROFILES), Some("[server]\nlisten = \"127.0.0.1:9000\"\n"));
    let file = place.folder.path().join("tollgate.toml");
    let home = place.folder.path().display().to_string();
    let variables = BTreeMap::from(
        [("XDG_CONFIG_HOME", home.as_str()), (URL, "http://h"), (MANAGEMENT_KEY, "a-key")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let remote = Remote { config: Some(file), ..Remote::default() };
    let server = remote.server(&variables, Need::Any).unwrap();
    assert_eq!(server.url, "http://127.0.0.1:9000/api/v1");
    assert_eq!(server.key, KeyFrom::Variable(MANAGEMENT_KEY.to_owned()));
    let missing = Remote { config: Some("nowhere.toml".into()), ..Remote::default() };
    let why = missing.server(&variables, Need::Any).unwrap_err().to_string();
    assert_eq!(why, "there is no nowhere.toml");
}

#[test]
fn openrouters_own_variable_serves_openrouter_alone() {
    let place = Place::with(Some(PROFILES), Some(""));
    let variables = [(OPENROUTER_KEY, "a-key")];
    let ask = |given| place.ask(given, &variables, Need::Any).unwrap();
    assert!(ask((None, Some("open"))).ends_with("key from OPENROUTER_API_KEY"));
    assert!(ask((Some("https://openrouter.ai/api/v1"), None)).ends_with("OPENROUTER_API_KEY"));
    assert!(ask((Some("https://eu.openrouter.ai/api/v1"), None)).ends_with("OPENROUTER_API_KEY"));
    assert!(ask((Some("https://notopenrouter.ai/api/v1"), None)).ends_with("key from nowhere"));
    assert!(ask((None, Some("bare"))).ends_with("key from nowhere"));
}

#[test]
fn the_local_servers_management_key_serves_it_alone_and_never_for_inference() {
    let variables = [(MANAGEMENT_KEY, "a-key")];
    let local = Place::with(None, Some("[server]\nlisten = \"0.0.0.0:9000\"\n"));
    let ask = |place: &Place, need| place.ask(NOTHING, &variables, need).unwrap();
    assert_eq!(
        ask(&local, Need::Management),
        "http://127.0.0.1:9000/api/v1 by HOME/tollgate.toml, key from TOLLGATE_MANAGEMENT_KEY"
    );
    assert!(ask(&local, Need::Inference).ends_with("key from nowhere"));
    let profiles = Place::with(Some("current = \"a\"\n[profiles.a]\nurl = \"http://a\"\n"), None);
    assert!(ask(&profiles, Need::Management).ends_with("key from nowhere"));
}

#[test]
fn what_names_no_server_or_two_is_refused_with_what_was_tried() {
    let why = |place: &Place, variables: &[_]| {
        place.ask(NOTHING, variables, Need::Any).expect_err("a refusal").to_string()
    };
    let nothing = Place::with(None, None);
    let told = why(&nothing, &[]);
    for tried in ["--url or TOLLGATE_URL", "--profile or TOLLGATE_PROFILE", "tollgate/config.toml"]
    {
        assert!(told.contains(tried), "{told}");
    }
    let two = why(&nothing, &[(URL, "http://a"), (PROFILE, "b")]);
    assert!(two.contains("both TOLLGATE_URL and TOLLGATE_PROFILE"), "{two}");
    let unknown = why(&Place::with(Some(PROFILES), None), &[(PROFILE, "b")]);
    assert!(
        unknown.contains("no profile \"b\"") && unknown.contains("bare, open, prod"),
        "{unknown}"
    );
    let wrong = why(&Place::with(None, Some("[server]\nlisten = \"here\"\n")), &[]);
    assert!(wrong.contains("tollgate.toml"), "{wrong}");
}

#[test]
fn variables_move_the_local_server_as_they_do_for_the_server_itself() {
    let variables =
        BTreeMap::from([("TOLLGATE_SERVER__LISTEN".to_owned(), "[::]:9001".to_owned())]);
    let text = "[server]\nlisten = \"127.0.0.1:1\"\nadmin_listen = \"127.0.0.1:2\"\n";
    let local = addresses(text, &variables).unwrap();
    assert_eq!(local.listen, "[::1]:9001".parse().unwrap());
    assert_eq!(local.admin, Some("127.0.0.1:2".parse().unwrap()));
}
