//! The ledger entries of one step, read: in their order, and consistent with their bodies.

use dais_ledger::{COORDINATOR, Digest, Entry, Kind};
use dais_protocol::{AgentId, Decision, Seal, Sighting, Signature, Vote};

use crate::agent::lifecycle::{Cause, Lifecycle};
use crate::audit::fault::{Check, Fault, Place, Wrong};
use crate::exchange::record;

/// An entry with where it stands and what it hashes to.
pub(crate) struct Line {
    pub(crate) index: u64,
    pub(crate) entry: Entry,
    pub(crate) leaf: Digest,
}

impl Line {
    pub(crate) fn place(&self) -> Place {
        Place::of(self.index, &self.entry)
    }

    /// A fault of the record in this entry.
    pub(crate) fn fault(&self, wrong: Wrong) -> Fault {
        Fault::new(Check::Record, Some(self.place()), wrong)
    }
}

/// A seal with what it covers.
pub(crate) struct Sealed {
    pub(crate) place: Place,
    pub(crate) agent: AgentId,
    pub(crate) seal: Seal,
    pub(crate) digests: Vec<[u8; 32]>,
}

/// A transition in an agent's life as recorded.
pub(crate) struct Transition {
    pub(crate) place: Place,
    pub(crate) agent: AgentId,
    pub(crate) from: Lifecycle,
    pub(crate) to: Lifecycle,
    pub(crate) cause: Cause,
}

/// What was said and decided in one step.
#[derive(Default)]
pub(crate) struct StepEntries {
    pub(crate) signatures: Vec<(Place, Signature)>,
    pub(crate) sightings: Vec<(Place, Sighting)>,
    pub(crate) votes: Vec<(Place, Vote)>,
    pub(crate) seals: Vec<Sealed>,
    pub(crate) outcomes: Vec<(Place, Decision)>,
    pub(crate) transitions: Vec<Transition>,
}

/// The order of a step: the words of one author after the other with a seal after each, then outcomes, then lives.
enum Section {
    /// Words, the last closed by the seal of this author.
    Words {
        sealed: Option<u32>,
    },
    /// Words of an author that no seal has closed so far.
    Speaking {
        author: u32,
        kind: Kind,
        first: Place,
        digests: Vec<[u8; 32]>,
    },
    Outcomes,
    Lives {
        last: u32,
    },
}

impl StepEntries {
    /// Reads the entries of one step of a run of `agents`.
    pub(crate) fn read(lines: &[Line], agents: u32) -> Result<Self, Fault> {
        let mut entries = Self::default();
        let mut section = Section::Words { sealed: None };
        for line in lines {
            section = entries.take(section, line, agents)?;
        }
        match section {
            Section::Speaking { first, .. } => Err(unsealed(first)),
            Section::Words { .. } | Section::Outcomes | Section::Lives { .. } => Ok(entries),
        }
    }

    fn take(&mut self, section: Section, line: &Line, agents: u32) -> Result<Section, Fault> {
        let author = line.entry.author;
        let misplaced = |why| Err(line.fault(Wrong::Misplaced(why)));
        if line.entry.kind != Kind::Outcome && author >= agents {
            return misplaced("its author is no member of the run");
        }
        match (line.entry.kind, section) {
            (Kind::Genesis | Kind::Member, _) => misplaced("a run and its members are recorded once, at its beginning"),
            (Kind::Signature | Kind::Sighting | Kind::Vote, section) => self.word(section, line),
            (Kind::Seal, Section::Speaking { author: speaking, first, digests, .. }) if speaking == author => {
                let seal = <[u8; 64]>::try_from(line.entry.body.as_slice());
                let seal = seal.map_err(|_| line.fault(Wrong::Body("a seal has 64 bytes".to_owned())))?;
                let (place, agent, seal) = (line.place(), AgentId(author), Seal::from_bytes(seal));
                debug_assert!(first.index < place.index, "a seal follows on what it covers");
                self.seals.push(Sealed { place, agent, seal, digests });
                Ok(Section::Words { sealed: Some(author) })
            }
            (_, Section::Speaking { first, .. }) => Err(unsealed(first)),
            (Kind::Seal, _) => misplaced("a seal follows on its author's words"),
            (Kind::Outcome, Section::Lives { .. }) => misplaced("outcomes stand before lifecycle entries"),
            (Kind::Outcome, Section::Words { .. } | Section::Outcomes) => {
                self.outcome(line)?;
                Ok(Section::Outcomes)
            }
            (Kind::Lifecycle, Section::Lives { last }) if last >= author => {
                misplaced("lifecycle entries stand in the order of agents, one each")
            }
            (Kind::Lifecycle, _) => {
                self.life(line)?;
                Ok(Section::Lives { last: author })
            }
        }
    }

