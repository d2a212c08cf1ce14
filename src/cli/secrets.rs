//! `cc-cloud <env> secrets …`.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use cc_agent::secret::Secret;
use cc_plan::diagnostic::{Diagnostic, Diagnostics};
use cc_plan::source::{Sources, Span};
use cc_plan::spec;
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use super::context::Context;
use crate::error::CliError;
use crate::operator::Operator;
use crate::report::Event;
use crate::secrets::{
    Audit, Editor, Error, Identities, KeyPlace, Name, Problem, Recipient, Rekey, Store, Terminal, Unlocked, entry,
};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct SecretsArgs {
    #[command(subcommand)]
    command: SecretsCommand,
}

#[derive(clap::Subcommand, Debug)]
enum SecretsCommand {
    /// Open all values in $VISUAL or $EDITOR; they are sealed again when it closes
    Edit,
    /// Enter a value: asked for without showing it, or read from standard input
    Set(SetArgs),
    /// Print a value
    Get(GetArgs),
    /// List the names, whether they are used, and digests of the values
    List,
    /// Tell who can read the values, what is missing, unused or damaged
    Check,
    /// Change who can read the values
    Rekey(RekeyArgs),
    /// Make a key for yourself and print its recipient (age1…), which colleagues add with `rekey`
    Keygen,
}

#[derive(clap::Args, Debug)]
struct SetArgs {
    /// Name of the secret; its value is never an argument, where other users of the machine could see it
    #[arg(add = ArgValueCompleter::new(complete::secrets))]
    name: String,
    /// Make up a value of so many letters and digits
    #[arg(long, value_name = "LENGTH", num_args = 0..=1, default_missing_value = "32", value_parser = clap::value_parser!(u16).range(16..=1024))]
    random: Option<u16>,
    /// With --random: even if there is a value already, which is lost then
    #[arg(long, requires = "random")]
    replace: bool,
}

#[derive(clap::Args, Debug)]
struct GetArgs {
    /// Name of the secret
    #[arg(add = ArgValueCompleter::new(complete::secrets))]
    name: String,
}

#[derive(clap::Args, Debug)]
struct RekeyArgs {
    /// Who can read the values from now on: a name and an age recipient (age1…)
    #[arg(long, value_name = "NAME=KEY")]
    add: Vec<Recipient>,
    /// Name of a recipient that cannot any more
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
    /// Make a new data key and seal every value again with it
    #[arg(long)]
    rotate: bool,
    /// Allow that your own key does not open the file any more
    #[arg(long)]
    without_me: bool,
}

/// Runs one of the commands about secrets.
pub async fn run(context: &Context, environment: &str, args: &SecretsArgs) -> Result<(), CliError> {
    let session = Session::new(context, environment);
    let result = match &args.command {
        SecretsCommand::Edit => session.edit().await,
        SecretsCommand::Set(args) => session.set(args),
        SecretsCommand::Get(args) => session.get(args),
        SecretsCommand::List => session.list(),
        SecretsCommand::Check => session.check(),
        SecretsCommand::Rekey(args) => session.rekey(args),
        SecretsCommand::Keygen => session.keygen(),
    };
    result.map_err(|error| error.in_environment(environment))
}

struct Session<'a> {
    context: &'a Context,
    environment: &'a str,
    path: PathBuf,
    terminal: Terminal,
}

impl<'a> Session<'a> {
    fn new(context: &'a Context, environment: &'a str) -> Self {
        let terminal = if context.args.no_input { Terminal::silent() } else { Terminal::new() };
        Self { context, environment, path: context.repository().secrets_file(environment), terminal }
    }

    async fn edit(&self) -> Result<(), CliError> {
        let mut unlocked = self.unlock_or_create()?;
        let edited = Editor::from_env().edit(&mut unlocked, self.terminal).await?;
        for message in &edited.warnings {
            self.context.report.emit(&Event::Warning { message, hint: None });
        }
        let saved = unlocked.save()?;
        if edited.is_empty() && !saved {
            self.note("nothing was changed");
            return Ok(());
        }
        for (what, names) in [("added", &edited.added), ("changed", &edited.changed), ("removed", &edited.removed)] {
            if !names.is_empty() {
                self.note(&format!("{what} {}", names.join(", ")));
            }
        }
        self.warn_unknown(edited.added.iter().map(String::as_str));
        Ok(())
    }

