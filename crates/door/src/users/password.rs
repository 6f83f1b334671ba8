//! Passwords: argon2id, with the parameters beside each hash so that they can grow.
//!
//! The text that is kept is the usual one: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`, salt and hash in base64
//! without padding.

use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::{BASE64_NOPAD, HEXLOWER};
use subtle::ConstantTimeEq;

use sha2::{Digest, Sha256};

use crate::problem::{Problem, Result, random};

/// What a hash costs: 19 MiB and two passes, some 20 ms. More would let few sign-ins at once exhaust a small machine.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Most memory and passes that a stored hash may ask for: the control store may have been written by somebody else.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
const PASSES_MAX: u32 = 10;

/// Returns a hash of `password` under a salt of its own, as text.
pub(super) fn hash(password: &str) -> Result<String> {
    let salt: [u8; SALT_BYTES] = random()?;
    let hash = derive(password, &salt, MEMORY_KIB, PASSES, LANES)?;
    let (salt, hash) = (BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(&hash));
    Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}"))
}

/// Reports whether `password` matches the hash `stored`. Takes as long without a hash.
pub(super) fn verify(password: &str, stored: Option<&str>) -> Result<bool> {
    let nobody =
        StoredHash { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt: vec![0; SALT_BYTES], hash: vec![] };
    let stored = stored.and_then(StoredHash::read).unwrap_or(nobody);
    let hash = derive(password, &stored.salt, stored.memory_kib, stored.passes, stored.lanes)?;
    Ok(bool::from(hash.as_slice().ct_eq(&stored.hash)))
}

/// A stored hash, taken apart.
struct StoredHash {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl StoredHash {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut costs = costs.split(',');
        let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let (memory_kib, passes, lanes) = (cost("m=")?, cost("t=")?, cost("p=")?);
        let salt = BASE64_NOPAD.decode(salt.as_bytes()).ok()?;
        let hash = BASE64_NOPAD.decode(hash.as_bytes()).ok()?;
        let is_sane = memory_kib <= MEMORY_KIB_MAX && passes <= PASSES_MAX && hash.len() == HASH_BYTES;
        (is_sane && parts.next().is_none()).then_some(Self { memory_kib, passes, lanes, salt, hash })
    }
}

/// Returns a fingerprint that changes with each password of a user: a hash of its salted hash.
pub(super) fn fingerprint(stored: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(stored.as_bytes()))
}

#[cfg(test)]
thread_local! {
    /// How many hashes this thread has made.
    pub(super) static N_DERIVED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

fn derive(password: &str, salt: &[u8], memory_kib: u32, passes: u32, lanes: u32) -> Result<[u8; HASH_BYTES], Problem> {
    #[cfg(test)]
    N_DERIVED.set(N_DERIVED.get() + 1);
    let failed = |error: argon2::Error| Problem::internal(format!("password hash: {error}"));
    let params = Params::new(memory_kib, passes, lanes, Some(HASH_BYTES)).map_err(failed)?;
    let mut hash = [0u8; HASH_BYTES];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(password.as_bytes(), salt, &mut hash).map_err(failed)?;
    Ok(hash)
}

#[cfg(test)]
mod tests;