    /// A signature, sighting or vote: the kinds in this order, authors ascending.
    fn word(&mut self, section: Section, line: &Line) -> Result<Section, Fault> {
        let (author, kind) = (line.entry.author, line.entry.kind);
        let rank = |kind: Kind| [Kind::Signature, Kind::Sighting, Kind::Vote].iter().position(|known| *known == kind);
        let (first, mut digests) = match section {
            Section::Words { sealed } if sealed.is_none_or(|sealed| sealed < author) => (line.place(), Vec::new()),
            Section::Words { .. } => {
                return Err(line.fault(Wrong::Misplaced("authors speak in their order, once a step")));
            }
            Section::Speaking { author: speaking, first, .. } if speaking != author => return Err(unsealed(first)),
            Section::Speaking { kind: before, .. } if rank(before) > rank(kind) => {
                return Err(
                    line.fault(Wrong::Misplaced("an author's signatures, sightings and votes stand in this order"))
                );
            }
            Section::Speaking { first, digests, .. } => (first, digests),
            Section::Outcomes | Section::Lives { .. } => {
                return Err(line.fault(Wrong::Misplaced("what agents say stands before what follows from it")));
            }
        };
        digests.push(record::digest_bytes(&line.leaf));
        self.body(line)?;
        Ok(Section::Speaking { author, kind, first, digests })
    }

    fn body(&mut self, line: &Line) -> Result<(), Fault> {
        let Entry { kind, body, .. } = &line.entry;
        let unreadable = |error: dais_protocol::DecodeError| line.fault(Wrong::Body(error.to_string()));
        match kind {
            Kind::Signature => {
                let signature = Signature::decode(body).map_err(unreadable)?;
                agree(line, signature.author, signature.step)?;
                self.signatures.push((line.place(), signature));
            }
            Kind::Sighting => {
                let sighting = Sighting::decode(body).map_err(unreadable)?;
                agree(line, sighting.agent, sighting.step)?;
                self.sightings.push((line.place(), sighting));
            }
            Kind::Vote => {
                let vote = Vote::decode(body).map_err(unreadable)?;
                agree(line, vote.voter, vote.step)?;
                self.votes.push((line.place(), vote));
            }
            Kind::Genesis | Kind::Member | Kind::Outcome | Kind::Lifecycle | Kind::Seal => {}
        }
        Ok(())
    }

    fn outcome(&mut self, line: &Line) -> Result<(), Fault> {
        let decision = Decision::decode(&line.entry.body);
        let decision = decision.map_err(|error| line.fault(Wrong::Body(error.to_string())))?;
        agree(line, AgentId(COORDINATOR), decision.step)?;
        self.outcomes.push((line.place(), decision));
        Ok(())
    }

    fn life(&mut self, line: &Line) -> Result<(), Fault> {
        let transitions = record::transitions(&line.entry.body);
        let transitions = transitions.ok_or_else(|| line.fault(Wrong::Body("it names no transitions".to_owned())))?;
        let (place, agent) = (line.place(), AgentId(line.entry.author));
        let read = transitions.into_iter().map(|(from, to, cause)| Transition { place, agent, from, to, cause });
        self.transitions.extend(read);
        Ok(())
    }
}

fn unsealed(first: Place) -> Fault {
    Fault::new(Check::Seals, Some(first), Wrong::Unsealed)
}

/// Checks that a body names the author and the step of its entry.
fn agree(line: &Line, author: AgentId, step: u32) -> Result<(), Fault> {
    if author.0 != line.entry.author {
        return Err(line.fault(Wrong::Contradiction("author")));
    }
    if step == line.entry.step { Ok(()) } else { Err(line.fault(Wrong::Contradiction("step"))) }
}
