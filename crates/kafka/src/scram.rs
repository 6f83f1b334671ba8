//! SCRAM, which proves a password without sending it (RFC 5802; Kafka has it with SHA-256 and SHA-512).

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

/// Rounds of hashing that a broker may ask for: Kafka's own tools set 4,096 to 16,384.
const ITERATIONS_MAX: u32 = 1_000_000;

/// Which hash is used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        fn of<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
            let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes().to_vec()
        }
        match self {
            Self::Sha256 => of::<Hmac<Sha256>>(key, parts),
            Self::Sha512 => of::<Hmac<Sha512>>(key, parts),
        }
    }
}

/// One conversation.
pub(crate) struct Scram<'a> {
    hash: Hash,
    user: String,
    password: &'a str,
    nonce: &'a str,
}

impl<'a> Scram<'a> {
    pub(crate) fn new(hash: Hash, user: &str, password: &'a str, nonce: &'a str) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Self { hash, user, password, nonce }
    }

    fn bare(&self) -> String {
        format!("n={},r={}", self.user, self.nonce)
    }

    /// Returns what is said first.
    pub(crate) fn first(&self) -> String {
        format!("n,,{}", self.bare())
    }

    /// Answers what the broker said first: with the proof, and with the signature that the broker has to know.
    pub(crate) fn last(&self, said: &str) -> Result<(String, Vec<u8>), &'static str> {
        let (nonce, salt, iterations) = (member(said, "r"), member(said, "s"), member(said, "i"));
        let nonce = nonce.filter(|nonce| nonce.starts_with(self.nonce)).ok_or("the broker's nonce is not ours")?;
        let salt = salt.and_then(|salt| BASE64.decode(salt.as_bytes()).ok()).ok_or("the broker says no salt")?;
        let iterations = iterations.and_then(|text| text.parse::<u32>().ok());
        let iterations = iterations
            .filter(|n| (1..=ITERATIONS_MAX).contains(n))
            .ok_or("the broker asks for too many iterations, or none")?;
        let mut round = self.hash.hmac(self.password.as_bytes(), &[&salt, &1u32.to_be_bytes()]);
        let mut salted = round.clone();
        for _ in 1..iterations {
            round = self.hash.hmac(self.password.as_bytes(), &[&round]);
            salted.iter_mut().zip(&round).for_each(|(sum, byte)| *sum ^= byte);
        }
        let without_proof = format!("c=biws,r={nonce}");
        let all = format!("{},{said},{without_proof}", self.bare());
        let client_key = self.hash.hmac(&salted, &[b"Client Key"]);
        let signature = self.hash.hmac(&self.hash.digest(&client_key), &[all.as_bytes()]);
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, byte)| key ^ byte).collect();
        let server_key = self.hash.hmac(&salted, &[b"Server Key"]);
        let of_broker = self.hash.hmac(&server_key, &[all.as_bytes()]);
        Ok((format!("{without_proof},p={}", BASE64.encode(&proof)), of_broker))
    }
}

/// Reports whether the broker proved that it knows the password, too.
pub(crate) fn is_proven(said: &str, signature: &[u8]) -> bool {
    member(said, "v").is_some_and(|proof| proof == BASE64.encode(signature))
}

fn member<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split(',').find_map(|member| member.strip_prefix(name)?.strip_prefix('='))
}
