//! From measured evidence to a verdict.

use serde::{Deserialize, Serialize};

use crate::{Evidence, ParamsError, RADIUS_MAX, Verdict};

/// When evidence confirms, refutes or says too little.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoteParams {
    /// Smallest own radius at which a signature is worth having, in spreads; above 0, at most 4.
    pub radius_min: f32,
    /// The medoid is suspicious to the voter at this p-value or below; 0 to 1.
    pub suspect_p: f32,
    /// With own alerts like it, the medoid may be as ordinary as this p-value; `suspect_p` to 1.
    pub similar_p: f32,
    /// Smallest cosine that makes own alerts "like it"; -1 to 1.
    pub similarity_min: f32,
    /// Fewest baseline flows that allow a verdict; at least 1.
    pub baseline_min: u32,
    /// Largest tolerated share of own baseline within the radius; above 0, below 1.
    pub eps: f32,
}

impl Default for VoteParams {
    fn default() -> Self {
        Self { radius_min: 1.2, suspect_p: 0.10, similar_p: 0.25, similarity_min: 0.7, baseline_min: 64, eps: 0.003 }
    }
}

impl VoteParams {
    /// Whether every value is in its range.
    ///
    /// # Errors
    /// [`ParamsError`] with the first that is not.
    pub fn check(&self) -> Result<(), ParamsError> {
        let Self { radius_min, suspect_p, similar_p, similarity_min, baseline_min, eps } = *self;
        let fits = radius_min > 0.0 && radius_min <= RADIUS_MAX;
        ParamsError::unless(fits, "radius_min", &radius_min, "above 0, at most 4")?;
        ParamsError::unless((0.0..=1.0).contains(&suspect_p), "suspect_p", &suspect_p, "0 to 1")?;
        ParamsError::unless((suspect_p..=1.0).contains(&similar_p), "similar_p", &similar_p, "suspect_p to 1")?;
        let fits = (-1.0..=1.0).contains(&similarity_min);
        ParamsError::unless(fits, "similarity_min", &similarity_min, "-1 to 1")?;
        ParamsError::unless(baseline_min >= 1, "baseline_min", &baseline_min, "at least 1")?;
        ParamsError::unless(eps > 0.0 && eps < 1.0, "eps", &eps, "above 0, below 1")
    }
}

/// Judges a signature by what was measured: the verdict and the confidence in it, in [0, 1].
///
/// | baseline | own radius | medoid | verdict |
/// |---|---|---|---|
/// | below `baseline_min` | any | any | `Abstain` |
/// | enough | below `radius_min` | any | `Refute`: it would hit own traffic |
/// | enough | enough | p ≤ `suspect_p` | `Confirm` |
/// | enough | enough | p ≤ `similar_p` and similarity ≥ `similarity_min` | `Confirm` |
/// | enough | enough | otherwise | `Refute`: it looks ordinary |
///
/// The confidence combines two things. `clear` is the posterior probability, under a uniform Beta(1, 1) prior, that the
/// offered signature hits at most the share `eps` of the voter's traffic, given `matches` of `baseline` flows:
/// P(Beta(matches + 1, baseline - matches + 1) ≤ eps). `alike` is the similarity, negative ones taken as 0. Their mean,
/// divided by 1 + `sources_ordinary`, is the support for the signature; a `Confirm` has it as confidence, a `Refute` has
/// one minus it, an `Abstain` has 0.
pub fn judge(evidence: &Evidence, params: &VoteParams) -> (Verdict, f32) {
    if evidence.baseline < params.baseline_min {
        return (Verdict::Abstain, 0.0);
    }
    let strange = evidence.medoid_p <= params.suspect_p
        || (evidence.medoid_p <= params.similar_p && evidence.similarity >= params.similarity_min);
    let clear = share_at_most(f64::from(params.eps), evidence.matches, evidence.baseline);
    let alike = f64::from(evidence.similarity.max(0.0));
    let support = (f64::midpoint(clear, alike) / (1.0 + f64::from(evidence.sources_ordinary))).clamp(0.0, 1.0) as f32;
    if strange && evidence.radius >= params.radius_min {
        (Verdict::Confirm, support)
    } else {
        (Verdict::Refute, 1.0 - support)
    }
}

