//! An authenticator in software (WebAuthn Level 3, ES256), which tests can tell to misbehave.

use crate::secrets;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(super) const PRESENT: u8 = 0x01;
pub(super) const VERIFIED: u8 = 0x04;
pub(super) const BACKUP_ELIGIBLE: u8 = 0x08;
pub(super) const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

/// How it behaves. As it should, unless a test says otherwise.
#[derive(Clone)]
pub(super) struct Manners {
    pub origin: &'static str,
    pub rp: &'static str,
    pub cross_origin: bool,
    pub flags: u8,
    /// Signs with another key than the one it registered.
    pub forges: bool,
    /// Says that it answers something else.
    pub kind: Option<&'static str>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            origin: "http://localhost:3000",
            rp: "localhost",
            cross_origin: false,
            flags: PRESENT | VERIFIED,
            forges: false,
            kind: None,
        }
    }
}

/// One credential.
#[derive(Clone)]
pub(super) struct Device {
    key: SigningKey,
    pub credential: Vec<u8>,
    /// What the person is known by: given when it is registered.
    pub handle: Vec<u8>,
    pub counter: u32,
}

impl Device {
    pub fn new() -> Self {
        Self { key: any_key(), credential: secrets::random::<32>().to_vec(), handle: vec![], counter: 0 }
    }

    /// Answers `navigator.credentials.create`.
    pub fn create(&mut self, options: &Value, manners: &Manners) -> String {
        let handle = options["user"]["id"].as_str().expect("a handle");
        self.handle = BASE64_URL_SAFE_NO_PAD.decode(handle).expect("base64url");
        self.counter += 1;
        let client = client_data(manners, "webauthn.create", options);
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = (point.x().expect("x").to_vec(), point.y().expect("y").to_vec());
        let cose = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..], &x, &[0x22, 0x58, 32], &y].concat();
        let length = u16::try_from(self.credential.len()).expect("short").to_be_bytes();
        let attested = [&[0; 16][..], &length, &self.credential, &cose].concat();
        let data = [authenticator_data(manners, ATTESTED, self.counter), attested].concat();
        let size = u16::try_from(data.len()).expect("short").to_be_bytes();
        let object = [&b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59"[..], &size, &data].concat();
        self.answer(json!({ "attestationObject": base64(object), "clientDataJSON": base64(client) }))
    }

    /// Answers `navigator.credentials.get`.
    pub fn get(&mut self, options: &Value, manners: &Manners) -> String {
        self.counter += 1;
        let client = client_data(manners, "webauthn.get", options);
        let data = authenticator_data(manners, 0, self.counter);
        let signed = [&data[..], Sha256::digest(&client).as_slice()].concat();
        let key = if manners.forges { &any_key() } else { &self.key };
        let signature: Signature = key.sign(&signed);
        self.answer(json!({
            "authenticatorData": base64(data),
            "clientDataJSON": base64(client),
            "signature": base64(signature.to_der().as_bytes()),
            "userHandle": base64(&self.handle),
            // What some servers have believed. It is nobody's business.
            "publicKey": base64(key.verifying_key().to_sec1_point(false).as_bytes()),
        }))
    }

    fn answer(&self, response: Value) -> String {
        let id = base64(&self.credential);
        let answer = json!({ "id": id, "rawId": id, "type": "public-key", "extensions": {}, "response": response });
        answer.to_string()
    }
}

fn any_key() -> SigningKey {
    SigningKey::from_slice(secrets::random::<32>().as_slice()).expect("a scalar")
}

fn client_data(manners: &Manners, kind: &str, options: &Value) -> Vec<u8> {
    let data = json!({
        "type": manners.kind.unwrap_or(kind),
        "challenge": options["challenge"],
        "origin": manners.origin,
        "crossOrigin": manners.cross_origin,
    });
    data.to_string().into_bytes()
}

fn authenticator_data(manners: &Manners, more: u8, counter: u32) -> Vec<u8> {
    let rp = Sha256::digest(manners.rp);
    [rp.as_slice(), &[manners.flags | more], &counter.to_be_bytes()].concat()
}

/// Base64url without padding (RFC 4648 §5), as WebAuthn has it.
fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
