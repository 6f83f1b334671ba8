#!/usr/bin/env python3
"""Entries of systemd's journal, sent by systemd-journal-upload (Debian: systemd-journal-remote), where that is installed."""
import os
import shutil
import struct
import subprocess
import tempfile
import time
import uuid

import requests

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
DIRECTORIES = os.pathsep.join(["/lib/systemd", "/usr/lib/systemd"])
UPLOAD = shutil.which("systemd-journal-upload", path=DIRECTORIES)
REMOTE = shutil.which("systemd-journal-remote", path=DIRECTORIES)
TYPE = {"Content-Type": "application/vnd.fdo.journal"}


def rows(query):
    answer = requests.post(f"{URL}/api/v1/query", json={"query": query, "from": "now-1h", "to": "now+1h"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def entry(number, unit, message, cursor=False):
    """An entry in the export format; a message of several lines as bytes."""
    now = time.time_ns() // 1_000 + number
    fields = {"__REALTIME_TIMESTAMP": now, "__MONOTONIC_TIMESTAMP": 1_000_000 + number, "_BOOT_ID": "0" * 31 + "1",
              "_HOSTNAME": "web-1", "_SYSTEMD_UNIT": unit, "_PID": 12, "PRIORITY": 3 if number % 10 == 0 else 6,
              "SYSLOG_IDENTIFIER": "app"}
    if cursor:
        fields = {"__CURSOR": f"s={RUN};i={number:x}", **fields}
    lines = "".join(f"{name}={value}\n" for name, value in fields.items()).encode()
    text = message.encode()
    if b"\n" in text:
        return lines + b"MESSAGE\n" + struct.pack("<Q", len(text)) + text + b"\n\n"
    return lines + b"MESSAGE=" + text + b"\n\n"


@check
def the_journals_own_uploader_brings_every_entry_once():
    if not (UPLOAD and REMOTE):
        print(f"left out: systemd-journal-{'upload' if REMOTE else 'remote'} is not installed")
        return
    unit = f"{RUN}.service"
    with tempfile.TemporaryDirectory() as scratch:
        journal, state = f"{scratch}/remote.journal", f"{scratch}/state"
        entries = b"".join(entry(n, unit, f"line {n}\n  and another" if n % 7 == 0 else f"line {n}") for n in range(2_000))
        subprocess.run([REMOTE, "-o", journal, "-"], input=entries, check=True, timeout=60)
        command = [UPLOAD, f"--url={URL}/journal", f"--file={journal}", "--follow=no"]
        subprocess.run([*command, f"--save-state={state}"], check=True, timeout=120)
        found = rows(f'filter unit = "{unit}" | stats count(*) as n by @log, @level, @logStream, _PID | sort n')
        assert found == [["journal", "error", "web-1", "12", 200], ["journal", "info", "web-1", "12", 1_800]], found
        assert rows(f'filter unit = "{unit}" and @message = "line 14\\n  and another" | stats count(*) as n') == [[1]]
        # One that lost its state begins anew.
        subprocess.run([*command, f"--save-state={state}2"], check=True, timeout=120)
        assert rows(f'filter unit = "{unit}" | stats count(*) as n') == [[2_000]]
        # One that has it brings what is new.
        subprocess.run([REMOTE, "-o", journal, "-"], input=entry(5_000_000, unit, "a new one"), check=True, timeout=60)
        subprocess.run([*command, f"--save-state={state}"], check=True, timeout=120)
        assert rows(f'filter unit = "{unit}" | stats count(*) as n') == [[2_001]]


@check
def entries_are_stored_while_the_upload_goes_on():
    unit = f"{RUN}-live.service"

    def body():
        yield entry(1, unit, "first", cursor=True)
        deadline = time.monotonic() + 30
        while rows(f'filter unit = "{unit}" | stats count(*) as n') != [[1]]:
            assert time.monotonic() < deadline, "the first entry is not there while the upload goes on"
        yield entry(2, unit, "second", cursor=True)

    answer = requests.post(f"{URL}/journal/upload", data=body(), headers=TYPE, timeout=60)
    assert (answer.status_code, answer.text) == (202, "2 stored, 0 known already, 0 refused\n"), answer.text


@check
def a_broken_entry_is_named_and_the_others_are_stored():
    unit = f"{RUN}-broken.service"
    body = entry(1, unit, "a", cursor=True) + b"no field\nMESSAGE=lost\n\n" + entry(3, unit, "c", cursor=True)
    answer = requests.post(f"{URL}/journal/upload?group=other", data=body, headers=TYPE, timeout=30)
    assert answer.status_code == 202 and 'entry 2: field "no field"' in answer.text, answer.text
    assert rows(f'filter @log = "other" and unit = "{unit}" | stats count(*) as n') == [[2]]


main()
