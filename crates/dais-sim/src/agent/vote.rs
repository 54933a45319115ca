//! Voting: what an agent measures on its own data about the signatures of others.

use std::sync::Arc;

use dais_detect::Judgement;
use dais_protocol::{
    AgentId, Evidence, Matcher, Motion, Rows, Signature, SignatureId, Verdict, Vote, VoteParams, judge, similarity,
    widest_radius,
};

use super::{Agent, Common};
use crate::agent::adopted::{Adopted, Standing};
use crate::agent::model::{Model, Workspace};
use crate::agent::window::Remembered;

/// An open ballot as a voter sees it.
#[derive(Clone, Debug)]
pub(crate) struct BallotView {
    pub(crate) motion: Motion,
    pub(crate) round: u8,
    pub(crate) signature: Arc<Signature>,
    pub(crate) id: SignatureId,
    pub(crate) matcher: Arc<Matcher>,
    /// Members of the committee without a vote in this round, in order.
    pub(crate) pending: Vec<AgentId>,
    /// What most of the recorded votes of this round say, if there are any that say something.
    pub(crate) leading: Option<Verdict>,
}

/// All open ballots of a step, with their medoids laid out by column so that a voter scores them at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Question {
    pub(crate) ballots: Vec<BallotView>,
    numeric: Vec<f32>,
    codes: Vec<u16>,
}

impl Question {
    pub(crate) fn new(ballots: Vec<BallotView>) -> Self {
        let medoids = || ballots.iter().map(|ballot| &ballot.signature.medoid);
        let features = medoids().next().map_or(0, |medoid| medoid.numeric.len());
        let categories = medoids().next().map_or(0, |medoid| medoid.codes.len());
        let numeric = (0..features).flat_map(|k| medoids().map(move |medoid| medoid.numeric[k])).collect();
        let codes = (0..categories).flat_map(|k| medoids().map(move |medoid| medoid.codes[k])).collect();
        Self { ballots, numeric, codes }
    }

    fn medoids(&self) -> Rows<'_> {
        let rows = self.ballots.len();
        Rows { rows, stride: rows, numeric: &self.numeric, codes: &self.codes }
    }
}

impl Agent {
    /// Votes on every ballot that waits for this agent.
    pub(crate) fn vote(
        &self,
        step: u32,
        question: &Question,
        adopted: &[Adopted],
        common: &Common,
        workspace: &mut Workspace,
    ) -> Vec<Vote> {
        let waiting: Vec<usize> = (0..question.ballots.len())
            .filter(|&place| question.ballots[place].pending.binary_search(&self.id).is_ok())
            .collect();
        if waiting.is_empty() || !self.is_active() {
            return Vec::new();
        }
        let Some(model) = self.models.front() else { return Vec::new() };
        model.score(question.medoids(), workspace);
        let scores = workspace.scores.clone();
        let votes = waiting.into_iter().map(|place| {
            let ballot = &question.ballots[place];
            let (verdict, confidence, evidence) = match ballot.motion {
                Motion::Adopt => self.judge_adoption(step, ballot, model, scores[place], common, workspace),
                Motion::Revoke => self.judge_revocation(ballot, adopted, self.p_value(model, scores[place]), common),
            };
            Vote {
                motion: ballot.motion,
                signature: ballot.id,
                voter: self.id,
                step,
                round: ballot.round,
                verdict,
                confidence,
                evidence,
            }
        });
        votes.collect()
    }

