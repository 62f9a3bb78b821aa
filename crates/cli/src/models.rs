//! `tollgate models`: what can be asked, at what price, and where it runs.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use client::{ListModels, Model, ModelEndpoints, Price};
use futures_util::TryStreamExt as _;

use crate::connection::{Connection, Need, Remote};
use crate::failure::{Explained as _, Subject};
use crate::output::{self, NOTHING, count};
use crate::table::{Facts, Table, Tone};
use crate::{print, runtime};

/// Digits that the price of a million tokens has beyond that of one.
const MILLION_DIGITS: usize = 6;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ModelsArguments {
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    filters: Filters,
    #[command(subcommand)]
    command: Option<ModelsCommand>,
}

#[derive(Subcommand)]
enum ModelsCommand {
    /// List models with their prices; the same as `models` alone.
    ///
    /// Prices are in US dollars a million tokens, of a prompt and of a completion.
    List(Filters),
    /// Show all there is to know about a model.
    ///
    /// Its prices, its lengths, what it takes and gives, and what can be set for it.
    Get {
        /// Its id, such as openai/gpt-4o-mini.
        model: String,
    },
    /// List the endpoints of a model: where it runs, at what price, and how they do.
    ///
    /// A request goes to one of them; `provider` in it says which may be.
    Endpoints {
        /// Its id, such as openai/gpt-4o-mini.
        model: String,
    },
}

/// Which models are listed.
#[derive(Args, Clone, Default)]
struct Filters {
    /// Only those with this in their name or id.
    text: Option<String>,
    /// Only those of this provider, by slug; may be said several times.
    #[arg(long = "provider", value_name = "PROVIDER")]
    providers: Vec<String>,
    /// Only those that can be told all of these, such as tools; may be said several times.
    #[arg(long = "parameter", value_name = "PARAMETER")]
    parameters: Vec<String>,
    /// Only those that take at least so many tokens.
    #[arg(long, value_name = "TOKENS")]
    context: Option<u64>,
    /// In this order.
    #[arg(long, value_name = "ORDER", value_parser = ["newest", "pricing-low-to-high",
          "pricing-high-to-low", "context-high-to-low"])]
    sort: Option<String>,
}

