#!/usr/bin/env python3
"""SNMP as docs/sending/snmp.md sets it up: traps and informs through snmptrapd, and a snmpd that snmp_exporter asks.

The program, the inputs and the modules are those of that page, with ports of this test. CATAT_EXECUTABLE names our program.
"""
import atexit
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

import requests
import yaml

from check import check, main

ROOT = pathlib.Path(__file__).resolve().parents[2]
CATAT = os.environ.get("CATAT_EXECUTABLE") or str(ROOT / "target/debug/catat")
# Installed packages would start as services: tests/run unpacks them here.
UNPACKED = pathlib.Path(os.environ.get("CATAT_SNMP") or ROOT / "target/snmp")
PROGRAMS = ["snmptrapd", "snmpd", "snmptrap", "snmpinform", "prometheus-snmp-exporter", "jq"]
PAGE = (ROOT / "docs/sending/snmp.md").read_text(encoding="utf-8")
DEADLINE_S = 60
DISPLAYED = ["trap", "agent", "uptime_s", "pdu", "version", "user", "vars.ifIndex", "vars.ifDescr", "vars.ifOperStatus"]

LINK_DOWN, LINK_UP = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4"
IF_INDEX, IF_DESCR, IF_OPER_STATUS = "1.3.6.1.2.1.2.2.1.1", "1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.2.2.1.8"
# Debian has no MIBs of the IETF: the few names that this test looks at.
MIB = """IF-MIB DEFINITIONS ::= BEGIN
internet OBJECT IDENTIFIER ::= { iso 3 6 1 }
ifEntry OBJECT IDENTIFIER ::= { internet 2 1 2 2 1 }
snmpTraps OBJECT IDENTIFIER ::= { internet 6 3 1 1 5 }
DisplayString ::= TEXTUAL-CONVENTION DISPLAY-HINT "255a" STATUS current DESCRIPTION "" SYNTAX OCTET STRING (SIZE (0..255))
ifIndex OBJECT-TYPE SYNTAX INTEGER MAX-ACCESS read-only STATUS current DESCRIPTION "" ::= { ifEntry 1 }
ifDescr OBJECT-TYPE SYNTAX DisplayString MAX-ACCESS read-only STATUS current DESCRIPTION "" ::= { ifEntry 2 }
ifOperStatus OBJECT-TYPE SYNTAX INTEGER { up(1), down(2) } MAX-ACCESS read-only STATUS current DESCRIPTION "" ::= { ifEntry 8 }
linkDown NOTIFICATION-TYPE OBJECTS { ifIndex } STATUS current DESCRIPTION "" ::= { snmpTraps 3 }
linkUp NOTIFICATION-TYPE OBJECTS { ifIndex } STATUS current DESCRIPTION "" ::= { snmpTraps 4 }
END
"""


def environment(directory):
    """Finds unpacked programs and their libraries after installed ones; MIBs and state are those of the test."""
    libraries = [os.environ.get("LD_LIBRARY_PATH", ""), *map(str, UNPACKED.glob("usr/lib/*-linux-gnu"))]
    paths = [os.environ["PATH"], "/usr/sbin", f"{UNPACKED}/usr/bin", f"{UNPACKED}/usr/sbin"]
    return {**os.environ, "PATH": ":".join(paths), "LD_LIBRARY_PATH": ":".join(filter(None, libraries)),
            "MIBS": "", "MIBDIRS": f"{directory}/mibs", "SNMP_PERSISTENT_DIR": f"{directory}/state", "SNMPCONFPATH": str(directory)}


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, ask):
    """Asks until there is an answer; `what` is why there is none otherwise."""
    end = time.monotonic() + DEADLINE_S
    while not (answer := ask()):
        assert time.monotonic() < end, what() if callable(what) else what
        time.sleep(0.1)
    return answer


