//! `[telemetry]`: where traces are sent. What the file leaves out is taken from OpenTelemetry's own
//! variables, so that a gateway is set up like everything beside it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ConfigError;

/// `[telemetry]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// The collector, such as `http://127.0.0.1:4318`, for OTLP over HTTP; `/v1/traces` is added.
    /// Without one nothing is sent.
    pub otlp_endpoint: Option<String>,
    /// Headers that the collector wants; `${NAME}` reads a credential from the environment.
    pub headers: BTreeMap<String, String>,
    /// What the gateway is called there; default `tollgate`.
    pub service_name: Option<String>,
    /// The share of traces that is kept, from 0 to 1, of those that begin here; default 1.
    pub sample_ratio: Option<f64>,
    /// Whether a trace that a client began is kept where, and only where, the client keeps it;
    /// default true.
    pub follow_parent: Option<bool>,
    /// How long traces gather before they are sent, in milliseconds.
    pub delay_ms: u64,
    /// How long the collector may take, in milliseconds.
    pub timeout_ms: u64,
    /// Traces that wait to be sent; one more is dropped.
    pub queue_max: usize,
    /// The collector's whole address, where a variable gave it.
    #[serde(skip)]
    from_environment: Option<String>,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        TelemetryConfig {
            otlp_endpoint: None,
            headers: BTreeMap::new(),
            service_name: None,
            sample_ratio: None,
            follow_parent: None,
            delay_ms: 1_000,
            timeout_ms: 10_000,
            queue_max: 2_048,
            from_environment: None,
        }
    }
}

impl TelemetryConfig {
    /// The address that traces are posted to; none where none are.
    pub fn traces_endpoint(&self) -> Option<String> {
        let named = self.otlp_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty());
        named.map(below).or_else(|| self.from_environment.clone())
    }

    /// What the gateway is called there.
    pub fn service_name(&self) -> &str {
        self.service_name.as_deref().unwrap_or("tollgate")
    }

    /// The share of traces that is kept of those that begin here.
    pub fn sample_ratio(&self) -> f64 {
        self.sample_ratio.unwrap_or(1.0)
    }

    /// Whether a trace that a client began is kept where the client keeps it.
    pub fn follows_parent(&self) -> bool {
        self.follow_parent.unwrap_or(true)
    }

    /// Takes from OpenTelemetry's variables what the file left out.
    pub(super) fn fill(
        &mut self,
        environment: &BTreeMap<String, String>,
        warnings: &mut Vec<String>,
    ) -> Result<(), ConfigError> {
        let variable = |name: &str| {
            environment.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
        };
        if variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"))
            || variable("OTEL_TRACES_EXPORTER") == Some("none")
        {
            self.otlp_endpoint = None;
            return Ok(());
        }
        let whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").map(str::to_owned);
        self.from_environment =
            whole.or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT").map(below));
        if self.service_name.is_none() {
            self.service_name = variable("OTEL_SERVICE_NAME").map(str::to_owned);
        }
        if self.traces_endpoint().is_none() {
            return Ok(());
        }
        let protocol = variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            .or_else(|| variable("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if let Some(protocol) = protocol.filter(|protocol| *protocol != "http/protobuf") {
            warnings.push(format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL={protocol} is not spoken; traces are sent as http/protobuf"
            ));
        }
        if self.sample_ratio.is_none() && self.follow_parent.is_none() {
            self.sampler(variable("OTEL_TRACES_SAMPLER"), variable("OTEL_TRACES_SAMPLER_ARG"))?;
        }
        Ok(())
    }

    fn sampler(&mut self, name: Option<&str>, argument: Option<&str>) -> Result<(), ConfigError> {
        let Some(name) = name else { return Ok(()) };
        let wrong = |problem: &str| ConfigError::in_variable("OTEL_TRACES_SAMPLER", problem);
        let (base, follows) = match name.strip_prefix("parentbased_") {
            Some(base) => (base, true),
            None => (name, false),
        };
        let ratio = match base {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => match argument.map(str::parse::<f64>) {
                None => 1.0,
                Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => ratio,
                Some(_) => return Err(wrong("needs OTEL_TRACES_SAMPLER_ARG from 0 to 1")),
            },
            _ => {
                return Err(wrong(
                    "must be `always_on`, `always_off` or `traceidratio`, with or without \
                     `parentbased_` before it",
                ));
            }
        };
        (self.sample_ratio, self.follow_parent) = (Some(ratio), Some(follows));
        Ok(())
    }

    /// Refuses what could be read and would send nothing.
    pub(super) fn sensible(&self) -> Result<(), ConfigError> {
        if self.sample_ratio.is_some_and(|ratio| !(0.0..=1.0).contains(&ratio)) {
            return Err(ConfigError::invalid("telemetry.sample_ratio", "must be from 0 to 1"));
        }
        if self.queue_max == 0 || self.timeout_ms == 0 {
            let setting =
                if self.queue_max == 0 { "telemetry.queue_max" } else { "telemetry.timeout_ms" };
            return Err(ConfigError::invalid(setting, "must be above 0"));
        }
        let Some(endpoint) = self.traces_endpoint() else { return Ok(()) };
        let parsed = endpoint.parse::<http::Uri>().ok();
        let is_http = parsed.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        });
        if !is_http {
            return Err(ConfigError::invalid(
                "telemetry.otlp_endpoint",
                "must be the address of a collector for OTLP over HTTP, such as \
                 http://127.0.0.1:4318, without a user name; `telemetry.headers` holds credentials",
            ));
        }
        Ok(())
    }
}

