// Settings in Indonesian: oneself, the look of the page, keys and users.

/** English texts and their Indonesian. */
export const SETTINGS: Readonly<Record<string, string>> = {
  "Keys and users are shown to administrators. On the server, {keys} and {users} do the same.":
    "Kunci dan pengguna ditampilkan kepada admin. Di server, {keys} dan {users} melakukan hal yang sama.",

  // Oneself
  You: "Anda",
  "Asking who you are…": "Menanyakan siapa Anda…",
  "Sign out": "Keluar",
  "Forget the key": "Lupakan kunci",
  "Nobody is signed in.": "Belum ada yang masuk.",
  "all groups": "semua grup",
  "Nobody is signed in. Whoever is on this machine has the role {role} for {where}.":
    "Belum ada yang masuk. Siapa pun di mesin ini punya peran {role} untuk {where}.",
  "Signed in as {name}, role {role}, for {where}.": "Masuk sebagai {name}, peran {role}, untuk {where}.",
  "With the key {name}, role {role}, for {where}.": "Dengan kunci {name}, peran {role}, untuk {where}.",

  // Theme and language
  "Theme and language": "Tema dan bahasa",
  "Of this browser, for everybody who uses it.": "Untuk peramban ini, bagi semua yang memakainya.",
  Theme: "Tema",
  "As the system has it": "Mengikuti sistem",
  Light: "Terang",
  Dark: "Gelap",

  // Lists and forms
  all: "semua",
  "Loading…": "Memuat…",
  Actions: "Tindakan",
  "{what}, really": "{what}, yakin",
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
  Ends: "Berakhir",

  // Keys
  "API keys": "Kunci API",
  "For senders and programs. Once there is one, nothing is answered without a key or a password, not even on this machine.":
    "Untuk pengirim dan program. Begitu ada satu kunci, tidak ada yang dijawab tanpa kunci atau kata sandi, bahkan di mesin ini.",
  "There are no keys yet.": "Belum ada kunci.",
  "List of keys": "Daftar kunci",
  Replace: "Ganti",
  Revoke: "Cabut",
  "{name} is revoked": "{name} dicabut",
  "The new key": "Kunci baru",
  "The key {name} is shown this once. Copy it now.": "Kunci {name} hanya ditampilkan sekali ini. Salin sekarang.",
  "The old one goes on and ends {time}, so that programs can be changed one by one.":
    "Kunci lama tetap berlaku dan berakhir {time}, sehingga program dapat diganti satu per satu.",
  "The old one goes on for a day, so that programs can be changed one by one.":
    "Kunci lama tetap berlaku sehari, sehingga program dapat diganti satu per satu.",
  "For programs that sign what they send, as CloudWatch's do":
    "Untuk program yang menandatangani kirimannya, seperti milik CloudWatch",
  "Access key id": "ID kunci akses",
  "Secret access key": "Kunci akses rahasia",
  Done: "Selesai",

  // Users and passwords
  Users: "Pengguna",
  "People who sign in to this page with a password.": "Orang yang masuk ke halaman ini dengan kata sandi.",
  "There are no users yet.": "Belum ada pengguna.",
  "List of users": "Daftar pengguna",
  "(you)": "(Anda)",
  "{name} may sign in": "{name} boleh masuk",
  "{name} is removed": "{name} dihapus",
  "Set password": "Atur kata sandi",
  "Set password of {name}": "Atur kata sandi {name}",
  Remove: "Hapus",
  "Whoever is signed in as {name} is signed out.": "Siapa pun yang masuk sebagai {name} akan dikeluarkan.",
  "the new password is not the same twice": "kedua kata sandi baru tidak sama",
  "Your password is changed": "Kata sandi Anda sudah diganti",
  "The password of {name} is changed": "Kata sandi {name} sudah diganti",
  "the password so far is wrong": "kata sandi saat ini salah",
  "Your password": "Kata sandi Anda",
  "Password of {name}": "Kata sandi {name}",
  "Password so far": "Kata sandi saat ini",
  "New password": "Kata sandi baru",
  "New password, again": "Kata sandi baru, sekali lagi",
  "Change password": "Ganti kata sandi",
};
