// The frame in Indonesian: pages, keys, the palette, help, signing in, times and numbers, and what went wrong on the way.

/** English texts and their Indonesian. */
export const SHELL: Readonly<Record<string, string>> = {
  // The head and the title
  Explore: "Jelajah",
  Alerts: "Peringatan",
  Groups: "Grup",
  Sources: "Sumber",
  Settings: "Setelan",
  "Send data": "Kirim data",
  "There is no page here": "Tidak ada halaman di sini",
  "Nothing has the address /{path}. It may be mistyped, or of another version.":
    "Tidak ada halaman di alamat /{path}. Mungkin salah ketik, atau dari versi lain.",
  Pages: "Halaman",
  "catat, start page": "catat, halaman awal",
  system: "sistem",
  light: "terang",
  dark: "gelap",
  "Theme: {theme}": "Tema: {theme}",
  "Keys and language": "Tombol dan bahasa kueri",
  "Keys and language (?)": "Tombol dan bahasa kueri (?)",

  // The server and the way to it
  "the server does not answer": "server tidak menjawab",
  "Is catat still running?": "Apakah catat masih berjalan?",
  "the server answered {status}": "server menjawab {status}",
  "the connection broke off": "koneksi terputus",
  "something went wrong on this page": "terjadi galat di halaman ini",
  "The key no longer works: {message}.": "Kunci tidak berlaku lagi: {message}.",
  "Your session has ended. Sign in to continue; your input is kept.":
    "Sesi Anda telah berakhir. Masuk untuk melanjutkan; isian Anda tetap ada.",
  "This part of the page could not be loaded: the server does not answer, or was updated.":
    "Bagian halaman ini tidak dapat dimuat: server tidak menjawab, atau baru diperbarui.",
  "Reload the page": "Muat ulang halaman",

  // Signing in
  "Sign in": "Masuk",
  "Signing in…": "Sedang masuk…",
  "Sign in with {name}": "Masuk dengan {name}",
  "Signed in as {name}": "Masuk sebagai {name}",
  "A proxy has signed you in: sign out there.": "Anda masuk melalui proksi: keluarlah di sana.",
  "You were not signed in.": "Anda tidak berhasil masuk.",
  "The provider does not answer. Try again, or sign in with a password.":
    "Penyedia tidak menjawab. Coba lagi, atau masuk dengan kata sandi.",
  "The provider’s answer cannot be used. The server’s log has the reason.":
    "Jawaban penyedia tidak dapat dipakai. Alasannya ada di log server.",
  "The provider refused the sign-in.": "Penyedia menolak permintaan masuk.",
  "Too many people are signing in just now. Try again in a moment.":
    "Terlalu banyak orang sedang masuk. Coba lagi sebentar lagi.",
  "The sign-in took more than 10 minutes or began in another browser. Try again.":
    "Proses masuk berlangsung lebih dari 10 menit atau dimulai di peramban lain. Coba lagi.",
  "The provider’s answer could not be verified. The server’s log has the reason.":
    "Jawaban penyedia tidak dapat diverifikasi. Alasannya ada di log server.",
  "The provider sends no name that can be used here. The server’s log has the reason.":
    "Penyedia tidak mengirim nama yang dapat dipakai di sini. Alasannya ada di log server.",
  "Another user has the name of your account. An administrator can remove that user.":
    "Pengguna lain memiliki nama akun Anda. Admin dapat menghapus pengguna itu.",
  "Your account has no role on this server. An administrator can give it one.":
    "Akun Anda tidak memiliki peran di server ini. Admin dapat memberikannya.",
  "too many failed attempts to sign in": "terlalu banyak percobaan masuk yang gagal",
  "Sign in with a password": "Masuk dengan kata sandi",
  "Use a key instead": "Pakai kunci saja",
  "Use a key": "Pakai kunci",
  "Create one with {command}. It is stored for this tab only.":
    "Buat dengan {command}. Kunci hanya disimpan untuk tab ini.",
  Continue: "Lanjutkan",
  Name: "Nama",
  Password: "Kata sandi",
  Key: "Kunci",

  // Copying
  "{what} copied": "{what} disalin",
  Copy: "Salin",
  "Copy: {what}": "Salin: {what}",
  Line: "Baris",
  "Link with fixed times": "Tautan dengan waktu tetap",

  // Keys
  Space: "Spasi",
  "no row is focused": "tidak ada baris yang difokuskan",
  "no value is focused": "tidak ada nilai yang difokuskan",
  "Write the query": "Tulis kueri",
  "Earlier queries": "Kueri sebelumnya",
  "Find any command, page, range, group, view or earlier query":
    "Cari perintah, halaman, rentang, grup, tampilan, atau kueri terdahulu",
  "Choose the time range": "Pilih rentang waktu",
  "Choose groups": "Pilih grup",
  "Run again": "Jalankan lagi",
  "Next row": "Baris berikutnya",
  "Previous row": "Baris sebelumnya",
  "A page of rows down": "Satu halaman ke bawah",
  "A page of rows up": "Satu halaman ke atas",
  "First row": "Baris pertama",
  "Last loaded row": "Baris terakhir yang sudah dimuat",
  "Select the next row too": "Pilih juga baris berikutnya",
  "Select the previous row too": "Pilih juga baris sebelumnya",
  "Run the edited query; else open or close the row":
    "Jalankan kueri yang disunting; jika tidak, buka atau tutup baris",
  "Open the row": "Buka baris",
  "Close the row": "Tutup baris",
  "Show what happened around the event": "Tampilkan yang terjadi di sekitar peristiwa",
  "Around an event: everything at that time, or only its stream":
    "Di sekitar peristiwa: semua pada saat itu, atau hanya stream-nya",
  "Include the focused value, or the row’s level": "Sertakan nilai yang difokuskan, atau level barisnya",
  "Only the focused value, instead of other filters on its field":
    "Hanya nilai yang difokuskan, menggantikan filter lain pada bidangnya",
  "Exclude the focused value, or the row’s level": "Kecualikan nilai yang difokuskan, atau level barisnya",
  "Show only one level, or all again: 1 is fatal, 6 is trace":
    "Tampilkan satu level saja, atau semua lagi: 1 adalah fatal, 6 adalah trace",
  "All levels": "Semua level",
  "Live tail on or off": "Nyalakan atau matikan pantau langsung",
  "Pause or resume the live tail; elsewhere: select the row":
    "Jeda atau lanjutkan pantau langsung; di tempat lain: pilih baris",
  "Zoom out to twice the time": "Perlebar waktu dua kali lipat",
  "Half a range earlier": "Mundur setengah rentang",
  "Half a range later": "Maju setengah rentang",
  "Find in the loaded rows": "Cari di baris yang sudah dimuat",
  "Next match": "Kecocokan berikutnya",
  "Previous match": "Kecocokan sebelumnya",
  "Copy a link with fixed times": "Salin tautan dengan waktu tetap",
  "Wrap or cut long lines": "Lipat baris panjang, atau potong",
  "Dense or loose rows": "Baris rapat, atau longgar",
  "Save this view": "Simpan tampilan ini",
  "Saved views": "Tampilan tersimpan",
  "Go to Explore": "Ke Jelajah",
  "Go to Alerts": "Ke Peringatan",
  "Go to Groups": "Ke Grup",
  "Go to Sources": "Ke Sumber",
  "Go to Settings": "Ke Setelan",
  "This list": "Daftar ini",
  "Close what is open": "Tutup yang sedang terbuka",

  // The palette
  Command: "Perintah",
  Commands: "Perintah",
  Page: "Halaman",
  Level: "Level",
  "Time range": "Rentang waktu",
  Group: "Grup",
  "Find commands, groups, views, queries": "Cari perintah, grup, tampilan, kueri",
  "Saved view": "Tampilan tersimpan",
  "Saved filter": "Filter tersimpan",
  "Earlier query": "Kueri terdahulu",
  "Level {level}": "Level {level}",
  "Search results": "Hasil pencarian",
  "No match for “{text}”.": "Tidak ada hasil untuk “{text}”.",

  // Help
  Keys: "Tombol",
  Language: "Bahasa",
  Close: "Tutup",
  "plain words: a phrase anywhere in the event": "kata biasa: frasa di mana saja dalam peristiwa",
  "by level; levels compare by severity": "menurut level; level dibandingkan menurut tingkat keparahan",
  "conditions on fields": "syarat pada bidang",
  "count per group": "jumlah per grup",
  "a value per five minutes": "satu nilai per lima menit",
  "take fields out of the text": "ambil bidang dari teks",
  "In the query: run it (Shift Enter: a new line; ↑ in the empty box: earlier queries; Tab: complete; Shift Alt F: format; F1: look up the word at the cursor)":
    "Di kueri: jalankan (Shift Enter: baris baru; ↑ di kotak kosong: kueri sebelumnya; Tab: lengkapi; Shift Alt F: rapikan; F1: referensi untuk yang ada di kursor)",
  "Every command and function, with examples: {link}.": "Semua perintah dan fungsi, dengan contoh: {link}.",
  "Sending, alerts, running and every error message: {link}.":
    "Pengiriman, peringatan, pengoperasian, dan setiap pesan galat: {link}.",
  "the manual": "panduan",
  "the reference": "referensi",

  // Times
  "Last 5 minutes": "5 menit terakhir",
  "Last 15 minutes": "15 menit terakhir",
  "Last hour": "1 jam terakhir",
  "Last 6 hours": "6 jam terakhir",
  "Last 24 hours": "24 jam terakhir",
  "Last 2 days": "2 hari terakhir",
  "Last 7 days": "7 hari terakhir",
  "Last 30 days": "30 hari terakhir",
  "Last 90 days": "90 hari terakhir",
  Today: "Hari ini",
  Yesterday: "Kemarin",
  "All time": "Sepanjang waktu",
  "Last {time}": "{time} terakhir",
  "{from} – now": "{from} – sekarang",
  "{time} ago": "{time} lalu",
  "in {time}": "{time} lagi",
  "{n} years": "{n} tahun",
  "{n} months": "{n} bulan",
  "{n} d": "{n} hari",
  "{n} h": "{n} jam",
  "{n} min": "{n} mnt",
  "{n} s": "{n} dtk",
  "{n} ms": "{n} ms",

  // How many
  "{n} event": "{n} peristiwa",
  "{n} events": "{n} peristiwa",
  "{n} line": "{n} baris",
  "{n} lines": "{n} baris",
  "{n} row": "{n} baris",
  "{n} rows": "{n} baris",
  "and {n} more": "dan {n} lagi",
};
