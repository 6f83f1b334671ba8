//! How this machine is: processors, memory, file systems, disks, network devices.
//!
//! Every so often one line per thing (`subject`: `system`, `cpu` by `mode`, `filesystem` by `mountpoint`, `disk` and
//! `network` by `device`). Numbers have the names that Prometheus' node_exporter gives them, where it has them; beside them
//! stands what one would work out of two of them: `cpu_percent`, `memory_percent`, `disk_percent`, `…_per_second`.
//!
//! File systems of other machines are left out: asking one that does not answer would never end.

pub(in crate::input) mod proc;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use types::Timestamp;

use self::proc::{CPU_MODES, CpuTicks, Device, Mount, PRESSURES, ProcDir, TICKS_PER_SECOND};
use crate::input::measurements::{Record, repeat, rounded};
use crate::input::{Input, InputError, Sink, WhenFull};
use crate::shipper::now;

/// Bytes of a sector as the kernel counts them, whatever a disk's own are.
const SECTOR_BYTES: f64 = 512.0;

/// A number of a device: place in its line, name, what one of it is.
type Number = (usize, &'static str, f64);

/// Counters of a disk.
const DISK_COUNTERS: [Number; 8] = [
    (0, "node_disk_reads_completed_total", 1.0),
    (2, "node_disk_read_bytes_total", SECTOR_BYTES),
    (3, "node_disk_read_time_seconds_total", 0.001),
    (4, "node_disk_writes_completed_total", 1.0),
    (6, "node_disk_written_bytes_total", SECTOR_BYTES),
    (7, "node_disk_write_time_seconds_total", 0.001),
    (8, "node_disk_io_now", 1.0),
    (9, "node_disk_io_time_seconds_total", 0.001),
];

/// Rates of a disk, per second.
const DISK_RATES: [Number; 3] = [
    (2, "read_bytes_per_second", SECTOR_BYTES),
    (6, "written_bytes_per_second", SECTOR_BYTES),
    (9, "busy_percent", 0.1),
];

/// Counters of a network device.
const NETWORK_COUNTERS: [Number; 8] = [
    (0, "node_network_receive_bytes_total", 1.0),
    (1, "node_network_receive_packets_total", 1.0),
    (2, "node_network_receive_errs_total", 1.0),
    (3, "node_network_receive_drop_total", 1.0),
    (8, "node_network_transmit_bytes_total", 1.0),
    (9, "node_network_transmit_packets_total", 1.0),
    (10, "node_network_transmit_errs_total", 1.0),
    (11, "node_network_transmit_drop_total", 1.0),
];

/// Rates of a network device, per second.
const NETWORK_RATES: [Number; 2] = [(0, "receive_bytes_per_second", 1.0), (8, "transmit_bytes_per_second", 1.0)];

/// Numbers of `/proc/stat` and `/proc/vmstat`.
const STAT_NUMBERS: [(&str, &str); 5] = [
    ("btime", "node_boot_time_seconds"),
    ("ctxt", "node_context_switches_total"),
    ("processes", "node_forks_total"),
    ("procs_running", "node_procs_running"),
    ("procs_blocked", "node_procs_blocked"),
];
const VMSTAT_NUMBERS: [(&str, &str); 4] = [
    ("oom_kill", "node_vmstat_oom_kill"),
    ("pgmajfault", "node_vmstat_pgmajfault"),
    ("pswpin", "node_vmstat_pswpin"),
    ("pswpout", "node_vmstat_pswpout"),
];

/// Measures this machine from time to time.
#[derive(Debug)]
pub(super) struct HostMetrics {
    every: Duration,
    /// Where the kernel tells, `/proc`.
    proc: ProcDir,
    before: Option<HostCounters>,
}

/// Counters at one time, which those that come later are compared with.
#[derive(Debug)]
struct HostCounters {
    at: Instant,
    /// The same on the clock, for the events.
    time: Timestamp,
    cpu: CpuTicks,
    disks: Vec<Device>,
    network: Vec<Device>,
}

impl Input for HostMetrics {
    fn run(&mut self, sink: &Sink) -> Result<(), InputError> {
        repeat(self.every, sink, || self.measure(Instant::now())?.into_iter().try_for_each(|record| record.send(sink)))
    }

    fn when_full(&self) -> WhenFull {
        WhenFull::GiveUpOldest
    }
}

impl HostMetrics {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, proc: ProcDir(PathBuf::from("/proc")), before: None }
    }

    fn measure(&mut self, at: Instant) -> Result<Vec<Record>, InputError> {
        let stat = self.proc.read("stat").map_err(|error| self.unreadable("stat", error))?;
        let counted = HostCounters {
            at,
            time: now(),
            cpu: proc::cpu_ticks(&stat).unwrap_or_default(),
            disks: proc::disks(&self.proc.text("diskstats")),
            network: proc::network_devices(&self.proc.text("net/dev")),
        };
        let mut records = vec![self.system(&stat, &counted)];
        records.extend(self.cpu_modes(&counted));
        records.extend(
            proc::mounts(&self.proc.text("self/mountinfo")).iter().filter_map(|mount| file_system(mount, counted.time)),
        );
        records.extend(self.devices("disk", &counted, |at| &at.disks, &DISK_COUNTERS, &DISK_RATES));
        records.extend(self.devices("network", &counted, |at| &at.network, &NETWORK_COUNTERS, &NETWORK_RATES));
        self.before = Some(counted);
        Ok(records)
    }

    /// Measures what a machine has one of.
    fn system(&self, stat: &str, counted: &HostCounters) -> Record {
        let mut record = about("system", counted.time);
        if let Some(before) = &self.before {
            record.put("cpu_percent", rounded(proc::busy_percent(&before.cpu, &counted.cpu)));
        }
        record.put("cpus", proc::count_cpus(stat));
        for (name, load) in
            ["node_load1", "node_load5", "node_load15"].iter().zip(proc::numbers(&self.proc.text("loadavg")))
        {
            record.put(name, load);
        }
        record.put("uptime_seconds", proc::numbers(&self.proc.text("uptime")).next());
        put_memory(&mut record, &self.proc.text("meminfo"));
        put_named(&mut record, stat, &STAT_NUMBERS);
        put_named(&mut record, &self.proc.text("vmstat"), &VMSTAT_NUMBERS);
        let mut handles = proc::numbers(&self.proc.text("sys/fs/file-nr")).collect::<Vec<_>>().into_iter();
        record.put("node_filefd_allocated", handles.next());
        record.put("node_filefd_maximum", handles.nth(1));
        for (what, share, name) in PRESSURES {
            record.put(name, proc::stalled_seconds(&self.proc.text(&format!("pressure/{what}")), share));
        }
        record
    }

    /// Returns what the processors did, all of them together.
    fn cpu_modes(&self, counted: &HostCounters) -> impl Iterator<Item = Record> {
        let total = |ticks: &CpuTicks| ticks.iter().sum::<u64>();
        let before = self.before.as_ref().map(|before| before.cpu);
        let (time, now) = (counted.time, counted.cpu);
        CPU_MODES.iter().enumerate().map(move |(mode, name)| {
            let mut record = about("cpu", time).with("mode", *name);
            record.put("node_cpu_seconds_total", now[mode] as f64 / TICKS_PER_SECOND);
            if let Some(before) = before {
                let n_passed = total(&now).saturating_sub(total(&before)).max(1);
                let share = now[mode].saturating_sub(before[mode]) as f64 / n_passed as f64;
                record.put("percent", rounded(share * 100.0));
            }
            record
        })
    }

    fn devices(
        &self,
        subject: &str,
        now: &HostCounters,
        devices: impl Fn(&HostCounters) -> &Vec<Device>,
        counters: &[Number],
        rates: &[Number],
    ) -> Vec<Record> {
        let record_of = |device: &Device| {
            let mut record = about(subject, now.time).with("device", &*device.name);
            let value = |device: &Device, place: usize| device.counters.get(place).copied();
            for (place, name, one) in counters {
                record.put(name, value(device, *place).map(|count| scaled(count, *one)));
            }
            let before = self.before.as_ref();
            let earlier = before.and_then(|at| Some((at.at, devices(at).iter().find(|old| old.name == device.name)?)));
            let Some((at, earlier)) = earlier else { return record };
            let seconds = now.at.saturating_duration_since(at).as_secs_f64();
            for (place, name, one) in rates {
                // Counters that went back are of another device by the same name.
                let passed =
                    value(device, *place).zip(value(earlier, *place)).and_then(|(new, old)| new.checked_sub(old));
                record.put(name, passed.map(|passed| rounded(passed as f64 * one / seconds)));
            }
            record
        };
        devices(now).iter().map(record_of).collect()
    }

    fn unreadable(&self, name: &str, error: std::io::Error) -> InputError {
        InputError::Read { what: self.proc.0.join(name).display().to_string(), error }
    }
}

