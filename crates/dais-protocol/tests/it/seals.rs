//! Seals: what is changed is found and named.

use dais_protocol::{AgentId, Seal, SealKey, Statement, VerifyingKey, seal, verify_batch};
use proptest::prelude::*;

struct Sealed {
    key: VerifyingKey,
    message: Vec<u8>,
    seal: Seal,
}

/// One statement of each agent; every third agent shares a key with its predecessor.
fn sealed(agents: u8) -> Vec<Sealed> {
    (0..agents)
        .map(|agent| {
            let key = SealKey::from_seed([agent - u8::from(agent % 3 == 1); 32]);
            let digests = vec![[agent; 32]; usize::from(agent % 4)];
            let statement = Statement { agent: AgentId(u32::from(agent)), step: 5, digests: &digests };
            let seal = seal(&key, &statement);
            Sealed { key: key.verifying_key(), message: statement.message().to_vec(), seal }
        })
        .collect()
}

fn check(items: &[Sealed]) -> Result<(), Vec<usize>> {
    let items: Vec<(VerifyingKey, &[u8], Seal)> =
        items.iter().map(|item| (item.key, &item.message[..], item.seal)).collect();
    verify_batch(&items)
}

#[test]
fn honest_seals_hold_singly_and_in_batches() {
    let items = sealed(20);
    assert_eq!(check(&items), Ok(()));
    assert!(items.iter().all(|item| item.key.verify(&item.message, &item.seal).is_ok()));
}

#[test]
fn the_same_statement_gives_the_same_seal() {
    assert_eq!(sealed(1)[0].seal, sealed(1)[0].seal);
}

#[test]
fn a_seal_of_another_agent_is_named() {
    let mut items = sealed(9);
    items[6].key = items[8].key;
    items[2].seal = items[3].seal;
    assert_eq!(check(&items), Err(vec![2, 6]));
}

#[test]
fn seals_and_keys_survive_text_and_bytes() {
    let item = &sealed(1)[0];
    assert_eq!(item.seal.to_string().parse(), Ok(item.seal));
    assert_eq!(item.seal.to_string().len(), 128);
    assert_eq!(item.key.to_string().parse(), Ok(item.key));
    let bytes = postcard::to_allocvec(&(item.key, item.seal)).unwrap();
    assert_eq!(bytes.len(), 1 + 32 + 1 + 64);
    assert_eq!(postcard::from_bytes::<(VerifyingKey, Seal)>(&bytes).unwrap(), (item.key, item.seal));
    assert!(postcard::from_bytes::<Seal>(&[3, 1, 2, 3]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn one_flipped_bit_is_found_and_named(
        which in 0..12_usize,
        place in any::<prop::sample::Index>(),
        bit in 0..8_u32,
        part in 0..3_u8,
    ) {
        let mut items = sealed(12);
        let item = &mut items[which];
        match part {
            0 => {
                let place = place.index(item.message.len());
                item.message[place] ^= 1 << bit;
            }
            1 => {
                let mut bytes = *item.seal.as_bytes();
                bytes[place.index(64)] ^= 1 << bit;
                item.seal = Seal::from_bytes(bytes);
            }
            _ => {
                let mut bytes = *item.key.as_bytes();
                bytes[place.index(32)] ^= 1 << bit;
                item.key = hex::encode(bytes).parse().unwrap();
            }
        }
        prop_assert_eq!(check(&items), Err(vec![which]));
    }
}