    fn set(&self, args: &SetArgs) -> Result<(), CliError> {
        let name: Name = args.name.parse().map_err(Error::Name)?;
        let mut unlocked = self.unlock_or_create()?;
        let new = !unlocked.names().contains(name.as_str());
        let changed = match args.random {
            Some(_) if !new && !args.replace => {
                return Err(CliError::failed(format!("{}: `{name}` has a value already", self.path.display()))
                    .hint("with `--replace` it gets a new one, and the old one is lost"));
            }
            Some(length) => unlocked.set_random(&name, usize::from(length)).map(|()| true)?,
            None => unlocked.set(&name, &self.value(&name)?)?,
        };
        unlocked.save()?;
        match (new, changed) {
            (true, _) => self.note(&format!("{}: added `{name}`", self.path.display())),
            (false, true) => self.note(&format!("{}: changed `{name}`", self.path.display())),
            (false, false) => self.note(&format!("`{name}` has this value already")),
        }
        self.warn_unknown(new.then_some(name.as_str()).into_iter());
        Ok(())
    }

    fn get(&self, args: &GetArgs) -> Result<(), CliError> {
        let value = self.unlock()?.get(&args.name)?;
        // Not through the report, which may write to a file (`--json-into`) as well.
        let mut out = io::stdout().lock();
        let newline = if io::stdout().is_terminal() { "\n" } else { "" };
        let written = out.write_all(value.expose().as_bytes()).and_then(|()| out.write_all(newline.as_bytes()));
        match written.and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(CliError::failed(format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    fn list(&self) -> Result<(), CliError> {
        // Reported as errors, with what is wrong in which line, where `check` would go on.
        Store::open(&self.path, self.environment)?;
        let audit = self.audit(self.referenced().as_ref())?;
        let rows = rows(&audit);
        self.context.report.emit(&Event::Table { name: "secret", columns: &["SECRET", "USED", "DIGEST"], rows: &rows });
        Ok(())
    }

    fn check(&self) -> Result<(), CliError> {
        let referenced = self.referenced();
        let audit = self.audit(referenced.as_ref())?;
        let recipients: Vec<Vec<String>> =
            audit.recipients.iter().map(|r| vec![r.name().to_owned(), r.key().to_string()]).collect();
        self.context.report.emit(&Event::Table { name: "recipient", columns: &["CAN READ", "KEY"], rows: &recipients });
        let rows = rows(&audit);
        self.context.report.emit(&Event::Table { name: "secret", columns: &["SECRET", "USED", "DIGEST"], rows: &rows });
        let problems = self.show(&audit);
        for what in &audit.unchecked {
            let message = format!("not checked: {what}");
            self.context.report.emit(&Event::Warning { message: &message, hint: None });
        }
        if audit.has_errors() {
            return Err(CliError::checks_failed(format!("{} has {problems}", self.path.display())));
        }
        if referenced.is_none() {
            let environment = self.environment;
            let message = format!("environment `{environment}` has errors, so that not everything could be checked");
            return Err(CliError::failed(message).hint(format!("`cc-cloud {environment} validate` shows them")));
        }
        if audit.problems.is_empty() && audit.unchecked.is_empty() {
            self.note(&format!("{}: nothing is missing, unused or damaged", self.path.display()));
        }
        Ok(())
    }

    fn rekey(&self, args: &RekeyArgs) -> Result<(), CliError> {
        let rekey = Rekey {
            add: args.add.clone(),
            remove: args.remove.clone(),
            rotate: args.rotate,
            without_me: args.without_me,
        };
        let new = !rekey.add.is_empty() && rekey.remove.is_empty() && !self.path.exists();
        if new {
            let mut created = Store::create(&self.path, self.environment, rekey.add, self.terminal)?;
            created.save()?;
            self.note(&format!("{}: made, without secrets", self.path.display()));
            return Ok(());
        }
        let mut unlocked = self.unlock()?;
        let done = unlocked.rekey(&rekey, self.terminal)?;
        unlocked.save()?;
        let names: Vec<&str> = unlocked.recipients().iter().map(Recipient::name).collect();
        self.note(&format!("{}: readable for {}", self.path.display(), names.join(", ")));
        if done.resealed > 0 {
            self.note(&format!("{} values are sealed again with a new data key", done.resealed));
            self.note("digests are new too: the next plan shows every secret as changed, once");
        }
        for message in &done.warnings {
            self.context.report.emit(&Event::Warning { message, hint: None });
        }
        Ok(())
    }

    fn keygen(&self) -> Result<(), CliError> {
        let place = KeyPlace::from_env()?;
        let recipient = place.keygen()?;
        self.context.report.emit(&Event::Data { text: &format!("{recipient}\n") });
        self.note(&format!(
            "your private key is in {}; it is nowhere else, so keep a copy safe",
            place.path().display()
        ));
        self.note(&format!(
            "a colleague who can read the secrets lets you in: cc-cloud {} secrets rekey --add {}={recipient}",
            self.environment,
            user()
        ));
        Ok(())
    }

    /// The value that standard input or the terminal has.
    fn value(&self, name: &Name) -> Result<Secret<String>, CliError> {
        if io::stdin().is_terminal() {
            return Ok(entry::ask(name, self.terminal)?);
        }
        Ok(entry::read(name, io::stdin().lock())?)
    }

    fn identities(&self) -> Result<Identities, CliError> {
        let identities = Identities::load(&KeyPlace::from_env()?, self.terminal)?;
        for message in identities.warnings() {
            self.context.report.emit(&Event::Warning { message, hint: None });
        }
        Ok(identities)
    }

    fn unlock(&self) -> Result<Unlocked, CliError> {
        let store = Store::open(&self.path, self.environment)?;
        Ok(store.unlock(&self.identities()?)?)
    }

    fn unlock_or_create(&self) -> Result<Unlocked, CliError> {
        Ok(Store::open_or_create(&self.path, self.environment, &self.identities()?, &user())?)
    }

    fn audit(&self, referenced: Option<&BTreeSet<String>>) -> Result<Audit, CliError> {
        Ok(Audit::of(&self.path, self.environment, referenced, Some(&self.identities()?))?)
    }

    /// Names that the environment refers to; `None` when it has errors, which are `validate`'s to tell.
    fn referenced(&self) -> Option<BTreeSet<String>> {
        spec::load(&self.context.repository(), self.environment).ok().map(|loaded| loaded.secrets_used)
    }

    /// A new name that nothing refers to is probably mistyped.
    fn warn_unknown<'n>(&self, names: impl Iterator<Item = &'n str>) {
        let Some(referenced) = self.referenced() else { return };
        for name in names.filter(|name| !referenced.contains(*name)) {
            let message = format!("nothing in environment `{}` refers to `{name}`", self.environment);
            let hint = cc_plan::suggest::closest(name, referenced.iter().map(String::as_str))
                .map(|near| format!("did you mean `{near}`?"));
            self.context.report.emit(&Event::Warning { message: &message, hint: hint.as_deref() });
        }
    }

    /// Shows problems with the line that each is about, and tells how many there are.
    fn show(&self, audit: &Audit) -> String {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let mut sources = Sources::default();
        let root = &self.context.root;
        let file = sources.add(self.path.strip_prefix(root).unwrap_or(&self.path), text.clone());
        let span = |line: usize| {
            let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
            let line = text[start..].lines().next().unwrap_or_default();
            Span { file, start: start + (line.len() - line.trim_start().len()), end: start + line.len() }
        };
        let mut diagnostics = Diagnostics::default();
        for problem in &audit.problems {
            diagnostics.push(self.diagnostic(problem, problem.line.filter(|line| *line > 0).map(span)));
        }
        self.context.show(&diagnostics, &sources);
        diagnostics.summary()
    }

    fn diagnostic(&self, problem: &Problem, span: Option<Span>) -> Diagnostic {
        let hint = problem.hint.as_ref();
        Diagnostic {
            conceal: false,
            severity: problem.severity,
            message: problem.message.clone(),
            span,
            label: None,
            related: None,
            hint: hint.map(|hint| hint.replace("`secrets ", &format!("`cc-cloud {} secrets ", self.environment))),
        }
    }

    fn note(&self, message: &str) {
        self.context.report.emit(&Event::Note { message });
    }
}

fn rows(audit: &Audit) -> Vec<Vec<String>> {
    let used = |used: Option<bool>| match used {
        Some(true) => "yes",
        Some(false) => "no",
        None => "?",
    };
    let secrets = audit.secrets.iter();
    secrets.map(|s| vec![s.name.clone(), used(s.used).to_owned(), s.digest.clone().unwrap_or("?".to_owned())]).collect()
}

/// What the own key is called in a new file.
fn user() -> String {
    Operator::login().unwrap_or_else(|| "me".to_owned())
}