fn about(subject: &str, time: Timestamp) -> Record {
    Record::at(time).with("subject", subject)
}

/// Returns a count as it is, or times what one of it is.
fn scaled(count: u64, one: f64) -> serde_json::Value {
    match one {
        1.0 => count.into(),
        SECTOR_BYTES => count.saturating_mul(SECTOR_BYTES as u64).into(),
        _ => (count as f64 * one).into(),
    }
}

fn put_memory(record: &mut Record, text: &str) {
    let sizes = proc::memory(text);
    let of = |wanted: &str| sizes.iter().find(|(name, _)| *name == wanted).map(|(_, n_bytes)| *n_bytes);
    let percent = |total: Option<u64>, free: Option<u64>| {
        let (total, free) = total.filter(|total| *total > 0).zip(free)?;
        Some(rounded(total.saturating_sub(free) as f64 / total as f64 * 100.0))
    };
    record.put("memory_percent", percent(of("MemTotal"), of("MemAvailable")));
    record.put("swap_percent", percent(of("SwapTotal"), of("SwapFree")));
    for (name, n_bytes) in &sizes {
        record.put(&format!("node_memory_{name}_bytes"), *n_bytes);
    }
}

fn put_named(record: &mut Record, text: &str, wanted: &[(&str, &str)]) {
    for (key, name) in wanted {
        record.put(name, proc::number_of(text, key));
    }
}

