//! Witnesses, checkpoints and split views, also against another implementation of C2SP `signed-note`.

use dais_ledger::{
    Checkpoint, ConsistencyProof, CosignedHead, Head, HeadKey, HeadVerifier, Ledger, MemoryStorage, NotWitnessed,
    Origin, PolicyError, ProofError, Refused, SplitView, Unsigned, Witness, WitnessPolicy, WitnessVerifier, leaf_hash,
};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};

use super::{entries, filled, key, origin};

const TIME: u64 = 1_790_000_000;

/// A public witness.
const NAVIGLI: &str = "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G";

fn witness(number: u8) -> Witness {
    let mut witness = Witness::new(Origin::new(format!("witness.example/w{number}")).unwrap(), [number; 32]);
    witness.watch(origin(), key().verifier(), None).unwrap();
    witness
}

fn checkpoint(ledger: &Ledger<MemoryStorage>) -> Checkpoint {
    Checkpoint::new(origin(), ledger.head(), &key().verifier())
}

#[test]
fn a_witness_follows_a_log_that_only_grows() {
    let mut ledger = filled(MemoryStorage::new(), 0, 1);
    let mut witness = witness(1);
    let mut last = 0;
    for (step, part) in entries(300).chunks(37).enumerate() {
        ledger.append_batch(part).unwrap();
        let mut checkpoint = checkpoint(&ledger);
        let proof = ledger.prove_consistency(last, ledger.head().head.size).unwrap();
        let line = witness.check(&checkpoint, &proof, TIME + step as u64).unwrap();
        checkpoint.add(line);
        let read: Checkpoint = checkpoint.to_string().parse().unwrap();
        assert_eq!(witness.verifier().verify(&read), Ok(TIME + step as u64));
        assert_eq!(witness.last(&origin()), Some(ledger.head()));
        last = ledger.head().head.size;
    }
    assert_eq!(last, 300);
}

#[test]
fn a_witness_refuses_what_does_not_continue() {
    let ledger = filled(MemoryStorage::new(), 60, 20);
    let mut witness = witness(1);
    let at = |size| {
        let head = Head { size, root: ledger.root_at(size).unwrap() };
        Checkpoint::new(origin(), &key().seal(&origin(), head), &key().verifier())
    };
    let from = |old, new| ledger.prove_consistency(old, new).unwrap();
    witness.check(&at(40), &from(0, 40), TIME).unwrap();
    let mut refused =
        |checkpoint: &Checkpoint, proof: &ConsistencyProof, time| witness.check(checkpoint, proof, time).unwrap_err();

    assert_eq!(refused(&at(20), &from(20, 40), TIME), Refused::Older { last: 40, offered: 20 });
    assert_eq!(refused(&at(60), &from(20, 60), TIME), Refused::Sizes { last: 40, offered: 60 });
    let time = 1 << 63;
    assert_eq!(refused(&at(60), &from(40, 60), time), Refused::Time { time });
    let mut bent = from(40, 60);
    bent.path[0] = leaf_hash(b"bent");
    assert!(matches!(refused(&at(60), &bent, TIME), Refused::Inconsistent(ProofError::Root { .. })));

    let other = Head { size: 60, root: leaf_hash(b"another history") };
    let other = Checkpoint::new(origin(), &key().seal(&origin(), other), &key().verifier());
    assert!(matches!(refused(&other, &from(40, 60), TIME), Refused::Inconsistent(_)));
    let elsewhere = Origin::new("dais/elsewhere").unwrap();
    let foreign = Checkpoint::new(elsewhere.clone(), &key().seal(&elsewhere, Head::empty()), &key().verifier());
    assert_eq!(refused(&foreign, &from(0, 0), TIME), Refused::UnknownLog { origin: elsewhere });
    let forger = HeadKey::from_seed([1; 32]);
    let forged = Checkpoint::new(origin(), &forger.seal(&origin(), *at(60).head()), &forger.verifier());
    assert_eq!(refused(&forged, &from(40, 60), TIME), Refused::Unsigned(Unsigned::Missing { name: origin() }));

    assert_eq!(witness.last(&origin()).unwrap().head, *at(40).head(), "a refusal is not remembered");
    witness.check(&at(40), &from(40, 40), TIME + 1).unwrap();
    witness.check(&at(60), &from(40, 60), TIME + 2).unwrap();
}

