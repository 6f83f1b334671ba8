// The page for everybody in Indonesian: plain sentences for people who do not run computers.

/** English texts and their Indonesian. */
export const FOR_EVERYBODY: Readonly<Record<string, string>> = {
  // Times and lengths
  "an unknown time": "waktu yang tidak diketahui",
  "{clock} today": "hari ini pukul {clock}",
  "{clock} yesterday": "kemarin pukul {clock}",
  "{clock} on {day}": "{day} pukul {clock}",
  "{n} day": "{n} hari",
  "{n} days": "{n} hari",
  "{n} hour": "{n} jam",
  "{n} hours": "{n} jam",
  "{n} minute": "{n} menit",
  "{n} minutes": "{n} menit",
  "less than a minute": "kurang dari satu menit",
  "less than a tenth of a second": "kurang dari sepersepuluh detik",
  "{n} second": "{n} detik",
  "{n} seconds": "{n} detik",

  // Is it up?
  "Is it up?": "Apakah layanannya berjalan?",
  "No, most requests fail.": "Tidak, sebagian besar permintaan gagal.",
  "No. Most requests have failed since {time}.": "Tidak. Sebagian besar permintaan gagal sejak {time}.",
  "Partly: there is a problem.": "Sebagian: ada gangguan.",
  "Partly: there has been a problem since {time}.": "Sebagian: ada gangguan sejak {time}.",
  "We cannot tell: nothing has been heard since {time}.": "Belum bisa dipastikan: tidak ada kabar sejak {time}.",
  "It usually reports more often. It may be switched off, or only its reports are missing.":
    "Biasanya kabarnya lebih sering. Mungkin layanannya mati, atau hanya kabarnya yang tidak sampai.",
  "Yes, it answers.": "Ya, layanan menjawab permintaan.",
  "It last reported something at {time}.": "Kabar terakhirnya {time}.",
  "Yes, as far as we can see.": "Ya, sejauh yang terlihat.",
  "We do not measure whether its answers are right.": "Benar tidaknya jawaban layanan ini tidak kami ukur.",
  "None of the requests of the last 15 minutes failed.": "Dalam 15 menit terakhir tidak ada permintaan yang gagal.",
  "Fewer than 1 in 100 requests of the last 15 minutes failed.":
    "Dalam 15 menit terakhir, kurang dari 1 dari 100 permintaan gagal.",
  "About {n} in 100 requests of the last 15 minutes failed.":
    "Dalam 15 menit terakhir, sekitar {n} dari 100 permintaan gagal.",

  // Is it slow?
  "Is it slow?": "Apakah lambat?",
  "We have no measurements of its speed.": "Kecepatannya tidak diukur.",
  "Yes, slower than usual.": "Ya, lebih lambat daripada biasanya.",
  "Half of all answers take longer than {time}.": "Separuh dari semua jawaban memakan waktu lebih dari {time}.",
  "Half of all answers come within {time}.": "Separuh dari semua jawaban datang dalam {time}.",
  "Yes, for some.": "Ya, sebagian jawaban lambat.",
  "One in twenty answers takes longer than {time}; usually that is {usual}.":
    "Satu dari dua puluh jawaban memakan waktu lebih dari {time}; biasanya {usual}.",
  "No, it is faster than usual.": "Tidak, malah lebih cepat daripada biasanya.",
  "No, it is as fast as usual.": "Tidak, secepat biasanya.",
  "Earlier today, half of all answers came within {time}.":
    "Sebelumnya, separuh dari semua jawaban datang dalam {time}.",
  "Too few requests came in the last hour to say.": "Permintaan dalam satu jam terakhir terlalu sedikit untuk dinilai.",

  // What went wrong?
  "What went wrong?": "Apa yang bermasalah?",
  "Nothing that we know of.": "Tidak ada yang kami ketahui.",
  "No errors in the last day, no incidents in the last week.":
    "Tidak ada galat dalam sehari terakhir, tidak ada insiden dalam seminggu terakhir.",
  "{n} problem is not solved yet.": "{n} masalah belum selesai.",
  "{n} problems are not solved yet.": "{n} masalah belum selesai.",
  "There is a problem that is not solved yet.": "Ada masalah yang belum selesai.",
  "No problem is open.": "Tidak ada masalah yang belum selesai.",
  "An automatic check reports a problem": "Pemeriksaan otomatis menemukan masalah",
  "A problem": "Sebuah masalah",
  "Requests fail": "Ada permintaan yang gagal",
  "Answers take longer than usual": "Jawaban lebih lambat daripada biasanya",
  "Nothing is heard of it": "Tidak ada kabar darinya",
  "{what}: not solved yet.": "{what}: belum selesai.",
  "{what}: since {time}, not solved yet.": "{what}: sejak {time}, belum selesai.",
  "{what}: from {time} to {end}.": "{what}: dari {time} sampai {end}.",
  "{n} error in the last day": "{n} galat dalam sehari terakhir",
  "{n} errors in the last day": "{n} galat dalam sehari terakhir",
  "({n} different ones)": "({n} macam)",
  "They came now and then, without a sudden rise; the first at {time}.":
    "Munculnya sesekali, tanpa lonjakan; yang pertama {time}.",
  "They rose suddenly at {time} and have not stopped.": "Jumlahnya melonjak {time} dan belum berhenti.",
  "They rose suddenly at {time} and stopped at {end}.": "Jumlahnya melonjak {time} dan berhenti {end}.",

  // Who is on it?
  "Who is on it?": "Siapa yang menangani?",
  "{name} works on the problem.": "{name} sedang menangani masalahnya.",
  "{name} has taken on what an automatic check reported.": "{name} menangani temuan pemeriksaan otomatis.",
  "{name} works on the errors.": "{name} sedang memperbaiki galatnya.",
  "Nobody has been named yet.": "Belum ada yang ditunjuk.",
  "Nobody has to be at the moment.": "Saat ini tidak ada yang perlu ditangani.",

  // How was last month?
  "How was {month}?": "Bagaimana keadaannya pada {month}?",
  "No incident was recorded.": "Tidak ada insiden yang tercatat.",
  "{n} incident was recorded.": "{n} insiden tercatat.",
  "{n} incidents were recorded.": "{n} insiden tercatat.",
  "How long it did not work was not recorded.": "Lamanya gangguan tidak dicatat.",
  "It did not work, or not well, for {time} in all.": "Secara keseluruhan, layanan terganggu selama {time}.",
  "A repair took {time} on average.": "Perbaikan rata-rata memakan waktu {time}.",

  // Around the answers
  "As of {time}": "Keadaan per {time}",
  "Some of the data could not be read: there may be more errors than are told here.":
    "Sebagian data tidak terbaca: galat yang sebenarnya mungkin lebih banyak.",
  "Worked out from what the system itself reports, and from what people have recorded about it.":
    "Disusun dari kabar yang dikirim sistem sendiri dan dari catatan orang yang merawatnya.",
  "This link has expired or was withdrawn.": "Tautan ini sudah kedaluwarsa atau ditarik kembali.",
  "Ask whoever sent it to you for a new one.": "Mintalah tautan baru kepada orang yang mengirimnya.",
  "Nothing is known of {name}.": "Tidak ada yang diketahui tentang {name}.",
  "In the last week nothing with this name has reported anything.":
    "Dalam seminggu terakhir tidak ada kabar apa pun dengan nama ini.",
  "How it is could not be found out: {message}.": "Keadaannya tidak dapat diketahui: {message}.",
  Print: "Cetak",

  // Links
  "Share by link": "Bagikan tautan",
  "Share this page by a link": "Bagikan halaman ini lewat tautan",
  "Whoever has the link sees this page without signing in, and nothing else, until the link expires.":
    "Siapa pun yang memegang tautan ini dapat melihat halaman ini tanpa masuk, dan hanya halaman ini, sampai tautannya kedaluwarsa.",
  "It lasts": "Berlaku selama",
  "one day": "satu hari",
  "one week": "satu minggu",
  "one month": "satu bulan",
  "Make a link": "Buat tautan",
  "The link": "Tautan",
  "Made by {name}, expires at {time}": "Dibuat oleh {name}, berlaku sampai {time}",
  Withdraw: "Tarik kembali",
};
