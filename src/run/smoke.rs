//! The smoke test: real requests from here through the front door.

use std::time::{Duration, Instant};

use cc_agent::check::Finding;
use cc_plan::compile::{SmokeRequest, SmokeStep, TlsCheck};

use crate::error::CliError;
use crate::report::{Event, Report};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Between two tries of a request whose answer may still become right.
const PAUSE: Duration = Duration::from_millis(300);
/// How much of a wrong answer is shown, in characters.
const SHOWN: usize = 200;

/// How many steps passed and failed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smoke {
    /// Steps that passed.
    pub passed: usize,
    /// Steps that failed, or that were not tried because an earlier one failed.
    pub failed: usize,
}

/// Runs the steps in order; the first that fails ends the test, since later ones build on it.
///
/// # Errors
/// When no HTTP client can be made.
pub async fn smoke(steps: &[SmokeStep], report: &Report) -> Result<Smoke, CliError> {
    let mut smoke = Smoke::default();
    for step in steps {
        let (healthy, observed) = patiently(&step.http).await?;
        let check = format!("{} {}", step.http.method(), step.http.url);
        let finding = Finding { service: step.name.clone(), check, healthy, observed, log: Vec::new() };
        report.emit(&Event::Check { host: "", finding: &finding });
        if !healthy {
            smoke.failed = steps.len() - smoke.passed;
            break;
        }
        smoke.passed += 1;
    }
    Ok(smoke)
}

async fn patiently(request: &SmokeRequest) -> Result<(bool, String), CliError> {
    let deadline = Instant::now() + Duration::from_secs(request.patience());
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(request.tls == TlsCheck::Insecure)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(REQUEST_TIMEOUT)
        .no_proxy()
        .build()
        .map_err(|error| CliError::failed(format!("no HTTP client for the smoke test: {error}")))?;
    loop {
        let (healthy, observed) = once(&client, request).await;
        if healthy || Instant::now() >= deadline {
            return Ok((healthy, observed));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn once(client: &reqwest::Client, request: &SmokeRequest) -> (bool, String) {
    let Ok(method) = reqwest::Method::from_bytes(request.method().as_bytes()) else {
        return (false, format!("`{}` is not an HTTP method", request.method()));
    };
    let mut builder = client.request(method, &request.url);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    builder = match (&request.json, &request.body) {
        (Some(json), _) => builder.json(json),
        (None, Some(body)) => builder.body(body.clone()),
        (None, None) => builder,
    };
    match builder.send().await {
        Ok(response) => judge(request, response).await,
        Err(error) => (false, root_cause(&error)),
    }
}

async fn judge(request: &SmokeRequest, response: reqwest::Response) -> (bool, String) {
    let status = response.status().as_u16();
    let body = match response.text().await {
        Ok(body) => body,
        Err(error) => return (false, format!("status {status}, but its body broke off: {}", root_cause(&error))),
    };
    let start: String = body.chars().take(SHOWN).collect();
    if !request.status.contains(&status) {
        let wanted: Vec<String> = request.status.iter().map(u16::to_string).collect();
        return (false, format!("status {status} instead of {}: {start}", wanted.join(" or ")));
    }
    match request.contains.iter().find(|text| !body.contains(text.as_str())) {
        Some(text) => (false, format!("status {status}, but no `{text}` in: {start}")),
        None => (true, format!("status {status}")),
    }
}

/// The innermost reason: the outer ones only repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