def listings(language):
    """Returns the listings of the page in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.S | re.M)


def changed(text, replacements):
    """Returns the text with the ports and times of this test."""
    for old, new in replacements.items():
        assert text.count(old) == 1, (old, text)
        text = text.replace(old, new)
    return text


class Setup:
    """A server that runs snmptrapd and scrapes an exporter, and a snmpd."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        atexit.register(self.stack.close)
        self.directory = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="catat-snmp-")))
        self.environment = environment(self.directory)
        self.traps, self.agent = free_port(socket.SOCK_DGRAM), f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
        self.exporter = f"127.0.0.1:{free_port(socket.SOCK_STREAM)}"
        self.url = f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}"

    def missing(self):
        return [program for program in PROGRAMS if not shutil.which(program, path=self.environment["PATH"])]

    def start(self):
        (self.directory / "mibs").mkdir()
        self.write("mibs/IF-MIB.txt", MIB)
        self.write("snmpd.conf", f"rocommunity public 127.0.0.1\nagentAddress udp:{self.agent}\n")
        self.write("snmptrapd.conf", listings("conf")[0])
        self.write("catat-traps", listings("bash")[0]).chmod(0o755)
        self.write("snmp.yml", self.modules())
        trap_input, scrape_input = listings("toml")
        trap_input = changed(trap_input, {"/usr/local/bin/catat-traps": f"{self.directory}/catat-traps",
                                          '"udp:162", "udp6:162"': f'"-m", "ALL", "udp:127.0.0.1:{self.traps}"'})
        scrape_input = changed(scrape_input, {'"192.0.2.1", "192.0.2.2"': f'"{self.agent}"', "60s": "1s", "30s": "1s",
                                              "127.0.0.1:9116": self.exporter})
        self.write("catat.toml", trap_input + scrape_input)
        self.run("snmpd", ["snmpd", "-f", "-Lo", "-C", "-c", "snmpd.conf", "-I", "-smux,mteTrigger,mteTriggerConf"])
        self.run("exporter", ["prometheus-snmp-exporter", "--config.file=snmp.yml", f"--web.listen-address={self.exporter}"])
        self.run("catat", [CATAT, "up", "--config", "catat.toml", "--data-dir", "data", "--listen", self.url.removeprefix("http://")])
        until("catat does not get ready", self.is_ready)

    def modules(self):
        """The page's modules for the installed exporter, whose version 0.23 has moved some keys."""
        modules = yaml.safe_load(listings("yaml")[0])
        said = subprocess.run(["prometheus-snmp-exporter", "--version"], env=self.environment, capture_output=True, text=True, check=True)
        if tuple(map(int, re.search(r"version (\d+)\.(\d+)", said.stdout + said.stderr).groups())) < (0, 23):
            return listings("yaml")[0]
        module = modules["if_mib"]
        return json.dumps({"auths": {"public_v2": {"version": module.pop("version"), **module.pop("auth")}}, "modules": modules})

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, name, command):
        """Starts a program that ends with the test."""
        with (self.directory / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=self.directory, env=self.environment, stdout=log, stderr=log)
        self.stack.callback(process.wait, 30)
        self.stack.callback(process.terminate)

    def logs(self):
        return "\n".join(f"{path.name}:\n{path.read_text(errors='replace')[-3000:]}" for path in sorted(self.directory.glob("*.log")))

    def is_ready(self):
        try:
            return requests.get(f"{self.url}/-/ready", timeout=5).ok
        except requests.ConnectionError:
            return False

    def send(self, *arguments, program="snmptrap"):
        """Sends a trap or an inform; returns whether it succeeded, which an inform does once it is acknowledged."""
        version, *rest = arguments
        command = [program, *version, f"127.0.0.1:{self.traps}", *rest]
        return subprocess.run(command, env=self.environment, capture_output=True, timeout=30).returncode == 0

    def events(self, query):
        command = [CATAT, "query", "--url", self.url, "--group", "snmp", "-o", "ndjson", query]
        said = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=30)
        return [json.loads(line) for line in said.stdout.splitlines()]

    def events_with(self, count, condition):
        """Waits for so many events, and returns their fields."""
        query = f"filter {condition} | sort @timestamp asc | display {', '.join(DISPLAYED)}"
        until(lambda: f"{condition}: {self.events(query)}\n{self.logs()}", lambda: len(self.events(query)) >= count)
        return self.events(query)

    def series(self, query):
        answer = requests.get(f"{self.url}/prometheus/api/v1/query", params={"query": query}, timeout=30)
        return answer.json()["data"]["result"]


SETUP = Setup()
V2C = ["-v", "2c", "-c", "public"]


