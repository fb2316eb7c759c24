//! Behind the link of a mail that asks for wishes: what is asked, and the answer with the PIN or from a known device.
//! Opening changes nothing; one answer is taken by a link, later ones by whoever has signed in.

use serde::{Deserialize, Serialize};

use super::super::access::{PinCheck, Proven, pin_stands, read_pin};
use super::super::answers::Ended;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use super::wishes::{SheetWritten, WriteSheet};
use super::world::RotaWorld;
use crate::domain::rota::{WishSheet, WishSource};
use crate::ids::WishRoundId;
use crate::store::access::{Link, LinkPurpose, link_by_id};
use crate::store::people::{Association, Member, association_by_id, member_by_id, member_pin_right};
use crate::store::rota::wishes::{WishRound, wish_round_by_id, wish_round_of_link, wish_sheets};
use crate::store::{Command, Conn, StoreError};

/// What stands behind a link that is good.
#[derive(Debug)]
pub struct WishLink {
    pub association: Association,
    pub member: Member,
    pub round: WishRound,
    pub world: RotaWorld,
}

/// How opening or answering ended.
#[derive(Debug)]
pub enum WishAnswered {
    Done {
        association: Box<Association>,
    },
    /// The person has answered already, by this link or another way.
    Before {
        association: Box<Association>,
    },
    Unknown,
    Ended {
        association: Box<Association>,
        why: Ended,
    },
    PinMissing,
    PinMalformed,
    PinWrong {
        tries_left: i64,
    },
    /// What of the sheet cannot be taken, by field.
    Wrong(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ByLink {
    Written(SheetWritten),
    LinkOver,
}

struct WriteByLink {
    link: Link,
    pin_version: Option<i64>,
    write: WriteSheet,
}

impl WriteByLink {
    /// Looked at in the transaction: wrong PINs sent at the same time may have ended the link, and another answer
    /// may have come.
    async fn is_good(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association, person) = (&self.write.kit, &self.link.association, &self.link.member);
        let by_pin = self.pin_version.is_some();
        let fresh = |link: &Link| {
            let locked = by_pin && link.wrong_pins >= kit.rules.pin_tries_per_link;
            link.voided.is_none() && link.consumed.is_none() && kit.now < link.expires && !locked
        };
        let good = link_by_id(tx, association, &self.link.id).await?.is_some_and(|link| fresh(&link));
        let member = member_by_id(tx, association, person).await?.filter(|m| m.is_active(kit.now));
        let proven = member.is_some_and(|m| self.pin_version.is_none_or(|v| pin_stands(kit, &m, v)));
        let sheets = wish_sheets(tx, association, &self.write.round).await?;
        Ok(good && proven && !sheets.iter().any(|row| row.member == *person))
    }
}

impl Command for WriteByLink {
    type Output = ByLink;

    async fn apply(&self, tx: &mut Conn) -> Result<ByLink, StoreError> {
        if !self.is_good(tx).await? {
            return Ok(ByLink::LinkOver);
        }
        let written = self.write.apply(tx).await?;
        if self.pin_version.is_some() && matches!(written, SheetWritten::Done { .. }) {
            member_pin_right(tx, &self.link.association, &self.link.member).await?;
        }
        Ok(ByLink::Written(written))
    }
}

impl App {
    async fn wish_link(&self, token: &str) -> Result<Result<(Link, WishLink), WishAnswered>, AppError> {
        let link = self.link_by_token(token).await?.filter(|l| l.purpose == LinkPurpose::Wishes);
        let Some(link) = link else { return Ok(Err(WishAnswered::Unknown)) };
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, &link.association).await?;
        let member = member_by_id(&mut conn, &link.association, &link.member).await?;
        let round: Option<WishRoundId> = wish_round_of_link(&mut conn, &link.association, &link.id).await?;
        let (Some(association), Some(member), Some(round)) =
            (home, member.filter(|m| m.is_active(self.now())), round)
        else {
            return Ok(Err(WishAnswered::Unknown));
        };
        let round = wish_round_by_id(&mut conn, &link.association, &round).await?;
        let Some(round) = round else { return Ok(Err(WishAnswered::Unknown)) };
        let sheets = wish_sheets(&mut conn, &link.association, &round.id).await?;
        drop(conn);
        let ended = |why| WishAnswered::Ended { association: Box::new(association.clone()), why };
        if sheets.iter().any(|row| row.member == member.id) {
            return Ok(Err(WishAnswered::Before { association: Box::new(association) }));
        }
        if self.is_locked(&link, &member) {
            return Ok(Err(ended(Ended::PinLocked)));
        }
        let over = link.consumed.is_some() || link.voided.is_some() || self.now() >= link.expires;
        if over || !round.is_open(self.now()) {
            return Ok(Err(ended(Ended::Expired)));
        }
        let world = self.rota_world(&association.id).await?;
        if !world.takes_part(&member) {
            return Ok(Err(WishAnswered::Unknown));
        }
        Ok(Ok((link, WishLink { association, member, round, world })))
    }

    /// What a link asks for; opening it changes nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn wish_link_open(&self, token: &str) -> Result<Result<WishLink, WishAnswered>, AppError> {
        Ok(self.wish_link(token).await?.map(|(_, open)| open))
    }

    /// Writes the sheet of a link's person, by the PIN or on their known device.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn wish_link_answer(
        &self,
        token: &str,
        sheet: WishSheet,
        (pin, device): (Option<&str>, Option<&str>),
        key: Option<&Key>,
    ) -> Result<WishAnswered, AppError> {
        let (link, open) = match self.wish_link(token).await? {
            Ok(found) => found,
            Err(over) => return Ok(over),
        };
        let WishLink { association, member, round, .. } = open;
        let known = match device {
            Some(device) => self
                .known_device(device)
                .await?
                .is_some_and(|known| known.association.id == association.id && known.member.id == member.id),
            None => false,
        };
        let pin_version = if known {
            None
        } else {
            let pin = match read_pin(pin) {
                Ok(pin) => pin,
                Err(Proven::PinMissing) => return Ok(WishAnswered::PinMissing),
                Err(_) => return Ok(WishAnswered::PinMalformed),
            };
            match self.pin_check(&association.id, &member, pin).await? {
                PinCheck::Right(version) => Some(version),
                PinCheck::Wrong => {
                    let tries_left = self.wrong_pin(&link).await?;
                    return Ok(if tries_left == 0 {
                        WishAnswered::Ended { association: Box::new(association), why: Ended::PinLocked }
                    } else {
                        WishAnswered::PinWrong { tries_left }
                    });
                }
            }
        };
        let (kit, who): (Kit, Who) = (self.kit(), Who::member(&association.id, &member.id));
        let write = WriteSheet {
            kit: kit.clone(),
            who: who.clone(),
            round: round.id,
            member: member.id,
            sheet,
            source: WishSource::Person,
        };
        let command = WriteByLink { link, pin_version, write };
        let association = Box::new(association);
        Ok(match self.run_once(&kit, &who, key, command).await?.into_inner() {
            ByLink::Written(SheetWritten::Done { .. }) => WishAnswered::Done { association },
            ByLink::Written(SheetWritten::Wrong(fields)) => WishAnswered::Wrong(fields),
            ByLink::Written(SheetWritten::Closed | SheetWritten::NotFound) | ByLink::LinkOver => {
                WishAnswered::Ended { association, why: Ended::Expired }
            }
        })
    }
}
