//! Nothing sealed opens anywhere else, under anything else, or in any other shape.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

use super::primitives::{NONCE, TAG, decrypt, derive, encrypt, pae};
use super::seal::{Envelope, MessageKey};
use super::*;

const ID: DataKeyId = DataKeyId(Uuid::from_u128(1));
const WORKSPACE: Uuid = Uuid::from_u128(2);
const PLACE: Place<'_> = Place { workspace: WORKSPACE, table: "messages", column: "body", row: b"row 7" };
const TEXT: &[u8] = b"the code is 4711";
const COMMITMENT_AT: usize = 1 + 16 + 32;
const TEXT_AT: usize = COMMITMENT_AT + 32 + NONCE;

fn key(byte: u8) -> DataKey {
    DataKey::from_bytes(&[byte; 32])
}

fn sealed() -> Vec<u8> {
    seal(ID, &key(1), &PLACE, TEXT)
}

fn opens(key: &DataKey, place: &Place<'_>, sealed: &[u8]) -> bool {
    open(key, place, sealed).is_ok()
}

// --- envelopes ---

#[test]
fn round_trip() {
    for text in [&b""[..], b"a", TEXT, &[0; 100_000]] {
        let sealed = seal(ID, &key(1), &PLACE, text);
        assert_eq!(sealed.len(), OVERHEAD + text.len());
        assert_eq!(data_key_id(&sealed), Ok(ID));
        let opened = open(&key(1), &PLACE, &sealed).expect("it opens");
        assert_eq!(opened.as_slice(), text);
    }
}

#[test]
fn two_seals_of_the_same_text_share_only_the_version_and_the_id() {
    let (one, two) = (sealed(), sealed());
    assert_eq!(one[..17], two[..17]);
    for field in [17..49, 49..81, 81..93, 93..109, 109..125] {
        assert_ne!(one[field.clone()], two[field]);
    }
}

#[test]
fn no_bit_can_be_flipped() {
    let sealed = sealed();
    for bit in 0..sealed.len() * 8 {
        assert!(!opens(&key(1), &PLACE, &flip(&sealed, bit)), "bit {bit}");
    }
}

#[test]
fn no_length_but_the_right_one_opens() {
    let sealed = sealed();
    for length in 0..sealed.len() {
        assert!(!opens(&key(1), &PLACE, &sealed[..length]), "{length} bytes");
        assert!(!opens(&key(1), &PLACE, &sealed[length + 1..]));
    }
    assert!(!opens(&key(1), &PLACE, &[&sealed[..], &[0]].concat()));
    assert!(!opens(&key(1), &PLACE, &[&[0], &sealed[..]].concat()));
}

#[test]
fn the_data_key_id_needs_a_whole_header() {
    let sealed = seal(ID, &key(1), &PLACE, b"");
    for length in 0..sealed.len() {
        assert_eq!(data_key_id(&sealed[..length]), Err(EnvelopeError));
    }
    for version in (0..=u8::MAX).filter(|version| *version != 1) {
        let other = [&[version], &sealed[1..]].concat();
        assert_eq!(data_key_id(&other), Err(EnvelopeError));
    }
}

#[test]
fn moved_anywhere_else_it_stays_shut() {
    let elsewhere = [
        Place { workspace: Uuid::from_u128(3), ..PLACE },
        Place { table: "reports", ..PLACE },
        Place { column: "subject", ..PLACE },
        Place { row: b"row 8", ..PLACE },
        Place { row: b"", ..PLACE },
        // The same bytes, cut elsewhere.
        Place { table: "message", column: "sbody", ..PLACE },
        Place { column: "bodyrow 7", row: b"", ..PLACE },
    ];
    for place in elsewhere {
        assert!(!opens(&key(1), &place, &sealed()), "{place:?}");
    }
}

#[test]
fn under_another_data_key_id_it_stays_shut() {
    let mut sealed = sealed();
    sealed[1..17].copy_from_slice(Uuid::from_u128(9).as_bytes());
    assert_eq!(data_key_id(&sealed), Ok(DataKeyId(Uuid::from_u128(9))));
    assert!(!opens(&key(1), &PLACE, &sealed));
}

