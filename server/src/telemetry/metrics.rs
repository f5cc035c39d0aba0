//! `GET /metrics`: counters of this process for Prometheus, and what is left of the
//! limits that all callers share.

use std::time::Duration;

use anyhow::{Context as _, Result};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::{
    calls::{self, Record},
    job::Task,
    limit::{Scope, Standing},
    queue::{Job, source},
};

/// Installs the recorder. To be called once per process.
pub fn install() -> Result<PrometheusHandle> {
    let bounds = calls::BOUNDS.map(|bound| bound as f64 / 1e3);
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &bounds)
        .context("there are no buckets for the histograms")?
        .install_recorder()
        .context("cannot count for /metrics")?;
    describe();
    describe_calls();
    describe_messages();
    gauge!("atelier_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

fn describe() {
    describe_gauge!("atelier_build_info", "The version that runs; always 1.");
    describe_counter!(
        "atelier_orders_accepted_total",
        "Orders taken, by kind and where the answer came from."
    );
    describe_counter!(
        "atelier_jobs_finished_total",
        "Jobs whose outcome was delivered to this process, by status."
    );
    describe_counter!(
        "atelier_connections_refused_total",
        "Connections for which there was no place."
    );
    describe_counter!(
        "atelier_limit_decisions_total",
        "Orders that a policy let through, or turned down."
    );
    describe_gauge!(
        "atelier_limit_quota",
        "Quota of a policy that the whole site shares, in its unit."
    );
    describe_gauge!(
        "atelier_limit_remaining",
        "What is left of a policy that the whole site shares, in its unit."
    );
}

fn describe_calls() {
    describe_counter!(
        "atelier_gateway_calls_total",
        "Calls of the gateway, by what they asked, who answered, how, and from where."
    );
    describe_counter!(
        "atelier_gateway_tokens_total",
        "Tokens of the gateway's calls: input, of these cached, and output."
    );
    describe_counter!(
        "atelier_gateway_cost_nanodollars_total",
        "What the gateway's calls were charged, in billionths of a US dollar."
    );
    describe_histogram!(
        "atelier_gateway_call_duration_seconds",
        "How long the gateway's calls took."
    );
    describe_histogram!(
        "atelier_gateway_first_byte_seconds",
        "How long the gateway's streams took to their first byte."
    );
}

fn describe_messages() {
    describe_counter!(
        "atelier_messages_published_total",
        "Messages taken, without callbacks and without duplicates."
    );
    describe_counter!(
        "atelier_messages_delivered_total",
        "Messages delivered by this process, by the class of the answer."
    );
    describe_counter!(
        "atelier_messages_failed_total",
        "Messages that became dead letters, by the class of the last answer; none if there was none."
    );
    describe_counter!(
        "atelier_messages_retried_total",
        "Attempts at messages that failed and are repeated, by the class of the answer; none if \
         there was none."
    );
    describe_histogram!(
        "atelier_messages_attempt_duration_seconds",
        "How long attempts at messages took, by the class of the answer; none if there was none."
    );
}

/// Counts a message that was taken.
pub fn published() {
    counter!("atelier_messages_published_total").increment(1);
}

/// Counts a message that was delivered.
pub fn delivered(class: &'static str) {
    counter!("atelier_messages_delivered_total", "status_class" => class).increment(1);
}

/// Counts a message that was given up.
pub fn gave_up(class: &'static str) {
    counter!("atelier_messages_failed_total", "status_class" => class).increment(1);
}

/// Counts an attempt at a message that is repeated.
pub fn repeated(class: &'static str) {
    counter!("atelier_messages_retried_total", "status_class" => class).increment(1);
}

/// Counts an attempt at a message.
pub fn attempted(class: &'static str, duration: Duration) {
    histogram!("atelier_messages_attempt_duration_seconds", "status_class" => class)
        .record(duration.as_secs_f64());
}

/// Counts a call of the gateway. Only labels whose number the operator bounds: a client
/// chooses neither upstreams nor operations.
pub fn called(record: &Record) {
    let upstream = || record.upstream.clone().unwrap_or_default();
    let endpoint = || record.endpoint.clone();
    let class = match record.status {
        ..400 => "2xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    counter!(
        "atelier_gateway_calls_total", "endpoint" => endpoint(), "upstream" => upstream(),
        "status_class" => class, "cache" => record.source.as_str()
    )
    .increment(1);
    for (kind, tokens) in [
        ("input", record.input_tokens),
        ("cached", record.cached_tokens),
        ("output", record.output_tokens),
    ] {
        if tokens > 0 {
            counter!("atelier_gateway_tokens_total", "upstream" => upstream(), "kind" => kind)
                .increment(tokens);
        }
    }
    if record.usd > 0.0 {
        counter!("atelier_gateway_cost_nanodollars_total", "upstream" => upstream())
            .increment((record.usd * 1e9).round() as u64);
    }
    histogram!(
        "atelier_gateway_call_duration_seconds", "endpoint" => endpoint(), "upstream" => upstream()
    )
    .record(record.duration_ms / 1e3);
    if let Some(first_byte) = record.first_byte_ms {
        histogram!(
            "atelier_gateway_first_byte_seconds", "endpoint" => endpoint(), "upstream" => upstream()
        )
        .record(first_byte / 1e3);
    }
}

/// Counts an accepted order.
pub fn accepted(job: &Job) {
    let kind = match &job.request.task {
        Task::Image(_) => "image",
        Task::Restoration(_) => "restoration",
        Task::Notice(_) => "notice",
        Task::Call(_) => "call",
        Task::Message(_) => "message",
    };
    counter!("atelier_orders_accepted_total", "kind" => kind, "cache" => source(job).as_str())
        .increment(1);
}

/// Counts a rejected connection.
pub fn connection_refused() {
    counter!("atelier_connections_refused_total").increment(1);
}

/// Counts a finished job.
pub fn finished(job: &Job) {
    counter!("atelier_jobs_finished_total", "status" => job.status.as_str()).increment(1);
}

/// Counts the decisions of the policies on an order.
pub fn decided(standings: &[Standing]) {
    let rejected = standings.iter().any(|standing| standing.violated);
    for standing in standings.iter().filter(|one| one.violated || !rejected) {
        let outcome = if rejected { "rejected" } else { "allowed" };
        let policy = standing.policy.name.clone();
        counter!("atelier_limit_decisions_total", "policy" => policy, "outcome" => outcome)
            .increment(1);
    }
}

/// Sets the gauges to the present state.
pub fn stand(standings: &[Standing]) {
    let shared = |standing: &&Standing| standing.policy.scope == Scope::Global;
    for standing in standings.iter().filter(shared) {
        let policy = &standing.policy;
        let labels = [
            ("policy", policy.name.clone()),
            ("unit", policy.unit.as_str().to_owned()),
        ];
        gauge!("atelier_limit_quota", &labels).set(policy.unit.amount(policy.quota));
        gauge!("atelier_limit_remaining", &labels).set(policy.unit.amount(standing.remaining));
    }
}