/// P(Beta(hits + 1, trials - hits + 1) ≤ share): the posterior probability that a share is at most `share` after `hits`
/// in `trials`. By the identity with the binomial tail, one minus the sum over j = 0..=hits of
/// C(trials + 1, j) share^j (1 - share)^(trials + 1 - j).
fn share_at_most(share: f64, hits: u32, trials: u32) -> f64 {
    let draws = f64::from(trials) + 1.0;
    // Far above the expected count the sum is 1 to the last bit; it need not be walked.
    if f64::from(hits) > 40.0 + 4.0 * draws * share {
        return 0.0;
    }
    let odds = share / (1.0 - share);
    let mut term = libm::exp(draws * libm::log1p(-share));
    let mut sum = term;
    for j in 1..=hits.min(trials) {
        let j = f64::from(j);
        term *= (draws - j + 1.0) / j * odds;
        sum += term;
    }
    (1.0 - sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Evidence {
        Evidence { baseline: 512, medoid_p: 0.05, similarity: 0.9, radius: 2.0, ..Evidence::default() }
    }

    #[test]
    fn the_table_of_verdicts_holds() {
        let params = VoteParams::default();
        let verdict = |evidence: Evidence| judge(&evidence, &params).0;
        assert_eq!(verdict(measured()), Verdict::Confirm);
        assert_eq!(verdict(Evidence { baseline: 63, ..measured() }), Verdict::Abstain);
        assert_eq!(verdict(Evidence { radius: 1.19, ..measured() }), Verdict::Refute);
        assert_eq!(verdict(Evidence { medoid_p: 0.2, ..measured() }), Verdict::Confirm);
        assert_eq!(verdict(Evidence { medoid_p: 0.2, similarity: 0.6, ..measured() }), Verdict::Refute);
        assert_eq!(verdict(Evidence { medoid_p: 0.3, ..measured() }), Verdict::Refute);
    }

    #[test]
    fn the_posterior_agrees_with_known_values() {
        // No hits: 1 - (1 - x)^(n + 1). One hit of one trial: Beta(2, 1), x^2. Two of four: Beta(3, 3) is symmetric.
        for (share, hits, trials, expected) in
            [(0.003, 0, 512, 0.785_900), (0.3, 1, 1, 0.09), (0.5, 2, 4, 0.5), (0.003, 400, 512, 0.0)]
        {
            let found = share_at_most(share, hits, trials);
            assert!((found - expected).abs() < 1.0e-5, "{share} {hits} {trials}: {found}");
        }
    }

    #[test]
    fn more_matches_and_ordinary_sources_lower_the_confidence_of_a_confirmation() {
        let params = VoteParams::default();
        let confidence = |evidence: Evidence| judge(&evidence, &params).1;
        assert!(confidence(measured()) > 0.8);
        assert!(confidence(Evidence { matches: 3, ..measured() }) < confidence(measured()));
        assert!(confidence(Evidence { sources_ordinary: 1, ..measured() }) < 0.5);
        assert!(confidence(Evidence { similarity: 0.0, ..measured() }) < confidence(measured()));
    }

    #[test]
    fn a_parameter_outside_its_range_is_named() {
        assert_eq!(VoteParams::default().check(), Ok(()));
        let error = VoteParams { similar_p: 0.05, ..VoteParams::default() }.check().unwrap_err();
        assert_eq!((error.key, error.value.as_str()), ("similar_p", "0.05"));
        assert!(VoteParams { eps: f32::NAN, ..VoteParams::default() }.check().is_err());
    }
}