#[test]
fn the_wrong_key_fails_at_the_commitment() {
    let sealed = sealed();
    let envelope = Envelope::parse(&sealed).expect("it parses");
    let check = |byte| message_key(&key(byte), &envelope).check(envelope.commitment);
    assert_eq!(check(1), Ok(()));
    assert_eq!(check(2), Err(EnvelopeError));
    assert!(!opens(&key(2), &PLACE, &sealed));
}

#[test]
fn the_wrong_key_with_a_forged_commitment_fails_at_the_tag() {
    let mut sealed = sealed();
    let forged = *message_key(&key(2), &Envelope::parse(&sealed).expect("it parses")).commitment();
    sealed[COMMITMENT_AT..][..32].copy_from_slice(&forged);

    let envelope = Envelope::parse(&sealed).expect("it parses");
    let wrong = message_key(&key(2), &envelope);
    assert_eq!(wrong.check(envelope.commitment), Ok(()));
    assert!(wrong.decrypt(&envelope, &PLACE.context(ID)).is_err());
    assert!(!opens(&key(2), &PLACE, &sealed));
    assert!(!opens(&key(1), &PLACE, &sealed));
}

/// A ciphertext whose tag is right under two keys (Dodis, Grubbs, Ristenpart and Woodage, "Fast
/// Message Franking", CRYPTO 2018): only the commitment is left to refuse the second.
#[test]
fn a_ciphertext_made_for_two_keys_opens_under_one() {
    let mut sealed = seal(ID, &key(1), &PLACE, &[0; 16]);
    let context = PLACE.context(ID);
    let envelope = Envelope::parse(&sealed).expect("it parses");
    let keys = [1, 2].map(|byte| message_key(&key(byte), &envelope));
    let (block, tag) = collide(keys.each_ref().map(MessageKey::encryption_key), envelope.nonce, &context);
    sealed[TEXT_AT..][..16].copy_from_slice(&block);
    sealed[TEXT_AT + 16..].copy_from_slice(&tag);

    let envelope = Envelope::parse(&sealed).expect("it parses");
    for key in &keys {
        assert!(key.decrypt(&envelope, &context).is_ok(), "AES-GCM opens it under both");
    }
    assert!(opens(&key(1), &PLACE, &sealed));
    assert!(!opens(&key(2), &PLACE, &sealed));
}

