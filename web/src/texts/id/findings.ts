// What the first look finds, in Indonesian. The server writes one sentence for each kind of finding; what it names stands in
// marked places and stays as it is, numbers (`{n…}`) get the comma of the language.

import type { Sentences } from "./problems.ts";

/** Sentences of the server, one form each. */
export const FINDINGS: Sentences = {
  "started {n} s before: {what}": "mulai {n} dtk sebelumnya: {what}",
  "started {n} s after: {what}": "mulai {n} dtk sesudahnya: {what}",
  "started {n} min before: {what}": "mulai {n} mnt sebelumnya: {what}",
  "started {n} min after: {what}": "mulai {n} mnt sesudahnya: {what}",
  "events rose from {n} to {n2} per minute": "peristiwa naik dari {n} menjadi {n2} per menit",
  "events fell from {n} to {n2} per minute": "peristiwa turun dari {n} menjadi {n2} per menit",
  "{field} present: {n}% of these events, {n2}% of others":
    "{field} ada: {n} % dari peristiwa ini, {n2} % dari yang lain",
  "{field} missing: {n}% of these events, {n2}% of others":
    "{field} tidak ada: {n} % dari peristiwa ini, {n2} % dari yang lain",
  "{has}: {n}% of these events, {n2}% of others": "{has}: {n} % dari peristiwa ini, {n2} % dari yang lain",
  "{field}: median {n}, of others {n2}": "{field}: median {n}, yang lain {n2}",
  "{what} sends nothing any more": "{what} tidak mengirim apa pun lagi",
  "{what}: its clock jumped, its events have earlier times": "{what}: jamnya melompat, waktu peristiwanya lebih awal",
  "calls {from} → {to}: {n}% fail, {n2}% before; 95% within {n3} ms, {n4} ms before":
    "panggilan {from} → {to}: {n} % gagal, sebelumnya {n2} %; 95 % dalam {n3} ms, sebelumnya {n4} ms",
  "calls {from} → {to}: {n}% fail, {n2}% before": "panggilan {from} → {to}: {n} % gagal, sebelumnya {n2} %",
  "calls {from} → {to}: 95% within {n} ms, {n2} ms before":
    "panggilan {from} → {to}: 95 % dalam {n} ms, sebelumnya {n2} ms",
  "usual at this hour: {n} per minute, {n2} to {n3} on the {n4} days before; now {n5}":
    "biasanya pada jam ini: {n} per menit, {n2} sampai {n3} pada {n4} hari sebelumnya; sekarang {n5}",
  "usual at this hour: {n} per minute, on the day before that has events; now {n2}":
    "biasanya pada jam ini: {n} per menit, pada hari terakhir yang punya peristiwa; sekarang {n2}",
  "new: {pattern}": "baru: {pattern}",
  "trace {id} took {n} ms": "trace {id} berlangsung {n} ms",
};

/** Follows the sentence about a field where others differ in the same events. */
export const SAME_EVENTS: Sentences = {
  "{said} (the same events: {names})": "{said} (peristiwa yang sama: {names})",
};
