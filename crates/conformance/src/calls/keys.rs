//! Keys, the key in use, and credentials.

use client::{
    Client, CreateByokKey, CreateKey, ListByokKeys, ListKeys, Secret, UpdateByokKey, UpdateKey,
};

use super::{Value, data, deleted, items, no_call, whole};
use crate::given::{Given, filled};

pub(super) async fn keys(client: &Client, verb: &str, mut given: Given) -> Value {
    let keys = client.keys();
    match verb {
        "create" => {
            let key = filled!(
                given,
                CreateKey::default(),
                name,
                limit,
                limit_reset,
                include_byok_in_limit,
                expires_at,
                creator_user_id,
                workspace_id,
                external,
                allowed_models,
                requests_per_minute,
                tokens_per_minute,
                concurrent_requests
            );
            whole(&keys.create(&key).await?)
        }
        "list" => {
            let wanted = filled!(given, ListKeys::new(), offset, include_disabled, workspace_id);
            data(keys.list(&wanted).await?)
        }
        "get" => data(keys.get(&given.need::<String>("hash")?).await?),
        "update" => {
            let hash: String = given.need("hash")?;
            let changes = filled!(
                given, UpdateKey::new(), name, disabled, include_byok_in_limit, workspace_id;
                patch limit, limit_reset, expires_at
            );
            data(keys.update(&hash, &changes).await?)
        }
        "delete" => deleted(keys.delete(&given.need::<String>("hash")?).await?),
        _ => no_call("keys", verb),
    }
}

pub(super) async fn key(client: &Client, given: Given) -> Value {
    given.used_up()?;
    data(client.key().current().await?)
}

pub(super) async fn byok(client: &Client, verb: &str, mut given: Given) -> Value {
    let byok = client.byok();
    match verb {
        "create" => {
            let (provider, key): (String, Secret) = (given.need("provider")?, given.need("key")?);
            let credential = filled!(
                given, CreateByokKey::new(provider, key), name, disabled, is_fallback, is_required,
                is_byok_only, sort_order, allowed_models, allowed_api_key_hashes, allowed_user_ids,
                declared_region, declared_zdr;
                patch workspace_id
            );
            data(byok.create(&credential).await?)
        }
        "list" => {
            let wanted = filled!(given, ListByokKeys::new(), offset, limit, provider, workspace_id);
            items(byok.list_all(wanted)).await
        }
        "get" => data(byok.get(&given.need::<String>("id")?).await?),
        "update" => {
            let id: String = given.need("id")?;
            let changes = filled!(
                given, UpdateByokKey::new(), key, disabled, is_fallback, is_required, is_byok_only,
                sort_order;
                patch name, allowed_models, allowed_api_key_hashes, allowed_user_ids,
                declared_region, declared_zdr
            );
            data(byok.update(&id, &changes).await?)
        }
        "delete" => deleted(byok.delete(&given.need::<String>("id")?).await?),
        _ => no_call("byok", verb),
    }
}
