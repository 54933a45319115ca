//! Why a run could not conclude anything, and what to do about it.

use dais_sim::{Lifecycle, Mode, StepTally};

use crate::run::{History, WorldHistory};
use crate::scenario::{Play, Traffic};

/// Sentences that say why the run concluded nothing, or less than it could, and the way out; none where it did.
pub(crate) fn advice(history: &History, mode: Mode, world: &WorldHistory) -> Vec<String> {
    let mut total = StepTally::default();
    world.course.tallies().iter().for_each(|tally| total.add(tally));
    let case = Case {
        agents: history.behaviours.len() as u32,
        untrained: world.lives.iter().filter(|(state, _)| is_untrained(**state)).map(|(_, agents)| agents).sum(),
        rows_needed: history.scenario.rules.agent.baseline_min,
        recorded: is_recorded(&history.scenario.traffic),
        shares: mode == Mode::Collaborative,
        flows: total.flows,
        alerts: total.alerts,
        published: world.finished.counts.published,
        accepted: world.finished.counts.accepted,
        expired: world.finished.counts.expired,
    };
    case.sentences()
}

/// What the advice rests on.
struct Case {
    agents: u32,
    /// Agents that never had a model.
    untrained: u32,
    /// Flows that a first model takes.
    rows_needed: usize,
    recorded: bool,
    shares: bool,
    flows: u64,
    alerts: u64,
    published: u64,
    accepted: u64,
    expired: u64,
}

impl Case {
    fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if self.flows == 0 {
            return vec![
                "No flow was observed: the traffic is empty, or its times lie outside of the steps.".to_owned(),
            ];
        }
        sentences.extend(self.no_model());
        if self.shares && self.agents == 1 {
            sentences.push(format!(
                "One site alone has nobody to vote with it: nothing can be accepted.{}",
                if self.recorded {
                    " `dais watch FILE` shows what is strange at one site; `--partition source-subnet:24` makes several \
                     sites of one recording."
                } else {
                    " Take at least 4 agents."
                }
            ));
        } else if self.shares && self.accepted == 0 && self.published > 0 && self.expired == self.published {
            sentences.push(
                "Every ballot expired: too few of the asked agents could answer. More sites, or more flows a site, give \
                 more voters."
                    .to_owned(),
            );
        }
        if self.recorded && self.untrained < self.agents && self.alerts == 0 {
            sentences.push(
                "Nothing was strange. Recorded traffic has no baseline that somebody vouches for: each agent takes the \
                 first flows of its site for ordinary, attacks among them too. `dais watch FILE --baseline ORDINARY` \
                 compares with flows that are known to be ordinary."
                    .to_owned(),
            );
        }
        sentences
    }

    /// Why agents had no model.
    fn no_model(&self) -> Option<String> {
        let needed = self.rows_needed;
        let way_out = "Give longer recordings, make fewer sites (`--partition`), or lower `--set agent.baseline_min=…` (16 \
                       at least).";
        match self.untrained {
            0 => None,
            untrained if untrained == self.agents => Some(format!(
                "No agent had a model, so nothing was judged: a first one takes {needed} flows that were answered, and {} \
                 over {} did not give them. {way_out}",
                counted(self.flows, "flow"),
                counted(self.agents.into(), "site"),
            )),
            untrained => Some(format!(
                "{untrained} of {} agents never had a model and judged nothing: a first one takes {needed} flows that were \
                 answered. {way_out}",
                self.agents
            )),
        }
    }
}

fn counted(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

fn is_untrained(state: Lifecycle) -> bool {
    matches!(state, Lifecycle::Born | Lifecycle::Configured)
}

fn is_recorded(traffic: &Traffic) -> bool {
    match traffic {
        Traffic::Files(files) => matches!(files.play, Some(Play::Recorded(_))),
        Traffic::Synthetic(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        Case {
            agents: 4,
            untrained: 0,
            rows_needed: 64,
            recorded: true,
            shares: true,
            flows: 900,
            alerts: 12,
            published: 3,
            accepted: 1,
            expired: 0,
        }
    }

    #[test]
    fn a_run_that_concluded_needs_no_advice() {
        assert_eq!(case().sentences(), Vec::<String>::new());
    }

    #[test]
    fn each_reason_to_conclude_nothing_is_said_with_its_way_out() {
        for (case, way_out) in [
            (Case { untrained: 4, flows: 36, ..case() }, "agent.baseline_min"),
            (Case { untrained: 1, ..case() }, "1 of 4 agents never had a model"),
            (Case { agents: 1, ..case() }, "dais watch"),
            (Case { accepted: 0, expired: 3, ..case() }, "more voters"),
            (Case { alerts: 0, ..case() }, "--baseline"),
            (Case { flows: 0, ..case() }, "No flow was observed"),
        ] {
            let said = case.sentences();
            assert!(said.len() == 1 && said[0].contains(way_out), "{said:?}");
        }
    }
}
