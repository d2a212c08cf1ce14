//! The commands: one file each, with its arguments and which stages it calls; no logic.

mod archive;
mod args;
mod attach;
mod attest;
mod complete;
mod completions;
mod contact;
mod context;
mod deploy;
mod down;
mod drift;
mod exec;
mod explain;
mod facts;
mod freeze;
mod graph;
mod history;
mod hosts;
mod init;
mod locked;
mod machines;
mod man;
mod notices;
mod plan;
mod preflight;
mod prepared;
mod resume;
mod saved_plan;
mod schema;
mod secrets;
mod show;
mod ssh;
mod status;
mod unlock;
mod up;
mod validate;
mod verify;
mod waive;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use cc_plan::spec::environment::RESERVED_NAMES;
use cc_plan::suggest::closest;

use args::{EnvironmentCommand, GlobalArgs, GlobalCommand, Invocation};
use context::Context;

use crate::error::{CliError, Kind};
use crate::report::{Event, Report, Settings};

/// Runs the command line that the process was started with.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let root = root_of(&arguments);
    let (unusable, environments): (Vec<_>, Vec<_>) =
        context::environments(&root).into_iter().partition(|name| RESERVED_NAMES.contains(&name.as_str()));
    clap_complete::CompleteEnv::with_factory(|| args::command(&environments)).complete();
    if let Some(name) = unusable.first() {
        return refuse_name(name);
    }
    let matches = match args::command(&environments).try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return refuse(&error, &environments),
    };
    let (args, invocation) = match args::invocation(&matches, &environments) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&error, &environments),
    };
    run(args, invocation, root)
}

/// The repository has to be known before the command line can be parsed, because environments are commands.
fn root_of(arguments: &[OsString]) -> std::path::PathBuf {
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "--" {
            break;
        }
        if text == "-C" || text == "--repository" {
            if let Some(path) = words.next() {
                return path.into();
            }
        } else if let Some(path) = text.strip_prefix("--repository=").or_else(|| text.strip_prefix("-C")) {
            return path.into();
        }
    }
    args::set("CC_REPOSITORY").unwrap_or_else(|| context::find_root(&std::env::current_dir().unwrap_or_default()))
}

/// clap's own messages, with the exit code of this program and with environments among what was meant.
fn refuse(error: &clap::Error, environments: &[String]) -> ExitCode {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let code = Kind::Usage.exit_code();
    if error.kind() == ErrorKind::MissingSubcommand {
        return explain(environments);
    }
    let at_top = error.kind() == ErrorKind::InvalidSubcommand;
    if let (true, Some(ContextValue::String(word))) = (at_top, error.get(ContextKind::InvalidSubcommand)) {
        let report = Report::new(&Settings::default());
        let failure = unknown_command(word, environments);
        if let (Ok(report), Some(failure)) = (report, failure) {
            report.emit(&Event::error(&failure));
            return ExitCode::from(code);
        }
    }
    let _ = error.print();
    ExitCode::from(code)
}

/// What can be said after the words so far. clap does that by itself only while no option has a value.
fn explain(environments: &[String]) -> ExitCode {
    let words = std::env::args_os().chain(["-h".into()]);
    if let Err(help) = args::command(environments).try_get_matches_from(words) {
        report_text(&help.render().to_string());
    }
    ExitCode::from(Kind::Usage.exit_code())
}

/// A first word that is neither a command nor an environment. `None` when it is a wrong verb of an environment, which
/// clap explains well.
fn unknown_command(word: &str, environments: &[String]) -> Option<CliError> {
    let first = std::env::args().skip(1).find(|argument| !argument.starts_with('-'))?;
    if first != word && environments.contains(&first) {
        return None;
    }
    let (commands, verbs) = (args::global_commands(), args::environment_commands());
    let known = environments.iter().chain(&commands).map(String::as_str);
    let mut error = CliError::usage(format!("there is neither an environment nor a command `{word}`"));
    let verb = closest(word, verbs.iter().map(String::as_str));
    match closest(word, known).filter(|_| verb != Some(word)) {
        Some(near) => return Some(error.hint(format!("did you mean `{near}`?"))),
        None => error.hints.extend(verb.map(|verb| format!("did you mean `cc-cloud ENV {verb}`?"))),
    }
    Some(match environments.is_empty() {
        true => error
            .hint("no environments/ folder was found here or above: `cc-cloud init NAME` makes one")
            .hint("`-C DIR` or CC_REPOSITORY names the folder that has it"),
        false => error.hint(format!("environments here: {}", environments.join(", "))),
    })
}