/// Returns how full a file system is; nothing if it cannot be asked or has no size.
fn file_system(mount: &Mount, time: Timestamp) -> Option<Record> {
    let told = rustix::fs::statvfs(Path::new(&mount.mountpoint)).ok().filter(|told| told.f_blocks > 0)?;
    let n_bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
    let percent = |used: u64, free: u64| rounded(used as f64 / (used.saturating_add(free)).max(1) as f64 * 100.0);
    let mut record = about("filesystem", time).with("mountpoint", &*mount.mountpoint).with("device", &*mount.device);
    record.put("fstype", &*mount.kind);
    record.put("node_filesystem_size_bytes", n_bytes(told.f_blocks));
    record.put("node_filesystem_free_bytes", n_bytes(told.f_bfree));
    record.put("node_filesystem_avail_bytes", n_bytes(told.f_bavail));
    // As df counts: what only root may use is not there for anyone else.
    record.put("disk_percent", percent(told.f_blocks.saturating_sub(told.f_bfree), told.f_bavail));
    if told.f_files > 0 {
        record.put("node_filesystem_files", told.f_files);
        record.put("node_filesystem_files_free", told.f_ffree);
        record.put("inode_percent", percent(told.f_files.saturating_sub(told.f_ffree), told.f_ffree));
    }
    Some(record)
}

#[cfg(test)]
mod tests;
