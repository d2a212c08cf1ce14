//! What holds for every environment.
#![allow(clippy::unwrap_used, clippy::panic)]

mod folder;

use std::collections::BTreeMap;

use cc_agent::facts::Facts;
use cc_agent::resource::{Content, Resource};
use cc_agent::secret::{Token, Transform};
use cc_plan::compile::Known;
use cc_plan::spec::environment::{BatchSize, Rollout};
use folder::Folder;
use proptest::prelude::*;

/// A piece of a template, and what it prints: text, or a secret with transforms.
#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Secret(Vec<Transform>),
    Joined(String),
    Listed,
}

fn piece() -> impl Strategy<Value = Piece> {
    let transform = (0..Transform::ALL.len()).prop_map(|index| Transform::ALL[index].0);
    prop_oneof![
        "[ a-zA-Z0-9=:/@.,;\"'\\\\-]{0,12}".prop_map(Piece::Text),
        prop::collection::vec(transform, 0..4).prop_map(Piece::Secret),
        "[a-z]{0,5}".prop_map(Piece::Joined),
        Just(Piece::Listed),
    ]
}

impl Piece {
    fn template(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Secret(transforms) => {
                let filters: String = transforms.iter().map(|transform| format!(" | {}", transform.name())).collect();
                format!("{{{{ params.key{filters} }}}}")
            }
            Self::Joined(text) => format!("{{{{ '{text}' ~ params.key ~ '{text}' }}}}"),
            Self::Listed => "{% for key in [params.key, params.key] %}{{ key }};{% endfor %}".to_owned(),
        }
    }

    fn secrets(&self) -> Vec<Vec<Transform>> {
        match self {
            Self::Text(_) => vec![],
            Self::Secret(transforms) => vec![transforms.clone()],
            Self::Joined(_) => vec![vec![]],
            Self::Listed => vec![vec![], vec![]],
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// No token is lost, damaged or invented, whatever stands around it; and compiling twice gives the same.
    #[test]
    fn tokens_arrive_as_they_were_printed(pieces in prop::collection::vec(piece(), 0..8), hosts in 1..4usize) {
        let template: String = pieces.iter().map(Piece::template).collect();
        let names: String = (0..hosts).map(|n| format!("  h{n}: {{address: 10.0.0.{}, groups: [all]}}\n", n + 1)).collect();
        let folder = Folder::new(&[
            ("environments/e/environment.yml", "environment: e\nservices:\n  app: {on: all, key: {secret: the_key}}\n"),
            ("inventories/e.yml", &format!("provider: static\nhosts:\n{names}")),
            ("secrets/e.yml", "recipients: [age1example]\nvalues: {the_key: sealed}\n"),
            (
                "roles/app/role.yml",
                "role: app\ndescription: An application\nparams:\n  key: {type: secret}\n\
                 resources:\n  - template: /etc/app.conf\n    source: app.conf.j2\n",
            ),
            ("roles/app/templates/app.conf.j2", &template),
        ]);
        let facts: BTreeMap<String, Facts> = (0..hosts).map(|n| (format!("h{n}"), Facts::placeholder())).collect();
        let known = Known { facts, ..Known::default() };
        let plan = folder.compile(&known);
        prop_assert_eq!(plan.digest().unwrap(), folder.compile(&known).digest().unwrap());
        let expected: Vec<Vec<Transform>> = pieces.iter().flat_map(Piece::secrets).collect();
        for host in &plan.hosts {
            let Resource::File(file) = &host.steps[0].resource else { panic!("{:?}", host.steps) };
            let Some(Content::Text(text)) = &file.content else { panic!("{file:?}") };
            let printed: Vec<Vec<Transform>> = Token::split(text)
                .into_iter()
                .filter_map(|piece| match piece {
                    Token::Text(_) => None,
                    Token::Secret("the_key", transforms) => Some(transforms),
                    other => panic!("{other:?}"),
                })
                .collect();
            prop_assert_eq!(&printed, &expected);
            prop_assert_eq!(plan.secrets[&host.host].is_empty(), expected.is_empty());
        }
    }

    /// Batches hold every host once, in order, and none is empty.
    #[test]
    fn batches_partition_the_hosts(
        hosts in 0..40usize,
        canary in 0..5usize,
        sizes in prop::collection::vec(prop_oneof![
            (0..10usize).prop_map(BatchSize::Hosts),
            (0..=100u8).prop_map(BatchSize::Percent),
        ], 0..4),
    ) {
        let hosts: Vec<usize> = (0..hosts).collect();
        let rollout = Rollout { canary, batches: sizes, ..Rollout::default() };
        let batches = rollout.split(&hosts);
        prop_assert_eq!(batches.concat(), hosts.clone());
        prop_assert!(batches.iter().all(|batch| !batch.is_empty()));
        if canary > 0 && hosts.len() > canary {
            prop_assert_eq!(batches[0].len(), canary);
        }
    }

    /// Services in a random order of use: none is in a stage before, or the same as, what it uses.
    #[test]
    fn a_stage_comes_after_what_it_uses(uses in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..7)) {
        let mut files = vec![("inventories/e.yml".to_owned(), "provider: static\nhosts:\n  h: {address: 10.0.0.1, groups: [all]}\n".to_owned())];
        let mut services = String::new();
        // Written last to first, so that the order of the environment helps nobody.
        for (number, used) in uses.iter().enumerate().rev() {
            let used: Vec<String> = if number == 0 { vec![] } else { used.iter().map(|i| format!("o{}", i.index(number))).collect() };
            services += &format!("  s{number}: {{on: all}}\n");
            let mut used = used;
            used.sort();
            used.dedup();
            let role = format!("role: s{number}\ndescription: One\noffers: [{{name: o{number}}}]\nuses: [{}]\nresources: []\n", used.join(", "));
            files.push((format!("roles/s{number}/role.yml"), role));
        }
        files.push(("environments/e/environment.yml".to_owned(), format!("environment: e\nservices:\n{services}")));
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let plan = Folder::new(&files).compile(&Known::default());
        let stage: BTreeMap<&str, usize> = plan
            .stages
            .iter()
            .enumerate()
            .flat_map(|(number, stage)| stage.services.iter().map(move |service| (service.name.as_str(), number)))
            .collect();
        prop_assert_eq!(stage.len(), uses.len());
        for service in plan.stages.iter().flat_map(|stage| &stage.services) {
            let before = service.uses.iter().map(|used| stage[used.as_str()] + 1).max().unwrap_or(0);
            prop_assert_eq!(stage[service.name.as_str()], before, "as early as possible, no earlier");
        }
    }
}
