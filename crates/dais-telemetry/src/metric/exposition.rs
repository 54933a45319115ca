use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry as Client, Unit};

use super::family::{Cell, Family, Kind};
use super::registry::{Entry, Registry};

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// `OpenMetrics` 1.0.
    OpenMetrics,
    /// The text format of Prometheus, 0.0.4.
    Prometheus,
}

impl Exposition {
    /// What a reader whose `Accept` header is `accept` is given: Prometheus text unless it prefers `OpenMetrics`, or takes
    /// both alike.
    pub fn accepted(accept: &str) -> Self {
        let (mut open, mut text) = (0.0_f32, 0.0_f32);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.trim().parse().ok());
            let weight = weight.unwrap_or(0.0);
            match media.as_str() {
                "application/openmetrics-text" => open = open.max(weight),
                "text/plain" | "text/*" => text = text.max(weight),
                _ => {}
            }
        }
        if open > 0.0 && open >= text { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The media type of what is written.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// All metrics of `registry` in this format.
    pub fn write(self, registry: &Registry) -> String {
        let mut client = Client::default();
        client.register_collector(Box::new(registry.clone()));
        let mut text = String::new();
        // Writing to a String cannot fail, and no metric of ours refuses to be written.
        let _ = prometheus_client::encoding::text::encode(&mut text, &client);
        match self {
            Self::OpenMetrics => text,
            Self::Prometheus => as_prometheus(&text, registry),
        }
    }
}

/// `OpenMetrics` as the older format: no units, no end mark, and counters called by their whole names.
fn as_prometheus(open: &str, registry: &Registry) -> String {
    let mut text = String::with_capacity(open.len());
    for line in open.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            text.extend([line, "\n"]);
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        let (Some(keyword @ ("HELP" | "TYPE")), Some(name), Some(rest)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let family = registry.entries().iter().map(|entry| entry.family).find(|family| family.stem() == name);
        text.extend(["# ", keyword, " ", family.map_or(name, |family| family.name), " ", rest, "\n"]);
    }
    text
}

impl Collector for Registry {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for Entry { family, series } in self.entries() {
            let unit = family.unit_in_name();
            let stem = unit.map_or(family.stem(), |unit| &family.stem()[..family.stem().len() - unit.len() - 1]);
            let unit = unit.map(|unit| Unit::Other(unit.to_owned()));
            let mut metric = encoder.encode_descriptor(stem, family.help, unit.as_ref(), kind(family))?;
            for (value, cell) in series {
                match &family.label {
                    Some(label) => {
                        let labels = [(label.name, *value)];
                        write_cell(&mut metric.encode_family(&labels)?, family, cell)?;
                    }
                    None => write_cell(&mut metric, family, cell)?,
                }
            }
        }
        Ok(())
    }
}

fn kind(family: &Family) -> MetricType {
    match family.kind {
        Kind::Counter | Kind::Reading => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram(_) => MetricType::Histogram,
    }
}

fn write_cell(metric: &mut MetricEncoder<'_>, family: &Family, cell: &Cell) -> fmt::Result {
    match cell {
        Cell::Counter(counter) => metric.encode_counter::<NoLabelSet, _, u64>(&counter.value(), None),
        Cell::Gauge(gauge) => match gauge.value() {
            Some(value) if family.kind == Kind::Reading => metric.encode_counter::<NoLabelSet, _, u64>(&value, None),
            Some(value) => metric.encode_gauge(&value),
            None => Ok(()),
        },
        Cell::Histogram(histogram) => {
            let (sum, buckets) = histogram.buckets();
            let count = buckets.iter().map(|(_, count)| count).sum();
            metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::catalogue;

    #[test]
    fn a_reader_gets_the_format_it_prefers() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Exposition::accepted(prometheus), Exposition::OpenMetrics);
        for plain in [
            "",
            "*/*",
            "text/plain",
            "text/html",
            "application/openmetrics-text;q=0",
            "text/plain,application/openmetrics-text;q=0.5",
            ";;,q=,\u{0}",
        ] {
            assert_eq!(Exposition::accepted(plain), Exposition::Prometheus, "{plain}");
        }
    }

    #[test]
    fn counters_gauges_and_histograms_are_written_in_both_formats() {
        let registry = Registry::default();
        registry.counter(&catalogue::SIGNATURES, "accepted").add(3);
        registry.gauge(&catalogue::MEMORY_MB, "").set(12.5);
        registry.gauge(&catalogue::CPU, "").set(1.25);
        registry.histogram(&catalogue::CONSENSUS_STEPS, "").observe(2.0);
        registry.histogram(&catalogue::CONSENSUS_STEPS, "").observe(1000.0);
        let open = Exposition::OpenMetrics.write(&registry);
        let text = Exposition::Prometheus.write(&registry);
        for line in [
            "signatures_total{outcome=\"accepted\"} 3",
            "system_memory_usage_mb 12.5",
            "process_cpu_seconds_total 1.25",
            "consensus_latency_steps_sum 1002.0",
            "consensus_latency_steps_count 2",
            "consensus_latency_steps_bucket{le=\"1.0\"} 0",
            "consensus_latency_steps_bucket{le=\"2.0\"} 1",
            "consensus_latency_steps_bucket{le=\"+Inf\"} 2",
        ] {
            assert!(open.lines().any(|own| own == line) && text.lines().any(|own| own == line), "{line} in {open}");
        }
        for line in
            ["# TYPE signatures counter", "# UNIT process_cpu_seconds seconds", "# UNIT system_memory_usage_mb mb"]
        {
            assert!(open.lines().any(|own| own == line), "{line} in {open}");
        }
        assert!(open.ends_with("# EOF\n") && !text.contains("# EOF") && !text.contains("# UNIT"));
        assert!(text.contains("# TYPE signatures_total counter\n") && !text.contains("# TYPE signatures counter"));
        assert!(!text.contains("\ndetection_recall "), "a gauge that was not set is not shown");
    }

    #[test]
    fn what_metrics_mean_is_written_without_escapes() {
        for family in catalogue::CATALOGUE {
            assert!(!family.help.contains(['\\', '"', '\n']) && family.help.ends_with('.'), "{}", family.name);
            assert_eq!(
                family.name.ends_with("_total"),
                matches!(family.kind, Kind::Counter | Kind::Reading),
                "{}",
                family.name
            );
        }
    }
}
