//! Shards elsewhere: only bytes pass between them and the world, and replies get lost on the way.

use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use dais_ledger::MemoryStorage;
use dais_sim::{Call, Mode, Plan, Reply, ShardError, ShardHost, Shards, World, WorldError};
use dais_traffic::Source;

use super::head::{SITES, STEPS, Scenario, lived, plan, scenarios, traffic};

/// Every so many replies are lost, and the call is made again.
const LOST_EVERY: usize = 5;

/// A shard on a thread of its own, and the bytes to and from it.
struct Line {
    calls: Option<Sender<Vec<u8>>>,
    replies: Receiver<Vec<u8>>,
    host: Option<JoinHandle<()>>,
}

impl Line {
    fn to(mut host: ShardHost) -> Self {
        let (calls, asked) = channel::<Vec<u8>>();
        let (answered, replies) = channel();
        let serve = move || {
            for call in asked {
                if answered.send(host.answer(&call)).is_err() {
                    break;
                }
            }
        };
        let host = thread::Builder::new().spawn(serve).expect("a thread");
        Self { calls: Some(calls), replies, host: Some(host) }
    }

    fn exchange(&self, call: &[u8]) -> Result<Vec<u8>, ShardError> {
        let gone = || ShardError::Unreachable("its thread has ended".to_owned());
        let calls = self.calls.as_ref().ok_or_else(gone)?;
        calls.send(call.to_vec()).map_err(|_| gone())?;
        self.replies.recv().map_err(|_| gone())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.calls = None;
        if let Some(host) = self.host.take() {
            host.join().expect("a host that has not panicked");
        }
    }
}

/// Shards that are given nothing but bytes.
struct ByteShards {
    sizes: Vec<usize>,
    lines: Vec<Line>,
    calls: Mutex<usize>,
}

impl ByteShards {
    fn new(mode: Mode, plan: &Plan, source: &Arc<dyn Source>, sizes: &[usize]) -> Self {
        let ends = sizes.iter().scan(0, |end, size| {
            *end += *size as u32;
            Some(*end)
        });
        let ranges = ends.zip(sizes).map(|(end, size)| end - *size as u32..end);
        let host = |agents: Range<u32>| ShardHost::new(mode, plan, Arc::clone(source), agents).expect("its agents");
        let lines = ranges.map(|agents| Line::to(host(agents))).collect();
        Self { sizes: sizes.to_vec(), lines, calls: Mutex::new(0) }
    }
}

impl Shards for ByteShards {
    fn sizes(&self) -> Vec<usize> {
        self.sizes.clone()
    }

    fn call(&self, calls: Vec<Call>) -> Vec<Result<Reply, ShardError>> {
        let mut made = self.calls.lock().expect("one caller");
        let asked = self.lines.iter().zip(calls).map(|(line, call)| {
            *made += 1;
            let bytes = call.to_bytes().expect("a call encodes");
            let mut reply = line.exchange(&bytes)?;
            if made.is_multiple_of(LOST_EVERY) {
                let again = line.exchange(&bytes)?;
                assert_eq!(again, reply, "a call that is repeated gets the same reply");
                reply = again;
            }
            Reply::from_bytes(&reply)
        });
        asked.collect()
    }
}

fn elsewhere(scenario: Scenario, source: &Arc<dyn Source>, sizes: &[usize]) -> World {
    let plan = plan(scenario.rules);
    let shards = Box::new(ByteShards::new(scenario.mode, &plan, source, sizes));
    World::with_shards(scenario.mode, &plan, Arc::clone(source), Box::new(MemoryStorage::new()), shards)
        .expect("a world")
}

#[test]
fn shards_that_pass_only_bytes_live_the_same_histories() {
    let source = traffic();
    for (here, there) in scenarios().into_iter().zip(scenarios()) {
        let name = here.name;
        let world = World::new(here.mode, &plan(here.rules), Arc::clone(&source), Box::new(MemoryStorage::new()));
        assert_eq!(lived(elsewhere(there, &source, &[3, 1, 7])), lived(world.expect("a world")), "{name}");
    }
}

#[test]
fn a_world_goes_on_elsewhere_from_a_snapshot() {
    let source = traffic();
    for scenario in scenarios().into_iter().filter(|scenario| scenario.mode == Mode::Collaborative).take(2) {
        let rules = scenario.rules.clone();
        let mut here = elsewhere(scenario, &source, &[4, 7]);
        (0..STEPS / 2).for_each(|_| drop(here.step(&mut ()).expect("a step")));
        let snapshot = here.snapshot().expect("bytes");
        let plan = plan(rules);
        let shards = |sizes: &[usize]| Box::new(ByteShards::new(Mode::Collaborative, &plan, &source, sizes));
        let resume = |storage, sizes: &[usize]| {
            World::resume_with_shards(&plan, Arc::clone(&source), storage, &snapshot, shards(sizes))
        };
        let rest = |mut world: World| {
            (0..STEPS - STEPS / 2).for_each(|_| drop(world.step(&mut ()).expect("a step")));
            world.finish().expect("an end").ledger.expect("a ledger")
        };
        let ledger = rest(here);
        let head = *ledger.head();
        let ledger = rest(resume(ledger.into_storage(), &[4, 7]).expect("its own snapshot"));
        assert_eq!(*ledger.head(), head);
        let cut_otherwise = resume(ledger.into_storage(), &[5, 6]);
        assert!(matches!(cut_otherwise, Err(WorldError::Snapshot(_))), "{:?}", cut_otherwise.map(|_| ()));
    }
}

