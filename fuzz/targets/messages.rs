#![no_main]
//! What agents and ledgers say: each kind decodes to what encodes to the same bytes, or is refused.

use dais_ledger::Entry;
use dais_protocol::{Challenge, Commitment, Decision, EquivocationProof, Reveal, Sighting, Signature, Vote};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let again = match kind % 9 {
        0 => Signature::decode(bytes).map(|message| message.encode()).ok(),
        1 => Vote::decode(bytes).map(|message| message.encode()).ok(),
        2 => Decision::decode(bytes).map(|message| message.encode()).ok(),
        3 => Sighting::decode(bytes).map(|message| message.encode()).ok(),
        4 => Entry::decode(bytes).map(|entry| entry.encode()).ok(),
        5 => Commitment::decode(bytes).map(|message| message.encode()).ok(),
        6 => Reveal::decode(bytes).map(|message| message.encode()).ok(),
        7 => Challenge::decode(bytes).map(|message| message.encode()).ok(),
        _ => EquivocationProof::decode(bytes).map(|message| message.encode()).ok(),
    };
    assert!(again.is_none_or(|again| again == bytes), "there is one encoding of each message");
});
