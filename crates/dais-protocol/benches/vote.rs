//! What a vote costs: measuring a signature, judging it, counting votes, sealing and checking seals.
//!
//! `cargo bench -p dais-protocol --bench vote`

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dais_protocol::{
    AgentId, Ballot, ClusterParams, Evidence, Matcher, Motion, Pattern, PolicyParams, Rows, Seal, SealKey, SignatureId,
    Statement, Verdict, VerifyingKey, Vote, VoteParams, cluster, describe, judge, seal, verify_batch, widest_radius,
};
use rand_philox::{Philox, u32_to_unit_f32};

const ROWS: usize = 512;
const NUMERIC: usize = 20;
const CATEGORICAL: usize = 3;

struct Columns {
    numeric: Vec<f32>,
    codes: Vec<u16>,
}

impl Columns {
    /// Uniform values; every category column holds code 1 in about the given share of the rows.
    fn new(common: f32) -> Self {
        let mut random = Philox::from_u64_seed_stream(1, 1);
        let mut unit = || u32_to_unit_f32(random.next_u32());
        let rows_common: Vec<bool> = (0..ROWS).map(|_| unit() < common).collect();
        Self {
            numeric: (0..ROWS * NUMERIC).map(|_| unit()).collect(),
            codes: (0..ROWS * CATEGORICAL).map(|i| if rows_common[i % ROWS] { 1 } else { 2 }).collect(),
        }
    }

    fn rows(&self) -> Rows<'_> {
        Rows { rows: ROWS, stride: ROWS, numeric: &self.numeric, codes: &self.codes }
    }
}

fn matcher() -> Matcher {
    Matcher::new(&Pattern {
        centre: vec![0.5; NUMERIC],
        spread: vec![0.1; NUMERIC],
        categories: vec![vec![1]; CATEGORICAL],
    })
}

fn distances(c: &mut Criterion) {
    let mut group = c.benchmark_group("distances of 512 rows x 20 features");
    group.throughput(Throughput::Elements(ROWS as u64));
    let matcher = matcher();
    let mut out = Vec::new();
    for (name, common) in [("all admitted", 1.1), ("a tenth admitted", 0.1), ("none admitted", -1.0)] {
        let columns = Columns::new(common);
        group.bench_function(name, |b| b.iter(|| matcher.distances(black_box(columns.rows()), &mut out)));
    }
    let columns = Columns::new(1.1);
    matcher.distances(columns.rows(), &mut out);
    group.bench_function("widest radius", |b| b.iter(|| widest_radius(black_box(&out), 0.003)));
    group.finish();
}

fn clusters(c: &mut Criterion) {
    let mut group = c.benchmark_group("signature from 64 candidates");
    group.throughput(Throughput::Elements(64));
    let columns = Columns::new(1.1);
    let candidates: Vec<usize> = (0..64).collect();
    let alerted = vec![true; ROWS];
    let params = ClusterParams { leader_distance: 0.38, ..ClusterParams::default() };
    group.bench_function("cluster and describe", |b| {
        b.iter(|| {
            let found = cluster(black_box(columns.rows()), &candidates, &alerted, &params);
            found.iter().map(|members| describe(columns.rows(), members).1).sum::<usize>()
        });
    });
    group.finish();
}

fn vote(voter: u32, verdict: Verdict) -> Vote {
    Vote {
        motion: Motion::Adopt,
        signature: SignatureId::from_bytes([7; 32]),
        voter: AgentId(voter),
        step: 1,
        round: 0,
        verdict,
        confidence: 0.5,
        evidence: Evidence {
            baseline: 512,
            matches: 1,
            alerts_matched: 2,
            medoid_p: 0.05,
            similarity: 0.8,
            radius: 1.2 + 0.01 * voter as f32,
            sources_ordinary: 0,
            ..Evidence::default()
        },
    }
}

fn ballot(c: &mut Criterion) {
    let mut group = c.benchmark_group("ballot");
    let params = VoteParams::default();
    let evidence = vote(0, Verdict::Confirm).evidence;
    group.bench_function("judge", |b| b.iter(|| judge(black_box(&evidence), &params)));

    group.throughput(Throughput::Elements(100));
    let votes: Vec<Vote> =
        (0..100).map(|i| vote(i, if i % 5 == 0 { Verdict::Refute } else { Verdict::Confirm })).collect();
    let committee: Vec<AgentId> = votes.iter().map(|vote| vote.voter).collect();
    let policy = PolicyParams::default();
    group.bench_function("100 votes", |b| {
        b.iter(|| {
            let (motion, signature) = (Motion::Adopt, SignatureId::from_bytes([7; 32]));
            let mut ballot = Ballot::open(motion, signature, AgentId(1000), committee.clone(), 1);
            for vote in black_box(&votes) {
                ballot.record(vote).expect("members vote once");
            }
            ballot.resolve(1, &policy, &|agent| 0.5 + 0.001 * agent.0 as f32)
        });
    });
    group.bench_function("100 vote digests", |b| {
        b.iter(|| votes.iter().map(|vote| black_box(vote).digest()[0]).fold(0, |a, b| a ^ b));
    });
    group.finish();
}

fn seals(c: &mut Criterion) {
    let mut group = c.benchmark_group("seal");
    let digests = [[3; 32]; 20];
    let statement = |agent| Statement { agent: AgentId(agent), step: 9, digests: &digests };
    let key = SealKey::from_seed([1; 32]);
    group.throughput(Throughput::Elements(1));
    group.bench_function("seal a statement of 20 items", |b| b.iter(|| seal(&key, &statement(1))));

    group.throughput(Throughput::Elements(100));
    let sealed: Vec<_> = (0..100)
        .map(|agent| {
            let key = SealKey::from_seed([agent; 32]);
            let statement = statement(u32::from(agent));
            (key.verifying_key(), statement.message(), seal(&key, &statement))
        })
        .collect();
    let items = || -> Vec<(VerifyingKey, &[u8], Seal)> {
        sealed.iter().map(|(key, message, seal)| (*key, &message[..], *seal)).collect()
    };
    group.bench_function("verify 100 in a batch", |b| {
        b.iter_batched(items, |items| verify_batch(black_box(&items)), BatchSize::SmallInput);
    });
    group.bench_function("verify 100 one by one", |b| {
        let items = items();
        b.iter(|| items.iter().filter(|(key, message, seal)| key.verify(message, seal).is_ok()).count());
    });
    group.finish();
}

criterion_group!(benches, distances, clusters, ballot, seals);
criterion_main!(benches);
