//! What the coordinator does to have the heads of the ledger cosigned.

use std::collections::BTreeMap;

use dais_ledger::{Checkpoint, ConsistencyProof, HeadVerifier, LedgerError, SplitView, WitnessVerifier};
use dais_protocol::AgentId;
use serde::{Deserialize, Serialize};

use crate::exchange::error::ExchangeError;
use crate::exchange::logbook::Logbook;
use crate::witness::message::{Answer, Checked, Shown};
use crate::witness::second_face::SecondFace;

/// What came of the witnesses of a run.
#[derive(Clone, Debug, Default)]
pub struct Witnessed {
    /// Agents that were to watch the ledger.
    pub witnesses: usize,
    /// The last head with the cosignatures it got; absent where nobody watched.
    pub checkpoint: Option<Checkpoint>,
    /// Proofs that the coordinator showed two histories, each once; the first is the earliest.
    pub split_views: Vec<SplitView>,
}

impl Witnessed {
    /// Cosignatures of the last head.
    #[must_use]
    pub fn cosigned(&self) -> usize {
        // One line is the log's own.
        self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.signatures().len() - 1)
    }
}

/// A witness as the coordinator knows it.
#[derive(Debug)]
struct Known {
    agent: AgentId,
    verifier: WitnessVerifier,
    /// Size of the last head it cosigned, as far as is known here; it says so if it is another.
    last: u64,
}

/// What a snapshot keeps of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CosigningState {
    /// Size of the last head that each witness cosigned, in their order.
    last: Vec<u64>,
    /// The text of the last head with its cosignatures.
    checkpoint: Option<String>,
}

/// Shows heads to witnesses and gathers their cosignatures.
#[derive(Debug)]
pub(crate) struct Cosigning {
    log: HeadVerifier,
    witnesses: Vec<Known>,
    checkpoint: Option<Checkpoint>,
    second_face: Option<SecondFace>,
}

impl Cosigning {
    pub(crate) fn new(
        log: HeadVerifier,
        witnesses: impl Iterator<Item = (AgentId, WitnessVerifier)>,
        second_face: Option<SecondFace>,
    ) -> Self {
        let witnesses = witnesses.map(|(agent, verifier)| Known { agent, verifier, last: 0 }).collect();
        Self { log, witnesses, checkpoint: None, second_face }
    }

    pub(crate) fn state(&self) -> CosigningState {
        let last = self.witnesses.iter().map(|known| known.last).collect();
        CosigningState { last, checkpoint: self.checkpoint.as_ref().map(ToString::to_string) }
    }

    /// Goes back to what a snapshot kept; `ledger` stands where it stood then.
    pub(crate) fn restore(&mut self, state: &CosigningState, ledger: &Logbook) -> Result<(), ExchangeError> {
        let unreadable = |what: &dyn std::fmt::Display| ExchangeError::Snapshot(format!("cosigned head: {what}"));
        if state.last.len() != self.witnesses.len() {
            return Err(unreadable(&format_args!("it has {} witnesses", state.last.len())));
        }
        let checkpoint = state.checkpoint.as_ref().map(|text| text.parse()).transpose();
        self.checkpoint = checkpoint.map_err(|error| unreadable(&error))?;
        self.witnesses.iter_mut().zip(&state.last).for_each(|(known, &last)| known.last = last);
        self.second_face = self.second_face.as_ref().map(|face| face.begun_again(ledger)).transpose()?;
        Ok(())
    }

    /// The present head for every witness, with the proof from the last one it cosigned.
    pub(crate) fn show(&mut self, ledger: &Logbook) -> Result<Vec<Shown>, ExchangeError> {
        if self.witnesses.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(face) = &mut self.second_face {
            face.follow(ledger)?;
        }
        self.checkpoint = Some(self.checkpoint_of(ledger));
        Ok(self.shown(ledger, |_| true)?)
    }

    /// Adds the cosignatures that hold to the checkpoint. Returns what is to be shown once more: a witness that was
    /// given the proof from another size than its own named its own.
    pub(crate) fn hear(&mut self, ledger: &Logbook, answers: Vec<Answer>) -> Result<Vec<Shown>, LedgerError> {
        let size = ledger.head().head.size;
        let mut again = Vec::new();
        for Answer { witness, checked } in answers {
            let Some(known) = self.witnesses.iter_mut().find(|known| known.agent == witness) else { continue };
            match checked {
                Checked::Cosigned(line) => {
                    known.last = size;
                    let mut cosigned = self.checkpoint.clone().unwrap_or_else(|| self.checkpoint_of(ledger));
                    cosigned.add(line);
                    // What a second face was cosigned for is no cosignature of this head.
                    if self.verifier_of(witness).is_some_and(|verifier| verifier.verify(&cosigned).is_ok()) {
                        self.checkpoint = Some(cosigned);
                    }
                }
                Checked::OtherSize(last) if last <= size => {
                    known.last = last;
                    again.push(witness);
                }
                Checked::OtherSize(_) | Checked::Refused(_) => {}
            }
        }
        self.shown(ledger, |agent| again.contains(&agent))
    }

