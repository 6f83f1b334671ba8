//! Rules ready to be used, for what many systems have in common.
//!
//! A pack is a rule file like any other: copy it into the rules directory and change it there.

/// A rule file that comes with catat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its name, and that of its file without `.yaml`.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! pack {
    ($name:literal) => {
        Pack { name: $name, text: include_str!(concat!("../../../config/rules/packs/", $name, ".yaml")) }
    };
}

/// All packs.
pub const PACKS: [Pack; 12] = [
    pack!("errors-by-service"),
    pack!("http-5xx-ratio"),
    pack!("slow-p95"),
    pack!("ssh-brute-force"),
    pack!("oom-kill"),
    pack!("disk-full"),
    pack!("vpc-traffic"),
    pack!("certificate-expiry"),
    pack!("job-did-not-report"),
    pack!("traces"),
    pack!("span-metrics"),
    pack!("catat"),
];

impl Pack {
    /// Finds a pack.
    pub fn find(name: &str) -> Option<Self> {
        PACKS.into_iter().find(|pack| pack.name == name)
    }

    /// Returns what it is for: the comment at its head.
    pub fn about(&self) -> String {
        let lines = self.text.lines().map_while(|line| line.strip_prefix('#'));
        lines.map(str::trim).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests;
