//! Evaluation of runs: summaries, comparisons, plots and reports.

#![forbid(unsafe_code)]
