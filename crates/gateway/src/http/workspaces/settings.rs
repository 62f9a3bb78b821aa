//! The settings of a workspace, as made and as changed.
//! What the requests ask for is checked against what there is here; nothing is half-made.

use api::Invalid;
use api::workspaces::{CreateWorkspace, Share, UpdateWorkspace, WorkspaceSettings};
use store::{DEFAULT_WORKSPACE, ManagementKey, WorkspaceRecord};
use upstream::Surface;

use crate::catalogue::Catalogue;
use crate::core::Core;
use crate::entropy;
use crate::http::error::{ApiError, ApiResult};
use crate::routing::{Terms, resolve};
use crate::workspaces::bare;

/// A new workspace as it was asked for.
pub(super) fn of_new(
    core: &Core,
    wanted: &CreateWorkspace,
    manager: &ManagementKey,
) -> ApiResult<WorkspaceRecord> {
    let id = uuid::Builder::from_random_bytes(entropy::bytes(&*core.entropy)).into_uuid();
    let mut record = bare(id, &wanted.slug, &wanted.name, core.clock.now());
    record.created_by = Some(manager.name.clone());
    set(core, &mut record, &wanted.settings)?;
    is_free(core, &record)?;
    Ok(record)
}

/// A workspace's settings with the changes made.
pub(super) fn edited(
    core: &Core,
    before: &WorkspaceRecord,
    wanted: &UpdateWorkspace,
) -> ApiResult<WorkspaceRecord> {
    let mut record = WorkspaceRecord { updated_at: Some(core.clock.now()), ..before.clone() };
    if let Some(name) = &wanted.name {
        record.name.clone_from(name);
    }
    if let Some(slug) = &wanted.slug {
        if record.id == DEFAULT_WORKSPACE && *slug != record.slug {
            let problem = "is the default workspace's, which is always the same";
            return Err(Invalid::new("slug", problem, format!("`{}`", record.slug)).into());
        }
        record.slug.clone_from(slug);
    }
    set(core, &mut record, &wanted.settings)?;
    is_free(core, &record)?;
    Ok(record)
}

/// The refusal of a slug that another workspace has.
pub(super) fn slug_taken(slug: &str) -> ApiError {
    let problem = format!("is taken: a workspace has the slug `{slug}`");
    Invalid::new("slug", problem, "a slug that no other workspace has").into()
}

/// The refusal to delete the default workspace.
pub(super) fn is_default() -> ApiError {
    ApiError::forbidden("The default workspace can't be deleted")
}

fn set(core: &Core, record: &mut WorkspaceRecord, wanted: &WorkspaceSettings) -> ApiResult<()> {
    if let Some(Some(model)) = &wanted.default_text_model
        && record.default_text_model.as_ref() != Some(model)
    {
        is_text_model(&core.catalogue(), model)?;
    }
    let sort = wanted.default_provider_sort.map(|sort| sort.map(|by| by.as_str().to_owned()));
    replace(&mut record.description, wanted.description.as_ref());
    replace(&mut record.default_text_model, wanted.default_text_model.as_ref());
    replace(&mut record.default_image_model, wanted.default_image_model.as_ref());
    replace(&mut record.default_provider_sort, sort.as_ref());
    replace(
        &mut record.is_observability_io_logging_enabled,
        wanted.is_observability_io_logging_enabled.as_ref(),
    );
    replace(
        &mut record.is_observability_broadcast_enabled,
        wanted.is_observability_broadcast_enabled.as_ref(),
    );
    replace(
        &mut record.is_data_discount_logging_enabled,
        wanted.is_data_discount_logging_enabled.as_ref(),
    );
    replace(
        &mut record.io_logging_sampling_millionths,
        wanted.io_logging_sampling_rate.map(Share::millionths).as_ref(),
    );
    replace(&mut record.io_logging_api_key_ids, wanted.io_logging_api_key_ids.as_ref());
    replace(&mut record.disabled_server_tools, wanted.disabled_server_tools.as_ref());
    Ok(())
}

fn replace<T: Clone>(setting: &mut T, wanted: Option<&T>) {
    if let Some(wanted) = wanted {
        setting.clone_from(wanted);
    }
}

/// Refuses a slug that another workspace has, before anything waits for the writer. The store has
/// the last word.
fn is_free(core: &Core, record: &WorkspaceRecord) -> ApiResult<()> {
    match core.directory.workspaces().of_slug(&record.slug) {
        Some(other) if other.record().id != record.id => Err(slug_taken(&record.slug)),
        _ => Ok(()),
    }
}

/// Refuses what no chat could be for: requests that name no model would all fail.
fn is_text_model(catalogue: &Catalogue, id: &str) -> ApiResult<()> {
    let terms = Terms { surface: Surface::Chat, allows: &|_| true };
    if resolve(catalogue, std::iter::once(id), &terms).is_ok() {
        return Ok(());
    }
    let names = catalogue.models.iter().map(|model| model.config.id.as_str());
    let nearest = names.min_by_key(|name| strsim::damerau_levenshtein(id, name));
    let hint = nearest.map(|name| format!("; the nearest is `{name}`")).unwrap_or_default();
    let shown: String = id.chars().flat_map(char::escape_debug).collect();
    let problem = format!("means no model for chats: {shown}");
    let allowed = format!("the id of a configured model, or null{hint}");
    Err(Invalid::new("default_text_model", problem, allowed).into())
}
