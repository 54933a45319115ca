//! From what a step tells of itself to metrics and traces.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use dais_config::Live;
use dais_lab::Progress;
use dais_protocol::{self as protocol, Outcome};
use dais_sim::{ExchangeCounts, Lifecycle, Mode, Phase};
use dais_telemetry::metric::{ExchangeFigures, FlowFigures, StepFigures};
use dais_telemetry::trace::{Adopted, Decided, Interval, Motion, Published, Recorded, StepFacts, Voted};

/// Steps of which is known when they ended; ballots that took longer count in steps only.
const ENDED_MAX: usize = 4096;

/// Lives in the order of the metrics.
const LIVES: [Lifecycle; 8] = [
    Lifecycle::Born,
    Lifecycle::Configured,
    Lifecycle::ModelLoaded,
    Lifecycle::HealthChecked,
    Lifecycle::Active,
    Lifecycle::Recovering,
    Lifecycle::Failed,
    Lifecycle::Stopped,
];
const PHASES: [Phase; 4] = [Phase::Observe, Phase::Publish, Phase::Vote, Phase::Resolve];

/// Makes figures of steps. Agents, flows and the exchange are those of the collaborative world; the other worlds of a run
/// are there to compare with, and only their steps and times are counted.
pub(super) struct Figures {
    live: Arc<Live>,
    before: ExchangeFigures,
    /// Signatures in force after the last step of the collaborative world.
    in_force: u64,
    /// When the last steps of the collaborative world ended, with their numbers.
    ended: VecDeque<(u32, Instant)>,
    /// Names of the attack families, in the order of their numbers.
    families: Vec<String>,
}

impl Figures {
    pub(super) fn new(live: Arc<Live>) -> Self {
        Self { live, before: ExchangeFigures::default(), in_force: 0, ended: VecDeque::new(), families: Vec::new() }
    }

    /// What the traffic's families are called.
    pub(super) fn name(&mut self, families: &[String]) {
        self.families = families.to_vec();
    }

    pub(super) fn step(&mut self, progress: &Progress<'_>, duration: Duration) -> StepFigures {
        let phases = PHASES.map(|phase| progress.phases.get(&phase).copied().unwrap_or_default());
        let step = u64::from(progress.steps_done);
        let figures = StepFigures {
            step,
            duration,
            phases: Some(phases),
            signatures_in_force: self.in_force,
            ..StepFigures::default()
        };
        if progress.mode != Mode::Collaborative {
            return figures;
        }
        self.note_end(progress.steps_done);
        self.in_force = progress.facts.in_force as u64;
        let exchange = of_exchange(progress.counts);
        let mut since = exchange.since(self.before);
        self.before = exchange;
        for votes in &progress.facts.votes {
            since.confirmations += u64::from(votes.confirmations);
            since.refutations += u64::from(votes.refutations);
            since.abstentions += u64::from(votes.abstentions);
        }
        let lives = progress.world.lives();
        let monitoring = &self.live.current().config.monitoring;
        let detailed = monitoring.enable_detailed_metrics || monitoring.alerting.is_active();
        let trust = if detailed { progress.world.trust().into_iter().map(f64::from).collect() } else { Vec::new() };
        let decided = &progress.facts.decided;
        let times = decided.iter().filter_map(|decided| self.since(decided.opened_step));
        StepFigures {
            agents: Some(LIVES.map(|state| u64::from(lives.get(&state).copied().unwrap_or(0)))),
            flows: of_flows(progress),
            exchange: since,
            signatures_in_force: self.in_force,
            consensus_times: times.collect(),
            consensus_steps: decided.iter().map(|one| one.decision.step.saturating_sub(one.opened_step)).collect(),
            trust,
            ..figures
        }
    }

    fn note_end(&mut self, steps_done: u32) {
        if self.ended.len() >= ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back((steps_done, Instant::now()));
    }

    /// Time since a step ended.
    fn since(&self, step: u32) -> Option<Duration> {
        let place = self.ended.binary_search_by_key(&(step + 1), |(steps_done, _)| *steps_done).ok()?;
        Some(self.ended[place].1.elapsed())
    }

