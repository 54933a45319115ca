//! Every metric there is: the one list from which the registry, the reference page and the tests follow.
//!
//! Names are those of the part of the system they speak of (`simulation_`, `signatures_`, `ledger_`, …) without a prefix of
//! the program: the scrape's `job` label tells programs apart. No label names an agent, and the values of each label are
//! listed here, so that the number of series is bounded.

use super::Family;

/// Upper bounds of durations, in seconds: a tenth of a millisecond to a minute.
const DURATIONS: &[f64] =
    &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Upper bounds of numbers of steps.
const STEPS_BOUNDS: &[f64] = &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0];

/// The phases of a step, in their order.
pub const PHASE_NAMES: &[&str] = &["observe", "publish", "vote", "resolve"];
/// The states of an agent's life, in their order.
pub const STATE_NAMES: &[&str] =
    &["born", "configured", "model_loaded", "health_checked", "active", "recovering", "failed", "stopped"];
/// What can become of a signature.
pub const OUTCOME_NAMES: &[&str] =
    &["published", "accepted", "rejected", "disputed", "expired", "escalated", "revoked", "covered", "refused"];
/// The verdicts of votes.
pub const VERDICT_NAMES: &[&str] = &["confirm", "refute", "abstain"];
/// Why a vote was turned away.
pub const REFUSAL_NAMES: &[&str] = &["rule", "seal"];
/// Percentiles of trust that are shown.
pub const PERCENTILE_NAMES: &[&str] = &["0", "10", "50", "90", "100"];
/// Classes of errors; the last stands for every other word.
pub const CLASS_NAMES: &[&str] = &["transient", "permanent", "overload", "timeout", "invalid", "internal", "other"];
/// Caches; the last stands for every other word.
pub const CACHE_NAMES: &[&str] = &["entries", "nodes", "other"];
/// What becomes of lines of the log.
pub const LINE_NAMES: &[&str] = &["written", "dropped", "failed"];

/// Time of steps.
pub static STEP_DURATION: Family =
    Family::histogram("simulation_step_duration_seconds", "seconds", "Wall time of a step.", DURATIONS);
/// Time of phases.
pub static PHASE_DURATION: Family =
    Family::histogram("simulation_phase_duration_seconds", "seconds", "Wall time of a phase of a step.", DURATIONS)
        .by("phase", PHASE_NAMES);
/// Steps done.
pub static STEPS: Family = Family::counter("simulation_steps_total", "steps", "Steps done, over all worlds.");
/// Where the run is.
pub static STEP: Family = Family::gauge("simulation_step", "steps", "Step that was done last, in its world.");
/// Agents that take part.
pub static AGENTS_ACTIVE: Family =
    Family::gauge("simulation_agents_active", "agents", "Agents that take part: those in the state active.");
/// Agents by state.
pub static AGENTS: Family =
    Family::gauge("simulation_agents", "agents", "Agents by state of their life.").by("state", STATE_NAMES);

/// Flows seen.
pub static FLOWS: Family = Family::counter("flows_seen_total", "flows", "Flows that agents observed.");
/// Flows alerted.
pub static FLOWS_ALERTED: Family =
    Family::counter("flows_alerted_total", "flows", "Flows whose p-value was at most the alert level.");
/// Flows matched.
pub static FLOWS_MATCHED: Family =
    Family::counter("flows_matched_total", "flows", "Flows that a signature in force matched.");
/// Flows blocked.
pub static FLOWS_BLOCKED: Family =
    Family::counter("flows_blocked_total", "flows", "Flows from sources that were blocked.");
/// Share of flows detected.
pub static DETECTION_RATE: Family =
    Family::gauge("anomaly_detection_rate", "share", "Share of the last step's flows that alerted, 0 to 1.");
/// Share of attacks found.
pub static RECALL: Family = Family::gauge(
    "detection_recall",
    "share",
    "Share of the last step's attack flows that were found, 0 to 1; absent without labels.",
);
/// Share of false alarms.
pub static FALSE_POSITIVE_RATE: Family = Family::gauge(
    "detection_false_positive_rate",
    "share",
    "Share of the last step's benign flows that were detected all the same, 0 to 1; absent without labels.",
);

/// Signatures by outcome.
pub static SIGNATURES: Family = Family::counter(
    "signatures_total",
    "signatures",
    "Signatures by what became of them: covered and refused ones never came to a ballot.",
)
.by("outcome", OUTCOME_NAMES);
/// Signatures in force.
pub static SIGNATURES_IN_FORCE: Family =
    Family::gauge("signatures_in_force", "signatures", "Accepted signatures that are applied now.");
/// Votes.
pub static VOTES: Family =
    Family::counter("votes_total", "votes", "Votes counted, by verdict.").by("verdict", VERDICT_NAMES);
