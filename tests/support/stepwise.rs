use super::{Overheard, Repository, TestHost};

/// A plan of many steps on one host, each of which waits for its leave and then adds its number to a file: what is done twice or
/// left out is seen in it. At the end comes a handler that all of them notify.
pub struct Stepwise<'h> {
    pub host: &'h TestHost,
    pub repository: Repository,
}

impl<'h> Stepwise<'h> {
    /// How many steps it has.
    pub const STEPS: usize = 40;

    pub fn new(host: &'h TestHost) -> Self {
        let repository = Repository::of(&[host]);
        repository.environment("  many: {on: every}\n");
        let wait = "until [ $(cat /srv/leave) -ge N ]; do sleep 0.02; done";
        let step = wait.replace('N', "{{ item }}");
        let handler = wait.replace('N', "1000");
        repository.role(
            "many",
            &format!(
                "resources:
  - command: step {{{{ item }}}}
    each: range(1, {})
    shell: \"{step}; echo {{{{ item }}}} >>/srv/done\"
    unless: grep -qx {{{{ item }}}} /srv/done
    notify: handle
handlers:
  handle:
    command: handle
    shell: \"{handler}; echo handled >>/srv/handled\"
    changes: always
",
                Self::STEPS + 1
            ),
        );
        Self { host, repository }
    }

    /// As if nothing had ever been done here; then begins to deploy and stops in the middle of the step after this many.
    pub fn begin(&self, steps: usize) -> Overheard {
        self.host.sh(&format!("rm -rf /srv/* /var/lib/cc-cloud/t; echo {steps} >/srv/leave"));
        let mut deploy = Overheard::start(&self.repository, &["t", "deploy", "--yes"]);
        let next = match steps {
            Self::STEPS => "handler:handle".to_owned(),
            _ => format!("command:step {}\"", steps + 1),
        };
        deploy.until("step_started", &next);
        deploy
    }

    /// Nothing waits any more.
    pub fn release(&self) {
        self.host.sh("echo 1000 >/srv/leave");
    }

    /// Everything is done once, in order, and the handler has run since the last step; nothing is left to do.
    #[track_caller]
    pub fn assert_done(&self, after: &str) {
        let numbers: Vec<String> = (1..=Self::STEPS).map(|number| number.to_string()).collect();
        assert_eq!(self.host.sh("cat /srv/done"), numbers.join("\n"), "{after}");
        assert_eq!(self.host.sh("sort -u /srv/handled"), "handled", "{after}");
        assert_eq!(self.host.sh("[ /srv/handled -nt /srv/done ] && echo later"), "later", "{after}");
        let plan = self.repository.run(&["t", "plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, 0, "{after}: {}{}", plan.stdout, plan.stderr);
    }

    /// Kills the agent that applies.
    pub fn kill_agent(&self) {
        self.host.sh("systemctl kill --kill-whom=main --signal=KILL 'cc-cloud-t-*.service'");
    }

    /// Begins, kills the controller after this many steps, and goes on from the same files on another machine.
    pub fn without_its_controller(&self, steps: usize, elsewhere: &Repository) {
        self.begin(steps).kill();
        self.release();
        elsewhere.run(&["t", "resume"]).expect(0);
        self.assert_done(&format!("the controller was killed after step {steps}"));
    }

    /// Begins, kills the agent after this many steps, and goes on.
    pub fn without_its_agent(&self, steps: usize) {
        let deploy = self.begin(steps);
        self.kill_agent();
        deploy.expect(1);
        self.release();
        self.repository.run(&["t", "resume"]).expect(0);
        self.assert_done(&format!("the agent was killed after step {steps}"));
    }
}