pub(crate) fn run(arguments: ModelsArguments) -> Result<ExitCode> {
    let ModelsArguments { remote, filters, command } = arguments;
    let to = remote.open(Need::Nothing)?;
    runtime::block_on(async {
        match command.unwrap_or(ModelsCommand::List(filters)) {
            ModelsCommand::List(filters) => list(&to, &remote, filters).await,
            ModelsCommand::Get { model } => {
                let found = to.client.models().get(&model).await;
                get(&remote, &found.explained_of(&to, subject(&model))?)
            }
            ModelsCommand::Endpoints { model } => {
                let found = to.client.models().endpoints(&model).await;
                endpoints(&remote, &found.explained_of(&to, subject(&model))?)
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn subject(model: &str) -> Subject<'_> {
    Subject { noun: "model", name: model, next: "`tollgate models` lists what there is" }
}

async fn list(to: &Connection, remote: &Remote, filters: Filters) -> Result<()> {
    let Filters { text, providers, parameters, context, sort } = filters;
    let mut wanted = ListModels::new();
    if let Some(text) = text {
        wanted = wanted.q(text);
    }
    if !providers.is_empty() {
        wanted = wanted.providers(providers.join(","));
    }
    if !parameters.is_empty() {
        wanted = wanted.supported_parameters(parameters.join(","));
    }
    if let Some(context) = context {
        wanted = wanted.context(context);
    }
    if let Some(sort) = sort {
        wanted = wanted.sort(sort.as_str());
    }
    let models: Vec<Model> =
        to.client.models().list_all(wanted).try_collect().await.explained(to)?;
    if remote.json {
        return output::json(&models);
    }
    if remote.quiet {
        models.iter().for_each(|model| print::line(&model.id));
        return Ok(());
    }
    if models.is_empty() {
        print::error("there are no such models; `tollgate models` lists all");
        return Ok(());
    }
    let mut table = Table::new(&["MODEL", ">CONTEXT", ">$/M IN", ">$/M OUT", "NAME"]);
    for model in &models {
        table.toned([
            (model.id.clone(), Tone::Usual),
            (model.context_length.map_or(NOTHING.to_owned(), count), Tone::Usual),
            (a_million(model.pricing.prompt), Tone::Usual),
            (a_million(model.pricing.completion), Tone::Usual),
            (model.name.clone(), Tone::Faint),
        ]);
    }
    table.print();
    Ok(())
}

fn get(remote: &Remote, model: &Model) -> Result<()> {
    if remote.json {
        return output::json(model);
    }
    if remote.quiet {
        print::line(&model.id);
        return Ok(());
    }
    let mut facts = Facts::new();
    facts.add("id", &model.id);
    facts.add("name", &model.name);
    facts.maybe("context", model.context_length.map(|it| format!("{} tokens", count(it))));
    let longest = model.top_provider.max_completion_tokens;
    facts.maybe("longest answer", longest.map(|it| format!("{} tokens", count(it))));
    facts.add("prompt", format!("{} $ a million tokens", a_million(model.pricing.prompt)));
    facts.add("completion", format!("{} $ a million tokens", a_million(model.pricing.completion)));
    let cached = model.pricing.input_cache_read;
    facts.maybe("from the cache", cached.map(|it| format!("{} $ a million tokens", a_million(it))));
    facts.add("takes", model.architecture.input_modalities.join(", "));
    facts.add("gives", model.architecture.output_modalities.join(", "));
    facts.add("parameters", model.supported_parameters.join(", "));
    facts.maybe("what it is", model.description.as_deref().and_then(|text| text.lines().next()));
    facts.print();
    Ok(())
}

fn endpoints(remote: &Remote, model: &ModelEndpoints) -> Result<()> {
    if remote.json {
        return output::json(model);
    }
    if remote.quiet {
        model.endpoints.iter().for_each(|endpoint| print::line(&endpoint.tag));
        return Ok(());
    }
    let mut table = Table::new(&[
        "ENDPOINT", "PROVIDER", ">CONTEXT", ">LONGEST", ">$/M IN", ">$/M OUT", "QUANT", ">UP 30M",
    ]);
    for endpoint in &model.endpoints {
        let longest = endpoint.max_completion_tokens.map_or(NOTHING.to_owned(), count);
        let quantization = endpoint.quantization.clone().unwrap_or(NOTHING.to_owned());
        table.row([
            endpoint.tag.clone(),
            endpoint.provider_name.clone(),
            count(endpoint.context_length),
            longest,
            a_million(endpoint.pricing.prompt),
            a_million(endpoint.pricing.completion),
            quantization,
            endpoint.uptime_last_30m.as_ref().map_or(NOTHING.to_owned(), |it| format!("{it} %")),
        ]);
    }
    table.print();
    Ok(())
}

/// The price of a million, of the price of one: the point moved, so that nothing is rounded.
fn a_million(price: Price) -> String {
    let Some(one) = price.usd() else { return "varies".to_owned() };
    let text = one.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = format!("{fraction:0<MILLION_DIGITS$}");
    let (moved, rest) = fraction.split_at(MILLION_DIGITS);
    let whole = format!("{whole}{moved}");
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    match rest.trim_end_matches('0') {
        "" => format!("{whole}.00"),
        rest if rest.len() == 1 => format!("{whole}.{rest}0"),
        rest => format!("{whole}.{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_a_million_is_exact() {
        for (one, million) in [
            ("0.00000015", "0.15"),
            ("0.0000006001", "0.6001"),
            ("0.000000037", "0.037"),
            ("0", "0.00"),
            ("0.00006", "60.00"),
            ("2", "2000000.00"),
            ("0.0000000000001", "0.0000001"),
        ] {
            let price = Price::from(one.parse::<client::Usd>().unwrap());
            assert_eq!(a_million(price), million, "{one}");
        }
    }
}
