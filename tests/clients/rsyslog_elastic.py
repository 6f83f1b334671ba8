#!/usr/bin/env python3
"""Debian's rsyslog with omelasticsearch, which knows a host and a port and no path; left out where it is not installed."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import uuid

import requests

from check import URL, check, main

GROUP = f"clients-rsyslog-{uuid.uuid4().hex[:8]}"
TEMPLATE = """
global(workDirectory="{dir}")
module(load="imuxsock" sysSock.use="off")
module(load="omelasticsearch")
input(type="imuxsock" socket="{dir}/log")
template(name="json" type="list" option.json="on") {{
  constant(value="{{\\"@timestamp\\":\\"") property(name="timereported" dateFormat="rfc3339")
  constant(value="\\",\\"severity\\":\\"") property(name="syslogseverity-text")
  constant(value="\\",\\"message\\":\\"") property(name="msg") constant(value="\\"}}")
}}
action(type="omelasticsearch" server="{host}" serverport="{port}" searchType="" searchIndex="{group}" bulkmode="on"
       template="json" errorfile="{dir}/errors" action.resumeRetryCount="-1")
"""


@check
def what_rsyslog_sends_in_bulk_is_there_once():
    found = list(pathlib.Path("/usr/lib").glob("*/rsyslog/omelasticsearch.so"))
    if not (found and shutil.which("rsyslogd") and shutil.which("logger")):
        print("# rsyslog with omelasticsearch is not installed: left out")
        return
    address = urllib.parse.urlsplit(URL)
    with tempfile.TemporaryDirectory() as directory:
        config = os.path.join(directory, "rsyslog.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(TEMPLATE.format(dir=directory, host=address.hostname, port=address.port, group=GROUP))
        daemon = subprocess.Popen(["rsyslogd", "-n", "-f", config, "-i", os.path.join(directory, "pid")])
        try:
            deadline = time.monotonic() + 30
            while not os.path.exists(f"{directory}/log"):
                assert daemon.poll() is None and time.monotonic() < deadline, "rsyslogd does not start"
                time.sleep(0.05)
            text = "\n".join(f'parcel "{n}"' for n in range(200))
            subprocess.run(["logger", "-u", f"{directory}/log", "-p", "user.err", "-t", "app"], input=text, text=True, check=True)
            counts = []
            while counts != [[200, 200]]:
                assert time.monotonic() < deadline, counts
                query = 'filter @level = "error" | stats count(*), count_distinct(message)'
                counts = requests.get(f"{URL}/api/v1/query", params={"query": query, "group": GROUP}, timeout=30).json()["rows"]
                time.sleep(0.05)
            assert not os.path.exists(f"{directory}/errors")
        finally:
            daemon.terminate()
            daemon.wait()


main()
