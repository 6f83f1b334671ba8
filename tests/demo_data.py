#!/usr/bin/env python3
"""Sends a corpus file to a server as if its day were the last 24 hours: something to look at in the page.

usage: demo_data.py CORPUS URL

Every service becomes a group, so that the page has groups to choose from. Times keep their distances; the newest
event is a few seconds old.
"""
import datetime
import json
import sys
import urllib.request

# The midnight that the corpus's day ends with.
CORPUS_END = datetime.datetime(2026, 11, 20, tzinfo=datetime.timezone.utc)


def main():
    corpus, url = sys.argv[1:]
    shift = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=5) - CORPUS_END
    groups = {}
    with open(corpus, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            # To microseconds, which is what Python's clock has.
            text = event["timestamp"].rstrip("Z")[:26]
            event["timestamp"] = (datetime.datetime.fromisoformat(text + "+00:00") + shift).isoformat()
            groups.setdefault(event["service"], []).append(json.dumps(event))
    accepted = 0
    for group, events in sorted(groups.items()):
        request = urllib.request.Request(f"{url}/api/v1/ingest?group=demo/{group}&stream=corpus&format=ndjson", "\n".join(events).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            accepted += json.load(answer)["accepted"]
    print(f"{accepted} events in {len(groups)} groups sent to {url}")


if __name__ == "__main__":
    main()
