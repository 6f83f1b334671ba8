// What `catat doctor` finds, in Indonesian. Names, paths and reasons of the system stand in marked places and stay as they are.

import type { Sentences } from "./problems.ts";

/** What is wrong, or right. */
export const FINDINGS: Sentences = {
  "{file} is valid": "{file} sah",
  "there is no configuration file; the defaults hold": "tidak ada berkas konfigurasi; berlaku nilai bawaan",
  "data directory {dir}: {problem}": "direktori data {dir}: {problem}",
  "other users of this machine can read {dir}/admin.key, which allows everything":
    "pengguna lain di mesin ini dapat membaca {dir}/admin.key, yang membolehkan segalanya",
  "other users of this machine can read {dir}": "pengguna lain di mesin ini dapat membaca {dir}",
  "another user than that of {dir} owns {n} of its files, such as {path}":
    "{n} berkas di {dir} milik pengguna lain daripada direktorinya, misalnya {path}",
  "{dir} can be written to, and is for its owner alone": "{dir} dapat ditulisi dan hanya untuk pemiliknya",
  "{dir} is not there yet; the first start makes it": "{dir} belum ada; dibuat saat pertama dijalankan",
  "damaged files in quarantine: {n}": "berkas rusak di karantina: {n}",
  "this store is a copy, taken {time}, and sends no notifications":
    "penyimpanan ini salinan yang diambil {time} dan tidak mengirim pemberitahuan",
  "{dir} cannot be read, and was not looked at: {problem}": "{dir} tidak dapat dibaca dan tidak diperiksa: {problem}",
  "this version reads its formats; `catat verify` checks every byte":
    "versi ini membaca formatnya; `catat verify` memeriksa setiap bita",
  "there is no store yet": "belum ada penyimpanan",
  "{free} are free and {reserve} are kept in reserve: no events will be accepted":
    "tersisa {free} dan {reserve} dicadangkan: peristiwa tidak akan diterima",
  "the file system can hold {n} more files, of {all}": "sistem berkas masih dapat memuat {n} berkas dari {all}",
  "{free} are free": "tersisa {free}",
  "{dir} is in memory ({kind}): everything is lost when the machine stops":
    "{dir} ada di memori ({kind}): semuanya hilang saat mesin berhenti",
  "{dir} is in the layer of a container ({kind}): everything is lost with the container":
    "{dir} ada di lapisan kontainer ({kind}): semuanya hilang bersama kontainer",
  "{dir} is on a file system of another machine ({kind}): syncs and locks are as reliable as that machine":
    "{dir} ada di sistem berkas mesin lain ({kind}): sinkronisasi dan kunci hanya seandal mesin itu",
  "{dir} is mounted with {option}: a power failure loses events that were acknowledged":
    "{dir} dipasang dengan {option}: mati listrik menghilangkan peristiwa yang sudah diterima",
  "LD_PRELOAD has libeatmydata, which leaves out every sync: a power failure loses events that were acknowledged":
    "LD_PRELOAD berisi libeatmydata, yang melewatkan setiap sinkronisasi: mati listrik menghilangkan peristiwa yang sudah diterima",
  "a sync returns after {time}, sooner than any disk writes: a power failure may lose events that were acknowledged":
    "sinkronisasi selesai dalam {time}, lebih cepat daripada disk mana pun: mati listrik dapat menghilangkan peristiwa yang sudah diterima",
  "a sync takes {time}, and each sender waits for one":
    "sinkronisasi memerlukan {time}, dan setiap pengirim menunggunya",
  "{dir} is on {kind}; the time of a sync was not measured": "{dir} ada di {kind}; lama sinkronisasi tidak diukur",
  "{dir} is on {kind}, and a sync takes {time}": "{dir} ada di {kind}, dan sinkronisasi memerlukan {time}",
  "the clock says {time}, which is before this version was made": "jam menunjukkan {time}, sebelum versi ini dibuat",
  "the clock says {time}, and {path} was written at {written}":
    "jam menunjukkan {time}, padahal {path} ditulis pada {written}",
  "the clock is not synchronised": "jam tidak disinkronkan",
  "the clock is synchronised": "jam disinkronkan",
  "the clock goes forward; whether it is synchronised is not known":
    "jam berjalan maju; tidak diketahui apakah disinkronkan",
  "TZ={zone} is not the name of a time zone": "TZ={zone} bukan nama zona waktu",
  "times of local files that name no zone are read in {zone}": "waktu di berkas lokal tanpa zona dibaca dalam {zone}",
  "this machine names no zone; times that name none are read in ingest.time_zone":
    "mesin ini tidak menyebut zona; waktu tanpa zona dibaca dalam ingest.time_zone",
  "a process may open {n} files; each connection and each segment in use needs one":
    "proses boleh membuka {n} berkas; setiap koneksi dan segmen yang dipakai memerlukan satu",
  "a process may open any number of files": "proses boleh membuka berapa pun berkas",
  "a process may open {n} files": "proses boleh membuka {n} berkas",
  "the system sends no notifications of changed files ({problem}): changes are seen a little later":
    "sistem tidak memberi tahu berkas yang berubah ({problem}): perubahan terlihat sedikit lebih lambat",
  "{n} directories are followed, {max} can be watched: changes are seen a little later":
    "{n} direktori diikuti, {max} dapat dipantau: perubahan terlihat sedikit lebih lambat",
  "the system notifies of changed files": "sistem memberi tahu berkas yang berubah",
  "{host} ({setting}) has no address: {problem}": "{host} ({setting}) tidak punya alamat: {problem}",
  "no setting names a host": "tidak ada setelan yang menyebut host",
  "hosts that settings name, all with an address: {n}": "host di setelan, semuanya punya alamat: {n}",
  "{file} expired at {time}": "{file} kedaluwarsa sejak {time}",
  "{file} expires at {time}": "{file} kedaluwarsa pada {time}",
  "there are no certificates of authorities, so that no https:// address can be reached: {place}":
    "tidak ada sertifikat otoritas, jadi alamat https:// tidak dapat dicapai: {place}",
  "valid until {time}": "berlaku sampai {time}",
  "this server has none of its own": "server ini tidak punya sertifikat sendiri",
  "this server follows no files; `catat doctor` on the machines that do names those that are not read":
    "server ini tidak mengikuti berkas; `catat doctor` di mesin yang mengikutinya menyebut berkas yang tidak dibaca",
  "which files are read is not known: {problem}": "tidak diketahui berkas mana yang dibaca: {problem}",
  "not read: {paths}: named by no input": "tidak dibaca: {paths}: tidak disebut input mana pun",
  "not read: {paths}: {reason}": "tidak dibaca: {paths}: {reason}",
  "{files} to read, {n} left out as no text": "{files} dibaca, {n} dilewati karena bukan teks",
  "no shipper has run here, or the server judges it": "tidak ada pengirim di sini, atau server yang menilainya",
  "delivery fails: {problem}": "pengiriman gagal: {problem}",
  "{n} events or batches were refused": "{n} peristiwa atau kumpulan ditolak",
  "{size} of deleted files were given up": "{size} dari berkas yang dihapus tidak terkirim",
  "the shipper is at work; {size} wait": "pengirim bekerja; {size} menunggu",
  "the shipper is not at work; {size} wait": "pengirim tidak bekerja; {size} menunggu",
  "the last backup is from {time}, {age} ago": "cadangan terakhir dari {time}, {age} yang lalu",
  "`catat backup` has not copied this store, which is {age} old":
    "penyimpanan ini belum disalin `catat backup`, umurnya {age}",
  "the last one is from {time}": "yang terakhir dari {time}",
  "the store is younger than a week": "penyimpanan ini belum berumur seminggu",
  "there is no store here, or when it was copied is not known":
    "tidak ada penyimpanan di sini, atau tidak diketahui kapan disalin",
  "events are accepted, and answers are whole": "peristiwa diterima, dan jawaban utuh",
  "the times of all sources fit their arrival": "waktu semua sumber sesuai dengan kedatangannya",
  "every shipper that is known sends what it has": "setiap pengirim yang dikenal mengirim semuanya",
  "every group with many events has levels": "setiap grup dengan banyak peristiwa punya tingkat",
  "group {group}: no event of the last day has a level, so that its errors are not found":
    "grup {group}: tidak ada peristiwa sehari terakhir yang punya tingkat, jadi kesalahannya tidak ditemukan",
  "{host}: its shipper was last heard of at {time}": "{host}: pengirimnya terakhir terdengar {time}",
  "{host}: {size} of its files never arrived": "{host}: {size} dari berkasnya tidak pernah tiba",
  "{host}: {n} of its events or batches were refused": "{host}: {n} peristiwa atau kumpulannya ditolak",
};

