//! Metrics: counters, gauges and histograms of a run, as Prometheus and `OpenMetrics` text.
