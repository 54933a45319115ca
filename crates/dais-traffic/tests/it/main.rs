//! Integration tests of dais-traffic.

mod speed;
