//! Every answer's type beside its schema in `docs/openapi.json`: no member may be in one and not in
//! the other without a reason given here, and no reason may be without such a member.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::source::{Field, Item, Kind, items};

/// The type that reads the answer of each operation.
const ANSWERS: &[(&str, &str)] = &[
    ("GET /activity", "Data<Vec<ActivityItem>>"),
    ("GET /audit-log", "Page<AuditEvent>"),
    ("GET /byok", "Page<ByokKey>"),
    ("POST /byok", "Data<ByokKey>"),
    ("DELETE /byok/{id}", "Deleted"),
    ("GET /byok/{id}", "Data<ByokKey>"),
    ("PATCH /byok/{id}", "Data<ByokKey>"),
    ("POST /chat/completions", "ChatCompletion"),
    ("POST /chat/completions text/event-stream", "Event<ChatChunk>"),
    ("GET /credits", "Data<Credits>"),
    ("POST /embeddings", "Embeddings"),
    ("GET /embeddings/models", "Page<Model>"),
    ("GET /endpoints/zdr", "Data<Vec<Endpoint>>"),
    ("GET /generation", "Data<Generation>"),
    ("GET /generation/content", "Data<Value>"),
    ("GET /key", "Data<CurrentKey>"),
    ("GET /keys", "Data<Vec<GetKeyData>>"),
    ("POST /keys", "CreatedKey"),
    ("DELETE /keys/{hash}", "Deleted"),
    ("GET /keys/{hash}", "Data<GetKeyData>"),
    ("PATCH /keys/{hash}", "Data<GetKeyData>"),
    ("GET /model/{author}/{slug}", "Data<Model>"),
    ("GET /models", "Page<Model>"),
    ("GET /models/count", "Data<Count>"),
    ("GET /models/user", "Page<Model>"),
    ("GET /models/{author}/{slug}/endpoints", "Data<ModelEndpoints>"),
    ("GET /organization/members", "Page<OrganizationMember>"),
    ("POST /organization/members", "Data<OrganizationMember>"),
    ("DELETE /organization/members/{id}", "Deleted"),
    ("GET /providers", "Data<Vec<Provider>>"),
    ("GET /workspaces", "Page<Workspace>"),
    ("POST /workspaces", "Data<Workspace>"),
    ("DELETE /workspaces/{id}", "Deleted"),
    ("GET /workspaces/{id}", "Data<Workspace>"),
    ("PATCH /workspaces/{id}", "Data<Workspace>"),
    ("GET /workspaces/{id}/budgets", "WorkspaceBudgets"),
    ("DELETE /workspaces/{id}/budgets/{interval}", "Deleted"),
    ("GET /workspaces/{id}/budgets/{interval}", "Data<WorkspaceBudget>"),
    ("PUT /workspaces/{id}/budgets/{interval}", "Data<WorkspaceBudget>"),
    ("GET /workspaces/{id}/members", "Page<WorkspaceMember>"),
    ("POST /workspaces/{id}/members/add", "MembersAdded"),
    ("POST /workspaces/{id}/members/remove", "MembersRemoved"),
];

/// Paths whose operations are described and not served.
const NOT_SERVED: &[&str] = &["/analytics", "/auth/keys", "/guardrails"];

/// Answers that nothing here reads.
const NOT_READ: &[(&str, &str)] = &[
    ("GET /models application/rss+xml", "a feed, for feed readers"),
    ("POST /embeddings text/event-stream", "embeddings are not streamed"),
];

/// Members of a schema that no field stands for.
const LEFT_OUT: &[(&str, &str)] = &[
    ("ChatChunk.error", "an `Error` as the stream's item"),
    ("ChatChunk.object", "always the same"),
    ("ChatCompletion.object", "always the same"),
    ("Data.include_byok_in_budgets", "of all budgets: `WorkspaceBudgets` has it"),
    ("Embedding.object", "always the same"),
    ("Embeddings.object", "always the same"),
    ("Page.links", "the next page is known by its offset"),
];

