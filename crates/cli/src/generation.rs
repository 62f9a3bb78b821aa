//! `tollgate generation`: one request as the book has it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use client::Generation;

use crate::connection::{Need, Remote};
use crate::failure::{Explained as _, Subject};
use crate::output::{self, count, dollars};
use crate::table::Facts;
use crate::{print, runtime};

/// What there is to know of one that is not found.
const SEEN_BY: &str = "it is seen by the key that made it and by management keys, until retention \
                       seals it; its id is in the answer, and `chat` shows it";

#[derive(Args)]
pub(crate) struct GenerationArguments {
    #[command(flatten)]
    remote: Remote,
    /// Its id, as an answer has it and `chat` shows it.
    id: String,
}

pub(crate) fn run(arguments: &GenerationArguments) -> Result<ExitCode> {
    let GenerationArguments { remote, id } = arguments;
    let to = remote.open(Need::Any)?;
    let subject = Subject { noun: "generation", name: id, next: SEEN_BY };
    let get = async { to.client.generations().get(id).await.explained_of(&to, subject) };
    let generation = runtime::block_on(get)?;
    if remote.json {
        output::json(&generation)?;
    } else if remote.quiet {
        print::line(&generation.total_cost.to_string());
    } else {
        facts(&generation).print();
    }
    Ok(ExitCode::SUCCESS)
}

fn facts(generation: &Generation) -> Facts {
    let mut facts = Facts::new();
    facts.add("id", &generation.id);
    facts.add("model", &generation.model);
    facts.maybe("provider", generation.provider_name.clone());
    facts.add("made", generation.created_at.to_string());
    facts.add("cost", dollars(generation.total_cost));
    if generation.is_byok {
        facts.add("with an own credential", "yes");
        facts.maybe("at list price", generation.upstream_inference_cost.map(dollars));
    }
    facts.maybe("saved by the cache", generation.cache_discount.map(dollars));
    let tokens = |count: Option<u64>| count.map(output::count);
    facts.maybe("tokens in", tokens(generation.native_tokens_prompt));
    facts.maybe("of them from the cache", tokens(generation.native_tokens_cached));
    facts.maybe("tokens out", tokens(generation.native_tokens_completion));
    facts.maybe("of them reasoning", tokens(generation.native_tokens_reasoning));
    facts.maybe("streamed", generation.streamed.map(yes));
    facts.maybe("cancelled", generation.cancelled.map(yes));
    facts.maybe("ended by", generation.finish_reason.clone());
    facts.maybe("took", generation.latency.map(|it| format!("{} ms", count(it))));
    facts.maybe(
        "of it the provider",
        generation.generation_time.map(|it| format!("{} ms", count(it))),
    );
    facts
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}
