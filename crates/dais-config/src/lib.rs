//! Configuration in layers: built-in defaults, files, environment variables, command line.
#![forbid(unsafe_code)]
