//! Requests by method, route and status: a fixed table, so that nothing a client makes up becomes a
//! label, and counting one is a look at its path and one addition.

use http::{Method, StatusCode};

use super::instrument::Counter;

/// What is not one of a known list.
const OTHER: &str = "other";

/// The paths that are served, as the API's document writes them, the most used first. Below a
/// common start, a literal part comes before one in braces: the first that fits is taken.
const ROUTES: [&str; 47] = [
    "/chat/completions",
    "/activity",
    "/analytics/meta",
    "/analytics/query",
    "/audit-log",
    "/auth/key",
    "/auth/keys",
    "/auth/keys/code",
    "/byok",
    "/byok/{id}",
    "/credits",
    "/embeddings",
    "/embeddings/models",
    "/endpoints/zdr",
    "/generation",
    "/generation/content",
    "/guardrails",
    "/guardrails/assignments/keys",
    "/guardrails/assignments/members",
    "/guardrails/{id}",
    "/guardrails/{id}/assignments/keys",
    "/guardrails/{id}/assignments/keys/remove",
    "/guardrails/{id}/assignments/members",
    "/guardrails/{id}/assignments/members/remove",
    "/health",
    "/key",
    "/keys",
    "/keys/{hash}",
    "/metrics",
    "/model/{author}/{slug}",
    "/models",
    "/models/count",
    "/models/user",
    "/models/{author}/{slug}",
    "/models/{author}/{slug}/endpoints",
    "/models/{id}",
    "/organization/members",
    "/organization/members/{id}",
    "/providers",
    "/ready",
    "/workspaces",
    "/workspaces/{id}",
    "/workspaces/{id}/budgets",
    "/workspaces/{id}/budgets/{interval}",
    "/workspaces/{id}/members",
    "/workspaces/{id}/members/add",
    "/workspaces/{id}/members/remove",
];

const METHODS: [&str; 6] = ["GET", "POST", "PATCH", "PUT", "DELETE", OTHER];

/// Statuses that are answered with; rising.
const STATUSES: [u16; 27] = [
    200, 201, 202, 204, 400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 414, 415, 422, 424, 429,
    431, 499, 500, 501, 502, 503, 504, 529,
];

/// A route that is known, or what is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route(usize);

impl Route {
    /// The route of a path, with or without what the API is served under.
    pub fn of(path: &str) -> Route {
        let below = ["/api/v1", "/v1"].iter().find_map(|prefix| path.strip_prefix(prefix));
        let path = below.filter(|below| below.starts_with('/')).unwrap_or(path);
        let place = ROUTES.iter().position(|route| fits(route, path));
        Route(place.unwrap_or(ROUTES.len()))
    }

    /// Its name: the path below what the API is served under.
    pub fn name(self) -> &'static str {
        ROUTES.get(self.0).copied().unwrap_or(OTHER)
    }

    /// It asks how the gateway is, and says nothing of what it does for anyone.
    pub fn is_probe(self) -> bool {
        matches!(self.name(), "/health" | "/ready" | "/metrics")
    }
}

fn fits(route: &str, path: &str) -> bool {
    if !route.contains('{') {
        return route == path;
    }
    let (mut parts, mut given) = (route.split('/'), path.split('/'));
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part == given => {}
            (Some(part), Some(given)) if part.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

/// How many requests were answered.
#[derive(Debug)]
pub struct Requests {
    counts: Box<[Counter]>,
}

impl Default for Requests {
    fn default() -> Requests {
        let cells = (ROUTES.len() + 1) * METHODS.len() * (STATUSES.len() + 1);
        Requests { counts: (0..cells).map(|_| Counter::default()).collect() }
    }
}

impl Requests {
    /// Counts a request that was answered.
    pub fn answered(&self, method: &Method, route: Route, status: StatusCode) {
        let method = match *method {
            Method::GET | Method::HEAD => 0,
            Method::POST => 1,
            Method::PATCH => 2,
            Method::PUT => 3,
            Method::DELETE => 4,
            _ => 5,
        };
        let status = match status {
            StatusCode::OK => 0,
            status => STATUSES.binary_search(&status.as_u16()).unwrap_or(STATUSES.len()),
        };
        let place = (route.0 * METHODS.len() + method) * (STATUSES.len() + 1) + status;
        if let Some(count) = self.counts.get(place) {
            count.one();
        }
    }

    /// Method, route, status and count of all that there were.
    pub fn look(&self) -> impl Iterator<Item = (&'static str, &'static str, String, u64)> {
        self.counts.iter().map(Counter::get).enumerate().filter(|(_, count)| *count > 0).map(
            |(place, count)| {
                let (rest, status) = (place / (STATUSES.len() + 1), place % (STATUSES.len() + 1));
                let status = STATUSES.get(status).map_or(OTHER.to_owned(), u16::to_string);
                let route = Route(rest / METHODS.len());
                (METHODS[rest % METHODS.len()], route.name(), status, count)
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_route_that_fits_it_best() {
        for (path, route) in [
            ("/api/v1/chat/completions", "/chat/completions"),
            ("/v1/chat/completions", "/chat/completions"),
            ("/api/v1/keys", "/keys"),
            ("/v1/keys/0123", "/keys/{hash}"),
            ("/api/v1/models/count", "/models/count"),
            ("/api/v1/models/gpt", "/models/{id}"),
            ("/api/v1/models/openai/gpt", "/models/{author}/{slug}"),
            ("/api/v1/models/openai/gpt/endpoints", "/models/{author}/{slug}/endpoints"),
            ("/api/v1/guardrails/assignments/keys", "/guardrails/assignments/keys"),
            ("/api/v1/guardrails/x/assignments/keys", "/guardrails/{id}/assignments/keys"),
            ("/health", "/health"),
            ("/", OTHER),
            ("", OTHER),
            ("/v1", OTHER),
            ("/v1chat/completions", OTHER),
            ("/api/v1/keys/a/b", OTHER),
            ("/api/v1/keys/", OTHER),
            ("/api/v1/nowhere", OTHER),
        ] {
            assert_eq!(Route::of(path).name(), route, "{path}");
        }
    }

    #[test]
    fn every_path_of_the_api_is_a_route() {
        let document = include_str!("../../../../docs/openapi.json");
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        let paths = document["paths"].as_object().unwrap().keys();
        let unknown: Vec<_> = paths.filter(|path| Route::of(path).name() != *path).collect();
        assert_eq!(unknown, Vec::<&String>::new());
    }

    #[test]
    fn each_count_is_shown_under_what_it_was_counted_for() {
        let requests = Requests::default();
        let count = |method: Method, path: &str, status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            requests.answered(&method, Route::of(path), status);
        };
        count(Method::POST, "/v1/chat/completions", 200);
        count(Method::POST, "/v1/chat/completions", 200);
        count(Method::POST, "/v1/chat/completions", 529);
        count(Method::HEAD, "/nowhere", 404);
        count(Method::TRACE, "/v1/workspaces/x/members/remove", 418);
        let seen: Vec<_> = requests.look().collect();
        let seen: Vec<_> =
            seen.iter().map(|(m, route, s, count)| format!("{m} {route} {s} {count}")).collect();
        assert_eq!(
            seen,
            [
                "POST /chat/completions 200 2",
                "POST /chat/completions 529 1",
                "other /workspaces/{id}/members/remove other 1",
                "GET other 404 1",
            ]
        );
        assert!(STATUSES.is_sorted() && STATUSES[0] == 200);
    }
}
