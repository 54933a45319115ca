//! The built-in rules: what nobody who runs dais would want to miss.

use crate::HealthState;
use crate::params::{
    Condition, EventCondition, HealthCondition, InhibitParams, MetricCondition, Op, RateCondition, RuleParams, Severity,
};

/// The built-in rules.
pub(crate) fn rules() -> Vec<RuleParams> {
    vec![
        on_event("RunFailed", "run_failed", "the run failed: {{ message }}"),
        on_event("LedgerVerificationFailed", "ledger_verification_failed", "the ledger does not verify: {{ message }}"),
        RuleParams {
            for_s: 30,
            ..on_health("CheckUnhealthy", Severity::Critical, HealthState::Unhealthy, "{{ labels.check }} is unhealthy")
        },
        RuleParams {
            for_s: 120,
            ..on_health("CheckDegraded", Severity::Warning, HealthState::Degraded, "{{ labels.check }} is degraded")
        },
        steps_stalled(),
        storage_errors(),
        trust_collapse(),
    ]
}

/// While a check is unhealthy, that it is degraded as well is no news.
pub(crate) fn inhibit() -> Vec<InhibitParams> {
    let matcher = |text: &str| text.parse().ok();
    vec![InhibitParams {
        source: matcher("alertname=CheckUnhealthy").into_iter().collect(),
        target: matcher("alertname=CheckDegraded").into_iter().collect(),
        equal: vec!["check".to_owned()],
    }]
}

fn rule(name: &str, severity: Severity, when: Condition, summary: &str) -> RuleParams {
    RuleParams { name: name.to_owned(), severity, when, summary: summary.to_owned(), ..RuleParams::default() }
}

fn on_event(name: &str, event: &str, summary: &str) -> RuleParams {
    let when = EventCondition { event: event.to_owned(), ..EventCondition::default() };
    rule(name, Severity::Critical, Condition::Event(when), summary)
}

/// On every check but the overall state, which only repeats them.
fn on_health(name: &str, severity: Severity, state: HealthState, summary: &str) -> RuleParams {
    let when = HealthCondition { check: "*".to_owned(), state };
    RuleParams { keep_firing_for_s: 60, ..rule(name, severity, Condition::Health(when), summary) }
}

fn steps_stalled() -> RuleParams {
    let when = RateCondition {
        metric: "simulation_steps_total".to_owned(),
        op: Op::LessOrEqual,
        threshold: 0.0,
        window_s: 300,
        ..RateCondition::default()
    };
    RuleParams {
        caused_by: ["StorageErrors", "CheckUnhealthy", "CheckDegraded"].map(str::to_owned).to_vec(),
        description: "No step ended in the last five minutes: look at the health checks and the last lines of the log."
            .to_owned(),
        ..rule("StepsStalled", Severity::Critical, Condition::Rate(when), "no step ended for five minutes")
    }
}

fn storage_errors() -> RuleParams {
    let when = RateCondition {
        metric: "storage_errors_total".to_owned(),
        op: Op::Greater,
        threshold: 0.0,
        window_s: 120,
        ..RateCondition::default()
    };
    RuleParams {
        keep_firing_for_s: 120,
        ..rule(
            "StorageErrors",
            Severity::Warning,
            Condition::Rate(when),
            "storage fails {{ (value * 60) | round(1) }} times a minute ({{ labels.class }})",
        )
    }
}

/// The median agent is believed less than a liar would be.
fn trust_collapse() -> RuleParams {
    let when = MetricCondition {
        metric: "agent_trust".to_owned(),
        matchers: "percentile=50".parse().into_iter().collect(),
        op: Op::Less,
        threshold: 0.3,
    };
    RuleParams {
        for_s: 300,
        description: "Half of the agents are trusted less than 0.3 of 1: many lie, or many are wrong.".to_owned(),
        ..rule("TrustCollapse", Severity::Warning, Condition::Metric(when), "median trust is {{ value | round(2) }}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AlertParams;

    #[test]
    fn the_built_in_rules_are_sound() {
        let params = AlertParams { rules: rules(), ..AlertParams::default() };
        assert_eq!(params.check(), []);
        assert!(inhibit().iter().all(|one| one.source.len() == 1 && one.target.len() == 1));
    }
}
