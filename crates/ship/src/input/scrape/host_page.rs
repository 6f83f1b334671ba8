//! The page of metrics of this machine, with the names and labels of node_exporter's collectors `cpu`, `diskstats`, `filefd`,
//! `filesystem`, `loadavg`, `meminfo`, `netdev`, `pressure`, `stat`, `time`, `uname` and `vmstat`.
//!
//! So that queries and dashboards made for node_exporter work without it. File systems of other machines are left out: asking
//! one that does not answer would never end.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use types::Timestamp;

use crate::input::host_metrics::proc::{self, CPU_MODES, Device, PRESSURES, ProcDir, TICKS_PER_SECOND};
use crate::shipper::now;

/// Names of what `/proc/diskstats` has of a disk, in its order, and what one of it is.
const DISK_COLUMNS: [(&str, &str, f64); 17] = [
    ("node_disk_reads_completed_total", "counter", 1.0),
    ("node_disk_reads_merged_total", "counter", 1.0),
    ("node_disk_read_bytes_total", "counter", 512.0),
    ("node_disk_read_time_seconds_total", "counter", 0.001),
    ("node_disk_writes_completed_total", "counter", 1.0),
    ("node_disk_writes_merged_total", "counter", 1.0),
    ("node_disk_written_bytes_total", "counter", 512.0),
    ("node_disk_write_time_seconds_total", "counter", 0.001),
    ("node_disk_io_now", "gauge", 1.0),
    ("node_disk_io_time_seconds_total", "counter", 0.001),
    ("node_disk_io_time_weighted_seconds_total", "counter", 0.001),
    ("node_disk_discards_completed_total", "counter", 1.0),
    ("node_disk_discards_merged_total", "counter", 1.0),
    ("node_disk_discarded_sectors_total", "counter", 1.0),
    ("node_disk_discard_time_seconds_total", "counter", 0.001),
    ("node_disk_flush_requests_total", "counter", 1.0),
    ("node_disk_flush_requests_time_seconds_total", "counter", 0.001),
];

/// Names of what `/proc/net/dev` has of a device, in its order.
const NETWORK_COLUMNS: [&str; 16] = [
    "receive_bytes", "receive_packets", "receive_errs", "receive_drop", "receive_fifo", "receive_frame",
    "receive_compressed", "receive_multicast", "transmit_bytes", "transmit_packets", "transmit_errs", "transmit_drop",
    "transmit_fifo", "transmit_colls", "transmit_carrier", "transmit_compressed",
];

/// Numbers of `/proc/stat`.
const STAT_NUMBERS: [(&str, &str, &str); 6] = [
    ("intr", "node_intr_total", "counter"),
    ("ctxt", "node_context_switches_total", "counter"),
    ("btime", "node_boot_time_seconds", "gauge"),
    ("processes", "node_forks_total", "counter"),
    ("procs_running", "node_procs_running", "gauge"),
    ("procs_blocked", "node_procs_blocked", "gauge"),
];

/// What of `/proc/vmstat` there is, by how names begin.
const VMSTAT: [&str; 4] = ["oom_kill", "pgpg", "pswp", "pg"];

/// The metrics of this machine.
#[derive(Clone, Debug)]
pub(super) struct HostPage {
    /// Where the kernel tells, `/proc`.
    proc: ProcDir,
}

/// A page as it is written.
#[derive(Default)]
struct PageText {
    text: String,
}

impl HostPage {
    pub(super) fn new() -> Self {
        Self { proc: ProcDir(PathBuf::from("/proc")) }
    }

    /// Returns the page.
    ///
    /// # Errors
    /// If the kernel's counters cannot be read.
    pub(super) fn page(&self) -> Result<String, String> {
        let stat =
            self.proc.read("stat").map_err(|error| format!("{}: {error}", self.proc.0.join("stat").display()))?;
        let mut page = PageText::default();
        processors(&mut page, &stat);
        for (key, name, kind) in STAT_NUMBERS {
            page.single(name, kind, proc::number_of(&stat, key).map(|number| number as f64));
        }
        let loads = self.proc.text("loadavg");
        for (name, load) in ["node_load1", "node_load5", "node_load15"].into_iter().zip(proc::numbers(&loads)) {
            page.single(name, "gauge", Some(load));
        }
        memory(&mut page, &self.proc.text("meminfo"));
        virtual_memory(&mut page, &self.proc.text("vmstat"));
        let mut handles = proc::numbers(&self.proc.text("sys/fs/file-nr")).collect::<Vec<_>>().into_iter();
        page.single("node_filefd_allocated", "gauge", handles.next());
        page.single("node_filefd_maximum", "gauge", handles.nth(1));
        for (what, share, name) in PRESSURES {
            page.single(name, "counter", proc::stalled_seconds(&self.proc.text(&format!("pressure/{what}")), share));
        }
        file_systems(&mut page, &self.proc.text("self/mountinfo"));
        disks(&mut page, &proc::disks(&self.proc.text("diskstats")));
        network(&mut page, &proc::all_network_devices(&self.proc.text("net/dev")));
        names(&mut page);
        page.single("node_time_seconds", "gauge", Some(now().0 as f64 / Timestamp::SECOND as f64));
        Ok(page.text)
    }
}