/// Where traces go below a collector's base address.
fn below(base: &str) -> String {
    format!("{}/v1/traces", base.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(config: &str, variables: &[(&str, &str)]) -> Result<TelemetryConfig, ConfigError> {
        let mut config: TelemetryConfig = toml::from_str(config).unwrap();
        let variables = variables.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        config.fill(&variables.collect(), &mut Vec::new())?;
        config.sensible()?;
        Ok(config)
    }

    #[test]
    fn nothing_is_sent_unless_a_collector_is_named() {
        assert_eq!(filled("", &[]).unwrap().traces_endpoint(), None);
        let named = r#"otlp_endpoint = "http://c:4318/""#;
        let sent = |config, variables: &[_]| filled(config, variables).unwrap().traces_endpoint();
        assert_eq!(sent(named, &[]).as_deref(), Some("http://c:4318/v1/traces"));
        let general = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://d:4318");
        assert_eq!(sent("", &[general]).as_deref(), Some("http://d:4318/v1/traces"));
        let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://e/in");
        assert_eq!(sent("", &[general, whole]).as_deref(), Some("http://e/in"));
        assert_eq!(sent(named, &[general, whole]).as_deref(), Some("http://c:4318/v1/traces"));
        assert_eq!(sent("", &[general, ("OTEL_SDK_DISABLED", "true")]), None);
        assert_eq!(sent(named, &[("OTEL_TRACES_EXPORTER", "none")]), None);
    }

    #[test]
    fn the_file_goes_before_a_sampler_that_is_named_by_a_variable() {
        let on = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://d:4318");
        let sampling = |config, variables: &[(&str, &str)]| {
            let variables = [&[on], variables].concat();
            let config = filled(config, &variables).unwrap();
            (config.sample_ratio(), config.follows_parent())
        };
        let named = |name| ("OTEL_TRACES_SAMPLER", name);
        let tenth = ("OTEL_TRACES_SAMPLER_ARG", "0.1");
        assert_eq!(sampling("", &[]), (1.0, true));
        assert_eq!(sampling("", &[named("always_on")]), (1.0, false));
        assert_eq!(sampling("", &[named("always_off")]), (0.0, false));
        assert_eq!(sampling("", &[named("traceidratio"), tenth]), (0.1, false));
        assert_eq!(sampling("", &[named("parentbased_traceidratio"), tenth]), (0.1, true));
        assert_eq!(sampling("", &[named("parentbased_always_off")]), (0.0, true));
        assert_eq!(sampling("sample_ratio = 0.5", &[named("always_off")]), (0.5, true));
    }

    #[test]
    fn what_would_send_nothing_is_an_error_that_names_it() {
        let on = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://d:4318");
        for (config, variables, named) in [
            ("otlp_endpoint = \"collector\"", &[][..], "telemetry.otlp_endpoint"),
            ("otlp_endpoint = \"http://a:b@c\"", &[], "telemetry.otlp_endpoint"),
            ("sample_ratio = 1.5", &[], "telemetry.sample_ratio"),
            ("sample_ratio = nan", &[], "telemetry.sample_ratio"),
            ("queue_max = 0", &[], "telemetry.queue_max"),
            ("", &[on, ("OTEL_TRACES_SAMPLER", "some")], "OTEL_TRACES_SAMPLER"),
            (
                "",
                &[on, ("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "2")],
                "OTEL_TRACES_SAMPLER_ARG",
            ),
        ] {
            let error = filled(config, variables).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
