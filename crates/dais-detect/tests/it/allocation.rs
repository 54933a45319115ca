//! Scoring and refitting do not allocate once the buffers are warm.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use dais_detect::{Columns, Detector, EnsembleParams, ForestParams, Scratch};

use crate::conformance::Fitted;
use crate::data::normal;

/// The system's allocator; counts what each thread asks for.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator that counts can only be written so")]
// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` comes from `System`, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.with(Cell::get);
    let result = work();
    (ALLOCATIONS.with(Cell::get) - before, result)
}

fn warm_scoring_allocates_nothing<D: Fitted>() {
    let (counted, _) = allocations_of(|| vec![0u8; 9]);
    assert_eq!(counted, 1, "the counter sees an allocation");
    for features in [3, 20, 300] {
        let (baseline, batch) = (normal(512, features, 1), normal(1_500, features, 2));
        let model = D::fitted(Columns::new(&baseline, 512, features), 1).unwrap();
        let view = Columns::new(&batch, 1_500, features);
        let (mut scratch, mut scores) = (Scratch::default(), vec![0.0; 1_500]);
        model.score(view, &mut scores, &mut scratch);
        let held = scratch.capacity_bytes();
        for rows in [1_500, 100, 1, 1_499] {
            let (warm, ()) = allocations_of(|| model.score(view.slice(0..rows), &mut scores[..rows], &mut scratch));
            assert_eq!(warm, 0, "{rows} rows of {features} features");
        }
        assert_eq!(scratch.capacity_bytes(), held);
    }
}

#[test]
fn a_warm_forest_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::IsolationForest>();
}

#[test]
fn warm_neighbours_score_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::NeighbourDistance>();
}

#[test]
fn a_warm_ensemble_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::Ensemble>();
}

#[test]
fn a_warm_ecod_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::Ecod>();
}

#[test]
fn a_warm_copod_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::Copod>();
}

#[test]
fn a_warm_hbos_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::Hbos>();
}

#[test]
fn a_warm_mahalanobis_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::Mahalanobis>();
}

#[test]
fn a_warm_extended_forest_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::ExtendedForest>();
}

#[test]
fn a_warm_lof_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::Lof>();
}

#[test]
fn a_warm_rank_ensemble_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::RankEnsemble>();
}

#[test]
fn warm_half_space_trees_score_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::HalfSpaceTrees>();
}

#[test]
fn a_warm_loda_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::Loda>();
}

#[test]
fn a_warm_random_cut_forest_scores_without_allocating() {
    warm_scoring_allocates_nothing::<dais_detect::RandomCutForest>();
}

#[test]
fn refitting_allocates_the_model_only() {
    for rows in [512, 6_000] {
        let data = normal(rows, 20, 1);
        let view = Columns::new(&data, rows, 20);
        let mut scratch = Scratch::default();
        ForestParams::default().fit_in(view, 1, &mut scratch.fit).unwrap();
        let (of_forest, _model) = allocations_of(|| ForestParams::default().fit_in(view, 2, &mut scratch.fit));
        assert_eq!(of_forest, 3, "features, thresholds and leaves");
        EnsembleParams::default().fit(view, 1, &mut scratch).unwrap();
        let held = scratch.capacity_bytes();
        let (of_ensemble, _model) = allocations_of(|| EnsembleParams::default().fit(view, 2, &mut scratch));
        assert_eq!(of_ensemble, 13, "three each for the detectors, seven for the calibrations");
        assert_eq!(scratch.capacity_bytes(), held);
    }
}

#[test]
fn an_agents_forest_fits_in_180_kilobytes() {
    let data = normal(512, 20, 1);
    let forest = ForestParams::default().fit(Columns::new(&data, 512, 20), 1).unwrap();
    assert_eq!((forest.trees(), forest.subsample()), (100, 256));
    assert!(forest.size_bytes() <= 180_000, "{} bytes", forest.size_bytes());
}
