//! Parses the files of the kernel in `/proc`. What is not understood is left out.
//!
//! Source: proc(5), Documentation/admin-guide/iostats.rst and Documentation/accounting/psi.rst of Linux.

use std::io::Read;
use std::path::PathBuf;

/// Most bytes of a file that are read: thousands of devices.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Ticks in a second as the kernel tells times of processors (`USER_HZ`): 100 on every machine that Rust's standard library
/// runs on.
pub(in crate::input) const TICKS_PER_SECOND: f64 = 100.0;

/// Time that something waited for what there is too little of (pressure stall information).
pub(in crate::input) const PRESSURES: [(&str, &str, &str); 5] = [
    ("cpu", "some", "node_pressure_cpu_waiting_seconds_total"),
    ("memory", "some", "node_pressure_memory_waiting_seconds_total"),
    ("memory", "full", "node_pressure_memory_stalled_seconds_total"),
    ("io", "some", "node_pressure_io_waiting_seconds_total"),
    ("io", "full", "node_pressure_io_stalled_seconds_total"),
];

/// Where the kernel tells, `/proc`.
#[derive(Clone, Debug)]
pub(in crate::input) struct ProcDir(pub(in crate::input) PathBuf);

impl ProcDir {
    pub(in crate::input) fn read(&self, name: &str) -> std::io::Result<String> {
        let mut bytes = Vec::new();
        std::fs::File::open(self.0.join(name))?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns the content of a file; nothing if it does not exist, as some depend on the configuration of the kernel.
    pub(in crate::input) fn text(&self, name: &str) -> String {
        self.read(name).unwrap_or_default()
    }
}

/// Most things of a kind: a machine with more mounts than that has containers, and each event would say little.
const THINGS_MAX: usize = 256;

/// What processors do, in the order of `/proc/stat`. Guests are part of `user` and `nice`.
pub(in crate::input) const CPU_MODES: [&str; 8] =
    ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

/// Ticks by mode, of all processors together.
pub(in crate::input) type CpuTicks = [u64; CPU_MODES.len()];

/// Sizes of the memory that are reported.
const MEMORY_SIZES: [&str; 12] = [
    "MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SwapTotal", "SwapFree", "Dirty", "Writeback",
    "AnonPages", "Shmem", "Slab",
];

/// Types of file systems that hold no files of anyone, or are read-only images, and those of other machines.
const NOT_TOLD: [&str; 36] = [
    "9p", "afs", "autofs", "binfmt_misc", "bpf", "ceph", "cgroup", "cgroup2", "cifs", "configfs", "debugfs", "devpts",
    "devtmpfs", "efivarfs", "erofs", "fusectl", "glusterfs", "hugetlbfs", "iso9660", "lustre", "mqueue", "ncpfs",
    "nfs", "nfs4", "nsfs", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "smb3", "smbfs",
    "squashfs", "sysfs", "tracefs",
];

/// A disk or network device and its counters, in the order of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::input) struct Device {
    pub(in crate::input) name: String,
    pub(in crate::input) counters: Vec<u64>,
}

/// A file system of this machine, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::input) struct Mount {
    pub(in crate::input) mountpoint: String,
    pub(in crate::input) device: String,
    pub(in crate::input) kind: String,
}

/// Reads the line of all processors of `/proc/stat`; old kernels do not know the last modes.
pub(in crate::input) fn cpu_ticks(stat: &str) -> Option<CpuTicks> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let mut ticks = CpuTicks::default();
    for (tick, word) in ticks.iter_mut().zip(line.split_ascii_whitespace()) {
        *tick = word.parse().ok()?;
    }
    Some(ticks)
}

/// Reads the lines of single processors: their numbers and ticks by mode.
pub(in crate::input) fn ticks_by_cpu(stat: &str) -> impl Iterator<Item = (&str, CpuTicks)> {
    stat.lines().filter_map(|line| {
        let (cpu, rest) = line.strip_prefix("cpu")?.split_once(' ')?;
        let is_number = !cpu.is_empty() && cpu.bytes().all(|byte| byte.is_ascii_digit());
        let mut ticks = CpuTicks::default();
        for (tick, word) in ticks.iter_mut().zip(rest.split_ascii_whitespace()) {
            *tick = word.parse().ok()?;
        }
        is_number.then_some((cpu, ticks))
    })
}

/// Counts the lines of single processors.
pub(in crate::input) fn count_cpus(stat: &str) -> usize {
    let is_cpu =
        |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    stat.lines().filter(is_cpu).count()
}

/// Returns how much of the time between two looks the processors were at work; 0 where none has passed.
pub(in crate::input) fn busy_percent(before: &CpuTicks, now: &CpuTicks) -> f64 {
    let passed: Vec<f64> = now.iter().zip(before).map(|(now, before)| now.saturating_sub(*before) as f64).collect();
    let total: f64 = passed.iter().sum();
    // The numbers of idle and iowait.
    let idle: f64 = passed.iter().skip(3).take(2).sum();
    if total > 0.0 { (total - idle) / total * 100.0 } else { 0.0 }
}

/// Returns the numbers at the beginning of a text.
pub(in crate::input) fn numbers(text: &str) -> impl Iterator<Item = f64> {
    text.split_ascii_whitespace().map_while(|word| word.parse().ok()).filter(|number: &f64| number.is_finite())
}