#[test]
fn a_witness_that_sees_two_histories_convicts_the_log() {
    let honest = filled(MemoryStorage::new(), 40, 20);
    let mut lying = filled(MemoryStorage::new(), 39, 39);
    lying.append_batch(&entries(1)).unwrap();
    let mut first = witness(1);
    first.check(&checkpoint(&honest), &honest.prove_consistency(0, 40).unwrap(), TIME).unwrap();

    // What a witness remembers outlives its process.
    let remembered = first.last(&origin()).copied();
    let mut restarted = Witness::new(Origin::new("witness.example/w1").unwrap(), [1; 32]);
    restarted.watch(origin(), key().verifier(), remembered).unwrap();
    let refused = restarted.check(&checkpoint(&lying), &lying.prove_consistency(40, 40).unwrap(), TIME + 1);
    let Err(Refused::SplitView(split)) = refused else { panic!("{refused:?}") };

    // A third party has the text, and the key from elsewhere.
    let folder = tempfile::tempdir().unwrap();
    let path = SplitView::path_beside(&folder.path().join("ledger.db"));
    std::fs::write(&path, split.to_string()).unwrap();
    let read: SplitView = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    read.verify(&key().verifier()).unwrap();
    assert!(read.verify(&HeadKey::from_seed([1; 32]).verifier()).is_err());
    let roots = read.heads().map(|signed| signed.head.root);
    assert!(roots.contains(&honest.head().head.root) && roots.contains(&lying.head().head.root));
}

#[test]
fn a_witness_takes_up_only_what_the_log_sealed() {
    let mut witness = witness(1);
    let foreign = HeadKey::from_seed([1; 32]).seal(&origin(), Head::empty());
    assert!(witness.watch(origin(), key().verifier(), Some(foreign)).is_err());
}

#[test]
fn a_policy_counts_the_witnesses_it_knows() {
    let ledger = filled(MemoryStorage::new(), 5, 5);
    let proof = ledger.prove_consistency(0, 5).unwrap();
    let mut checkpoint = checkpoint(&ledger);
    for (number, time) in [(1, 10), (2, 20), (3, 30)] {
        checkpoint.add(witness(number).check(&checkpoint, &proof, time).unwrap());
    }
    let known = |numbers: &[u8]| numbers.iter().map(|&number| witness(number).verifier()).collect::<Vec<_>>();
    let check = |numbers: &[u8], threshold, checkpoint: &Checkpoint| {
        WitnessPolicy::new(known(numbers), threshold).unwrap().check(checkpoint, &key().verifier())
    };
    let name = |number| Origin::new(format!("witness.example/w{number}")).unwrap();
    let expected = CosignedHead { signed: *ledger.head(), witnesses: vec![(name(3), 30), (name(1), 10)] };
    assert_eq!(check(&[3, 9, 1], 2, &checkpoint), Ok(expected));
    assert_eq!(check(&[3, 9, 8], 2, &checkpoint), Err(NotWitnessed::TooFew { found: 1, threshold: 2 }));
    assert_eq!(check(&[], 0, &checkpoint).unwrap().witnesses, []);
    assert_eq!(WitnessPolicy::new(known(&[1, 1]), 1), Err(PolicyError::Twice { name: name(1) }));
    let error = PolicyError::Threshold { threshold: 2, witnesses: 1 };
    assert_eq!(WitnessPolicy::new(known(&[1]), 2), Err(error));

    // A cosignature of the head of another size is not one of this.
    let later = filled(MemoryStorage::new(), 6, 6);
    let mut moved = Checkpoint::new(origin(), later.head(), &key().verifier());
    checkpoint.signatures()[1..].iter().for_each(|line| moved.add(line.clone()));
    let invalid = NotWitnessed::Unsigned(Unsigned::Invalid { name: name(1) });
    assert_eq!(check(&[1], 1, &moved), Err(invalid));
    let foreign = HeadKey::from_seed([1; 32]).verifier();
    assert!(WitnessPolicy::new(known(&[1]), 1).unwrap().check(&checkpoint, &foreign).is_err());
}

#[test]
fn every_changed_byte_of_a_cosigned_checkpoint_is_noticed() {
    let ledger = filled(MemoryStorage::new(), 5, 5);
    let mut checkpoint = checkpoint(&ledger);
    let mut witness = witness(1);
    checkpoint.add(witness.check(&checkpoint, &ledger.prove_consistency(0, 5).unwrap(), TIME).unwrap());
    let policy = WitnessPolicy::new(vec![witness.verifier()], 1).unwrap();
    assert!(policy.check(&checkpoint, &key().verifier()).is_ok());
    let text = checkpoint.to_string().into_bytes();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone();
            changed[at] ^= 1 << bit;
            let read = Checkpoint::from_bytes(&changed);
            let believed = read.is_ok_and(|read| policy.check(&read, &key().verifier()).is_ok());
            assert!(!believed, "bit {bit} of byte {at}");
        }
    }
}

/// A witness's key as another implementation sees it: its type, and Ed25519 over the message of the standard.
struct OtherWitness {
    verifier: StandardVerifier,
    key_id: u32,
}