/// Fields that no schema has.
const ADDED: &[(&str, &str)] = &[
    ("ChatChoice.native_finish_reason", "sent, and not in the document"),
    ("ChatStreamChoice.native_finish_reason", "sent, and not in the document"),
    ("CompletionTokensDetails.image_tokens", "sent where images are made, and not in the document"),
    ("Embeddings.provider", "sent, and not in the document"),
    ("Message.tool_call_id", "of requests, which have this type too"),
    ("Model.owned_by", "sent as OpenAI's API has it, and not in the document"),
];

/// Types that are read, but of no answer.
const NO_ANSWER: &[(&str, &str)] = &[
    ("CreateKey", "a request, which may be kept in a file"),
    ("External", "a part of one"),
    ("Interval", "a part of paths"),
    ("ProviderPreferences", "a part of requests"),
];

/// What one walk through all answers comes to.
struct Walk<'a> {
    document: &'a Value,
    items: &'a [Item],
    /// Members without a field, and words without a variant.
    missing: BTreeSet<String>,
    /// The members that a schema has of each type.
    known: BTreeMap<&'a str, BTreeSet<String>>,
    /// Where it is in a schema that contains itself.
    inside: Vec<(String, String)>,
}

impl<'a> Walk<'a> {
    /// The schema's alternatives, each without its `$ref`, those of `allOf` among them.
    fn alternatives(&self, schema: &'a Value) -> Vec<&'a Value> {
        let mut all = vec![schema];
        if let Some(path) = schema["$ref"].as_str() {
            let target = self.document.pointer(path.trim_start_matches('#')).unwrap();
            all.extend(self.alternatives(target));
        }
        for of in ["allOf", "anyOf", "oneOf"] {
            for one in schema[of].as_array().into_iter().flatten() {
                all.extend(self.alternatives(one));
            }
        }
        all
    }

    /// What is in lists, where it is a list.
    fn elements(&self, schema: &'a Value) -> Vec<&'a Value> {
        let lists = self.alternatives(schema).into_iter().map(|one| &one["items"]);
        lists.filter(|items| items.is_object()).collect()
    }

    fn compare(&mut self, schema: &'a Value, type_text: &str) {
        if let Some(element) = within(type_text, "Vec") {
            self.elements(schema).into_iter().for_each(|items| self.compare(items, element));
        } else if let Some(value) = within(type_text, "Option").or(within(type_text, "Box")) {
            self.compare(schema, value);
        } else if let Some(data) = within(type_text, "Data").or(within(type_text, "Event")) {
            self.members(schema, type_text.split('<').next().unwrap(), &[("data", data)]);
        } else if let Some(element) = within(type_text, "Page") {
            let data = format!("Vec<{element}>");
            self.members(schema, "Page", &[("data", &data), ("total_count", "Option<u64>")]);
        } else if let Some((name, fields)) = envelope(type_text) {
            self.members(schema, name, fields);
        } else if let Some(item) = self.items.iter().find(|item| item.name == type_text) {
            self.item(schema, item);
        }
    }

    fn item(&mut self, schema: &'a Value, item: &'a Item) {
        let here = (item.name.clone(), schema.to_string());
        if self.inside.contains(&here) {
            return;
        }
        self.inside.push(here);
        self.known.entry(&item.name).or_default();
        match &item.kind {
            Kind::Fields(fields) => {
                let named = |field: &'a Field| {
                    field.wire.as_deref().map(|wire| (wire, field.type_text.as_str()))
                };
                let fields: Vec<_> = fields.iter().filter_map(named).collect();
                self.members(schema, &item.name, &fields);
            }
            Kind::Words(words) => {
                for one in self.alternatives(schema) {
                    let allowed = one["enum"].as_array().into_iter().flatten();
                    for word in allowed.filter_map(Value::as_str) {
                        if !words.iter().any(|known| known.wire == word) {
                            self.missing.insert(format!("{}: {word}", item.name));
                        }
                    }
                }
            }
        }
        self.inside.pop();
    }

    /// Each member of an object beside the field of its name.
    fn members(&mut self, schema: &'a Value, name: &str, fields: &[(&str, &str)]) {
        for one in self.alternatives(schema) {
            for (member, schema) in one["properties"].as_object().into_iter().flatten() {
                if let Some(known) = self.known.get_mut(name) {
                    known.insert(member.clone());
                }
                match fields.iter().find(|(field, _)| field == member) {
                    Some((_, type_text)) => self.compare(schema, type_text),
                    None => {
                        self.missing.insert(format!("{name}.{member}"));
                    }
                }
            }
        }
    }
}

/// The answers that have no type of their own to be seen.
fn envelope(name: &str) -> Option<(&str, &'static [(&'static str, &'static str)])> {
    let fields: &[_] = match name {
        "Deleted" => &[("deleted", "bool")],
        "Count" => &[("count", "u64")],
        "MembersRemoved" => &[("removed_count", "u64")],
        _ => return None,
    };
    Some((name, fields))
}

fn within<'a>(type_text: &'a str, outer: &str) -> Option<&'a str> {
    type_text.strip_prefix(outer)?.strip_prefix('<')?.strip_suffix('>')
}

