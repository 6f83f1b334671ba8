"""Prints `-p NAME` for each package with a target that was compiled without lints: unlinted.py LINTED <MESSAGES

MESSAGES are those of `cargo build --message-format json`; tests/rustc_and_clippy touches a file in LINTED after it
compiled and linted a target.
"""
import json
import os
import sys

linted = sys.argv[1]
rules = max(os.path.getmtime("clippy.toml"), os.path.getmtime("tests/rustc_and_clippy"))
packages = set()
for line in sys.stdin:
    message = json.loads(line)
    # What is linted with its unit tests (libraries, the executable) and what belongs to others has no file of its own.
    if message["reason"] != "compiler-artifact" or not message["package_id"].startswith("path+"):
        continue
    target, package = message["target"], message["package_id"].rpartition("/")[2].partition("#")[0]
    if not message["executable"] or "custom-build" in target["kind"] or ("bin" in target["kind"] and not message["profile"]["test"]):
        continue
    try:
        found = os.path.getmtime(f"{linted}/{package}.{target['name'].replace('-', '_')}")
    except FileNotFoundError:
        found = 0
    if found < max(rules, os.path.getmtime(message["executable"])):
        packages.add(package)
print(*(f"-p {package}" for package in sorted(packages)))