/// Votes refused.
pub static VOTES_REFUSED: Family = Family::counter(
    "votes_refused_total",
    "votes",
    "Votes turned away: against a rule of the ballot (twice, late, from outside the committee), or with a false seal.",
)
.by("reason", REFUSAL_NAMES);
/// Steps to a decision.
pub static CONSENSUS_STEPS: Family = Family::histogram(
    "consensus_latency_steps",
    "steps",
    "Steps from the opening of a ballot to its decision.",
    STEPS_BOUNDS,
);
/// Time to a decision.
pub static CONSENSUS_SECONDS: Family = Family::histogram(
    "consensus_latency_seconds",
    "seconds",
    "Wall time from the opening of a ballot to its decision.",
    DURATIONS,
);
/// Trust.
pub static TRUST: Family =
    Family::gauge("agent_trust", "trust", "Trust in agents, 0 to 1, at percentiles over all agents.")
        .by("percentile", PERCENTILE_NAMES);

/// Entries appended.
pub static LEDGER_ENTRIES: Family =
    Family::counter("ledger_entries_total", "entries", "Entries appended to the ledger.");
/// Size of the ledger.
pub static LEDGER_SIZE: Family = Family::gauge("ledger_size", "entries", "Entries in the ledger.");
/// Bytes appended.
pub static LEDGER_BYTES: Family =
    Family::counter("ledger_bytes_total", "bytes", "Bytes of the entries appended to the ledger.");
/// Time of appends.
pub static LEDGER_APPEND: Family = Family::histogram(
    "ledger_append_duration_seconds",
    "seconds",
    "Wall time of an append of a step's entries, until they are durable.",
    DURATIONS,
);
/// Connections.
pub static POOL_SIZE: Family =
    Family::gauge("database_connection_pool_size", "connections", "Connections to the database that are open.");
/// Errors of storage.
pub static STORAGE_ERRORS: Family =
    Family::counter("storage_errors_total", "errors", "Errors of storage, by class.").by("class", CLASS_NAMES);
/// Hits of caches.
pub static CACHE_HITS: Family =
    Family::reading("cache_hits_total", "lookups", "Lookups that a cache answered.").by("cache", CACHE_NAMES);
/// Misses of caches.
pub static CACHE_MISSES: Family =
    Family::reading("cache_misses_total", "lookups", "Lookups that a cache could not answer.").by("cache", CACHE_NAMES);

/// Messages.
pub static GOSSIP_MESSAGES: Family = Family::counter(
    "gossip_messages_total",
    "messages",
    "Messages between agents: signatures, sightings, votes and seals.",
);
/// Bytes of messages.
pub static GOSSIP_BYTES: Family =
    Family::counter("gossip_bytes_total", "bytes", "Bytes of those messages as they are recorded.");
/// Tasks that wait.
pub static RAY_TASKS: Family = Family::gauge(
    "ray_tasks_pending",
    "tasks",
    "Tasks that were given to Ray and are not done; 0 where agents run in this process.",
);

/// Memory of the process, under the original's name.
pub static MEMORY_MB: Family =
    Family::gauge("system_memory_usage_mb", "mb", "Resident memory of the process, in units of 1,048,576 bytes.");
/// Memory of the process.
pub static RESIDENT: Family =
    Family::gauge("process_resident_memory_bytes", "bytes", "Resident memory of the process.");
/// Processor time.
pub static CPU: Family =
    Family::reading("process_cpu_seconds_total", "seconds", "Processor time of the process, user and system.");
/// Threads.
pub static THREADS: Family = Family::gauge("process_threads", "threads", "Threads of the process.");
/// Files.
pub static OPEN_FDS: Family =
    Family::gauge("process_open_fds", "descriptors", "Files, sockets and the like that the process holds open.");
/// Start.
pub static START_TIME: Family =
    Family::gauge("process_start_time_seconds", "seconds", "Start of the process, since 1970 (UTC).");
/// Disk.
pub static DISK_FREE: Family =
    Family::gauge("disk_free_bytes", "bytes", "Room left on the disk that the run is written to.");
/// Lines.
pub static LOG_LINES: Family =
    Family::reading("log_lines_total", "lines", "Lines for the log file, by what became of them.")
        .by("outcome", LINE_NAMES);

/// All of them, in the order of the reference page.
pub static CATALOGUE: [&Family; 39] = [
    &STEP_DURATION,
    &PHASE_DURATION,
    &STEPS,
    &STEP,
    &AGENTS_ACTIVE,
    &AGENTS,
    &FLOWS,
    &FLOWS_ALERTED,
    &FLOWS_MATCHED,
    &FLOWS_BLOCKED,
    &DETECTION_RATE,
    &RECALL,
    &FALSE_POSITIVE_RATE,
    &SIGNATURES,
    &SIGNATURES_IN_FORCE,
    &VOTES,
    &VOTES_REFUSED,
    &CONSENSUS_STEPS,
    &CONSENSUS_SECONDS,
    &TRUST,
    &LEDGER_ENTRIES,
    &LEDGER_SIZE,
    &LEDGER_BYTES,
    &LEDGER_APPEND,
    &POOL_SIZE,
    &STORAGE_ERRORS,
    &CACHE_HITS,
    &CACHE_MISSES,
    &GOSSIP_MESSAGES,
    &GOSSIP_BYTES,
    &RAY_TASKS,
    &MEMORY_MB,
    &RESIDENT,
    &CPU,
    &THREADS,
    &OPEN_FDS,
    &START_TIME,
    &DISK_FREE,
    &LOG_LINES,
];

/// The reference page of all metrics, in Markdown; `docs/reference/metrics.md` is this text.
pub fn reference_page() -> String {
    super::page::reference_page()
}