/// The operations of the document by name, each with the schema of its answer.
fn answers(document: &Value) -> BTreeMap<String, &Value> {
    let mut answers = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let all = operation["responses"].as_object().into_iter().flatten();
            let good = all.filter(|(status, _)| status.starts_with('2'));
            for (kind, content) in good.flat_map(|(_, good)| good["content"].as_object()).flatten()
            {
                let name = format!("{} {path} {kind}", method.to_uppercase());
                let name = name.trim_end_matches(" application/json").to_owned();
                answers.insert(name, &content["schema"]);
            }
        }
    }
    answers
}

/// `found` is what `reasons` are for, neither more nor less.
fn assert_reasons(what: &str, found: &BTreeSet<String>, reasons: &[(&str, &str)]) {
    let excused: BTreeSet<String> = reasons.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unexcused: Vec<_> = found.difference(&excused).collect();
    assert!(unexcused.is_empty(), "{what}: {unexcused:#?}");
    let stale: Vec<_> = excused.difference(found).collect();
    assert!(stale.is_empty(), "{what}: it is said why, but these are not: {stale:#?}");
}

#[test]
fn every_member_of_every_answer_is_a_field_and_every_field_a_member() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (answers, items) = (answers(&document), items());
    let mut walk = Walk {
        document: &document,
        items: &items,
        missing: BTreeSet::new(),
        known: BTreeMap::new(),
        inside: Vec::new(),
    };
    for (operation, type_text) in ANSWERS {
        let schema = answers.get(*operation).unwrap_or_else(|| panic!("no {operation}"));
        walk.compare(schema, type_text);
    }
    let is_read = |name: &str| ANSWERS.iter().any(|(operation, _)| *operation == name);
    let is_served = |name: &str| !NOT_SERVED.iter().any(|path| name.contains(path));
    let unread = answers.keys().filter(|name| !is_read(name) && is_served(name));
    let unread: BTreeSet<String> = unread.cloned().collect();
    assert_reasons("answers that nothing reads", &unread, NOT_READ);

    let mut added = BTreeSet::new();
    let mut unasked = BTreeSet::new();
    for item in items.iter().filter(|item| item.is_read && item.name != "Page") {
        let Some(known) = walk.known.get(item.name.as_str()) else {
            unasked.insert(item.name.clone());
            continue;
        };
        let Kind::Fields(fields) = &item.kind else { continue };
        let wires = fields.iter().filter_map(|field| field.wire.as_ref());
        let unknown = wires.filter(|wire| !known.contains(*wire));
        added.extend(unknown.map(|wire| format!("{}.{wire}", item.name)));
    }
    assert_reasons("members that have no field", &walk.missing, LEFT_OUT);
    assert_reasons("fields that no schema has", &added, ADDED);
    assert_reasons("types of no answer", &unasked, NO_ANSWER);
}