    fn judge_adoption(
        &self,
        step: u32,
        ballot: &BallotView,
        model: &Model,
        medoid_score: f32,
        common: &Common,
        workspace: &mut Workspace,
    ) -> (Verdict, f32, Evidence) {
        let signature = &ballot.signature;
        ballot.matcher.distances(self.window.view(), &mut workspace.distances);
        let matches = workspace.distances.iter().filter(|&&distance| distance <= signature.radius).count();
        let within = |alert: &&Remembered| ballot.matcher.distance(&alert.numeric, &alert.codes) <= signature.radius;
        let odd = self.odd.count(&ballot.matcher, signature.radius, step, common.recent_steps);
        let evidence = Evidence {
            baseline: self.window.rows() as u32,
            matches: matches as u32,
            alerts_matched: self.alerts.iter().filter(within).count() as u32,
            medoid_p: self.p_value(model, medoid_score),
            similarity: self.similarity_to_alerts(&signature.pattern.centre, model),
            radius: widest_radius(&workspace.distances, common.params.vote.eps),
            sources_ordinary: signature.sources.iter().filter(|&&source| self.sources.flows_from(source) > 0).count()
                as u32,
            recent: odd.recent,
            past: odd.past,
            past_steps: odd.past_steps,
        };
        let vote = &common.params.vote;
        let (verdict, confidence) = judge(&evidence, vote);
        let rests_on_the_model = verdict == Verdict::Refute && evidence.radius >= vote.radius_min;
        let judgement = || model.judge(&signature.medoid, medoid_score, vote.suspect_p);
        if rests_on_the_model && matches!(judgement(), Some(Judgement::Unknown(_))) {
            return cannot_know(evidence, vote);
        }
        (verdict, confidence, evidence)
    }

    /// Cosine between the deviations of a signature's centre and of the own alert nearest to it.
    fn similarity_to_alerts(&self, centre: &[f32], model: &Model) -> f32 {
        let squared =
            |alert: &Remembered| alert.numeric.iter().zip(centre).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        let distances = self.alerts.iter().map(|alert| (squared(alert), alert));
        let nearest = distances.min_by(|a, b| a.0.total_cmp(&b.0));
        nearest.map_or(0.0, |(_, alert)| similarity(&model.deviations(centre), &model.deviations(&alert.numeric)))
    }

    /// Whether an adopted signature should go, by this agent's own matches of it.
    fn judge_revocation(
        &self,
        ballot: &BallotView,
        adopted: &[Adopted],
        medoid_p: f32,
        common: &Common,
    ) -> (Verdict, f32, Evidence) {
        let place = adopted.iter().position(|signature| signature.id == ballot.id);
        let standing = place.and_then(|place| self.standings.get(place)).copied().unwrap_or_default();
        let Standing { matches, ordinary, radius, .. } = standing;
        let share = (ordinary as f32 + 1.0) / (matches as f32 + 2.0);
        let verdict = revocation_verdict(matches, ordinary, common.params.doubt_share);
        let confidence = match verdict {
            Verdict::Confirm => share,
            Verdict::Refute => 1.0 - share,
            Verdict::Abstain => 0.0,
        };
        let evidence = Evidence {
            // A signature may match more flows in its time than a baseline holds.
            baseline: (self.window.rows() as u32).max(matches),
            matches,
            alerts_matched: matches - ordinary,
            medoid_p,
            similarity: 0.0,
            radius,
            sources_ordinary: ordinary,
            ..Evidence::default()
        };
        (verdict, confidence, evidence)
    }
}

/// What a voter says that cannot know: no flow of its baseline bears on the signature, of which an abstention follows.
fn cannot_know(evidence: Evidence, params: &VoteParams) -> (Verdict, f32, Evidence) {
    let evidence = Evidence { baseline: 0, matches: 0, ..evidence };
    let (verdict, confidence) = judge(&evidence, params);
    (verdict, confidence, evidence)
}

/// What own matches say about a revocation, `ordinary` of them being otherwise ordinary.
pub(crate) fn revocation_verdict(matches: u32, ordinary: u32, doubt_share: f32) -> Verdict {
    match matches {
        0..REVOKE_MATCHES_MIN => Verdict::Abstain,
        _ if ordinary as f32 > doubt_share * matches as f32 => Verdict::Confirm,
        _ => Verdict::Refute,
    }
}

/// Matches an agent needs before it has a view on a revocation.
const REVOKE_MATCHES_MIN: u32 = 2;
