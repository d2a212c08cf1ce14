//! What a hook is told.

use std::path::Path;

use serde::Serialize;

use super::point::Point;
use crate::history::{Author, Commit, Ended, Intent};

/// What a hook is told: as JSON on its standard input, the most useful of it as variables too.
#[derive(Clone, Debug, Serialize)]
pub struct Occasion {
    /// The version of this object; fields may be added without a new one.
    pub version: u32,
    /// When it runs; nothing before the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<&'static str>,
    /// The environment.
    pub environment: String,
    /// The command: `plan`, `deploy`.
    pub command: String,
    /// One sentence for people.
    pub text: String,
    /// Who runs the command, and from where.
    #[serde(flatten)]
    pub author: Author,
    /// Why, in the author's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The commit of the environment's files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// The version of cc-cloud.
    pub cc_cloud: &'static str,
    /// The run, once it has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What is going to change, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Intent>,
    /// How it ended, once it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

impl Occasion {
    /// A command on an environment of a repository that is about to begin.
    pub fn new(environment: &str, command: &str, repository: &Path, message: Option<&str>) -> Self {
        Self {
            version: 1,
            point: None,
            environment: environment.to_owned(),
            command: command.to_owned(),
            text: String::new(),
            author: Author::of(repository),
            message: message.map(str::to_owned),
            commit: Commit::of(repository),
            cc_cloud: env!("CARGO_PKG_VERSION"),
            run: None,
            plan: None,
            ended: None,
        }
    }

    /// The same at a point.
    pub(super) fn at(&self, point: Point) -> Self {
        Self { point: Some(point.name()), text: self.sentence(point), ..self.clone() }
    }

    fn sentence(&self, point: Point) -> String {
        let what = format!("{} of {} by {}", self.command, self.environment, self.author.who);
        let plan = self.plan.as_ref().map(|plan| format!(": {}", plan.summary())).unwrap_or_default();
        let why = self.message.as_ref().map(|message| format!(" ({message})")).unwrap_or_default();
        match point {
            Point::BeforePlan => format!("{what} begins{why}"),
            Point::AfterPlan | Point::BeforeDeploy => format!("{what}{plan}{why}"),
            Point::AfterDeploy => format!("{what} is done{plan}{why}"),
            Point::OnFailure => format!("{what} has failed{plan}{why}"),
        }
    }

    /// The variables of a hook.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let ended = self.ended.as_ref();
        let all = [
            ("CC_HOOK", self.point.map(str::to_owned)),
            ("CC_ENVIRONMENT", Some(self.environment.clone())),
            ("CC_COMMAND", Some(self.command.clone())),
            ("CC_TEXT", Some(self.text.clone())),
            ("CC_WHO", Some(self.author.who.clone())),
            ("CC_REPOSITORY", Some(self.author.folder.clone())),
            ("CC_MESSAGE", self.message.clone()),
            ("CC_COMMIT", self.commit.as_ref().map(|commit| commit.id.clone())),
            ("CC_VERSION", Some(self.cc_cloud.to_owned())),
            ("CC_RUN", self.run.clone()),
            ("CC_EXIT_CODE", ended.map(|ended| ended.exit_code.to_string())),
        ];
        // One that says nothing is set all the same, so that none is taken from around the command.
        all.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect()
    }
}
