//! The titles of ready-made dashboards in Indonesian.

use types::Locale;

use crate::document::Dashboard;

/// What a dashboard's description is in both languages.
pub(super) const DESCRIPTION: &str =
    "Derived from the fields and metrics that are present; nobody has to keep it up to date.";
const DESCRIPTION_INDONESIAN: &str =
    "Diturunkan dari bidang dan metrik yang ada; tidak perlu diperbarui oleh siapa pun.";

/// Titles of panels and sections, sorted, with what they are in Indonesian.
const TITLES: [(&str, &str); 146] = [
    ("Actions over time", "Tindakan dari waktu ke waktu"),
    ("Addresses that failed", "Alamat yang gagal"),
    ("Addresses that failed most", "Alamat yang paling sering gagal"),
    ("Addresses with wrong keys", "Alamat dengan kunci yang salah"),
    ("Answers from the cache", "Jawaban dari cache"),
    ("Audit log", "Log audit"),
    ("Billed", "Ditagih"),
    ("Busy disks", "Disk yang sibuk"),
    ("Busy processors by machine", "Prosesor sibuk per mesin"),
    ("By operation", "Per operasi"),
    ("Bytes read and written", "Bita dibaca dan ditulis"),
    ("Bytes sent", "Bita terkirim"),
    ("Bytes sent over time", "Bita terkirim dari waktu ke waktu"),
    ("Cache", "Cache"),
    ("Cache by answer", "Cache per jawaban"),
    ("Calls to others", "Panggilan ke yang lain"),
    ("Channels that fail", "Kanal yang gagal"),
    ("Checkpoints", "Checkpoint"),
    ("Clients", "Klien"),
    ("Clients that asked most", "Klien yang paling sering meminta"),
    ("Cold starts", "Mulai dingin"),
    ("Connections", "Koneksi"),
    ("Deadlocks", "Deadlock"),
    ("Destinations with most traffic", "Tujuan dengan lalu lintas terbanyak"),
    ("Disk space of queries", "Ruang disk kueri"),
    ("Disk space used", "Ruang disk terpakai"),
    ("Duration, p95", "Durasi, p95"),
    ("Durations", "Durasi"),
    ("Durations of statements", "Durasi pernyataan SQL"),
    ("Errors", "Kesalahan"),
    ("Errors by database", "Kesalahan per basis data"),
    ("Errors by pod", "Kesalahan per pod"),
    ("Errors by unit", "Kesalahan per unit"),
    ("Errors by user", "Kesalahan per pengguna"),
    ("Errors over time", "Kesalahan dari waktu ke waktu"),
    ("Events put into other groups", "Peristiwa yang dipindahkan ke grup lain"),
    ("Failed", "Gagal"),
    ("Failed attempts", "Percobaan yang gagal"),
    ("Failed attempts over time", "Percobaan gagal dari waktu ke waktu"),
    ("Failed invocations", "Pemanggilan yang gagal"),
    ("Failed over time", "Kegagalan dari waktu ke waktu"),
    ("Failed requests", "Permintaan yang gagal"),
    ("Failed requests by status", "Permintaan gagal per status"),
    ("Flows", "Aliran"),
    ("Flows by decision", "Aliran per keputusan"),
    ("Fullest disk", "Disk paling penuh"),
    ("Functions", "Fungsi"),
    ("Hosts", "Host"),
    ("Interfaces", "Antarmuka"),
    ("Invocations", "Pemanggilan"),
    ("Invocations over time", "Pemanggilan dari waktu ke waktu"),
    ("Kubernetes", "Kubernetes"),
    ("Lines", "Baris"),
    ("Lines by container", "Baris per kontainer"),
    ("Lines by group", "Baris per grup"),
    ("Lines by host", "Baris per host"),
    ("Lines by level", "Baris per tingkat"),
    ("Lines by namespace", "Baris per namespace"),
    ("Lines by node", "Baris per node"),
    ("Lines by pod", "Baris per pod"),
    ("Lines by service", "Baris per layanan"),
    ("Lines by severity", "Baris per keparahan"),
    ("Lines by unit", "Baris per unit"),
    ("Lines on standard error", "Baris di standard error"),
    ("Load", "Beban"),
    ("Load of the machine", "Beban mesin"),
    ("Logins", "Login"),
    ("Logins by SSH", "Login lewat SSH"),
    ("Logins over time", "Login dari waktu ke waktu"),
    ("Longest invocations", "Pemanggilan terlama"),
    ("Machine", "Mesin"),
    ("Mean time of requests", "Waktu rata-rata permintaan"),
    ("Memory", "Memori"),
    ("Memory of queries", "Memori kueri"),
    ("Memory used", "Memori terpakai"),
    ("Metrics", "Metrik"),
    ("Most frequent lines", "Baris tersering"),
    ("Network errors", "Kesalahan jaringan"),
    ("Network traffic", "Lalu lintas jaringan"),
    ("Newest errors", "Kesalahan terbaru"),
    ("Newest lines", "Baris terbaru"),
    ("Notifications that wait", "Notifikasi yang menunggu"),
    ("Open files", "Berkas terbuka"),
    ("Operations", "Operasi"),
    ("Overview", "Ikhtisar"),
    ("Pages asked for most", "Halaman yang paling sering diminta"),
    ("Pages that are missing", "Halaman yang tidak ada"),
    ("Pages that failed", "Halaman yang gagal"),
    ("Pairs with most traffic", "Pasangan dengan lalu lintas terbanyak"),
    ("Pods", "Pod"),
    ("Ports of rejected flows", "Port aliran yang ditolak"),
    ("PostgreSQL", "PostgreSQL"),
    ("Processors", "Prosesor"),
    ("Processors by mode", "Prosesor per mode"),
    ("Queries", "Kueri"),
    ("Queries that run", "Kueri yang berjalan"),
    ("Refusals", "Penolakan"),
    ("Rejected flows", "Aliran yang ditolak"),
    ("Rejected most", "Yang paling sering ditolak"),
    ("Request time", "Waktu permintaan"),
    ("Request time by site", "Waktu permintaan per situs"),
    ("Request time, p95", "Waktu permintaan, p95"),
    ("Requests", "Permintaan"),
    ("Requests by class of status", "Permintaan per kelas status"),
    ("Requests by method", "Permintaan per metode"),
    ("Requests by site", "Permintaan per situs"),
    ("Requests by upstream", "Permintaan per upstream"),
    ("Requests from spans", "Permintaan dari span"),
    ("Response time by upstream", "Waktu jawaban per upstream"),
    ("Running for", "Berjalan selama"),
    ("Running processes", "Proses yang berjalan"),
    ("Running since", "Berjalan sejak"),
    ("Services", "Layanan"),
    ("Services that it talks to", "Layanan yang dihubunginya"),
    ("Slowest", "Paling lambat"),
    ("Slowest pages", "Halaman paling lambat"),
    ("Slowest statements", "Pernyataan SQL paling lambat"),
    ("Sources with most traffic", "Sumber dengan lalu lintas terbanyak"),
    ("Spans", "Span"),
    ("Started and stopped most often", "Paling sering mulai dan berhenti"),
    ("Starts and stops over time", "Mulai dan berhenti dari waktu ke waktu"),
    ("Swap used", "Swap terpakai"),
    ("Temporary files", "Berkas sementara"),
    ("Timeouts and errors", "Batas waktu terlewati dan kesalahan"),
    ("Traffic", "Lalu lintas"),
    ("Traffic by decision", "Lalu lintas per keputusan"),
    ("Traffic by direction", "Lalu lintas per arah"),
    ("Traffic of upstreams", "Lalu lintas upstream"),
    ("Units", "Unit"),
    ("Units that failed", "Unit yang gagal"),
    ("Units that were restarted", "Unit yang dimulai ulang"),
    ("Unknown users", "Pengguna tak dikenal"),
    ("Unknown users that were tried most", "Pengguna tak dikenal yang paling sering dicoba"),
    ("Upstream response time", "Waktu jawaban upstream"),
    ("Upstreams", "Upstream"),
    ("User agents", "User agent"),
    ("Users that were tried most", "Pengguna yang paling sering dicoba"),
    ("Waiting for a processor", "Menunggu prosesor"),
    ("Waiting for disks", "Menunggu disk"),
    ("Warnings", "Peringatan"),
    ("What failed", "Yang gagal"),
    ("What failed most", "Yang paling sering gagal"),
    ("What failed most in operations", "Yang paling sering gagal dalam operasi"),
    ("Where it failed", "Tempat kegagalan"),
    ("Who came in", "Yang masuk"),
    ("Who did what", "Siapa melakukan apa"),
];

