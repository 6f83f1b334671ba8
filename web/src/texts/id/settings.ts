// Settings in Indonesian: oneself, the look of the page, keys and users, the fleet.

/** English texts and their Indonesian. */
export const SETTINGS: Readonly<Record<string, string>> = {
  "Keys and users are shown to administrators. On the server, {keys} and {users} do the same.":
    "Kunci dan pengguna ditampilkan kepada admin. Di server, {keys} dan {users} melakukan hal yang sama.",

  General: "Umum",

  // Oneself
  You: "Anda",
  "Loading your account…": "Memuat akun Anda…",
  "Sign out": "Keluar",
  "Forget the key": "Lupakan kunci",
  "You are not signed in.": "Anda belum masuk.",
  "all groups": "semua grup",
  "You are not signed in. Everyone on this machine has the role {role} for {where}.":
    "Anda belum masuk. Semua orang di mesin ini punya peran {role} untuk {where}.",
  "Signed in as {name}, role {role}, for {where}.": "Masuk sebagai {name}, peran {role}, untuk {where}.",
  "With the key {name}, role {role}, for {where}.": "Dengan kunci {name}, peran {role}, untuk {where}.",

  // Theme and language
  "Theme and language": "Tema dan bahasa",
  "Saved in this browser, for everyone who uses it.": "Disimpan di peramban ini, untuk semua yang memakainya.",
  Theme: "Tema",
  System: "Sistem",
  Light: "Terang",
  Dark: "Gelap",

  // Lists and forms
  all: "semua",
  "Loading…": "Memuat…",
  Actions: "Tindakan",
  "Confirm: {what}": "Konfirmasi: {what}",
  "Really {what}?": "Yakin {what}?",
  "send events": "kirim peristiwa",
  query: "kueri",
  "query, change lookups": "kueri, ubah tabel rujukan",
  "everything, also keys and users": "semuanya, termasuk kunci dan pengguna",
  "New key": "Kunci baru",
  "New user": "Pengguna baru",
  Role: "Peran",
  "all, or such as app/*, web/*": "semua, atau seperti app/*, web/*",
  "Create key": "Buat kunci",
  "Add user": "Tambah pengguna",
  Created: "Dibuat",
  "Last used": "Terakhir dipakai",
  Expires: "Berakhir",

  // Keys
  "API keys": "Kunci API",
  "For senders and programs. Once a key exists, every request needs a key or a password, even on this machine.":
    "Untuk pengirim dan program. Begitu ada kunci, setiap permintaan memerlukan kunci atau kata sandi, bahkan di mesin ini.",
  "There are no keys yet.": "Belum ada kunci.",
  "List of keys": "Daftar kunci",
  Replace: "Ganti",
  Revoke: "Cabut",
  "{name} revoked": "{name} dicabut",
  "The new key": "Kunci baru",
  "The key {name} is shown only once. Copy it now.": "Kunci {name} hanya ditampilkan sekali ini. Salin sekarang.",
  "The old key still works and ends {time}, so that programs can be changed one by one.":
    "Kunci lama tetap berlaku dan berakhir {time}, sehingga program dapat diganti satu per satu.",
  "The old key works for another day, so that programs can be changed one by one.":
    "Kunci lama tetap berlaku sehari, sehingga program dapat diganti satu per satu.",
  "For programs that sign their requests, such as CloudWatch’s":
    "Untuk program yang menandatangani permintaannya, seperti milik CloudWatch",
  "Access key id": "ID kunci akses",
  "Secret access key": "Kunci akses rahasia",
  Done: "Selesai",

  // Users and passwords
  Users: "Pengguna",
  "People who sign in to this page with a password.": "Orang yang masuk ke halaman ini dengan kata sandi.",
  "There are no users yet.": "Belum ada pengguna.",
  "List of users": "Daftar pengguna",
  "(you)": "(Anda)",
  "{name} can sign in now": "{name} sekarang dapat masuk",
  "{name} removed": "{name} dihapus",
  "Set password": "Atur kata sandi",
  "Set password of {name}": "Atur kata sandi {name}",
  Remove: "Hapus",
  "All sessions of {name} end.": "Semua sesi {name} berakhir.",
  "the new passwords differ": "kedua kata sandi baru berbeda",
  "Your password was changed": "Kata sandi Anda sudah diganti",
  "The password of {name} was changed": "Kata sandi {name} sudah diganti",
  "the current password is wrong": "kata sandi saat ini salah",
  "Your password": "Kata sandi Anda",
  "Password of {name}": "Kata sandi {name}",
  "Current password": "Kata sandi saat ini",
  "New password": "Kata sandi baru",
  "New password, again": "Kata sandi baru, sekali lagi",
  "Change password": "Ganti kata sandi",

  // Fleet
  Fleet: "Armada",
  "The fleet is shown to administrators. On the server, {command} does the same.":
    "Armada ditampilkan kepada admin. Di server, {command} melakukan hal yang sama.",
  "Retried every {n} seconds.": "Dicoba lagi setiap {n} detik.",
  "This server is not part of a fleet": "Server ini bukan bagian dari armada",
  "Servers with the same bucket and the same PostgreSQL database are a fleet. Set {bucket} and {database} in the configuration of each, and restart it. {manual} describes it.":
    "Server dengan bucket dan basis data PostgreSQL yang sama membentuk armada. Atur {bucket} dan {database} di konfigurasi tiap server, lalu mulai ulang server itu. {manual} menjelaskannya.",
  "The manual": "Panduan",
  "configuration of a server in a fleet": "konfigurasi server dalam armada",
  "Objects in no segment yet": "Objek yang belum masuk segmen",
  "Objects written by this server": "Objek yang ditulis server ini",
  "PUTs per day": "PUT per hari",
  "Cost per day": "Biaya per hari",
  Nodes: "Node",
  Node: "Node",
  Leases: "Lease",
  Roles: "Peran",
  Joined: "Bergabung",
  "Done for others": "Dikerjakan untuk node lain",
  "(answers you)": "(menjawab Anda)",
  draining: "dikosongkan",
  replaced: "digantikan",
  silent: "tidak terdengar",
  "{n} change": "{n} perubahan",
  "{n} changes": "{n} perubahan",
};
