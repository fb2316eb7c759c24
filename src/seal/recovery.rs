//! Recovery codes on paper: ten for each person of the office, each good once.

use crate::ids::{AssociationId, Chance, MemberId};

use super::link::{normal_code, sixty_bits};
use super::primitives::{Fields, mac};
use super::{MasterKey, Seal};

impl Seal {
    /// A new code, 60 random bits as `XXXX-XXXX-XXXX`.
    #[must_use]
    pub fn recovery_code(&self, chance: &dyn Chance) -> String {
        let mut bytes = [0u8; 8];
        chance.fill(&mut bytes);
        let code = sixty_bits(u128::from(u64::from_be_bytes(bytes) >> 4));
        let group = |from: usize| code.get(from..from + 4).unwrap_or_default();
        format!("{}-{}-{}", group(0), group(4), group(8))
    }

    /// What is stored instead of a code (HMAC with a server key: 60 bits alone could be searched by whoever
    /// has the database); one per master key, the current one first. Empty when the text is no code.
    #[must_use]
    pub fn recovery_hashes(
        &self,
        association: &AssociationId,
        member: &MemberId,
        typed: &str,
    ) -> Vec<[u8; 32]> {
        let Some(code) = normal_code(typed) else { return Vec::new() };
        self.keys().map(|key| hash(key, association, member, &code)).collect()
    }
}

fn hash(key: &MasterKey, association: &AssociationId, member: &MemberId, code: &str) -> [u8; 32] {
    let text = Fields::default()
        .field(association.as_str().as_bytes())
        .field(member.as_str().as_bytes())
        .field(code.as_bytes())
        .bytes();
    mac(key.recovery.as_ref(), &[&text])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SeededChance;
    use crate::time::Millis;

    #[test]
    fn a_code_is_understood_as_people_type_it_and_belongs_to_one_person() {
        let chance = SeededChance::new(1);
        let seal = Seal::in_memory(&chance);
        let (asc, member) = (AssociationId::new(Millis(1), &chance), MemberId::new(Millis(1), &chance));
        let code = seal.recovery_code(&chance);
        assert_eq!((code.len(), code.matches('-').count()), (14, 2));
        let stored = seal.recovery_hashes(&asc, &member, &code);
        assert_eq!(stored.len(), 1);
        let typed = code.to_lowercase().replace('-', " ");
        assert_eq!(seal.recovery_hashes(&asc, &member, &typed), stored);
        let other = MemberId::new(Millis(2), &chance);
        assert_ne!(seal.recovery_hashes(&asc, &other, &code), stored);
        assert_ne!(seal.recovery_code(&chance), code);
        assert!(seal.recovery_hashes(&asc, &member, "1234").is_empty());
    }
}