impl PageText {
    /// Begins a metric.
    fn family(&mut self, name: &str, kind: &str) {
        // Writing to a text succeeds, here and below.
        let _ = writeln!(self.text, "# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{}{label}=\"{escaped}\"", if index == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// Writes a metric with one sample, or none.
    fn single(&mut self, name: &str, kind: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.family(name, kind);
            self.sample(name, &[], value);
        }
    }
}

fn processors(page: &mut PageText, stat: &str) {
    let name = "node_cpu_seconds_total";
    page.family(name, "counter");
    for (cpu, ticks) in proc::ticks_by_cpu(stat) {
        for (mode, ticks) in CPU_MODES.iter().zip(ticks) {
            page.sample(name, &[("cpu", cpu), ("mode", mode)], ticks as f64 / TICKS_PER_SECOND);
        }
    }
}

fn memory(page: &mut PageText, text: &str) {
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(':') else { continue };
        let mut words = rest.split_ascii_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<f64>().ok()) else { continue };
        let name = name.replace('(', "_").replace(')', "");
        let (suffix, factor) = if words.next() == Some("kB") { ("_bytes", 1024.0) } else { ("", 1.0) };
        page.single(&format!("node_memory_{name}{suffix}"), "gauge", Some(number * factor));
    }
}

fn virtual_memory(page: &mut PageText, text: &str) {
    for line in text.lines() {
        let Some((name, number)) = line.split_once(' ') else { continue };
        // As node_exporter: oom_kill, pgpg…, pswp…, and faults of pages.
        let is_meant = VMSTAT.iter().take(3).any(|start| name.starts_with(start))
            || name.starts_with("pg") && name.contains("fault");
        if is_meant {
            page.single(&format!("node_vmstat_{name}"), "untyped", number.trim().parse().ok());
        }
    }
}

fn file_systems(page: &mut PageText, mountinfo: &str) {
    let asked: Vec<_> = proc::mounts(mountinfo)
        .into_iter()
        .filter_map(|mount| {
            let told = rustix::fs::statvfs(Path::new(&mount.mountpoint)).ok().filter(|told| told.f_blocks > 0)?;
            Some((mount, told))
        })
        .collect();
    type Number = fn(&rustix::fs::StatVfs) -> f64;
    let numbers: [(&str, Number); 6] = [
        ("node_filesystem_size_bytes", |told| told.f_blocks as f64 * told.f_frsize as f64),
        ("node_filesystem_free_bytes", |told| told.f_bfree as f64 * told.f_frsize as f64),
        ("node_filesystem_avail_bytes", |told| told.f_bavail as f64 * told.f_frsize as f64),
        ("node_filesystem_files", |told| told.f_files as f64),
        ("node_filesystem_files_free", |told| told.f_ffree as f64),
        ("node_filesystem_readonly", |told| {
            f64::from(u8::from(told.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY)))
        }),
    ];
    for (name, number) in numbers {
        page.family(name, "gauge");
        for (mount, told) in &asked {
            let labels = [("device", &*mount.device), ("fstype", &*mount.kind), ("mountpoint", &*mount.mountpoint)];
            page.sample(name, &labels, number(told));
        }
    }
}

fn disks(page: &mut PageText, disks: &[Device]) {
    for (place, (name, kind, one)) in DISK_COLUMNS.iter().enumerate() {
        page.family(name, kind);
        for disk in disks {
            if let Some(count) = disk.counters.get(place) {
                page.sample(name, &[("device", &disk.name)], *count as f64 * one);
            }
        }
    }
}

fn network(page: &mut PageText, devices: &[Device]) {
    for (place, column) in NETWORK_COLUMNS.iter().enumerate() {
        let name = format!("node_network_{column}_total");
        page.family(&name, "counter");
        for device in devices {
            if let Some(count) = device.counters.get(place) {
                page.sample(&name, &[("device", &device.name)], *count as f64);
            }
        }
    }
}

fn names(page: &mut PageText) {
    let told = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let (machine, node, release) = (text(told.machine()), text(told.nodename()), text(told.release()));
    let (system, version) = (text(told.sysname()), text(told.version()));
    let domain = std::fs::read_to_string("/proc/sys/kernel/domainname").unwrap_or_default();
    let labels = [
        ("domainname", domain.trim()),
        ("machine", &*machine),
        ("nodename", &*node),
        ("release", &*release),
        ("sysname", &*system),
        ("version", &*version),
    ];
    page.family("node_uname_info", "gauge");
    page.sample("node_uname_info", &labels, 1.0);
}

#[cfg(test)]
mod tests;