/// Kinds of subjects, with which titles of dashboards begin.
const KINDS: [(&str, &str); 3] = [("Group ", "Grup "), ("Service ", "Layanan "), ("Host ", "Host ")];

/// Returns a ready-made dashboard in a language; names of metrics, which are titles too, stay as they are.
pub fn in_language(mut dashboard: Dashboard, locale: Locale) -> Dashboard {
    if locale == Locale::English {
        return dashboard;
    }
    if let Some((english, indonesian)) = KINDS.iter().find(|(english, _)| dashboard.title.starts_with(english)) {
        dashboard.title = format!("{indonesian}{}", &dashboard.title[english.len()..]);
    }
    if dashboard.description == DESCRIPTION {
        DESCRIPTION_INDONESIAN.clone_into(&mut dashboard.description);
    }
    for panel in &mut dashboard.panels {
        translate(&mut panel.title);
        panel.section.iter_mut().for_each(translate);
    }
    dashboard
}

fn translate(title: &mut String) {
    if let Ok(at) = TITLES.binary_search_by_key(&title.as_str(), |(english, _)| english) {
        TITLES[at].1.clone_into(title);
    }
}

/// Reports whether a title has its Indonesian.
#[cfg(test)]
pub(super) fn is_known(title: &str) -> bool {
    TITLES.iter().any(|(english, _)| *english == title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_sorted_and_there_once() {
        assert!(TITLES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
