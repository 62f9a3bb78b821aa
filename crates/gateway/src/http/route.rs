//! Where a paid request may go, whatever it asks for: what its client says is read, a place is
//! found for it, and where there is none its client is told why.

use api::routing::ProviderPreferences;
use upstream::{Request, Surface};

use super::error::{ApiError, ApiResult};
use crate::core::Core;
use crate::directory::Standing;
use crate::entropy;
use crate::meter::{Candidate, candidates};
use crate::routing::{Brought, Question, Step, Terms, Unroutable, choose, resolve};

/// The places where the request may go, in the order to try, each with what it may cost there.
pub(super) fn route(core: &Core, key: &Standing, request: &Request) -> ApiResult<Vec<Candidate>> {
    let ids = || request.model.iter().chain(&request.models).map(String::as_str);
    let what = match ids().next() {
        None => match default_model(key, request) {
            Some(model) => return places(core, key, request, std::iter::once(&*model)),
            None => "missing",
        },
        Some("") => "empty",
        Some(_) => return places(core, key, request, ids()),
    };
    let allowed = "allowed is the id of a model, as GET /models lists them";
    Err(ApiError::invalid(format!("model is {what}; {allowed}")))
}

/// The model of a request that names none, where its workspace has one for what it asks for.
fn default_model(key: &Standing, request: &Request) -> Option<String> {
    match request.surface {
        Surface::Chat => key.workspace.record().default_text_model.clone(),
        Surface::Embeddings => None,
    }
}

fn places<'a>(
    core: &Core,
    key: &Standing,
    request: &Request,
    ids: impl Iterator<Item = &'a str>,
) -> ApiResult<Vec<Candidate>> {
    let unroutable = |why: Unroutable| match why.step {
        Step::Allowed => ApiError::model_not_allowed(&core.refusal_style()),
        _ => ApiError::unroutable(&why, request),
    };
    let terms = Terms { surface: request.surface, allows: &|model| key.record.allows(model) };
    let asked = resolve(&core.catalogue(), ids, &terms).map_err(unroutable)?;
    if let (Some(field), Some(first)) = (request.priced.first(), asked.first()) {
        return Err(ApiError::invalid(format!(
            "{field} changes the price, and no endpoint of {} says how; leave it out",
            first.model.config.id
        )));
    }
    let wish = request.raw("provider").map(ProviderPreferences::parse).transpose()?;
    let credentials = core.credentials.any();
    let brought = credentials.as_deref().map(|credentials| Brought {
        credentials,
        key: key.record.hash,
        user: key.record.creator.as_deref(),
        workspace: key.record.workspace,
    });
    let question = Question {
        request,
        wish: &wish.unwrap_or_default(),
        order: core.config.routing.order,
        brought: brought.as_ref(),
        sort: key.workspace.provider_sort(),
        now: core.clock.now(),
    };
    let mut draw = || u64::from_le_bytes(entropy::bytes(&*core.entropy));
    let places = choose(&asked, &question, &mut draw).map_err(unroutable)?;
    Ok(candidates(&places, request, core.config.metering.byok_fee_percent))
}
