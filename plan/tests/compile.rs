//! From files to plans.
#![allow(clippy::unwrap_used, clippy::panic)]

mod folder;

use cc_plan::compile::Known;
use folder::Folder;

const INVENTORY: &str = "
provider: static
hosts:
  db1: {address: 10.0.0.1, groups: [db], params: {zone: a}}
  web1: {address: 10.0.0.2, groups: [web]}
  web2: {address: 10.0.0.3, groups: [web]}
";

const REDIS: &str = r#"
role: redis
description: Redis
params:
  maxmemory: {type: bytes, default: "{{ host.memory * 0.25 }}"}
  password: {type: secret, optional: true}
  port: {type: port, default: 6379}
offers: [{name: redis, port: "{{ params.port }}"}]
needs: {memory: "{{ params.maxmemory }}", disk: "{{ params.maxmemory * 3 }}"}
resources:
  - package: redis-server
  - template: /etc/redis/redis.conf
    source: redis.conf.j2
    owner: redis
    mode: "0640"
    notify: restart redis
  - service: redis-server
    enabled: true
    running: true
    requires: "template:/etc/redis/redis.conf"
handlers:
  restart redis: {service: redis-server, restart: true}
health:
  - tcp: "{{ params.port }}"
  - redis_ping: {password: "{{ params.password }}"}
"#;

const REDIS_CONF: &str = "maxmemory {{ params.maxmemory | bytes('MiB') }}mb
{% if params.password %}
requirepass {{ params.password }}
{% endif %}
{% for client in clients %}
# {{ client.name }} {{ client.address }}
{% endfor %}
";

const WEB: &str = r#"
role: web
description: A web application
params:
  workers: {type: integer, default: 2}
uses: [redis, {name: smtp, optional: true}]
resources:
  - directory: "/srv/{{ service.name }}/{{ item }}"
    each: "[1, 2]"
  - file: /srv/env
    content: |
      REDIS=redis://:{{ uses.redis.params.password | urlencode }}@{{ uses.redis.address }}:{{ uses.redis.port }}
      WORKERS={{ params.workers }}
  - sysctl: net.core.somaxconn
    value: 1024
"#;

fn folder() -> Folder {
    Folder::new(&[
        (
            "environments/e/environment.yml",
            "environment: e
services:
  web: {on: [web]}
  broker: {role: redis, on: [db], password: {secret: redis_password}}
",
        ),
        ("inventories/e.yml", INVENTORY),
        ("secrets/e.yml", include_str!("fixtures/valid/secrets/local.yml")),
        ("roles/redis/role.yml", REDIS),
        ("roles/redis/templates/redis.conf.j2", REDIS_CONF),
        ("roles/web/role.yml", WEB),
    ])
}

#[test]
fn a_small_environment_becomes_this_plan() {
    insta::assert_json_snapshot!(folder().compile(&Known::default()));
}
