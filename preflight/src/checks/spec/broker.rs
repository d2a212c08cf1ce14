//! `spec.broker`: tasks wait in Redis, and none is thrown away.

use cc_plan::spec::environment::{Service, Size};

use super::written::texts;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Tasks wait in Redis, and none is thrown away.
pub struct Broker;

// The predecessor compares broker and cache URLs of its settings; here they follow from which service is used, so that what can
// go wrong is RabbitMQ, a Redis that evicts, and one Redis for both.
static ABOUT: About = About {
    id: "spec.broker",
    title: "The task broker is a Redis that keeps its keys",
    measures: "Services and `external` entries called rabbitmq, texts that begin with `amqp://`; how many services have the role redis, \
               and their `eviction`.",
    why: "RabbitMQ has been dropped as broker; a new site would have to move soon. A Redis that evicts keys when its memory is full \
          throws tasks away without an error. One Redis for cache and broker lets a full cache stop all tasks.",
    thresholds: &[],
    fix: "place a second service of role redis, and let each application use one as broker and the other as cache",
    source: "services guide, RabbitMQ; changelog 0096 of the predecessor",
    vantage: Vantage::Spec,
    applies: "environments with Redis or RabbitMQ; RabbitMQ is a warning where something is installed already. On size demo one Redis \
              may do both",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Spec,
};

impl Check for Broker {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        match rabbit(scene).is_none() && redis(scene).next().is_none() {
            true => Ask::skip("the environment has neither Redis nor RabbitMQ"),
            false => Ask::nothing(),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, _answers: &Answered<'_>) -> Judged {
        let expected = "Redis as broker, without eviction, apart from the cache";
        if let Some((what, span)) = rabbit(scene) {
            let observed = format!("{what}: RabbitMQ as broker");
            // An existing site keeps working with it until it is moved.
            let judgement = match scene.hosts.iter().any(|host| host.installed) {
                true => Judgement::warn(observed, expected),
                false => Judgement::fail(observed, expected),
            };
            return Ok(judgement
                .fix("use a service of role redis as broker; an existing site drains its queues first")
                .at(scene, span));
        }
        let services: Vec<&Service> = redis(scene).collect();
        let keeping = services.iter().filter(|service| eviction(service).is_none()).count();
        let [first, ..] = services.as_slice() else { return Ok(Judgement::skip("the environment has no Redis")) };
        Ok(match (keeping, services.len(), scene.size()) {
            (0, ..) => {
                let span = eviction(first).unwrap_or(first.name.span);
                let observed = format!("service {} evicts keys, and no other Redis keeps tasks", first.name.value);
                Judgement::fail(observed, expected)
                    .fix("leave out `eviction` of the service that is the broker")
                    .at(scene, span)
            }
            (1, 1, Size::Demo) => Judgement::pass(format!("service {} for everything", first.name.value), expected),
            (1, 1, _) => Judgement::warn(format!("service {} is the only Redis", first.name.value), expected)
                .at(scene, first.name.span),
            _ => Judgement::pass(
                format!("{} services of role redis, {keeping} of them keep all keys", services.len()),
                expected,
            ),
        })
    }
}

fn redis<'s>(scene: &Scene<'s>) -> impl Iterator<Item = &'s Service> {
    scene.spec.environment.services.iter().filter(|service| service.role.value == "redis")
}

/// Where a service says that it evicts keys. What a role has as default keeps them.
fn eviction(service: &Service) -> Option<cc_plan::source::Span> {
    let written = service.params.iter().find(|(name, _)| name.value == "eviction");
    written.filter(|(_, node)| node.as_str().is_some_and(|policy| policy != "noeviction")).map(|(_, node)| node.span)
}

/// What makes RabbitMQ the broker, and where.
fn rabbit(scene: &Scene<'_>) -> Option<(String, cc_plan::source::Span)> {
    let environment = &scene.spec.environment;
    let service = environment.services.iter().find(|service| service.role.value == "rabbitmq");
    let external = environment.external.iter().find(|(name, _)| name.as_str() == "rabbitmq");
    let text = texts(scene.spec)
        .into_iter()
        .find(|written| ["amqp://", "amqps://", "pyamqp://"].iter().any(|scheme| written.text.starts_with(scheme)));
    service
        .map(|service| (format!("service {}", service.name.value), service.name.span))
        .or_else(|| external.map(|(name, external)| (format!("external.{name}"), external.address.span)))
        .or_else(|| text.map(|written| (written.path, written.span)))
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Finding, Verdict};

    const REDIS: &str = "role: redis\ndescription: r\nparams:\n  eviction: {type: string, default: noeviction, doc: d}\nresources:\n  - package: x\n";
    const RABBIT: &str = "role: rabbitmq\ndescription: r\nresources:\n  - package: x\n";

    fn trial(size: &str, rest: &str) -> Trial {
        let environment = format!("environment: trial\nsize: {size}\n{rest}");
        let roles = [("redis", REDIS), ("rabbitmq", RABBIT)];
        Trial::with_roles(&environment, "hosts:\n  web1: {address: 10.0.0.1}\n", &roles)
    }

    fn found(size: &str, rest: &str) -> Finding {
        trial(size, rest).finding("spec.broker", "")
    }

    #[test]
    fn rabbitmq_is_for_sites_that_have_it() {
        let external = "services:\n  redis: {on: web1}\nexternal:\n  queue: {address: 10.1.1.1, url: \"amqp://x\"}\n";
        for rest in ["services:\n  rabbitmq: {on: web1}\n", external] {
            let finding = found("demo", rest);
            assert!(finding.stops() && finding.place.is_some(), "{finding:?}");
            let mut existing = trial("demo", rest);
            existing.installed = true;
            assert_eq!(existing.verdict("spec.broker", ""), Verdict::Warn);
        }
    }

    #[test]
    fn a_broker_keeps_its_keys_and_is_not_the_cache() {
        let one = "services:\n  redis: {on: web1}\n";
        assert_eq!(found("demo", one).verdict, Verdict::Pass);
        assert_eq!(found("single", one).verdict, Verdict::Warn);
        let evicting = "services:\n  redis: {on: web1, eviction: allkeys-lru}\n";
        let finding = found("demo", evicting);
        assert_eq!((finding.verdict, finding.place.map(|place| place.line)), (Verdict::Fail, Some(4)));
        let both = "services:\n  redis: {on: web1}\n  cache: {role: redis, on: web1, eviction: allkeys-lru}\n";
        assert_eq!(found("single", both).verdict, Verdict::Pass);
        assert_eq!(Trial::new().verdict("spec.broker", ""), Verdict::Skip);
    }
}