/// Bytes of calls, each with those of its reply.
type Exchanged = Vec<(Vec<u8>, Vec<u8>)>;

/// The bytes of the calls of a step and of what a shard replied.
fn recorded() -> Exchanged {
    struct Recorder(Mutex<ShardHost>, Arc<Mutex<Exchanged>>);
    impl Shards for Recorder {
        fn sizes(&self) -> Vec<usize> {
            vec![SITES as usize]
        }
        fn call(&self, calls: Vec<Call>) -> Vec<Result<Reply, ShardError>> {
            let call = calls[0].to_bytes().expect("a call encodes");
            let reply = self.0.lock().expect("one caller").answer(&call);
            self.1.lock().expect("one caller").push((call, reply.clone()));
            vec![Reply::from_bytes(&reply)]
        }
    }
    let (source, mut all) = (traffic(), scenarios());
    let Scenario { mode, rules, .. } = all.swap_remove(1);
    let plan = plan(rules);
    let host = ShardHost::new(mode, &plan, Arc::clone(&source), 0..SITES).expect("all agents");
    let log = Arc::new(Mutex::new(Vec::new()));
    let shards = Box::new(Recorder(Mutex::new(host), Arc::clone(&log)));
    let mut world = World::with_shards(mode, &plan, source, Box::new(MemoryStorage::new()), shards).expect("a world");
    (0..STEPS).for_each(|_| drop(world.step(&mut ()).expect("a step")));
    world.finish().expect("an end");
    let recorded = log.lock().expect("one caller").clone();
    assert!(recorded.len() > 3 * STEPS as usize, "it looked at all calls");
    recorded
}

#[test]
fn every_message_has_one_form_and_other_bytes_are_refused() {
    for (call, reply) in recorded() {
        assert_eq!(Call::from_bytes(&call).and_then(|call| call.to_bytes()).as_ref(), Ok(&call));
        let read = Reply::from_bytes(&reply);
        assert_eq!(Reply::to_bytes(&read).as_ref(), Ok(&reply));
        let longer = |bytes: &[u8]| [bytes, &[0]].concat();
        assert!(Call::from_bytes(&longer(&call)).is_err() && Reply::from_bytes(&longer(&reply)).is_err());
        assert!(Call::from_bytes(&call[..call.len() - 1]).is_err());
        assert!(Reply::from_bytes(&reply[..reply.len() - 1]).is_err());
        let newer = [&[2], &call[1..]].concat();
        let error = Call::from_bytes(&newer).expect_err("another version").to_string();
        assert!(error.contains("version 2") && error.contains("version 1"), "{error}");
    }
}

#[test]
fn a_host_says_what_is_wrong_with_a_call_and_stays_as_it_was() {
    let source = traffic();
    let Scenario { mode, rules, .. } = scenarios().swap_remove(0);
    let plan = plan(rules);
    let mut host = ShardHost::new(mode, &plan, Arc::clone(&source), 0..SITES).expect("all agents");
    let calls: Vec<Vec<u8>> = recorded().into_iter().map(|(call, _)| call).collect();
    let failure = |reply: Vec<u8>| Reply::from_bytes(&reply).expect_err("a failure");
    assert!(matches!(failure(host.answer(&[])), ShardError::Message(_)));
    // Begin, keys, lives and then the first step; the last step is out of turn.
    let begun: Vec<_> = calls[..3].iter().map(|call| host.answer(call)).collect();
    assert!(begun.iter().all(|reply| Reply::from_bytes(reply).is_ok()));
    let late = calls.iter().rev().nth(8).expect("many calls");
    assert!(matches!(failure(host.answer(late)), ShardError::OutOfTurn { .. }), "{:?}", host.answer(late));
    let first = host.answer(&calls[3]);
    assert!(Reply::from_bytes(&first).is_ok());
    assert_eq!(host.answer(&calls[3]), first);
    let beyond = ShardHost::new(mode, &plan, source, 4..SITES + 1).expect_err("no such site");
    assert!(beyond.to_string().contains("4..12"), "{beyond}");
}

#[test]
fn what_agents_say_carries_no_label() {
    // Of poisoners' offers the truth is known to the counts alone.
    let said = |bytes: &[u8]| format!("{:?}", Reply::from_bytes(bytes).expect("a reply"));
    let replies: Vec<String> = recorded().iter().map(|(_, reply)| said(reply)).collect();
    let offers: Vec<&String> = replies.iter().filter(|reply| reply.starts_with("Reply(Said")).collect();
    let counts: Vec<&String> = replies.iter().filter(|reply| reply.starts_with("Reply(Counted")).collect();
    assert_eq!((offers.len(), counts.len()), (STEPS as usize, STEPS as usize));
    assert!(offers.iter().any(|said| said.contains("Signature {")), "nothing was offered");
    assert!(offers.iter().all(|said| !said.contains("SignatureTruth") && !said.contains("StepTally")));
    assert!(counts.iter().any(|counted| counted.contains("SignatureTruth")));
}

#[test]
fn shards_with_other_agents_than_the_traffic_has_are_refused() {
    let source = traffic();
    let Scenario { mode, rules, .. } = scenarios().swap_remove(0);
    let plan = plan(rules);
    let shards = Box::new(ByteShards::new(mode, &plan, &source, &[3, 4]));
    let refused = World::with_shards(mode, &plan, source, Box::new(MemoryStorage::new()), shards);
    assert!(refused.expect_err("too few").to_string().contains("7 agents"));
}
