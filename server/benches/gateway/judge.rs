//! Prints the measurements, with the bars that they are held to.

use serde_json::json;

use crate::{
    load::{Figures, Kind, percentile},
    print, rounded,
    subjects::Subject,
};

const TIMES_PORTKEY: f64 = 5.0;
const TIMES_LITELLM: f64 = 20.0;
const OVERHEAD_P50_MS: f64 = 0.4;
const OVERHEAD_P99_MS: f64 = 2.0;
const FIRST_EVENT_MS: f64 = 1.0;
const HITS_PER_SECOND: f64 = 15_000.0;
const STREAMS_MB: f64 = 100.0;

/// Figures so far, for what they are compared with.
#[derive(Default)]
pub(crate) struct Judge(Vec<Measured>);

struct Measured {
    subject: &'static str,
    kind: Kind,
    connections: usize,
    calls_per_second: f64,
    p50: f64,
    p99: f64,
    first_p50: f64,
}

impl Judge {
    /// Prints one load's figures, with the processor time that the subject took, in
    /// microseconds.
    pub(crate) fn load(
        &mut self,
        subject: &Subject,
        kind: Kind,
        connections: usize,
        figures: &Figures,
        processor: f64,
    ) {
        let calls = figures.whole.len().max(1) as f64;
        let measured = Measured {
            subject: subject.name,
            kind,
            connections,
            calls_per_second: figures.calls_per_second,
            p50: percentile(&figures.whole, 50),
            p99: percentile(&figures.whole, 99),
            first_p50: percentile(&figures.first, 50),
        };
        let mut line = json!({
            "name": "gateway", "through": subject.name, "calls": format!("{kind:?}").to_lowercase(),
            "connections": connections, "calls_per_second": measured.calls_per_second as u64,
            "p50_ms": rounded(measured.p50), "p99_ms": rounded(measured.p99),
            "first_p50_ms": rounded(measured.first_p50), "failures": figures.failures,
            "rss_mb": rounded(subject.memory()), "processor_us_per_call": rounded(processor / calls),
        });
        if subject.name == "atelier" {
            let verdict = self.verdict(&measured);
            for (name, value) in verdict {
                line[name] = value;
            }
        }
        print(&line);
        self.0.push(measured);
    }

    /// What Atelier's figures are beside those of the others, and whether that is enough.
    fn verdict(&self, measured: &Measured) -> Vec<(&'static str, serde_json::Value)> {
        let mut verdict = Vec::new();
        let mut ok = true;
        match measured.kind {
            Kind::Sampled | Kind::Distinct => {
                for (peer, name, bar) in [
                    ("portkey", "times_portkey", TIMES_PORTKEY),
                    ("litellm", "times_litellm", TIMES_LITELLM),
                ] {
                    if let Some(peer) = self.of(peer, Kind::Sampled, measured.connections) {
                        let times = measured.calls_per_second / peer.calls_per_second;
                        ok &= times >= bar;
                        verdict.push((name, rounded(times)));
                    }
                }
                let straight = self.of("straight", Kind::Sampled, measured.connections);
                if let (Some(straight), 10) = (straight, measured.connections) {
                    let p50 = measured.p50 - straight.p50;
                    let p99 = measured.p99 - straight.p99;
                    ok &= p50 <= OVERHEAD_P50_MS && p99 <= OVERHEAD_P99_MS;
                    verdict.push(("overhead_p50_ms", rounded(p50)));
                    verdict.push(("overhead_p99_ms", rounded(p99)));
                }
            }
            Kind::Stream => {
                if let Some(straight) = self.of("straight", Kind::Stream, measured.connections) {
                    let delay = measured.first_p50 - straight.first_p50;
                    // With more streams both cores are busy, and what is seen is the queue.
                    ok &= measured.connections > 1 || delay <= FIRST_EVENT_MS;
                    verdict.push(("first_event_delay_p50_ms", rounded(delay)));
                }
            }
            Kind::Repeated => ok &= measured.calls_per_second >= HITS_PER_SECOND,
            Kind::Held => {}
        }
        verdict.push(("ok", json!(ok)));
        verdict
    }

    fn of(&self, subject: &str, kind: Kind, connections: usize) -> Option<&Measured> {
        self.0.iter().find(|measured| {
            (measured.subject, measured.kind, measured.connections) == (subject, kind, connections)
        })
    }

    /// Prints what open streams take.
    pub(crate) fn streams(&self, streams: usize, idle: f64, with_them: f64) {
        print(&json!({
            "name": "gateway", "through": "atelier", "calls": "held", "open_streams": streams,
            "rss_before_mb": rounded(idle), "rss_mb": rounded(with_them),
            "streams_mb": rounded(with_them - idle), "budget_mb": STREAMS_MB,
            "ok": with_them - idle <= STREAMS_MB,
        }));
    }
}