/** What to do. */
export const ADVICE: Sentences = {
  "correct it; `catat check` says when it is right": "perbaiki; `catat check` menunjukkan apakah sudah benar",
  "make it writable for the user that the server runs as, or choose another in storage.dir":
    "buat dapat ditulisi pengguna yang menjalankan server, atau pilih yang lain di storage.dir",
  "chmod 600 {path}; if someone did, remove it and restart, which makes a new one":
    "chmod 600 {path}; jika sudah ada yang membacanya, hapus lalu jalankan ulang, yang membuat yang baru",
  "{command}; commands on a data directory are for its owner":
    "{command}; perintah pada direktori data hanya untuk pemiliknya",
  "`catat verify` names them; `catat restore` brings a backup into a new directory":
    "`catat verify` menyebutnya; `catat restore` memulihkan cadangan ke direktori baru",
  "use the version of catat that wrote it, or a later one": "pakai versi catat yang menulisnya, atau yang lebih baru",
  "if it replaces the original, run `catat promote`": "jika menggantikan aslinya, jalankan `catat promote`",
  "make room outside of the data directory, or lower retention.size":
    "kosongkan ruang di luar direktori data, atau kecilkan retention.size",
  "remove files that no one needs; `df -i` shows the number":
    "hapus berkas yang tidak diperlukan; `df -i` menunjukkan jumlahnya",
  "choose a directory on a disk in storage.dir": "pilih direktori di disk dengan storage.dir",
  "run this as the user that the server runs as, or as root":
    "jalankan sebagai pengguna yang menjalankan server, atau sebagai root",
  "mount a volume there": "pasang volume di sana",
  "mount it without that option": "pasang tanpa opsi itu",
  "start catat without it": "jalankan catat tanpa itu",
  "look at the cache mode of the virtual disk, and at the mount options":
    "periksa mode tembolok disk virtual dan opsi pemasangan",
  "choose a quicker disk, or one that others use less": "pilih disk yang lebih cepat, atau yang lebih jarang dipakai",
  "set the clock and synchronise it: `timedatectl set-ntp true`, or chrony":
    "setel dan sinkronkan jam: `timedatectl set-ntp true`, atau chrony",
  "use a name such as Asia/Jakarta; until then times without a zone are read in another one":
    "pakai nama seperti Asia/Jakarta; sampai itu, waktu tanpa zona dibaca dalam zona lain",
  "LimitNOFILE=65536 in the unit, or `ulimit -Hn 65536` as root":
    "LimitNOFILE=65536 di unit, atau `ulimit -Hn 65536` sebagai root",
  "look at the name, at /etc/resolv.conf and at the name server there":
    "periksa namanya, /etc/resolv.conf, dan server nama di sana",
  "renew it; the server reads the file again by itself": "perbarui; server membaca ulang berkasnya sendiri",
  "install the package ca-certificates, or name a file in SSL_CERT_FILE":
    "pasang paket ca-certificates, atau sebut berkas di SSL_CERT_FILE",
  "add an [[input]] if they matter": "tambahkan [[input]] jika penting",
  "what was refused is in dead-letter of the state directory, with the reasons":
    "yang ditolak ada di dead-letter direktori status, beserta alasannya",
  "raise ship.gone_bytes, or rotate less often": "naikkan ship.gone_bytes, atau rotasi lebih jarang",
  "`catat backup` copies a store while it is in use": "`catat backup` menyalin penyimpanan selagi dipakai",
  "`catat check --sample FILE` shows what a line becomes; a format of your own or a pipeline gives it a level":
    "`catat check --sample FILE` menunjukkan hasil sebuah baris; format sendiri atau pipeline memberinya tingkat",
};
