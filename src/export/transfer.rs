//! The bank transfer list: the record format of the Japanese banks' association (全銀協規定形式, 総合振込), 120 bytes
//! a record in JIS X 0201, each followed by CR and LF.

use encoding_rs::SHIFT_JIS;

use crate::domain::people::directory::BankAccount;

/// Who pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payer {
    /// The number the bank gave (委託者コード), ten digits.
    pub code: String,
    /// In half-width kana.
    pub name: String,
    pub account: BankAccount,
}

/// One transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What a mistake is told by.
    pub name: String,
    pub account: BankAccount,
    /// From 1 to 9,999,999,999 yen.
    pub yen: i64,
    /// Ten digits of our own (顧客コード), printed on the bank's lists.
    pub reference: String,
}

/// Why a list was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTransferable {
    /// A field of the payer or of somebody cannot be written: whose, and which.
    Field { whose: String, field: &'static str },
    /// The sum is not payable.
    Yen { whose: String },
    /// Nobody is paid.
    Nobody,
}

const RECORD: usize = 120;
const YEN_MAX: i64 = 9_999_999_999;

/// Whether the banks take the letter: half-width capital kana with their marks, capitals, digits, a few signs.
fn is_letter(c: char) -> bool {
    matches!(c, 'A'..='Z' | '0'..='9' | ' ' | '(' | ')' | '-' | '.' | '/' | '｢' | '｣' | 'ｱ'..='ﾟ' | 'ｦ')
}

fn letters(text: &str, width: usize) -> Option<String> {
    let good = text.chars().all(is_letter) && text.chars().count() <= width;
    good.then(|| format!("{text}{}", " ".repeat(width - text.chars().count())))
}

fn digits(text: &str, width: usize) -> Option<String> {
    let good = !text.is_empty() && text.len() <= width && text.bytes().all(|b| b.is_ascii_digit());
    good.then(|| format!("{text:0>width$}"))
}

/// Names of banks and branches may be left out; those that are not in half-width letters are.
fn name_or_blank(text: &str, width: usize) -> String {
    letters(text, width).unwrap_or_else(|| " ".repeat(width))
}

fn kind(account: &BankAccount) -> Option<&'static str> {
    match account.kind.as_str() {
        "ordinary" => Some("1"),
        "checking" => Some("2"),
        "savings" => Some("4"),
        _ => None,
    }
}

