//! The command line: `cc-cloud <env> <verb>` and a few commands without an environment.

use std::path::PathBuf;

use clap::{ArgAction, Args, Command, FromArgMatches, Subcommand, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use crate::report;

/// Options that every command has.
#[derive(Args, Clone, Debug)]
pub struct GlobalArgs {
    /// Folder with environments/, inventories/, roles/ and secrets/; by default $CC_REPOSITORY, else the
    /// nearest one upwards that has environments/
    #[arg(short = 'C', long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub repository: Option<PathBuf>,
    /// Write NDJSON events to standard output instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Write NDJSON events to a file as well
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub json_into: Option<PathBuf>,
    /// Print only results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print more: what did not change, whole diffs (-v), how hosts are reached (-vv)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// Never ask; fail where a question would be needed
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Trust and pin the keys of hosts that are met for the first time, without asking
    #[arg(long, global = true)]
    pub accept_new_host_keys: bool,
    /// Ask once for the password that sudo wants on the hosts
    #[arg(long, global = true, conflicts_with = "no_input")]
    pub ask_sudo_password: bool,
    /// Hosts that are worked on at the same time
    #[arg(long, global = true, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u16).range(1..))]
    pub parallel: u16,
    /// Seconds to wait for a host to connect, and to answer
    #[arg(long, global = true, value_name = "SECONDS", default_value = "15", value_parser = clap::value_parser!(u16).range(1..))]
    pub timeout: u16,
    /// Agent to push, by default $CC_AGENT_BINARY, else the one beside this program
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub agent_binary: Option<PathBuf>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

// The variables are not clap's to read: what it takes from one counts as typed and would stand in every usage line.
impl GlobalArgs {
    /// The agent to push, if it is named.
    pub fn agent(&self) -> Option<PathBuf> {
        self.agent_binary.clone().or_else(|| set("CC_AGENT_BINARY"))
    }

    /// How to report.
    pub fn report_settings(&self) -> report::Settings {
        report::Settings {
            json: self.json,
            json_into: self.json_into.clone(),
            quiet: self.quiet,
            verbose: self.verbose,
            color: match self.color {
                ColorChoice::Auto => None,
                ColorChoice::Always => Some(true),
                ColorChoice::Never => Some(false),
            },
        }
    }
}

/// The path in an environment variable; `None` when it is not set or empty.
pub fn set(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Commands without an environment.
#[derive(Subcommand, Debug)]
pub enum GlobalCommand {
    /// Write a commented environment to start from
    #[command(after_help = examples("cc-cloud init pilot          # environments/pilot/environment.yml and inventories/pilot.yml"))]
    Init(super::init::InitArgs),
    /// Print the JSON Schema of a file, or write all of them for editors
    #[command(after_help = examples("cc-cloud schema environment\ncc-cloud schema --write schema"))]
    Schema(super::schema::SchemaArgs),
    /// Check machines that belong to no environment yet, for someone who is still choosing hardware
    #[command(after_help = examples("cc-cloud preflight --host ssh://root@192.0.2.10 --size single\ncc-cloud preflight --this-machine --size micro"))]
    Preflight(super::machines::MachinesArgs),
    /// Say what a preflight check is, why it matters, and how to mend it
    #[command(after_help = examples("cc-cloud explain                # all checks\ncc-cloud explain os.livepatch"))]
    Explain(super::explain::ExplainArgs),
    /// Print a script that completes commands, environments and hosts in your shell
    #[command(after_help = examples("cc-cloud completions bash >> ~/.bashrc\ncc-cloud completions fish > ~/.config/fish/completions/cc-cloud.fish"))]
    Completions(super::completions::CompletionsArgs),
    /// Write man pages
    #[command(after_help = examples("cc-cloud man ~/.local/share/man/man1"))]
    Man(super::man::ManArgs),
    /// Speak the agent's protocol on standard input and output (used on hosts)
    #[command(hide = true)]
    Agent {
        /// `apply FOLDER`, for an agent that another one starts
        words: Vec<String>,
    },
}

/// Commands of an environment.
#[derive(Subcommand, Debug)]
pub enum EnvironmentCommand {
    /// Check all files of the environment; needs no host and no key
    #[command(after_help = examples("cc-cloud local validate"))]
    Validate(super::validate::ValidateArgs),
    /// Measure whether the hosts can carry the environment; changes nothing
    #[command(after_help = examples("cc-cloud local preflight\ncc-cloud local preflight --only 'net.*' --deep\ncc-cloud local preflight --phase go-live --html preflight.html\ncc-cloud local preflight waive hw.cpu --host db1 --owner 'A. Diallo' --reason 'new server is ordered' --until 2027-03-31"))]
    Preflight(super::preflight::PreflightArgs),
    /// Show what deploy would change; changes nothing
    #[command(after_help = examples("cc-cloud local plan\ncc-cloud local plan --limit web --detailed-exitcode\ncc-cloud local plan --services redis,web --json\ncc-cloud local plan -o friday.plan       # to be looked at, and applied by `deploy friday.plan`\ncc-cloud local plan show friday.plan\ncc-cloud local plan diff friday.plan monday.plan"))]
    Plan(super::plan::PlanArgs),
    /// Show the plan, ask, then make the hosts what the environment says
    #[command(after_help = examples("cc-cloud local deploy\ncc-cloud local deploy --yes --limit web1 --message 'more workers'\ncc-cloud local deploy --services nginx --prune\ncc-cloud local deploy friday.plan        # exactly what `plan -o friday.plan` showed, or nothing"))]
    Deploy(super::deploy::DeployArgs),
    /// Follow a run whose controller was cut off, or that somebody else began
    #[command(after_help = examples("cc-cloud local attach                    # the run that is at work\ncc-cloud local attach 20261122T121530Z-0a1b2c\ncc-cloud local attach --stop             # let the running steps finish, begin no other"))]
    Attach(super::attach::AttachArgs),
    /// Go on with the newest run that did not come to its end
    #[command(after_help = examples("cc-cloud local resume\ncc-cloud local resume --yes"))]
    Resume(super::resume::ResumeArgs),
    /// Run every health check and the smoke test
    #[command(after_help = examples("cc-cloud local verify"))]
    Verify(super::verify::VerifyArgs),
    /// Show the services on each host with the state of their units and versions
    #[command(after_help = examples("cc-cloud local status"))]
    Status(super::status::StatusArgs),
    /// List what was done to the environment: when, by whom, why, and how it ended
    #[command(after_help = examples("cc-cloud local history\ncc-cloud local history --limit-runs 100 --json\ncc-cloud local history verify       # whether the records are as they were written"))]
    History(super::history::HistoryArgs),
    /// Show everything that is known of one run
    #[command(after_help = examples("cc-cloud local show                 # the newest\ncc-cloud local show 20261122T121530Z-1f2e3d\ncc-cloud local show 1f2e3d --html run.html"))]
    Show(super::show::ShowArgs),
    /// Say what is not as it was deployed, and who moved: the files, the host or both; changes nothing
    #[command(after_help = examples("cc-cloud local drift                    # exit code 2 when anything drifted\ncc-cloud local drift --limit web --junit drift.xml\ncc-cloud local drift --quiet --json"))]
    Drift(super::drift::DriftArgs),
    /// End the lock of a command that is not running any more
    #[command(after_help = examples("cc-cloud local unlock           # watches the heartbeat for a lease; an end only if it stands still\ncc-cloud local unlock --force --reason 'the laptop is lost'"))]
    Unlock(super::unlock::UnlockArgs),
    /// Refuse every deploy until a time
    #[command(after_help = examples("cc-cloud local freeze --until 2026-12-31 --why 'end of the quarter'\ncc-cloud local freeze --until 3h --why 'the network is being worked on'"))]
    Freeze(super::freeze::FreezeArgs),
    /// End a freeze before its time
    #[command(after_help = examples("cc-cloud local unfreeze"))]
    Unfreeze(super::freeze::UnfreezeArgs),
    /// List the hosts of the environment
    #[command(after_help = examples("cc-cloud local hosts\ncc-cloud local hosts --json"))]
    Hosts(super::hosts::HostsArgs),
    /// Show what hosts say of themselves
    #[command(after_help = examples("cc-cloud local facts db1"))]
    Facts(super::facts::FactsArgs),
    /// Run a command on hosts
    #[command(after_help = examples("cc-cloud local exec web -- uptime\ncc-cloud local exec all -- df -h /"))]
    Exec(super::exec::ExecArgs),
    /// Open a shell on a host
    #[command(after_help = examples("cc-cloud local ssh db1"))]
    Ssh(super::ssh::SshArgs),
    /// Print the order of services
    #[command(after_help = examples("cc-cloud local graph                   # Mermaid\ncc-cloud local graph --format dot | dot -Tsvg > order.svg"))]
    Graph(super::graph::GraphArgs),
    /// Enter, show and check secrets, and say who can read them
    #[command(after_help = examples("cc-cloud local secrets set redis_password --random 32\ncc-cloud local secrets edit\ncc-cloud local secrets check\ncc-cloud local secrets rekey --add bob=age1…"))]
    Secrets(super::secrets::SecretsArgs),
    /// Make or start the rehearsal hosts (provider: containers)
    #[command(after_help = examples("cc-cloud local up && cc-cloud local deploy"))]
    Up(super::up::UpArgs),
    /// Remove the rehearsal hosts and everything on them
    #[command(after_help = examples("cc-cloud local down"))]
    Down(super::down::DownArgs),
}

/// Which part of the environment a command is about.
#[derive(Args, Clone, Debug, Default)]
pub struct SelectionArgs {
    /// Only these hosts or groups
    #[arg(short, long, value_name = "HOSTS", value_delimiter = ',', add = ArgValueCompleter::new(complete::hosts))]
    pub limit: Vec<String>,
    /// Only these services
    #[arg(short, long, value_name = "SERVICES", value_delimiter = ',', add = ArgValueCompleter::new(complete::services))]
    pub services: Vec<String>,
    /// Only steps with one of these tags
    #[arg(short, long, value_name = "TAGS", value_delimiter = ',')]
    pub tags: Vec<String>,
}

fn examples(lines: &str) -> String {
    let body: String = lines.lines().map(|line| format!("  {line}\n")).collect();
    format!("Examples:\n{body}")
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// A command without an environment.
    Global(GlobalCommand),
    /// A command of an environment.
    Environment(String, EnvironmentCommand),
}

const ABOUT: &str = "Describe an environment once; see what would change; change only that; prove that it works";

const AFTER: &str = "\
Environment commands (cc-cloud <env> <command>):
  validate preflight plan deploy attach resume verify status drift history show unlock freeze unfreeze
  hosts facts exec ssh graph secrets up down

Exit codes: 0 done or nothing to do · 1 failed · 2 changes pending (drift, plan --detailed-exitcode) · 3 checks failed
  4 some hosts unreachable · 5 locked, frozen or another run at work · 64 wrong command line · 130 interrupted

Start here:
  cc-cloud init pilot            # a commented environment
  cc-cloud pilot validate        # every error at once, with its line
  cc-cloud pilot preflight       # whether the hosts can carry it
  cc-cloud pilot plan            # what would change
  cc-cloud pilot deploy          # change it";

/// The whole command line; every environment of the repository is a command of its own, so that help, completion and
/// did-you-mean know them.
pub fn command(environments: &[String]) -> Command {
    let base = GlobalCommand::augment_subcommands(GlobalArgs::augment_args(Command::new("cc-cloud")))
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(AFTER)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("ENV|COMMAND");
    environments.iter().fold(base, |base, name| {
        let command = EnvironmentCommand::augment_subcommands(Command::new(name.clone()))
            .about(format!("The environment {name}: `cc-cloud {name} --help` lists what can be done"))
            .subcommand_required(true)
            .arg_required_else_help(true);
        base.subcommand(command)
    })
}

/// Turns parsed arguments into what they ask for.
///
/// # Errors
/// When clap's own rules were not enough to reject them.
pub fn invocation(
    matches: &clap::ArgMatches,
    environments: &[String],
) -> Result<(GlobalArgs, Invocation), clap::Error> {
    match matches.subcommand() {
        Some((name, inner)) if environments.iter().any(|environment| environment == name) => {
            // Options that every command has are known to the innermost one.
            let leaf = std::iter::successors(Some(inner), |matches| matches.subcommand().map(|(_, leaf)| leaf)).last();
            let command = EnvironmentCommand::from_arg_matches(inner)?;
            Ok((
                GlobalArgs::from_arg_matches(leaf.unwrap_or(inner))?,
                Invocation::Environment(name.to_owned(), command),
            ))
        }
        Some((_, leaf)) => {
            Ok((GlobalArgs::from_arg_matches(leaf)?, Invocation::Global(GlobalCommand::from_arg_matches(matches)?)))
        }
        None => Err(clap::Error::new(clap::error::ErrorKind::MissingSubcommand)),
    }
}

/// Names of the commands without an environment.
pub fn global_commands() -> Vec<String> {
    names(&GlobalCommand::augment_subcommands(Command::new("cc-cloud")))
}

/// Names of the commands of an environment.
pub fn environment_commands() -> Vec<String> {
    names(&EnvironmentCommand::augment_subcommands(Command::new("cc-cloud")))
}

fn names(command: &Command) -> Vec<String> {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| command.get_name().to_owned()).chain(["help".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use cc_plan::spec::environment::RESERVED_NAMES;

    use super::*;

    #[test]
    fn no_environment_can_be_named_like_a_command() {
        let hidden = GlobalCommand::augment_subcommands(Command::new("cc-cloud"));
        let hidden = hidden.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        for name in [global_commands(), environment_commands(), hidden].concat() {
            assert!(RESERVED_NAMES.contains(&name.as_str()), "`{name}` is a command and no reserved name");
        }
    }
}