@check
def an_inform_is_acknowledged_and_its_bindings_are_fields():
    bindings = [f"{IF_INDEX}.2", "i", "2", f"{IF_DESCR}.2", "s", "eth1", f"{IF_OPER_STATUS}.2", "i", "2"]
    # The first that succeeds also shows that snmptrapd listens.
    inform = lambda: SETUP.send(["-r", "0", "-t", "1", *V2C], "12345", LINK_DOWN, *bindings, program="snmpinform")
    until(lambda: f"snmptrapd does not answer\n{SETUP.logs()}", inform)
    assert SETUP.events_with(1, 'pdu = "inform"') == [{
        "trap": "IF-MIB::linkDown", "agent": "127.0.0.1", "uptime_s": 123.45, "pdu": "inform", "version": "v2c",
        "vars.ifIndex": 2, "vars.ifDescr": "eth1", "vars.ifOperStatus": "down",
    }]


@check
def a_trap_is_one_event_whatever_its_values_contain():
    text = 'a "quote", a \\ backslash\nand a second line'
    assert SETUP.send(V2C, "100", LINK_UP, f"{IF_INDEX}.3", "i", "3", f"{IF_DESCR}.3", "s", text, "1.3.6.1.4.1.9999.1.0", "x", "00ff")
    assert SETUP.events_with(1, 'pdu = "trap2" and version = "v2c"') == [{
        "trap": "IF-MIB::linkUp", "agent": "127.0.0.1", "uptime_s": 1, "pdu": "trap2", "version": "v2c", "vars.ifIndex": 3, "vars.ifDescr": text,
    }]
    # No MIB has this name.
    assert SETUP.events('filter `vars.internet.4.1.9999.1.0` like "00 FF" | stats count(*) as n') == [{"n": 1}]


@check
def traps_of_version_1_have_the_names_of_version_2():
    version = ["-v", "1", "-c", "public"]
    assert SETUP.send(version, "1.3.6.1.4.1.9999", "10.9.9.9", "2", "0", "500", f"{IF_INDEX}.4", "i", "4")
    assert SETUP.send(version, "1.3.6.1.4.1.9999", "10.9.9.9", "6", "42", "600")
    link, own = SETUP.events_with(2, 'version = "v1"')
    assert link == {"trap": "IF-MIB::linkDown", "agent": "10.9.9.9", "uptime_s": 5, "pdu": "trap", "version": "v1", "vars.ifIndex": 4}, link
    assert own == {"trap": "IF-MIB::internet.4.1.9999.0.42", "agent": "10.9.9.9", "uptime_s": 6, "pdu": "trap", "version": "v1"}, own


@check
def a_user_of_version_3_is_named_and_strangers_are_refused():
    user = ["-v", "3", "-l", "authPriv", "-a", "SHA", "-A", "authentication password", "-x", "AES", "-X", "privacy password"]
    assert SETUP.send([*user[:2], "-e", "0x8000000001020304", "-u", "stranger", *user[2:]], "100", LINK_UP)
    assert SETUP.send(["-v", "2c", "-c", "private"], "100", LINK_UP)
    assert SETUP.send([*user[:2], "-e", "0x8000000001020304", "-u", "router", *user[2:]], "200", LINK_UP)
    assert SETUP.events_with(1, 'version = "v3"') == [
        {"trap": "IF-MIB::linkUp", "agent": "127.0.0.1", "uptime_s": 2, "pdu": "trap2", "version": "v3", "user": "router"},
    ]
    # What was sent before the last one has been read before it.
    assert SETUP.events('filter version = "v2c" and pdu = "trap2" | stats count(*) as n') == [{"n": 1}]
    assert SETUP.events("filter @message like /public|private/ | stats count(*) as n") == [{"n": 0}]


@check
def counters_of_a_device_are_series_with_its_address_as_instance():
    labels = f'job="snmp",instance="{SETUP.agent}"'
    loopback = until(SETUP.logs, lambda: SETUP.series(f'ifHCInOctets{{{labels},ifName="lo"}}'))
    assert len(loopback) == 1 and float(loopback[0]["value"][1]) > 0, loopback
    assert SETUP.series(f'ifOperStatus{{{labels},ifName="lo"}} == 1')
    assert SETUP.series(f"sysUpTime{{{labels}}}") and SETUP.series(f"up{{{labels}}} == 1")
    until(SETUP.logs, lambda: SETUP.series(f'8 * rate(ifHCInOctets{{{labels},ifName="lo"}}[5m]) > 0'))


if SETUP.missing():
    print(f"left out: there is no {', '.join(SETUP.missing())} (Debian: snmp, snmpd, snmptrapd, prometheus-snmp-exporter, jq)")
else:
    SETUP.start()
    main()