fn run(args: GlobalArgs, invocation: Invocation, root: std::path::PathBuf) -> ExitCode {
    if let Invocation::Global(GlobalCommand::Agent { words }) = &invocation {
        return agent(words);
    }
    let report = match Report::new(&args.report_settings()) {
        Ok(report) => Arc::new(report),
        Err(error) => {
            eprint_error(&error);
            return ExitCode::from(error.kind.exit_code());
        }
    };
    let context = Context { args, report: report.clone(), root, passes: false };
    let result = match invocation {
        Invocation::Global(command) => global(&context, command),
        Invocation::Environment(name, command) => environment(&context, &name, command),
    };
    report.pause();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.message.is_empty() {
                report.emit(&Event::error(&error));
            }
            ExitCode::from(error.kind.exit_code())
        }
    }
}

/// The last resort when not even a report can be opened.
#[expect(clippy::print_stderr, reason = "there is no report to print through")]
fn eprint_error(error: &CliError) {
    eprintln!("error: {error}");
}

/// On standard error, because it is not what was asked for.
fn report_text(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// This program as the agent, where no smaller one is at hand.
fn agent(words: &[String]) -> ExitCode {
    use cc_agent::engine::{self, Itself};
    let outcome = match words {
        [apply, state] if apply == "apply" => engine::apply(Path::new(state), &mut engine::announce),
        _ => {
            let program = std::env::current_exe().unwrap_or_default();
            let applying = vec![program.into(), "agent".into(), "apply".into()];
            let itself = Itself { binary: None, applying };
            engine::serve(Path::new(engine::STATE), &itself, std::io::stdin(), std::io::stdout())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// An environment that is named like a command could never be meant.
fn refuse_name(name: &str) -> ExitCode {
    let error = CliError::usage(format!("the environment `{name}` is named like a command"))
        .hint(format!("rename environments/{name} and inventories/{name}.yml"));
    if let Ok(report) = Report::new(&Settings::default()) {
        report.emit(&Event::error(&error));
    }
    ExitCode::from(error.kind.exit_code())
}

fn global(context: &Context, command: GlobalCommand) -> Result<(), CliError> {
    match command {
        GlobalCommand::Init(args) => init::run(context, &args),
        GlobalCommand::Preflight(args) => blocking(machines::run(context, &args)),
        GlobalCommand::Explain(args) => explain::run(context, &args),
        GlobalCommand::Completions(args) => completions::run(context, &args),
        GlobalCommand::Man(args) => man::run(context, &args),
        GlobalCommand::Schema(args) => schema::run(context, &args),
        GlobalCommand::Agent { .. } => Ok(()),
    }
}

fn environment(context: &Context, name: &str, command: EnvironmentCommand) -> Result<(), CliError> {
    blocking(async {
        match command {
            EnvironmentCommand::Validate(args) => validate::run(context, name, &args),
            EnvironmentCommand::Preflight(args) => preflight::run(context, name, &args).await,
            EnvironmentCommand::Plan(args) => plan::run(context, name, &args).await,
            EnvironmentCommand::Deploy(args) => deploy::run(context, name, &args).await,
            EnvironmentCommand::Attach(args) => attach::run(context, name, &args).await,
            EnvironmentCommand::Resume(args) => resume::run(context, name, &args).await,
            EnvironmentCommand::Verify(args) => verify::run(context, name, &args).await,
            EnvironmentCommand::Status(args) => status::run(context, name, &args).await,
            EnvironmentCommand::History(args) => history::run(context, name, &args).await,
            EnvironmentCommand::Show(args) => show::run(context, name, &args).await,
            EnvironmentCommand::Drift(args) => drift::run(context, name, &args).await,
            EnvironmentCommand::Unlock(args) => unlock::run(context, name, &args).await,
            EnvironmentCommand::Freeze(args) => freeze::begin(context, name, &args).await,
            EnvironmentCommand::Unfreeze(args) => freeze::end(context, name, &args).await,
            EnvironmentCommand::Hosts(args) => hosts::run(context, name, &args).await,
            EnvironmentCommand::Facts(args) => facts::run(context, name, &args).await,
            EnvironmentCommand::Exec(args) => exec::run(context, name, &args).await,
            EnvironmentCommand::Ssh(args) => ssh::run(context, name, &args).await,
            EnvironmentCommand::Secrets(args) => secrets::run(context, name, &args).await,
            EnvironmentCommand::Graph(args) => graph::run(context, name, &args),
            EnvironmentCommand::Up(args) => up::run(context, name, &args).await,
            EnvironmentCommand::Down(args) => down::run(context, name, &args).await,
        }
    })
}

/// Runs what waits for hosts.
fn blocking(work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::failed(format!("cannot start: {error}")))?;
    let result = runtime.block_on(work);
    // A connection that hangs must not keep the process alive after its result is known.
    runtime.shutdown_timeout(std::time::Duration::from_millis(100));
    result
}