#[test]
fn there_is_one_error_and_it_tells_nothing() {
    let damaged = flip(&sealed(), 8 * TEXT_AT);
    let (not_one, wrong_key) = (open(&key(1), &PLACE, b"hello"), open(&key(2), &PLACE, &sealed()));
    for error in [not_one, wrong_key, open(&key(1), &PLACE, &damaged)] {
        assert_eq!(error, Err(EnvelopeError));
    }
    assert_eq!(EnvelopeError.to_string(), "the envelope does not open");
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens(
        text: Vec<u8>, table: String, column: String, row: Vec<u8>, workspace: u128, id: u128, key: [u8; 32],
    ) {
        let place = Place { workspace: Uuid::from_u128(workspace), table: &table, column: &column, row: &row };
        let key = DataKey::from_bytes(&key);
        let sealed = seal(DataKeyId(Uuid::from_u128(id)), &key, &place, &text);
        prop_assert_eq!(open(&key, &place, &sealed), Ok(text.into()));
    }

    #[test]
    fn noise_never_opens(noise: Vec<u8>) {
        prop_assert!(!opens(&key(1), &PLACE, &noise));
        prop_assert!(!opens(&key(1), &PLACE, &[&[1], &noise[..]].concat()));
        prop_assert!(WrappedKey::from_bytes(&noise).is_err() || noise[0] == 1);
    }

    #[test]
    fn a_changed_envelope_never_opens(
        at: prop::sample::Index, cut in 0_usize..8, patch in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let original = sealed();
        let mut changed = original.clone();
        let start = at.index(changed.len());
        let end = changed.len().min(start + cut);
        changed.splice(start..end, patch);
        prop_assume!(changed != original);
        prop_assert!(!opens(&key(1), &PLACE, &changed));
    }

    #[test]
    fn different_fields_are_encoded_differently(one: Vec<Vec<u8>>, two: Vec<Vec<u8>>) {
        let encode = |fields: &[Vec<u8>]| pae(&fields.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(encode(&one) == encode(&two), one == two);
    }
}

// --- wrapped keys ---

#[tokio::test]
async fn a_wrapped_key_unwraps() {
    let (_directory, path) = key_file();
    let provider: Box<dyn KeyProvider> = Box::new(load(&path));
    let wrapped = provider.wrap(ID, WORKSPACE, &key(5)).await.expect("wraps");
    assert_eq!(wrapped.kek(), provider.current());

    let stored = WrappedKey::from_bytes(&wrapped.to_bytes()).expect("reads back");
    assert_eq!(stored, wrapped);
    let unwrapped = provider.unwrap(ID, WORKSPACE, &stored).await;
    assert_eq!(unwrapped.expect("unwraps").expose(), &[5; 32]);
}

#[tokio::test]
async fn a_wrapped_key_cannot_be_moved() {
    let (_directory, path) = key_file();
    let keys = load(&path);
    let wrapped = keys.wrap(ID, WORKSPACE, &key(5)).await.expect("wraps");
    let other = Uuid::from_u128(9);
    for (id, workspace) in [(ID, other), (DataKeyId(other), WORKSPACE), (DataKeyId(WORKSPACE), ID.0)] {
        let moved = keys.unwrap(id, workspace, &wrapped).await;
        assert!(matches!(moved, Err(KeyError::Refused)));
    }
}

#[tokio::test]
async fn a_damaged_wrapped_key_never_unwraps() {
    let (_directory, path) = key_file();
    let keys = load(&path);
    let bytes = keys.wrap(ID, WORKSPACE, &key(5)).await.expect("wraps");
    let bytes = bytes.to_bytes();
    for bit in 0..bytes.len() * 8 {
        assert!(!unwraps(&keys, &flip(&bytes, bit)).await, "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(!unwraps(&keys, &bytes[..length]).await, "{length} bytes");
    }
    assert!(!unwraps(&keys, &[&bytes[..], &[0]].concat()).await);
    assert!(unwraps(&keys, &bytes).await);
}

#[tokio::test]
async fn another_key_file_unwraps_nothing() {
    let (_one, one) = key_file();
    let (_two, two) = key_file();
    let wrapped = load(&one).wrap(ID, WORKSPACE, &key(5)).await;
    let unwrapped = load(&two).unwrap(ID, WORKSPACE, &wrapped.expect("wraps")).await;
    assert!(matches!(unwrapped, Err(KeyError::Refused)));
}

#[tokio::test]
async fn a_wrapped_key_says_its_version_but_cannot_lie_about_it() {
    // One key twice, so that nothing but the version tells them apart.
    let (_directory, path) = written(&format!("send0-kek v1 {HEX}\nsend0-kek v2 {HEX}\n"));
    let keys = load(&path);
    let wrapped = keys.wrap(ID, WORKSPACE, &key(5)).await.expect("wraps");
    assert_eq!(wrapped.to_bytes()[..5], [1, 0, 0, 0, 2]);

    let lie = |version| WrappedKey::new(KekId(version), wrapped.body().to_vec());
    let older = keys.unwrap(ID, WORKSPACE, &lie(1)).await;
    assert!(matches!(older, Err(KeyError::Refused)));
    let unknown = keys.unwrap(ID, WORKSPACE, &lie(3)).await;
    assert!(matches!(unknown, Err(KeyError::UnknownKek(KekId(3)))));
}

// --- key files ---

#[tokio::test]
async fn after_rotation_the_old_unwraps_and_the_new_wraps() {
    let (_directory, path) = key_file();
    let before = load(&path);
    let old = before.wrap(ID, WORKSPACE, &key(5)).await.expect("wraps");
    assert_eq!(KeyFile::rotate(&path).expect("rotates"), KekId(2));

    let after = load(&path);
    assert_eq!((before.current(), after.current()), (KekId(1), KekId(2)));
    let unwrapped = after.unwrap(ID, WORKSPACE, &old).await.expect("unwraps");
    let new = after.wrap(ID, WORKSPACE, &unwrapped).await.expect("wraps");
    assert_eq!((old.kek(), new.kek()), (KekId(1), KekId(2)));

    // A process that started before the rotation reads what one that started after it wrote.
    let unwrapped = before.unwrap(ID, WORKSPACE, &new).await.expect("unwraps");
    assert_eq!(unwrapped.expose(), &[5; 32]);
    assert_eq!(before.current(), KekId(2));
}

#[tokio::test]
async fn without_its_file_a_loaded_key_still_unwraps_what_it_knows() {
    let (_directory, path) = key_file();
    let keys = load(&path);
    let wrapped = keys.wrap(ID, WORKSPACE, &key(5)).await.expect("wraps");
    fs::remove_file(&path).expect("removes");
    assert!(keys.unwrap(ID, WORKSPACE, &wrapped).await.is_ok());
    let unknown = WrappedKey::new(KekId(2), vec![]);
    let unwrapped = keys.unwrap(ID, WORKSPACE, &unknown).await;
    assert!(matches!(unwrapped, Err(KeyError::Unavailable(_))));
    assert!(keys.reload().is_err());
    assert_eq!(keys.current(), KekId(1));
}

#[test]
fn a_new_file_is_private_and_alone_and_never_replaced() {
    let (directory, path) = key_file();
    let text = read(&path);
    assert_eq!(fs::metadata(&path).expect("exists").mode() & 0o7777, 0o600);
    assert_eq!(text.len(), "send0-kek v1 \n".len() + 64);
    KeyFile::create_if_missing(&path).expect("is there already");
    assert_eq!(read(&path), text);
    assert_eq!(fs::read_dir(directory.path()).expect("reads").count(), 1);
}

#[tokio::test]
async fn creating_at_the_same_time_creates_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("kek");
    let all: Vec<_> = std::thread::scope(|scope| {
        let create = || KeyFile::create_if_missing(&path).expect("is there afterwards");
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results.map(|result| result.expect("ends")).collect()
    });
    let wrapped = all[0].wrap(ID, WORKSPACE, &key(5)).await.expect("wraps");
    for keys in &all {
        assert!(keys.unwrap(ID, WORKSPACE, &wrapped).await.is_ok());
    }
    assert_eq!(fs::read_dir(directory.path()).expect("reads").count(), 1);
}

#[test]
fn rotating_at_the_same_time_loses_no_version() {
    let (directory, path) = key_file();
    let mut versions: Vec<_> = std::thread::scope(|scope| {
        let rotate = || KeyFile::rotate(&path).expect("rotates");
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(rotate)).collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results.map(|result| result.expect("ends").0).collect()
    });
    versions.sort_unstable();
    assert_eq!(versions, (2..10).collect::<Vec<_>>());
    assert_eq!(read(&path).lines().count(), 9);
    assert_eq!(load(&path).current(), KekId(9));
    assert_eq!(fs::read_dir(directory.path()).expect("reads").count(), 1);
}

