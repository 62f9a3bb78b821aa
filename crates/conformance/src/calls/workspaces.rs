//! Workspaces, their budgets, their members, and the members of the installation.

use client::{Client, CreateWorkspace, Interval, PutBudget, Slice, UpdateWorkspace, Usd};
use serde::Serialize;

use super::{Value, data, deleted, items, no_call, whole};
use crate::given::{Given, filled};

pub(super) async fn workspaces(client: &Client, verb: &str, mut given: Given) -> Value {
    let workspaces = client.workspaces();
    match verb {
        "create" => {
            let workspace = filled!(
                given,
                CreateWorkspace::default(),
                name,
                slug,
                description,
                default_text_model,
                default_provider_sort
            );
            data(workspaces.create(&workspace).await?)
        }
        "list" => {
            let slice = filled!(given, Slice::new(), offset, limit);
            items(workspaces.list_all(slice)).await
        }
        "get" => data(workspaces.get(&given.need::<String>("id")?).await?),
        "update" => {
            let id: String = given.need("id")?;
            let changes = filled!(
                given, UpdateWorkspace::new(), name, slug;
                patch description, default_text_model, default_image_model, default_provider_sort
            );
            data(workspaces.update(&id, &changes).await?)
        }
        "delete" => deleted(workspaces.delete(&given.need::<String>("id")?).await?),
        _ => no_call("workspaces", verb),
    }
}

pub(super) async fn budgets(client: &Client, verb: &str, mut given: Given) -> Value {
    let budgets = client.workspaces().budgets(given.need::<String>("workspace_ref")?);
    if verb == "list" {
        return whole(&budgets.list().await?);
    }
    let interval = Interval::from(given.need::<String>("interval")?.as_str());
    match verb {
        "get" => data(budgets.get(interval).await?),
        "set" => {
            let limit: Usd = given.need("limit_usd")?;
            let budget = filled!(given, PutBudget::new(limit), include_byok_in_budgets);
            data(budgets.put(interval, &budget).await?)
        }
        "delete" => deleted(budgets.delete(interval).await?),
        _ => no_call("budgets", verb),
    }
}

pub(super) async fn members(client: &Client, verb: &str, mut given: Given) -> Value {
    #[derive(Serialize)]
    struct Removed {
        removed_count: u64,
    }
    let members = client.workspaces().members(given.need::<String>("id")?);
    if verb == "list" {
        let slice = filled!(given, Slice::new(), offset, limit);
        return items(members.list_all(slice)).await;
    }
    let users: Vec<String> = given.need("user_ids")?;
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    match verb {
        "add" => whole(&members.add(&users).await?),
        "remove" => whole(&Removed { removed_count: members.remove(&users).await? }),
        _ => no_call("members", verb),
    }
}

pub(super) async fn organization(client: &Client, verb: &str, mut given: Given) -> Value {
    match verb {
        "members" => {
            let slice = filled!(given, Slice::new(), offset, limit);
            items(client.organization().members_all(slice)).await
        }
        _ => no_call("organization", verb),
    }
}