/// Returns the number after a word at the beginning of a line.
pub(in crate::input) fn number_of(text: &str, key: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// Sizes in bytes by their names in `/proc/meminfo`.
pub(in crate::input) fn memory(text: &str) -> Vec<(&str, u64)> {
    let size = |line| {
        let (name, size): (&str, &str) = str::split_once(line, ':')?;
        let mut words = size.split_ascii_whitespace();
        let number: u64 = words.next()?.parse().ok()?;
        let is_told = MEMORY_SIZES.contains(&name) && words.next() == Some("kB");
        is_told.then(|| (name, number.saturating_mul(1024)))
    };
    text.lines().filter_map(size).take(MEMORY_SIZES.len()).collect()
}

/// Seconds for which something waited; `share` is `some` or `full`.
pub(in crate::input) fn stalled_seconds(text: &str, share: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.split(' ').next() == Some(share))?;
    let micros: u64 = line.split(' ').find_map(|word| word.strip_prefix("total="))?.parse().ok()?;
    Some(micros as f64 / 1e6)
}

/// Parses the whole disks of `/proc/diskstats`, without memory and loop devices.
pub(in crate::input) fn disks(text: &str) -> Vec<Device> {
    let device = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(2);
        let name = words.next().filter(|name| is_disk(name))?;
        device_of(name, words)
    };
    text.lines().filter_map(device).take(THINGS_MAX).collect()
}

/// Parses the network devices of `/proc/net/dev`, without loopback and the ends of containers' pairs.
pub(in crate::input) fn network_devices(text: &str) -> Vec<Device> {
    let device = |line: &str| {
        let (name, counters) = line.split_once(':')?;
        let name = name.trim();
        let is_told = name != "lo" && !name.starts_with("veth") && !name.is_empty();
        if is_told { device_of(name, counters.split_ascii_whitespace()) } else { None }
    };
    text.lines().filter_map(device).take(THINGS_MAX).collect()
}

/// Parses all network devices of `/proc/net/dev`.
pub(in crate::input) fn all_network_devices(text: &str) -> Vec<Device> {
    let device = |line: &str| {
        let (name, counters) = line.split_once(':')?;
        device_of(name.trim(), counters.split_ascii_whitespace())
    };
    text.lines().filter_map(device).take(THINGS_MAX).collect()
}

fn device_of<'t>(name: &str, words: impl Iterator<Item = &'t str>) -> Option<Device> {
    let counters: Vec<u64> = words.take(32).map_while(|word| word.parse().ok()).collect();
    (!counters.is_empty()).then(|| Device { name: name.to_owned(), counters })
}

/// Tells disks from their parts (`sda1`, `nvme0n1p2`) and from devices that are no disks.
fn is_disk(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == name.len() {
        return true;
    }
    let is_part_of_letters = ["sd", "hd", "vd", "xvd"].iter().any(|kind| stem.starts_with(kind));
    let is_part_of_numbers = stem.ends_with('p') && (stem.starts_with("nvme") || stem.starts_with("mmcblk"));
    !matches!(stem, "ram" | "zram" | "loop" | "fd" | "sr") && !is_part_of_letters && !is_part_of_numbers
}

/// Parses the file systems of `/proc/self/mountinfo`; one that is mounted several times at its shortest path.
pub(in crate::input) fn mounts(text: &str) -> Vec<Mount> {
    let mut found: Vec<(&str, Mount)> = Vec::new();
    for (number, mount) in text.lines().filter_map(mount_of) {
        let is_full = found.len() >= THINGS_MAX;
        match found.iter_mut().find(|(known, _)| *known == number) {
            Some((_, known)) if known.mountpoint.len() > mount.mountpoint.len() => *known = mount,
            None if !is_full => found.push((number, mount)),
            _ => {}
        }
    }
    found.into_iter().map(|(_, mount)| mount).collect()
}

/// Parses `36 35 98:0 /root /mountpoint rw,noatime shared:1 - ext4 /dev/root rw`: device number `98:0` and mount.
fn mount_of(line: &str) -> Option<(&str, Mount)> {
    let (place, source) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(2);
    let (number, mountpoint) = (place.next()?, unescaped(place.nth(1)?));
    let mut source = source.split(' ');
    let (kind, device) = (source.next()?, unescaped(source.next()?));
    let is_of_containers = kind == "overlay" && mountpoint != "/";
    let is_of_system =
        ["/proc", "/sys", "/dev", "/run/credentials", "/var/lib/docker", "/var/lib/containers", "/var/lib/kubelet"]
            .iter()
            .any(|place| mountpoint.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    let is_elsewhere = kind.starts_with("fuse.") || NOT_TOLD.contains(&kind);
    let is_told = mountpoint.starts_with('/') && !is_of_containers && !is_of_system && !is_elsewhere;
    is_told.then(|| (number, Mount { mountpoint, device, kind: kind.to_owned() }))
}

/// Returns a path in which blanks, line ends and backslashes are `\040` and the like.
fn unescaped(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(u8::is_ascii);
        plain.push(code.map_or('\\', char::from));
        rest = if code.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    plain + rest
}