    /// What has come of it, but for the proofs against the coordinator, which witnesses do not leave to it.
    pub(crate) fn finish(self) -> Witnessed {
        Witnessed { witnesses: self.witnesses.len(), checkpoint: self.checkpoint, split_views: Vec::new() }
    }

    fn verifier_of(&self, agent: AgentId) -> Option<&WitnessVerifier> {
        self.witnesses.iter().find(|known| known.agent == agent).map(|known| &known.verifier)
    }

    fn checkpoint_of(&self, ledger: &Logbook) -> Checkpoint {
        Checkpoint::new(ledger.origin().clone(), ledger.head(), &self.log)
    }

    fn shown(&self, ledger: &Logbook, asked: impl Fn(AgentId) -> bool) -> Result<Vec<Shown>, LedgerError> {
        // Witnesses that stand at the same size get the same proof.
        let mut proofs: BTreeMap<(bool, u64), ConsistencyProof> = BTreeMap::new();
        let mut shown = Vec::new();
        for (place, known) in self.witnesses.iter().enumerate().filter(|(_, known)| asked(known.agent)) {
            let other_face = self.second_face.as_ref().filter(|_| place % 2 == 1).map(SecondFace::ledger);
            let face = other_face.unwrap_or(ledger);
            let from = (other_face.is_some(), known.last);
            let proof = match proofs.get(&from) {
                Some(proof) => proof.clone(),
                None => face.prove_consistency(known.last)?,
            };
            proofs.insert(from, proof.clone());
            shown.push(Shown { witness: known.agent, checkpoint: self.checkpoint_of(face), proof });
        }
        Ok(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::witness::agent_witness::AgentWitness;
    use dais_ledger::{COORDINATOR, Entry, HeadKey, Kind, MemoryStorage, Origin};

    fn entry(body: u8) -> Entry {
        Entry { kind: Kind::Genesis, step: 0, author: COORDINATOR, body: vec![body] }
    }

    fn begun(origin: &Origin, key: HeadKey) -> Logbook {
        Logbook::begin(Box::new(MemoryStorage::new()), origin.clone(), key).expect("memory")
    }

    fn grown(ledger: &mut Logbook, to: u8) {
        let size = ledger.head().head.size as u8;
        ledger.write(&(size..to).map(entry).collect::<Vec<_>>()).expect("memory");
    }

    fn answer(witness: &mut AgentWitness, shown: &Shown, time_s: u64) -> Answer {
        Answer { witness: AgentId(0), checked: witness.check(shown, time_s).into() }
    }

    #[test]
    fn a_witness_at_another_size_is_shown_the_head_once_more() {
        let (origin, key) = (Origin::new("dais/test").expect("a name"), HeadKey::from_seed([1; 32]));
        let log = key.verifier();
        let mut ledger = begun(&origin, key);
        let witness = || AgentWitness::new(Seed(7), AgentId(0), &origin, log);
        let verifier = crate::witness::appointment::witness(Seed(7), AgentId(0)).verifier();
        let mut cosigning = Cosigning::new(log, std::iter::once((AgentId(0), verifier)), None);

        grown(&mut ledger, 5);
        let shown = cosigning.show(&ledger).expect("memory");
        let mut first = witness();
        let again = cosigning.hear(&ledger, vec![answer(&mut first, &shown[0], 1)]).expect("memory");
        assert!(again.is_empty());

        // Gone back to the beginning, as from a snapshot.
        let mut back = witness();
        grown(&mut ledger, 9);
        let shown = cosigning.show(&ledger).expect("memory");
        assert_eq!(shown[0].proof.old_size, 5);
        let again = cosigning.hear(&ledger, vec![answer(&mut back, &shown[0], 2)]).expect("memory");
        assert_eq!((again.len(), again[0].proof.old_size), (1, 0));
        let done = cosigning.hear(&ledger, vec![answer(&mut back, &again[0], 2)]).expect("memory");
        assert!(done.is_empty());
        assert_eq!(cosigning.finish().cosigned(), 1);
    }

    #[test]
    fn a_cosignature_that_does_not_hold_is_not_kept() {
        let (origin, key) = (Origin::new("dais/test").expect("a name"), HeadKey::from_seed([1; 32]));
        let log = key.verifier();
        let mut ledger = begun(&origin, key);
        let verifier = crate::witness::appointment::witness(Seed(7), AgentId(0)).verifier();
        let mut cosigning = Cosigning::new(log, std::iter::once((AgentId(0), verifier)), None);
        grown(&mut ledger, 5);
        let shown = cosigning.show(&ledger).expect("memory");
        let mut another = AgentWitness::new(Seed(8), AgentId(0), &origin, log);
        cosigning.hear(&ledger, vec![answer(&mut another, &shown[0], 1)]).expect("memory");
        assert_eq!(cosigning.finish().cosigned(), 0);
    }
}
