//! The configuration file of a test's process: what the test says and what the harness adds.
//! Merged as tables, so that a test may have a `[server]` or a `[store]` of its own.

use std::net::SocketAddr;

use toml::{Table, Value};

/// The test's TOML with the address to listen on, and the embedded store where it names none.
pub(super) fn complete(text: &str, listen: SocketAddr) -> String {
    let mut config: Table =
        text.parse().unwrap_or_else(|error| panic!("the configuration is not TOML: {error}"));
    section(&mut config, "server").insert("listen".to_owned(), listen.to_string().into());
    section(&mut config, "store").entry("url").or_insert_with(|| Value::from("sqlite:tollgate.db"));
    config.to_string()
}

fn section<'a>(config: &'a mut Table, name: &str) -> &'a mut Table {
    let section = config.entry(name).or_insert_with(|| Value::Table(Table::new()));
    section.as_table_mut().unwrap_or_else(|| panic!("{name} is not a table"))
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn the_harness_adds_to_a_section_without_taking_from_it() {
        let listen = "127.0.0.1:9".parse().expect("an address");
        let text = complete("[server]\nlisten = \"0.0.0.0:1\"\nworkers = 2\n", listen);
        let config: toml::Table = text.parse().expect("TOML");
        assert_eq!(config["server"]["listen"].as_str(), Some("127.0.0.1:9"));
        assert_eq!(config["server"]["workers"].as_integer(), Some(2));
        assert_eq!(config["store"]["url"].as_str(), Some("sqlite:tollgate.db"));
        let own = complete("[store]\nurl = \"postgres://x\"\n", listen);
        assert!(own.contains("postgres://x") && !own.contains("sqlite"));
    }
}