impl Verifier for OtherWitness {
    fn name(&self) -> &str {
        self.verifier.name()
    }

    fn key_id(&self) -> u32 {
        self.key_id
    }

    fn verify(&self, note: &[u8], signature: &[u8]) -> bool {
        let (time, signature) = signature.split_at(8);
        let time = u64::from_be_bytes(time.try_into().unwrap());
        let message = [format!("cosignature/v1\ntime {time}\n").as_bytes(), note].concat();
        self.verifier.verify(&message, signature)
    }
}

#[test]
fn another_implementation_believes_log_and_witness() {
    let ledger = filled(MemoryStorage::new(), 300, 100);
    let mut checkpoint = checkpoint(&ledger);
    let mut witness = witness(1);
    checkpoint.add(witness.check(&checkpoint, &ledger.prove_consistency(0, 300).unwrap(), TIME).unwrap());

    let log = StandardVerifier::new(&key().verifier().to_vkey(&origin())).unwrap();
    let public_key = HeadVerifier::from_bytes(witness.verifier().public_key()).unwrap();
    let verifier = StandardVerifier::new(&public_key.to_vkey(witness.verifier().name())).unwrap();
    let typed = [&[4][..], &witness.verifier().public_key()].concat();
    let key_id = signed_note::key_id(witness.verifier().name().as_str(), &typed);
    let known = VerifierList::new(vec![Box::new(log), Box::new(OtherWitness { verifier, key_id })]);
    let note = Note::from_bytes(checkpoint.to_string().as_bytes()).unwrap();
    let (verified, unverified) = note.verify(&known).unwrap();
    assert_eq!((verified.len(), unverified.len()), (2, 0));

    let read = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!((read.origin(), read.size()), (origin().as_str(), 300));
    assert_eq!(read.hash().0, *ledger.head().head.root.as_bytes());
}

#[test]
fn a_published_checkpoint_of_a_witness_operator_is_read() {
    let text = "geomys.org/witness/test-log\n1\nBCml5C32yqMcl0gjTrcSOeNVx59oPnSdytBzDGBO5k0=\n\n\
        \u{2014} geomys.org/witness/test-log wHh/9BPsoBNr2x0Ol3qPBYasIN0HI2ZiBg5ac0v3LQq/7F+YO7U4oWbDeJn1VaWVrlbSEM30\
        Gr7WWYQjj2SBxRoJ/Ao=\n";
    let vkey = "geomys.org/witness/test-log+c0787ff4+AeMb5VOzy60PTGdGmLPxOKGAa0jNyDGsgv2rnprGju1t";
    let (origin, verifier) = HeadVerifier::from_vkey(vkey).unwrap();
    let checkpoint: Checkpoint = text.parse().unwrap();
    assert_eq!(*checkpoint.origin(), origin);
    assert_eq!(checkpoint.signed_by(&verifier).unwrap().head.size, 1);
    assert_eq!(checkpoint.to_string(), text);
}

#[test]
fn a_cosignature_of_a_public_witness_holds() {
    let text = "markovianprotocol.com/log\n9266\nQnwPzJywq5AyOk9k1zLqfryh6Ktw1CnaaKplELApoxw=\n\n\
        \u{2014} markovianprotocol.com/log AwLGyIvuxLXZM101mKdNCPTsl9GgtiG/wzbd8cGru0pGnWVMXI06twIsEIZho7n8id+w2EO0BZCa\
        lxuEm6BauQGNmgo=\n\
        \u{2014} witness.navigli.sunlight.geomys.org o+AP4gAAAABqwX+So8evhUsltetL+QnwUxEYMNrD25pJYOTFHwDCopbgQMl2AEh583Ax\
        fFNMDZzE73rdjK62tUN8oUBfd9p6usq+BA==\n";
    let witness: WitnessVerifier = NAVIGLI.parse().unwrap();
    let mut checkpoint: Checkpoint = text.parse().unwrap();
    assert_eq!(witness.verify(&checkpoint), Ok(0x6ac1_7f92));
    assert_eq!(checkpoint.to_string(), text);
    let line = checkpoint.signatures()[1].to_string().replace("AAAABqwX+S", "AAAABqwX+T");
    checkpoint.add(line.parse().unwrap());
    assert_eq!(witness.verify(&checkpoint), Err(Unsigned::Invalid { name: witness.name().clone() }));
}

#[test]
fn published_keys_of_witnesses_are_read() {
    for vkey in [
        NAVIGLI,
        "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
        "rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG",
    ] {
        let witness: WitnessVerifier = vkey.parse().unwrap();
        assert_eq!(witness.to_string(), vkey);
        assert_eq!(hex::encode(witness.key_id()), vkey.split('+').nth(1).unwrap());
    }
}
