//! The key file: its text, its permissions, how it is made at the first start. What the keys are used
//! for lives next door.
//!
//! ```text
//! # Comments and empty lines are skipped.
//! current k2
//! key k1 <32 bytes, base64>
//! key k2 <32 bytes, base64>
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::ids::Chance;

use super::SealError;
use super::primitives::{KEY_BYTES, hex};

/// Longest key file read, in bytes.
const FILE_MAX_BYTES: usize = 16 * 1024;
/// Most master keys in one file. Every presented form token and code is tried against each.
const KEYS_MAX: usize = 16;
/// Longest key id: the PHC string of a PIN has room for 8 bytes (Argon2's `keyid`).
pub const KEY_ID_MAX_BYTES: usize = 8;
/// The id of the key that the first start makes.
const FIRST_KEY_ID: &str = "k1";

pub struct FileKey {
    pub id: String,
    pub bytes: Zeroizing<[u8; KEY_BYTES]>,
}

pub struct KeyFile {
    pub current: FileKey,
    pub older: Vec<FileKey>,
}

/// Makes the file with one fresh key, unless something stands there already.
///
/// The text is written under another name, synced, and then given its name by a hard link, which never
/// replaces anything: a crash leaves no half-written key file, and of two first starts at once one wins
/// and both read the winner's.
pub fn create_if_missing(path: &Path, chance: &dyn Chance) -> Result<(), SealError> {
    let failed = |source| SealError::Io { doing: "writing", path: path.to_owned(), source };
    if path.try_exists().map_err(failed)? {
        return Ok(());
    }
    let mut suffix = [0u8; 8];
    chance.fill(&mut suffix);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", hex(&suffix)));
    let fresh = path.with_file_name(name);
    let written = write_fresh(&fresh, chance).and_then(|()| match fs::hard_link(&fresh, path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&fresh);
    written.and(removed).map_err(failed)?;
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|d| d.sync_all()).map_err(failed)
}

fn write_fresh(fresh: &Path, chance: &dyn Chance) -> std::io::Result<()> {
    let mut key = Zeroizing::new([0u8; KEY_BYTES]);
    chance.fill(key.as_mut());
    let encoded = Zeroizing::new(STANDARD.encode(key.as_ref()));
    let text = Zeroizing::new(format!(
        "# The keys of touban. Keep a copy on paper or offline; without it nothing sealed can be read.\n\
         # Never put it into a backup of the database.\n\
         current {FIRST_KEY_ID}\n\
         key {FIRST_KEY_ID} {}\n",
        *encoded
    ));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The text of the key file, if only its owner can read it.
pub fn read(path: &Path) -> Result<Zeroizing<String>, SealError> {
    let failed = |source| SealError::Io { doing: "reading", path: path.to_owned(), source };
    let malformed = |what| SealError::KeyFile { path: path.to_owned(), line: 1, what };
    let file = match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(SealError::Missing { path: path.to_owned() });
        }
        other => other.map_err(failed)?,
    };
    // Asked of the open file, so that nobody can swap it between the question and the reading.
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() {
        return Err(malformed("this is not a file"));
    }
    if exposed(meta.mode(), meta.uid(), meta.gid()) {
        return Err(SealError::Exposed { path: path.to_owned(), mode: meta.mode() & 0o7777 });
    }
    // Room for everything at once: growing would leave copies of the keys behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_MAX_BYTES + 64));
    let limit = u64::try_from(FILE_MAX_BYTES + 1).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > FILE_MAX_BYTES {
        return Err(malformed("the file is longer than 16 KiB"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("the file is not UTF-8 text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Whether anybody but the owner may read or change the file.
///
/// One exception: read-only, owned by root, group root, mode 0440. So systemd's `LoadCredential` hands a
/// file to a service that does not run as root: by an access list, whose mask shows as the group's bits.
fn exposed(mode: u32, uid: u32, gid: u32) -> bool {
    let from_systemd = uid == 0 && gid == 0 && mode & 0o777 == 0o440;
    mode & 0o077 != 0 && !from_systemd
}

/// Reads the text of a key file. `path` is for the error only.
pub fn parse(path: &Path, text: &str) -> Result<KeyFile, SealError> {
    let at = |line: usize, what| SealError::KeyFile { path: path.to_owned(), line, what };
    let mut current: Option<(usize, &str)> = None;
    let mut keys: Vec<FileKey> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let mut words = line.split_ascii_whitespace();
        match [words.next(), words.next(), words.next(), words.next()] {
            [None, ..] => {}
            [Some(first), ..] if first.starts_with('#') => {}
            [Some("current"), Some(id), None, _] => {
                if current.replace((number, id)).is_some() {
                    return Err(at(number, "a second `current` line"));
                }
            }
            [Some("key"), Some(id), Some(encoded), None] => {
                if !is_key_id(id) {
                    return Err(at(number, "a key id is 1 to 8 characters of a-z, 0-9 and hyphen"));
                }
                if keys.iter().any(|key| key.id == id) {
                    return Err(at(number, "a second key with this id"));
                }
                if keys.len() == KEYS_MAX {
                    return Err(at(number, "more than 16 keys"));
                }
                let bytes = key_bytes(encoded).ok_or_else(|| at(number, "a key is 32 bytes in base64"))?;
                keys.push(FileKey { id: id.to_owned(), bytes });
            }
            _ => return Err(at(number, "expected `current <id>` or `key <id> <base64>`")),
        }
    }
    let end = text.lines().count() + 1;
    let (line, id) = current.ok_or_else(|| at(end, "there is no `current <id>` line"))?;
    let position = keys.iter().position(|key| key.id == id);
    let position = position.ok_or_else(|| at(line, "there is no key with this id"))?;
    Ok(KeyFile { current: keys.remove(position), older: keys })
}

pub fn is_key_id(id: &str) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=KEY_ID_MAX_BYTES).contains(&id.len()) && id.bytes().all(known)
}

fn key_bytes(encoded: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new)
}

