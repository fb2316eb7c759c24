//! Who may do what: one table of roles and rights. The routes and what each role gets from them stand in
//! `docs/access.md`, which a test walks.

use super::Role;

/// A kind of operation on the data of one's own association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Ask for a consult, and see one's own.
    Ask,
    /// See every open request and act on it.
    Board,
    /// Read the ledger.
    Ledger,
    /// Make months of the ledger, record evidence, order corrections, change tariffs.
    Close,
    /// Approve a month that somebody else made, and decide on budgets.
    Approve,
    /// Read the directory with what is for members only.
    Directory,
    /// See the people, their devices and whether they can be reached.
    People,
    /// Add and change people and institutions, set PINs, print enrolment sheets, act on somebody's behalf.
    Enrol,
    /// Bank accounts.
    Bank,
    /// Read files in and take files out.
    Sheets,
    /// The association's texts, rules and retention.
    Settings,
    /// Office roles, the sign-in of colleagues, API keys.
    Roles,
    /// Confirm that a colleague who lost the means to sign in is who they say.
    Vouch,
    /// Totals without anybody's data.
    Totals,
    /// See who is on duty, by name and number.
    Duty,
    /// Make, publish and change the rota, collect wishes, see everybody's counts, set what it is judged by.
    Rota,
    /// Ask that a patient be handed over, and write to an attending doctor.
    Transfer,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 17] = [
        Self::Ask,
        Self::Board,
        Self::Ledger,
        Self::Close,
        Self::Approve,
        Self::Directory,
        Self::People,
        Self::Enrol,
        Self::Bank,
        Self::Sheets,
        Self::Settings,
        Self::Roles,
        Self::Vouch,
        Self::Totals,
        Self::Duty,
        Self::Rota,
        Self::Transfer,
    ];
}

/// Whether a role carries a right.
#[must_use]
pub const fn may(role: Role, right: Right) -> bool {
    use Right::{
        Approve, Ask, Bank, Board, Close, Directory, Duty, Enrol, Ledger, People, Roles, Rota, Settings,
        Sheets, Totals, Transfer, Vouch,
    };
    match role {
        Role::Physician | Role::Specialist => matches!(right, Ask | Directory | Duty | Transfer),
        Role::NurseStation => matches!(right, Directory | Duty | Transfer),
        Role::CareOffice => matches!(right, Directory | Transfer),
        Role::CityObserver => matches!(right, Totals),
        Role::Clerk => {
            matches!(
                right,
                Board | Ledger | Close | Directory | People | Enrol | Bank | Sheets | Totals | Duty | Rota
            )
        }
        Role::Coordinator => matches!(right, Board | Ledger | Directory | People | Totals | Duty | Rota),
        Role::Officer => {
            matches!(
                right,
                Board | Ledger | Approve | Directory | People | Bank | Sheets | Vouch | Totals | Duty
            )
        }
        Role::Administrator => matches!(
            right,
            Board
                | Ledger
                | Directory
                | People
                | Enrol
                | Sheets
                | Settings
                | Roles
                | Vouch
                | Totals
                | Duty
                | Rota
        ),
    }
}

/// Whether any of the roles carries the right.
#[must_use]
pub fn any_may(roles: &[Role], right: Right) -> bool {
    roles.iter().any(|role| may(*role, right))
}
