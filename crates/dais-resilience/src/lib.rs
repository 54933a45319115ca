//! Failing well: retries, circuit breakers, time-outs and bulkheads, and what an error means for who asked.
#![forbid(unsafe_code)]