#[test]
fn rotation_keeps_the_old_lines_the_mode_and_the_link() {
    let (directory, path) = key_file();
    let link = directory.path().join("link");
    symlink(&path, &link).expect("links");
    let old = read(&path);
    fs::write(&path, old.trim_end()).expect("writes");

    KeyFile::rotate(&link).expect("rotates");
    assert!(read(&path).starts_with(&old));
    assert_eq!(read(&path).lines().count(), 2);
    assert_eq!(fs::metadata(&path).expect("exists").mode() & 0o7777, 0o600);
    assert!(link.is_symlink());
}

#[test]
fn a_file_that_does_not_load_is_not_rotated() {
    let (_directory, path) = written(&format!("send0-kek v{} {HEX}\n", u32::MAX));
    assert_eq!(load(&path).current(), KekId(u32::MAX));
    assert!(KeyFile::rotate(&path).is_err());
    assert_eq!(read(&path).lines().count(), 1);

    let (_directory, path) = written("hello\n");
    assert!(KeyFile::rotate(&path).is_err());
    assert_eq!(read(&path), "hello\n");
}

#[test]
fn the_highest_version_is_current_wherever_its_line_is() {
    let (_directory, path) = written(&format!("send0-kek v7 {HEX}\nsend0-kek v3 {HEX}"));
    assert_eq!(load(&path).current(), KekId(7));
}