    /// What a step that ended at `ended` tells traces.
    pub(super) fn trace(&self, progress: &Progress<'_>, ended: SystemTime, recorded: Option<Interval>) -> StepFacts {
        let facts = progress.facts;
        // The phases follow one another without a gap.
        let mut end = ended;
        let [resolve, vote, publish, observe] =
            [Phase::Resolve, Phase::Vote, Phase::Publish, Phase::Observe].map(|phase| {
                let spent = progress.phases.get(&phase).copied().unwrap_or_default();
                let begin = end.checked_sub(spent).unwrap_or(end);
                let interval = Interval { begin, end };
                end = begin;
                interval
            });
        let learned =
            facts.learned.iter().map(|id| Adopted { signature: *id.as_bytes(), agents: u64::from(facts.active) });
        let published = facts.opened.iter().map(|opened| Published {
            signature: *opened.signature.as_bytes(),
            motion: motion(opened.motion),
            author: opened.author.0,
            family: opened.family.and_then(|family| self.families.get(usize::from(family.0)).cloned()),
            members: opened.members,
            sources: opened.sources,
        });
        let voted = facts.votes.iter().map(|votes| Voted {
            signature: *votes.signature.as_bytes(),
            motion: motion(votes.motion),
            round: votes.round,
            confirmations: votes.confirmations,
            refutations: votes.refutations,
            abstentions: votes.abstentions,
            confirm_weight: f64::from(votes.confirm_weight),
            refute_weight: f64::from(votes.refute_weight),
        });
        StepFacts {
            step: u64::from(progress.steps_done.saturating_sub(1)),
            observe,
            publish,
            vote,
            resolve,
            adopted: learned.collect(),
            published: published.collect(),
            voted: voted.collect(),
            decided: facts.decided.iter().map(decided).collect(),
            recorded: recorded.filter(|_| facts.entries > facts.entries_before).map(|interval| Recorded {
                interval,
                entries: facts.entries - facts.entries_before,
                tree_size: facts.entries,
            }),
        }
    }
}

fn of_flows(progress: &Progress<'_>) -> FlowFigures {
    let tally = progress.tally;
    FlowFigures {
        seen: tally.flows,
        alerted: tally.alerts,
        matched: tally.matched,
        blocked: tally.blocked,
        attacks: tally.families.iter().map(|family| family.flows).sum(),
        attacks_found: tally.families.iter().map(|family| family.found).sum(),
        benign: tally.benign,
        false_alarms: tally.false_alarms,
    }
}

fn of_exchange(counts: ExchangeCounts) -> ExchangeFigures {
    ExchangeFigures {
        published: counts.published,
        accepted: counts.accepted,
        rejected: counts.rejected,
        disputed: counts.disputed,
        expired: counts.expired,
        escalated: counts.escalated,
        revoked: counts.revoked,
        covered: counts.covered,
        refused_offers: counts.refused_offers,
        confirmations: 0,
        refutations: 0,
        abstentions: 0,
        refused_votes: counts.refused_votes,
        refused_seals: counts.refused_seals,
        messages: counts.messages,
        message_bytes: counts.message_bytes,
    }
}

/// How a ballot ended, in a word.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Rejected => "rejected",
        Outcome::Disputed => "disputed",
        Outcome::Expired => "expired",
    }
}

/// What a ballot is about.
pub(super) fn motion(motion: protocol::Motion) -> Motion {
    match motion {
        protocol::Motion::Adopt => Motion::Adopt,
        protocol::Motion::Revoke => Motion::Revoke,
    }
}

fn decided(decided: &dais_sim::Decided) -> Decided {
    let decision = &decided.decision;
    Decided {
        signature: *decision.signature.as_bytes(),
        motion: motion(decision.motion),
        outcome: outcome(decision.outcome),
        carried: decision.outcome == Outcome::Accepted,
        round: decision.round,
        members: decision.voters,
        threshold: f64::from(decided.threshold),
        confirm_weight: f64::from(decision.confirm_weight),
        refute_weight: f64::from(decision.refute_weight),
        radius: f64::from(decision.radius),
        opened_step: u64::from(decided.opened_step),
    }
}
