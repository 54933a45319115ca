//! The witness that an agent is beside its work, and what it remembers.

use dais_ledger::{
    Checkpoint, HeadVerifier, InvalidSeal, NoteSignature, Origin, Refused, SignedHead, SplitView, Witness,
};
use dais_protocol::AgentId;
use serde::{Deserialize, Serialize};

use crate::seed::Seed;
use crate::witness::appointment::witness;
use crate::witness::message::Shown;

/// What a witness must never forget: with it a snapshot can be gone back to without cosigning two histories.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// The last head it cosigned.
    last: Option<SignedHead>,
    /// The text of its proof that the log showed two histories.
    split_view: Option<String>,
}

/// The witness that an agent is beside its work.
///
/// | it holds | a checkpoint that continues the last one | any other | a fellow witness's checkpoint of another history |
/// |---|---|---|---|
/// | no proof against the log | cosigns it | refuses it | makes the proof |
/// | a proof | refuses it | refuses it | has one already |
#[derive(Debug)]
pub(crate) struct AgentWitness {
    agent: AgentId,
    witness: Witness,
    origin: Origin,
    log: HeadVerifier,
    proof: Option<SplitView>,
}

impl AgentWitness {
    /// A witness that has not seen anything of the log yet.
    pub(crate) fn new(seed: Seed, agent: AgentId, origin: &Origin, log: HeadVerifier) -> Self {
        let mut watching = Self { agent, witness: witness(seed, agent), origin: origin.clone(), log, proof: None };
        watching.remember(None).expect("there is no head whose seal could fail");
        watching
    }

    pub(crate) fn agent(&self) -> AgentId {
        self.agent
    }

    /// Cosigns what it is shown, or says why not.
    pub(crate) fn check(&mut self, shown: &Shown, time_s: u64) -> Result<NoteSignature, Refused> {
        let checked = match &self.proof {
            Some(proof) => Err(Refused::SplitView(Box::new(proof.clone()))),
            None => self.witness.check(&shown.checkpoint, &shown.proof, time_s),
        };
        if let Err(Refused::SplitView(proof)) = &checked {
            self.proof = Some((**proof).clone());
        }
        checked
    }

    /// Compares what other witnesses were shown with what it has cosigned, and returns its proof if it has one.
    pub(crate) fn compare(&mut self, seen: &[Checkpoint]) -> Option<&SplitView> {
        if self.proof.is_none() {
            self.proof = self.witness.last(&self.origin).and_then(|mine| {
                let contradicts =
                    |theirs: &&Checkpoint| theirs.head().size == mine.head.size && theirs.head().root != mine.head.root;
                let signed = |theirs: &Checkpoint| theirs.signed_by(&self.log).ok();
                let mut others = seen.iter().filter(contradicts).filter_map(signed);
                others.find_map(|theirs| SplitView::detect(&self.origin, mine, &theirs, &self.log))
            });
        }
        self.proof.as_ref()
    }

    /// What a snapshot keeps of it.
    pub(crate) fn memory(&self) -> Memory {
        let last = self.witness.last(&self.origin).copied();
        Memory { last, split_view: self.proof.as_ref().map(ToString::to_string) }
    }

    /// Goes back to what a snapshot kept.
    pub(crate) fn restore(&mut self, memory: &Memory) -> Result<(), String> {
        let proof = memory.split_view.as_deref().map(str::parse).transpose();
        self.proof = proof.map_err(|error: dais_ledger::SplitViewError| error.to_string())?;
        self.remember(memory.last).map_err(|error| error.to_string())
    }

    fn remember(&mut self, last: Option<SignedHead>) -> Result<(), InvalidSeal> {
        self.witness.watch(self.origin.clone(), self.log, last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dais_ledger::{ConsistencyProof, Digest, Head, HeadKey};

    fn log() -> (Origin, HeadKey) {
        (Origin::new("dais/test").expect("a name"), HeadKey::from_seed([1; 32]))
    }

    fn checkpoint(root: u8) -> Checkpoint {
        let (origin, key) = log();
        let head = Head { size: 5, root: Digest::from_bytes([root; 32]) };
        Checkpoint::new(origin.clone(), &key.seal(&origin, head), &key.verifier())
    }

    fn shown(root: u8) -> Shown {
        let proof = ConsistencyProof { old_size: 0, new_size: 5, path: Vec::new() };
        Shown { witness: AgentId(3), checkpoint: checkpoint(root), proof }
    }

    fn watching() -> AgentWitness {
        let (origin, key) = log();
        AgentWitness::new(Seed(7), AgentId(3), &origin, key.verifier())
    }

    #[test]
    fn who_sees_both_histories_keeps_the_proof_and_cosigns_nothing_more() {
        let mut witness = watching();
        assert!(witness.check(&shown(1), 10).is_ok());
        assert_eq!(witness.compare(&[checkpoint(1)]), None);
        let proof = witness.compare(&[checkpoint(1), checkpoint(2)]).expect("two histories").clone();
        assert_eq!(proof.verify(&log().1.verifier()), Ok(()));
        let mut restored = watching();
        restored.restore(&witness.memory()).expect("own memory");
        for mut witness in [witness, restored] {
            assert_eq!(witness.check(&shown(1), 11), Err(Refused::SplitView(Box::new(proof.clone()))));
        }
    }

    #[test]
    fn a_witness_restored_from_its_memory_refuses_another_history() {
        let mut witness = watching();
        assert!(witness.check(&shown(1), 10).is_ok());
        let mut restored = watching();
        restored.restore(&witness.memory()).expect("own memory");
        assert!(matches!(restored.check(&shown(2), 11), Err(Refused::SplitView(_))));
        let bent = Memory { split_view: Some("dais/split-view/v1\n".to_owned()), ..Memory::default() };
        assert!(restored.restore(&bent).is_err());
    }

    #[test]
    fn a_checkpoint_that_the_log_did_not_seal_accuses_nobody() {
        let mut witness = watching();
        assert!(witness.check(&shown(1), 10).is_ok());
        let (origin, forger) = (log().0, HeadKey::from_seed([2; 32]));
        let forged = Checkpoint::new(origin.clone(), &forger.seal(&origin, *checkpoint(2).head()), &forger.verifier());
        assert_eq!(witness.compare(&[forged]), None);
    }
}