#[test]
fn refuses_a_missing_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("kek");
    let error = refusal(&path);
    assert!(matches!(error.fault, KeyFileFault::Missing));
    assert!(error.to_string().contains("restore it from its backup"));
    assert!(KeyFile::rotate(&path).is_err());
    assert!(!path.exists());
}

#[test]
fn refuses_a_file_that_others_may_read() {
    let (_directory, path) = key_file();
    for mode in [0o640, 0o604, 0o660, 0o644, 0o620, 0o610, 0o601, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
        let error = refusal(&path);
        assert!(matches!(error.fault, KeyFileFault::Exposed(found) if found == mode));
        assert!(error.to_string().contains("chmod 600"));
        assert!(KeyFile::rotate(&path).is_err());
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("chmod");
    load(&path);
}

#[test]
fn refuses_a_key_of_the_wrong_length_or_alphabet() {
    let keys = [
        "",
        &HEX[1..],
        &HEX[2..],
        &format!("{HEX}0"),
        &format!("{HEX}00"),
        &format!("{} ", &HEX[1..]),
        &format!("{HEX} "),
        &format!("+{}", &HEX[1..]),
        &format!("g{}", &HEX[1..]),
        &format!("é{}", &HEX[2..]),
    ];
    for key in keys {
        let (_directory, path) = written(&format!("send0-kek v1 {HEX}\nsend0-kek v2 {key}\n"));
        let error = refusal(&path);
        assert!(matches!(error.fault, KeyFileFault::BadKey(2)), "{error}");
    }
}

#[test]
fn refuses_a_duplicate_version() {
    let (_directory, path) =
        written(&format!("send0-kek v1 {HEX}\nsend0-kek v2 {HEX}\nsend0-kek v1 {}\n", HEX.replace('0', "f")));
    let error = refusal(&path);
    assert!(matches!(error.fault, KeyFileFault::DuplicateVersion(3)));
}

#[test]
fn refuses_an_unknown_line() {
    let lines = [
        HEX.to_owned(),
        String::new(),
        "# a remark".to_owned(),
        "send0-kek v1".to_owned(),
        format!("send0-kek {HEX}"),
        format!("send0-kek v0 {HEX}"),
        format!("send0-kek v02 {HEX}"),
        format!("send0-kek v+2 {HEX}"),
        format!("send0-kek v-2 {HEX}"),
        format!("send0-kek v4294967296 {HEX}"),
        format!("send0-kek  v2 {HEX}"),
        format!(" send0-kek v2 {HEX}"),
        format!("Send0-kek v2 {HEX}"),
    ];
    for line in lines {
        let (_directory, path) = written(&format!("send0-kek v1 {HEX}\n{line}\n"));
        let error = refusal(&path);
        assert!(matches!(error.fault, KeyFileFault::UnknownLine(2)), "{line}");
    }
}

#[test]
fn refuses_a_file_without_keys() {
    let (_directory, path) = written("");
    assert!(matches!(refusal(&path).fault, KeyFileFault::Empty));
    let directory = tempfile::tempdir().expect("a directory");
    assert!(KeyFile::load(directory.path()).is_err());
    assert!(KeyFile::create_if_missing(directory.path().join("none/kek")).is_err());
}

#[test]
fn debug_and_errors_show_no_key() {
    let key = DataKey::from_bytes(&[0xAB; 32]);
    assert_eq!(format!("{key:?}"), "DataKey([redacted])");

    let (_directory, path) = written(&format!("send0-kek v1 {HEX}\n"));
    let keys = load(&path);
    let shown = format!("{keys:?} {keys:#?}").replace(path.to_str().expect("UTF-8"), "");
    assert!(!shown.contains(&HEX[..6]), "{shown}");
    assert!(!shown.contains("171"), "{shown}");

    let wrapped = WrappedKey::new(KekId(1), vec![0xAB; 60]);
    assert_eq!(format!("{wrapped:?}"), "WrappedKey(v1, 60 bytes)");
}

fn refusal(path: &PathBuf) -> KeyFileError {
    let error = KeyFile::load(path).expect_err("is refused");
    let shown = format!("{error} {error:?}");
    assert!(error.to_string().contains(&path.display().to_string()));
    assert!(!shown.contains(&HEX[10..16]), "{shown}");
    error
}

const HEX: &str = "abcdef00abcdef01abcdef02abcdef03abcdef04abcdef05abcdef06abcdef07";

fn key_file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("kek");
    KeyFile::create_if_missing(&path).expect("creates");
    (directory, path)
}