#[cfg(test)]
pub mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::ids::{SeededChance, SystemChance};
    use crate::seal::Seal;

    /// Keys whose bytes follow from their ids.
    pub fn ring(first_line: &str, ids: &[&str]) -> Seal {
        let mut text = format!("{first_line}\n");
        for id in ids {
            let bytes = crate::seal::token_hash(id);
            text.push_str(&format!("key {id} {}\n", STANDARD.encode(bytes)));
        }
        Seal::from_text(Path::new("(text)"), &text).unwrap()
    }

    /// A directory of its own, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let mut name = [0u8; 8];
            SystemChance.fill(&mut name);
            let folder = std::env::temp_dir().join(format!("touban-seal-{}", hex(&name)));
            fs::create_dir(&folder).unwrap();
            Self(folder)
        }

        fn key_file(&self) -> PathBuf {
            self.0.join("touban.key")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn refusal(text: &str) -> (usize, &'static str) {
        match Seal::from_text(Path::new("(text)"), text) {
            Err(SealError::KeyFile { line, what, .. }) => (line, what),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_start_makes_a_key_that_only_the_owner_reads_and_the_second_finds_it() {
        let folder = Folder::new();
        let first = Seal::load_or_create(&folder.key_file(), &SeededChance::new(1)).unwrap();
        assert_eq!(fs::metadata(folder.key_file()).unwrap().mode() & 0o777, 0o600);
        let names: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["touban.key"]);
        let second = Seal::load_or_create(&folder.key_file(), &SeededChance::new(2)).unwrap();
        assert_eq!(second.fingerprint(), first.fingerprint());
        assert_eq!(Seal::load(&folder.key_file()).unwrap().key_id(), "k1");
    }

    #[test]
    fn a_missing_key_file_is_not_replaced_where_data_exists() {
        let folder = Folder::new();
        assert!(matches!(Seal::load(&folder.key_file()), Err(SealError::Missing { .. })));
        assert!(!folder.key_file().exists());
        let nowhere = folder.0.join("not").join("there");
        assert!(matches!(
            Seal::load_or_create(&nowhere, &SeededChance::new(1)),
            Err(SealError::Io { doing: "writing", .. })
        ));
    }

    #[test]
    fn of_many_first_starts_at_once_all_get_the_same_key() {
        let folder = Folder::new();
        let prints: Vec<String> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|seed| {
                    let path = folder.key_file();
                    scope.spawn(move || {
                        Seal::load_or_create(&path, &SeededChance::new(seed)).unwrap().fingerprint()
                    })
                })
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(prints.iter().all(|p| *p == prints[0]), "{prints:?}");
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let folder = Folder::new();
        Seal::load_or_create(&folder.key_file(), &SeededChance::new(1)).unwrap();
        for mode in [0o640, 0o604, 0o644, 0o660, 0o610] {
            fs::set_permissions(folder.key_file(), fs::Permissions::from_mode(mode)).unwrap();
            let refused = Seal::load(&folder.key_file()).unwrap_err();
            assert!(matches!(refused, SealError::Exposed { mode: m, .. } if m == mode), "{refused}");
            assert!(
                refused.to_string().contains(&format!("{mode:04o}")) && !refused.to_string().contains('\n')
            );
        }
        fs::set_permissions(folder.key_file(), fs::Permissions::from_mode(0o400)).unwrap();
        assert!(Seal::load(&folder.key_file()).is_ok());
    }

    #[test]
    fn a_credential_handed_over_by_systemd_is_accepted() {
        assert!(!exposed(0o100_440, 0, 0));
        assert!(exposed(0o100_440, 0, 1000) && exposed(0o100_440, 1000, 0));
        assert!(exposed(0o100_640, 0, 0) && exposed(0o100_444, 0, 0));
        assert!(!exposed(0o100_400, 1000, 1000));
    }

    #[test]
    fn a_mistake_in_the_key_file_is_named_by_its_line_and_never_quoted() {
        let key = STANDARD.encode([7; 32]);
        let good = format!("# keys\n\ncurrent k1\nkey k1 {key}\n");
        assert_eq!(Seal::from_text(Path::new("x"), &good).unwrap().key_id(), "k1");
        assert_eq!(refusal("").0, 1);
        assert_eq!(refusal(&format!("key k1 {key}\n")), (2, "there is no `current <id>` line"));
        assert_eq!(refusal(&format!("current k2\nkey k1 {key}\n")), (1, "there is no key with this id"));
        assert_eq!(refusal(&format!("{good}key k1 {key}\n")), (5, "a second key with this id"));
        assert_eq!(refusal(&format!("{good}current k1\n")), (5, "a second `current` line"));
        assert_eq!(refusal(&format!("{good}key k2 {}\n", STANDARD.encode([7; 31]))).0, 5);
        assert_eq!(refusal(&format!("{good}key K2 {key}\n")).0, 5);
        assert_eq!(refusal(&format!("{good}key abcdefghi {key}\n")).0, 5);
        assert_eq!(refusal(&format!("{good}keys k2 {key}\n")).0, 5);
        assert_eq!(refusal(&format!("{good}key k2 {key} more\n")).0, 5);
        let many: String = (2..=17).map(|i| format!("key k{i} {key}\n")).collect();
        assert_eq!(refusal(&format!("{good}{many}")), (20, "more than 16 keys"));
        let error = Seal::from_text(Path::new("x"), &format!("{good}key k2 {key} more\n")).unwrap_err();
        assert!(!error.to_string().contains(&key));
    }

    #[test]
    fn a_directory_or_a_huge_file_in_place_of_the_keys_is_refused() {
        let folder = Folder::new();
        assert!(matches!(Seal::load(&folder.0), Err(SealError::KeyFile { .. } | SealError::Exposed { .. })));
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.key_file()).unwrap();
        file.write_all(&vec![b'#'; FILE_MAX_BYTES + 1]).unwrap();
        assert!(matches!(Seal::load(&folder.key_file()), Err(SealError::KeyFile { .. })));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reading_of_keys(text in "(current|key|#|k1|[a-z0-9 =\\n]{0,9}){0,12}") {
            let _ = parse(Path::new("x"), &text);
        }
    }
}
