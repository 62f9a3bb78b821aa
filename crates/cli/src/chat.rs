//! `tollgate chat`: one question, its answer as it comes, and what it cost.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use client::{ChatChunk, ChatCompletion, ChatRequest, ChatUsage, Message};
use futures_util::StreamExt as _;

use crate::connection::{Connection, Need, Remote};
use crate::failure::Explained as _;
use crate::output::{self, Misused, count, dollars};
use crate::{print, runtime};

/// The variable that names the model where nothing else does.
pub(crate) const MODEL: &str = "TOLLGATE_MODEL";
/// Bytes of a question from stdin at most, as many as a server takes.
const PROMPT_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// The word for a question from stdin.
const STDIN: &str = "-";

#[derive(Args)]
pub(crate) struct ChatArguments {
    #[command(flatten)]
    remote: Remote,
    /// The question; without one, or with `-`, stdin.
    prompt: Vec<String>,
    /// The model, in the place of TOLLGATE_MODEL, the profile's or the workspace's.
    #[arg(long, short, value_name = "MODEL")]
    model: Option<String>,
    /// What the model is told before the question.
    #[arg(long, short, value_name = "TEXT")]
    system: Option<String>,
    /// Tokens of the answer at most.
    #[arg(long, value_name = "TOKENS", value_parser = crate::given::count)]
    max_tokens: Option<u64>,
    /// Wait for the whole answer.
    #[arg(long)]
    no_stream: bool,
}

/// What is said of an answer once it is there.
struct Ending {
    id: String,
    model: String,
    provider: Option<String>,
    usage: Option<ChatUsage>,
}

pub(crate) fn run(arguments: &ChatArguments) -> Result<ExitCode> {
    let to = arguments.remote.open(Need::Inference)?;
    let request = request(arguments, &to)?;
    let ending = runtime::block_on(async {
        match arguments.no_stream {
            true => whole(&to, arguments, &request).await,
            false => streamed(&to, arguments, &request).await,
        }
    });
    let ending = ending.map_err(|error| match request.model {
        Some(_) => error,
        None => anyhow!(
            "{error:#}\n  no model was named: say `--model MODEL`, set {MODEL}, or give the profile \
             or the key's workspace one; `tollgate models` lists them"
        ),
    })?;
    if !(arguments.remote.quiet || arguments.remote.json) {
        print::error(&told(&ending));
    }
    Ok(ExitCode::SUCCESS)
}

fn request(arguments: &ChatArguments, to: &Connection) -> Result<ChatRequest> {
    let variable = crate::setup::environment().remove(MODEL).filter(|model| !model.is_empty());
    let model = arguments.model.clone().or(variable).or(to.server.model.clone());
    // Without one, the server takes that of the key's workspace, or says that there is none.
    let mut request = model.map_or_else(ChatRequest::default, ChatRequest::new);
    if let Some(system) = &arguments.system {
        request = request.message(Message::system(system.as_str()));
    }
    request = request.message(Message::user(prompt(&arguments.prompt)?));
    if let Some(tokens) = arguments.max_tokens {
        request = request.max_tokens(tokens);
    }
    Ok(request)
}

/// The question, from the arguments or from stdin.
fn prompt(words: &[String]) -> Result<String> {
    let is_stdin = words.is_empty() || words == [STDIN];
    if !is_stdin {
        return Ok(words.join(" "));
    }
    let stdin = std::io::stdin();
    if words.is_empty() && stdin.is_terminal() {
        let why = "nothing is asked: write the question behind `chat`, or pipe it in; `-` reads what \
                   you type until Ctrl-D";
        return Err(Misused(why.to_owned()).into());
    }
    let mut text = String::new();
    stdin
        .lock()
        .take(PROMPT_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .context("can't read stdin")?;
    if text.len() as u64 > PROMPT_BYTES_MAX {
        return Err(anyhow!("the question is longer than {PROMPT_BYTES_MAX} bytes"));
    }
    if text.trim().is_empty() {
        return Err(Misused("nothing is asked: stdin is empty".to_owned()).into());
    }
    Ok(text)
}

async fn whole(
    to: &Connection,
    arguments: &ChatArguments,
    request: &ChatRequest,
) -> Result<Ending> {
    let answer: ChatCompletion = to.client.chat().send(request).await.explained(to)?;
    if arguments.remote.json {
        output::json(&answer)?;
    } else {
        Writer::new().write(answer.text())?.end()?;
    }
    let ChatCompletion { id, model, provider, usage, .. } = answer;
    Ok(Ending { id, model, provider, usage })
}

async fn streamed(
    to: &Connection,
    arguments: &ChatArguments,
    request: &ChatRequest,
) -> Result<Ending> {
    let mut stream = to.client.chat().stream(request).await.explained(to)?;
    let mut writer = Writer::new();
    let mut ending =
        Ending { id: String::new(), model: String::new(), provider: None, usage: None };
    while let Some(chunk) = stream.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                writer.end()?;
                return Err(error).explained(to);
            }
        };
        if arguments.remote.json {
            output::json_line(&chunk)?;
        } else {
            writer.write(chunk.text())?;
        }
        ending.take(chunk);
    }
    if !arguments.remote.json {
        writer.end()?;
    }
    Ok(ending)
}

impl Ending {
    fn take(&mut self, chunk: ChatChunk) {
        self.id = chunk.id;
        self.model = chunk.model;
        self.provider = chunk.provider.or(self.provider.take());
        self.usage = chunk.usage.or(self.usage.take());
    }
}

/// What the answer cost, in one line.
fn told(ending: &Ending) -> String {
    let Ending { id, model, provider, usage } = ending;
    let mut parts = Vec::new();
    if let Some(usage) = usage {
        parts.extend(usage.cost.map(dollars));
        parts.push(format!(
            "{} tokens in, {} out",
            count(usage.prompt_tokens),
            count(usage.completion_tokens)
        ));
    }
    parts.push(match provider {
        Some(provider) => format!("{} at {}", output::plain(model), output::plain(provider)),
        None => output::plain(model),
    });
    parts.push(output::plain(id));
    parts.join(" · ")
}

/// The answer on stdout, piece by piece.
struct Writer {
    is_terminal: bool,
    is_line_open: bool,
}

impl Writer {
    fn new() -> Writer {
        Writer { is_terminal: std::io::stdout().is_terminal(), is_line_open: false }
    }

    /// A piece as it is; on a terminal, without what would command it.
    fn write(&mut self, text: &str) -> Result<&mut Writer> {
        if text.is_empty() {
            return Ok(self);
        }
        let harmless =
            |it: char| if it.is_control() && !"\n\t".contains(it) { '\u{fffd}' } else { it };
        let text = match self.is_terminal {
            true => text.chars().map(harmless).collect(),
            false => text.to_owned(),
        };
        let mut stdout = print::stdout();
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .context("stdout is closed")?;
        self.is_line_open = !text.ends_with('\n');
        Ok(self)
    }

    /// Ends the last line.
    fn end(&mut self) -> Result<()> {
        if self.is_line_open {
            self.write("\n")?;
        }
        Ok(())
    }
}