fn written(text: &str) -> (TempDir, PathBuf) {
    let (directory, path) = key_file();
    fs::write(&path, text).expect("writes");
    (directory, path)
}

fn load(path: &PathBuf) -> KeyFile {
    KeyFile::load(path).expect("loads")
}

fn read(path: &PathBuf) -> String {
    fs::read_to_string(path).expect("reads")
}

async fn unwraps(keys: &KeyFile, bytes: &[u8]) -> bool {
    match WrappedKey::from_bytes(bytes) {
        Ok(wrapped) => keys.unwrap(ID, WORKSPACE, &wrapped).await.is_ok(),
        Err(_) => false,
    }
}

// --- primitives ---

/// AES-256-GCM: McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)" as submitted to
/// NIST, appendix B, test cases 13, 14 and 16.
#[test]
fn aes_256_gcm_vectors() {
    let long_key = "feffe9928665731c6d6a8f9467308308".repeat(2);
    let zero_key = "00".repeat(32);
    let vectors = [
        [&zero_key, "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"],
        [
            &zero_key,
            "000000000000000000000000",
            "",
            "00000000000000000000000000000000",
            "cea7403d4d606b6e074ec5d3baf39d18",
            "d0d1c8a799996bf0265b98b5d48ab919",
        ],
        [
            &long_key,
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ],
    ];
    for vector in vectors {
        let [key, nonce, data, plaintext, ciphertext, tag] = vector.map(hex);
        let (key, nonce, tag) = (array(&key), array(&nonce), array(&tag));
        let mut text = plaintext.clone();
        assert_eq!(encrypt(&key, &nonce, &data, &mut text), tag);
        assert_eq!(text, ciphertext);
        assert_eq!(decrypt(&key, &nonce, &data, &mut text, &tag), Some(()));
        assert_eq!(text, plaintext);
    }
}

#[test]
fn a_wrong_tag_releases_no_plaintext() {
    let mut text = *b"as it was before";
    let opened = decrypt(&[1; 32], &[2; 12], b"", &mut text, &[3; 16]);
    assert_eq!(opened, None);
    assert_eq!(&text, b"as it was before");
}

