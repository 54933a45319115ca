//! What several tests need.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use dais_alert::{
    Alert, AlertParams, Alerts, ChannelFigures, ChannelParams, Condition, Delivery, Labels, LogChannelParams,
    MetricCondition, Notification, Op, Readings, Reason, RouteParams, RuleParams, Severity, Status,
};
use dais_resilience::{BreakerParams, RetryParams};
use jiff::Timestamp;

/// So many seconds after an arbitrary moment.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).expect("a time of this century")
}

pub(crate) fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A rule that holds while the metric `metric` is above 10.
pub(crate) fn above_ten(name: &str, metric: &str, severity: Severity) -> RuleParams {
    let when =
        MetricCondition { metric: metric.to_owned(), op: Op::Greater, threshold: 10.0, ..MetricCondition::default() };
    RuleParams {
        name: name.to_owned(),
        severity,
        when: Condition::Metric(when),
        summary: format!("{metric} is {{{{ value }}}}"),
        ..RuleParams::default()
    }
}

/// These rules, one channel to the log, no waiting for a group to fill.
pub(crate) fn params(rules: Vec<RuleParams>) -> AlertParams {
    let mut params = AlertParams {
        rules,
        default_rules: false,
        inhibit: Vec::new(),
        route: RouteParams { group_wait_s: 0, ..RouteParams::default() },
        ..AlertParams::default()
    };
    params.channels.insert("log".to_owned(), ChannelParams::Log(LogChannelParams::default()));
    params
}

pub(crate) fn readings<const N: usize>(series: [(&str, Labels, f64); N]) -> Readings {
    let series = series.into_iter().map(|(name, labels, value)| (name.to_owned(), labels, value)).collect();
    Readings { series, ..Readings::default() }
}

/// The messages of each of these seconds at which the metrics have these values.
pub(crate) fn run(
    alerts: &mut Alerts,
    seconds: std::ops::Range<i64>,
    value: impl Fn(i64) -> Readings,
) -> Vec<(i64, Notification)> {
    seconds
        .flat_map(|second| {
            let due = alerts.evaluate(at(second), &value(second));
            due.into_iter().map(move |notification| (second, notification)).collect::<Vec<_>>()
        })
        .collect()
}

/// A message about one critical alert.
pub(crate) fn notification(channel: &str, status: Status) -> Notification {
    let alert = Alert {
        name: "DiskFull".to_owned(),
        severity: Severity::Critical,
        labels: labels([("alertname", "DiskFull"), ("check", "disk"), ("severity", "critical")]),
        value: 12.5,
        summary: "disk has <12.5> MB & less".to_owned(),
        description: "Größe: klein".to_owned(),
        runbook: "https://example.org/disk".to_owned(),
        starts_at: at(0),
        ends_at: (status == Status::Resolved).then(|| at(60)),
        flapping: false,
        caused_by: Vec::new(),
    };
    Notification {
        group_key: "0:{alertname=\"DiskFull\"}".to_owned(),
        group_labels: labels([("alertname", "DiskFull")]),
        status,
        reason: Reason::Change,
        at: at(60),
        source: "host-1".to_owned(),
        channels: vec![channel.to_owned()],
        alerts: vec![alert],
        truncated: 0,
    }
}

/// One channel, short waits, dead letters in `folder`.
pub(crate) fn quick(folder: &Path, name: &str, channel: ChannelParams) -> AlertParams {
    let mut params = AlertParams::default();
    params.channels.insert(name.to_owned(), channel);
    params.silence_file = folder.join("silences.json");
    params.delivery.dead_letter_file = folder.join("dead-letters.jsonl");
    params.delivery.timeout_ms = 20_000;
    params.delivery.retry = RetryParams { attempts: 6, first_delay_ms: 5, max_delay_ms: 50, ..RetryParams::default() };
    params.delivery.breaker = BreakerParams { cool_down_ms: 20, ..BreakerParams::default() };
    params
}

/// The figures of a channel once `done` holds for them.
pub(crate) fn wait_for(delivery: &Delivery, channel: &str, done: impl Fn(&ChannelFigures) -> bool) -> ChannelFigures {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        let figures = delivery.figures().channels[channel];
        if done(&figures) {
            return figures;
        }
        assert!(Instant::now() < deadline, "still {figures:?}");
        thread::sleep(Duration::from_millis(5));
    }
}