/// Writes the list. `day` is month and day of the transfer, `0710`.
///
/// # Errors
/// Every field that the banks do not take.
pub fn transfer_list(
    payer: &Payer,
    day: &str,
    transfers: &[Transfer],
) -> Result<Vec<u8>, Vec<NotTransferable>> {
    let mut wrong = Vec::new();
    let mut records: Vec<String> = Vec::new();
    let mut field = |whose: &str, field: &'static str, value: Option<String>| {
        value.unwrap_or_else(|| {
            wrong.push(NotTransferable::Field { whose: whose.to_owned(), field });
            String::new()
        })
    };
    let own = &payer.account;
    records.push(
        [
            "1210".to_owned(),
            field("", "code", digits(&payer.code, 10)),
            field("", "name", letters(&payer.name, 40)),
            field("", "day", digits(day, 4)),
            field("", "bank_code", digits(&own.bank_code, 4)),
            name_or_blank(&own.bank_name, 15),
            field("", "branch_code", digits(&own.branch_code, 3)),
            name_or_blank(&own.branch_name, 15),
            field("", "kind", kind(own).map(str::to_owned)),
            field("", "number", digits(&own.number, 7)),
            " ".repeat(17),
        ]
        .concat(),
    );
    let mut sum = 0i64;
    for transfer in transfers {
        let (whose, account) = (transfer.name.as_str(), &transfer.account);
        sum = sum.saturating_add(transfer.yen);
        records.push(
            [
                "2".to_owned(),
                field(whose, "bank_code", digits(&account.bank_code, 4)),
                name_or_blank(&account.bank_name, 15),
                field(whose, "branch_code", digits(&account.branch_code, 3)),
                name_or_blank(&account.branch_name, 15),
                "    ".to_owned(),
                field(whose, "kind", kind(account).map(str::to_owned)),
                field(whose, "number", digits(&account.number, 7)),
                field(whose, "holder", letters(&account.holder, 30).filter(|h| !h.trim().is_empty())),
                format!("{:010}", transfer.yen.max(0)),
                "0".to_owned(),
                field(whose, "reference", digits(&transfer.reference, 10)),
                " ".repeat(10),
                "7".to_owned(),
                " ".to_owned(),
                " ".repeat(7),
            ]
            .concat(),
        );
    }
    let unpayable = transfers.iter().filter(|t| !(1..=YEN_MAX).contains(&t.yen));
    wrong.extend(unpayable.map(|t| NotTransferable::Yen { whose: t.name.clone() }));
    if transfers.is_empty() {
        wrong.push(NotTransferable::Nobody);
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    records.push(format!("8{:06}{sum:012}{}", transfers.len(), " ".repeat(101)));
    records.push(format!("9{}", " ".repeat(RECORD - 1)));
    let mut bytes = Vec::with_capacity(records.len() * (RECORD + 2));
    for record in records {
        // Half-width kana are one byte each in Shift_JIS as in JIS X 0201.
        bytes.extend_from_slice(&SHIFT_JIS.encode(&record).0);
        bytes.extend_from_slice(b"\r\n");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(holder: &str) -> BankAccount {
        BankAccount {
            bank_code: "0001".into(),
            bank_name: "ｱｵﾊﾞ".into(),
            branch_code: "012".into(),
            branch_name: "青葉支店".into(),
            kind: "ordinary".into(),
            number: "0123456".into(),
            holder: holder.into(),
        }
    }

    fn payer() -> Payer {
        Payer {
            code: "1234567890".into(), name: "ｱｵﾊﾞｼｲｼｶｲ".into(), account: account("ｱｵﾊﾞｼｲｼｶｲ")
        }
    }

    fn transfer(holder: &str, yen: i64) -> Transfer {
        Transfer { name: "青葉医院".into(), account: account(holder), yen, reference: "1".into() }
    }

    #[test]
    fn every_record_has_120_bytes_and_the_trailer_adds_up() {
        let list = [transfer("ｲ)ｱｵﾊﾞｲｲﾝ", 12_345), transfer("ｻﾄｳ ｹﾝｲﾁ", 5_000)];
        let bytes = transfer_list(&payer(), "0710", &list).unwrap();
        let records: Vec<&[u8]> = bytes.chunks(122).collect();
        assert_eq!((records.len(), bytes.len()), (5, 5 * 122));
        assert!(records.iter().all(|r| r.ends_with(b"\r\n")));
        let text = |r: &[u8]| SHIFT_JIS.decode(r).0.into_owned();
        let data = text(records[1]);
        // Where the format says: kind, number, holder, amount.
        let cut = |from: usize, n: usize| data.chars().skip(from).take(n).collect::<String>();
        assert_eq!((cut(0, 5), cut(20, 3), cut(42, 8)), ("20001".into(), "012".into(), "10123456".into()));
        assert_eq!((cut(50, 11), cut(80, 10)), ("ｲ)ｱｵﾊﾞｲｲﾝ  ".into(), "0000012345".into()));
        assert!(text(records[0]).starts_with("12101234567890ｱｵﾊﾞｼｲｼｶｲ"));
        assert!(text(records[3]).starts_with("8000002000000017345"));
        assert_eq!(records[4][0], b'9');
    }

    #[test]
    fn what_the_banks_do_not_take_is_told_with_whose_it_is() {
        let wrong =
            transfer_list(&payer(), "0710", &[transfer("青葉医院", 1), transfer("ｱ", 0)]).unwrap_err();
        let whose = || "青葉医院".to_owned();
        assert_eq!(
            wrong,
            [
                NotTransferable::Field { whose: whose(), field: "holder" },
                NotTransferable::Yen { whose: whose() }
            ]
        );
        assert_eq!(transfer_list(&payer(), "0710", &[]).unwrap_err(), [NotTransferable::Nobody]);
    }
}
