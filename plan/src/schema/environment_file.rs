//! `environments/<env>/environment.yml` as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value;

use super::quantity_types::{Address, BatchSize, Duration, Name, Port, Texts};
use crate::spec::environment::{HostOrder, Size};

/// What an environment consists of: services, what others run for us, and how changes roll out.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "environment")]
#[expect(dead_code, reason = "only the schema of this type is used")]
pub(super) struct EnvironmentFile {
    /// Its name, equal to its folder's. May be left out only in a file that others extend by its path.
    environment: Option<Name>,
    /// One line for a person.
    description: Option<String>,
    /// What preflight measures against; `single` when absent.
    size: Option<Size>,
    /// Environments by name, or files by path relative to this one, that are merged first, in order. Mappings merge key by
    /// key, lists and single values replace, `null` removes.
    extends: Option<Vec<String>>,
    /// Rules that hosts must meet.
    policy: Option<PolicyEntry>,
    /// Services by name.
    #[schemars(extend("propertyNames" = {"x-format": "name", "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"}))]
    services: Option<BTreeMap<String, Option<ServiceEntry>>>,
    /// What others run for us, by name. It stands for the offer of the same name.
    #[schemars(extend("propertyNames" = {"x-format": "name", "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"}))]
    external: Option<BTreeMap<String, Option<ExternalEntry>>>,
    /// How changes roll over the hosts of a service, unless the service says otherwise.
    rollout: Option<RolloutEntry>,
    /// What `verify` does after the health checks, in order, from the machine that it is called on.
    verify: Option<Vec<VerifyStep>>,
}

/// Rules that hosts must meet.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "policy")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct PolicyEntry {
    /// Accepted systems; every supported one when absent.
    os: Option<Vec<SupportedOs>>,
    /// What preflight measures against, where it differs from what it comes with.
    preflight: Option<PreflightEntry>,
}

/// What preflight measures against, where it differs from what it comes with. Each deviation shows in its report.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "preflight")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct PreflightEntry {
    /// Thresholds by id, such as `disk.size.free_fail: 5%`; `cc-cloud explain CHECK` lists them with their units.
    thresholds: Option<BTreeMap<String, Value>>,
    /// Checks that are switched off, each with the reason: `net.bw: leased line, measured every year`.
    off: Option<BTreeMap<String, String>>,
    /// What hosts must reach beside what their package sources and roles need: URLs, or `address:port`.
    egress: Option<Vec<String>>,
    /// HTTP proxy through which hosts reach the internet: `http://proxy:3128`.
    proxy: Option<String>,
    /// Mobile users that the site is planned for.
    users: Option<u32>,
    /// Cases that each of them holds; at most 10,000 when absent.
    cases_per_user: Option<u32>,
    /// Name under which people reach the site; what its DNS record and certificate are checked for.
    site: Option<Address>,
    /// Further names of the site.
    alternate_sites: Option<Vec<Address>>,
    /// Where hosts are: what the virtualization that is found must agree with.
    platform: Option<Platform>,
}

/// Where hosts are.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only the schema of this type is used")]
enum Platform {
    Vm,
    Metal,
    Container,
}

/// Systems that the resource types know.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema of this type is used")]
enum SupportedOs {
    #[schemars(rename = "ubuntu-22.04")]
    Jammy,
    #[schemars(rename = "ubuntu-24.04")]
    Noble,
    #[schemars(rename = "debian-12")]
    Bookworm,
}

/// A role placed on hosts under a name. Every key that is not listed here is a parameter of the role.
#[derive(JsonSchema)]
#[schemars(title = "service")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct ServiceEntry {
    /// The role; the service's name when absent.
    role: Option<Name>,
    /// Groups or hosts that it stands on.
    on: Option<Texts>,
    /// Which service stands for an offer that several services make: offer to service.
    uses: Option<BTreeMap<String, String>>,
    /// How its changes roll over its hosts.
    rollout: Option<RolloutEntry>,
    /// Labels for `--tags`.
    tags: Option<Texts>,
}

/// Something that others run for us. Further keys are values that templates can use.
#[derive(JsonSchema)]
#[schemars(title = "external service")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct ExternalEntry {
    /// Host name or address.
    address: Address,
    /// Port.
    port: Option<Port>,
}

/// How changes roll over the hosts of a service.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "rollout")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct RolloutEntry {
    /// Hosts in the first batch, before `batches` begin; 0 when absent.
    canary: Option<u32>,
    /// Sizes of the batches after it; the last repeats until all hosts are done. `[100%]` when absent.
    #[schemars(extend("minItems" = 1))]
    batches: Option<Vec<BatchSize>>,
    /// In which order the hosts come; `inventory` when absent.
    order: Option<HostOrder>,
    /// Hosts that may fail, over the whole run, before no further one begins; 0 when absent. Written for the environment, it
    /// counts the hosts of all services, and stops the whole run.
    max_failed: Option<u32>,
    /// Hosts that may be out of reach, over the whole run, before no further one begins. When absent, hosts that are out of
    /// reach from the start hold nobody back, and none may be lost in the middle. Written for the environment, it counts all hosts.
    max_unreachable: Option<u32>,
    /// Time between two batches.
    pause: Option<Duration>,
    /// Services whose health checks must pass, beside its own, before the next batch begins.
    gate: Option<Texts>,
}

/// One step of the smoke test.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "verify step")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct VerifyStep {
    /// What it proves, for a person.
    name: String,
    /// An HTTP request and what its answer must be.
    http: HttpStep,
}

/// An HTTP request and what its answer must be. Texts may be templates.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "http step")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct HttpStep {
    /// Method; GET when absent, POST when there is a body.
    method: Option<Method>,
    /// Address.
    url: String,
    /// Headers.
    headers: Option<BTreeMap<String, String>>,
    /// Body that is sent as JSON.
    json: Option<Value>,
    /// Body that is sent as it is.
    body: Option<String>,
    /// Accepted status codes; 200 when absent.
    status: Option<StatusCodes>,
    /// Text, or texts, that the answer's body must hold.
    contains: Option<Texts>,
    /// How long to try again until the answer is as wanted; once when absent.
    within: Option<Duration>,
    /// `insecure` accepts any certificate; `verify` when absent.
    tls: Option<Tls>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "only the schema of this type is used")]
enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only the schema of this type is used")]
enum Tls {
    Verify,
    Insecure,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only the schema of this type is used")]
enum StatusCodes {
    One(#[schemars(range(min = 100, max = 599))] u16),
    Several(#[schemars(inner(range(min = 100, max = 599)))] Vec<u16>),
}