/// HKDF-SHA-512: the inputs of RFC 5869, appendix A.1 to A.3. The RFC has their outputs for SHA-256
/// only; these were computed with Python's `hmac`, and are the ones other libraries test against.
#[test]
fn hkdf_sha_512_vectors() {
    let count = |from: u8, to: u8| (from..=to).collect::<Vec<_>>();
    assert_eq!(
        derive::<42>(&[0x0b; 22], &count(0, 0x0c), &count(0xf0, 0xf9))[..],
        hex("832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb"),
    );
    assert_eq!(
        derive::<82>(&count(0, 0x4f), &count(0x60, 0xaf), &count(0xb0, 0xff))[..],
        hex("ce6c97192805b346e6161e821ed165673b84f400a2b514b2fe23d84cd189ddf1b695b48cbd1c8388441137b3\
             ce28f16aa64ba33ba466b24df6cfcb021ecff235f6a2056ce3af1de44d572097a8505d9e7a93"),
    );
    assert_eq!(
        derive::<42>(&[0x0b; 22], b"", b"")[..],
        hex("f5fa02b18298a72a8c23898a8703472c6eb179dc204c03425c970e3b164bf90fff22d04836d0e2343bac"),
    );
}

/// PASETO, "Common implementation details", section "PAE definition".
#[test]
fn pae_vectors() {
    assert_eq!(pae(&[]), [0; 8]);
    assert_eq!(pae(&[b""]), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(pae(&[b"test"]), b"\x01\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0test");
}

/// Built by hand from the documented layout, so that what is stored today still opens tomorrow.
#[test]
fn the_layout_is_the_documented_one() {
    let context =
        pae(&[b"send0/envelope", &[1], ID.0.as_bytes(), WORKSPACE.as_bytes(), b"messages", b"body", b"row 7"]);
    let (salt, nonce) = ([3; 32], [4; 12]);
    let derived = derive::<64>(&[1; 32], &salt, &context);
    let mut text = TEXT.to_vec();
    let tag = encrypt(&array(&derived[..32]), &nonce, &context, &mut text);
    let envelope = [&[1], &ID.0.as_bytes()[..], &salt, &derived[32..], &nonce, &text, &tag].concat();
    assert_eq!(open(&key(1), &PLACE, &envelope), Ok(TEXT.to_vec().into()));
}

fn message_key(key: &DataKey, envelope: &Envelope<'_>) -> MessageKey {
    MessageKey::derive(key, envelope.salt, &PLACE.context(envelope.id))
}

fn flip(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("hex")).collect()
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the right length")
}

/// One block of ciphertext and the tag that is right for it under both keys.
///
/// The tag is `rest + block · H²` in GF(2¹²⁸), where `H` and `rest` depend on the key: equal for
/// both keys when `block = (rest₁ + rest₂) / (H₁² + H₂²)`.
fn collide(keys: [&[u8; 32]; 2], nonce: &[u8; NONCE], data: &[u8]) -> ([u8; 16], [u8; TAG]) {
    let squares = keys.map(|key| {
        let mut h = [0; 16].into();
        Aes256::new(key.into()).encrypt_block(&mut h);
        let h = u128::from_be_bytes(h.into());
        multiply(h, h)
    });
    let rests = keys.map(|key| {
        // Encrypting the key stream gives a ciphertext of zeros, whose tag is `rest`.
        let mut text = [0; 16];
        encrypt(key, nonce, data, &mut text);
        u128::from_be_bytes(encrypt(key, nonce, data, &mut text))
    });
    let block = multiply(rests[0] ^ rests[1], invert(squares[0] ^ squares[1]));
    let tag = rests[0] ^ multiply(block, squares[0]);
    (block.to_be_bytes(), tag.to_be_bytes())
}

/// NIST SP 800-38D, algorithm 1: the most significant bit is the coefficient of x⁰.
fn multiply(x: u128, y: u128) -> u128 {
    let (mut product, mut power) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            product ^= power;
        }
        power = (power >> 1) ^ ((power & 1) * (0xE1 << 120));
    }
    product
}

/// By Fermat: `x^(2¹²⁸ - 2)`.
fn invert(x: u128) -> u128 {
    const ONE: u128 = 1 << 127;
    let (mut inverse, mut power) = (ONE, x);
    for _ in 1..128 {
        power = multiply(power, power);
        inverse = multiply(inverse, power);
    }
    inverse
}
