//! What can take part in an ensemble.

use serde::{Deserialize, Serialize};

use crate::draw::evenly_spaced;
use crate::{
    CannotExplain, Columns, Copod, CopodParams, Detector, Ecod, EcodParams, Explanation, ExtendedForest,
    ExtendedForestParams, FitError, ForestParams, Hbos, HbosParams, IsolationForest, Lof, LofParams, Mahalanobis,
    MahalanobisParams, NeighbourDistance, NeighbourParams, Scratch,
};

/// One line for each detector: its name, its parameters, the model, and how it is fitted.
macro_rules! members {
    ($($name:ident: $params:ident => $model:ident, |$p:ident, $view:ident, $seed:ident, $scratch:ident| $fit:expr;)+) => {
        /// The parameters of a detector that takes part in a [`RankEnsemble`](crate::RankEnsemble).
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum MemberParams {
            $(#[doc = concat!("As [`crate::", stringify!($model), "`].")] $name($params),)+
        }

        /// A fitted detector that takes part in a [`RankEnsemble`](crate::RankEnsemble).
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Member {
            $(#[doc = concat!("A [`crate::", stringify!($model), "`].")] $name($model),)+
        }

        impl MemberParams {
            pub(super) fn fit(&self, view: Columns<'_>, seed: u64, scratch: &mut Scratch) -> Result<Member, FitError> {
                match self {
                    $(Self::$name(params) => {
                        let ($p, $view, $seed, $scratch) = (params, view, seed, scratch);
                        $fit.map(Member::$name)
                    })+
                }
            }
        }

        impl Detector for Member {
            fn features(&self) -> usize {
                match self {
                    $(Self::$name(model) => model.features(),)+
                }
            }

            fn size_bytes(&self) -> usize {
                match self {
                    $(Self::$name(model) => model.size_bytes(),)+
                }
            }

            fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
                match self {
                    $(Self::$name(model) => model.score(view, scores, scratch),)+
                }
            }

            fn explain(
                &self,
                view: Columns<'_>,
                row: usize,
                contributions: &mut [f32],
                scratch: &mut Scratch,
            ) -> Result<Explanation, CannotExplain> {
                match self {
                    $(Self::$name(model) => model.explain(view, row, contributions, scratch),)+
                }
            }
        }
    };
}

members! {
    IsolationForest: ForestParams => IsolationForest, |params, view, seed, scratch| params.fit_in(view, seed, &mut scratch.fit);
    Neighbours: NeighbourParams => NeighbourDistance, |params, view, _seed, _scratch| params.fit(view);
    Ecod: EcodParams => Ecod, |params, view, _seed, _scratch| params.fit(view);
    Copod: CopodParams => Copod, |params, view, _seed, _scratch| params.fit(view);
    Hbos: HbosParams => Hbos, |params, view, _seed, _scratch| params.fit(view);
    Mahalanobis: MahalanobisParams => Mahalanobis, |params, view, _seed, _scratch| params.fit(view);
    ExtendedForest: ExtendedForestParams => ExtendedForest, |params, view, seed, _scratch| params.fit(view, seed);
    Lof: LofParams => Lof, |params, view, _seed, _scratch| params.fit(view);
}

impl Member {
    /// The scores of at most `count_max` evenly spaced rows of `view`, on which it was fitted; reference points are
    /// scored without themselves.
    pub(super) fn own_scores(&self, view: Columns<'_>, count_max: usize, scratch: &mut Scratch) -> Vec<f32> {
        let references = if let Self::Neighbours(model) = self {
            model.references()
        } else if let Self::Lof(model) = self {
            model.references()
        } else {
            view.rows()
        };
        let count = references.min(count_max);
        let indices = (0..count).map(|index| evenly_spaced(index, count, references));
        let mut scores = vec![0.0; count];
        if let Self::Neighbours(model) = self {
            model.score_references(indices, &mut scores, &mut scratch.neighbour);
        } else if let Self::Lof(model) = self {
            model.score_references(indices, &mut scores, &mut scratch.neighbour);
        } else {
            let mut rows = Vec::with_capacity(count * view.features());
            for feature in 0..view.features() {
                let column = view.column(feature);
                rows.extend(indices.clone().map(|row| column[row]));
            }
            self.score(Columns::new(&rows, count, view.features()), &mut scores, scratch);
        }
        scores
    }
}
