#!/usr/bin/env python3
"""Collects the licences of everything from outside that is in the executable, from both lock files.

    tests/licenses.py [--write]

Compares `LICENSES.md` with what the sources say, or writes it. The sources are those that cargo and npm have: crates that are linked on any
platform of `deny.toml`, with the C code in them, and the libraries of the page. Texts that differ only in who holds the rights, or in how they
are wrapped, are there once. Ends with 1 if the file differs.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "LICENSES.md"
PLATFORMS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]
NAMES = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)", re.I)
# Packages without a text of their own: another package with the same one, of the same project where there is one.
BORROWED = {"tantivy-": "tantivy", "ownedbytes": "tantivy", "htmlescape": "sync_wrapper", "crc-catalog": "crc"}
# Lines that say who holds the rights; the licence is the same without them.
HOLDER = re.compile(r"^\W*(copyright\b.*(\d{4}|\(c\)|©|\bby\b|contributors|authors|developers|project).*|©.*|all rights reserved\.?)$", re.I)
HEAD = """# Licences

catat is licensed under Apache-2.0. It contains the crates and libraries below, and the standard library of Rust (MIT OR Apache-2.0, The Rust
Project Contributors). `tests/licenses.py --write` makes this list from `Cargo.lock`, `web/package-lock.json` and the sources of what they name.
"""


def crates():
    """Returns name, version, licence and folder of each crate that is linked."""
    found = {}
    for platform in PLATFORMS:
        command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", platform]
        metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
        packages = {package["id"]: package for package in metadata["packages"]}
        needs = {node["id"]: node["deps"] for node in metadata["resolve"]["nodes"]}
        waiting, seen = [one["id"] for one in packages.values() if one["name"] == "catat" and not one["source"]], set()
        while waiting:
            package = waiting.pop()
            if package in seen:
                continue
            seen.add(package)
            if any("proc-macro" in target["kind"] for target in packages[package]["targets"]):
                continue
            waiting += [need["pkg"] for need in needs[package] if any(kind["kind"] is None for kind in need["dep_kinds"])]
            if packages[package]["source"]:
                one = packages[package]
                license = one["license"] or Path(one["license_file"]).name
                found[one["name"], one["version"]] = (license, Path(one["manifest_path"]).parent)
    return found


def libraries(folder):
    """Returns the same of each library of the page, which are installed into a folder."""
    for name in ["package.json", "package-lock.json"]:
        (folder / name).write_bytes((ROOT / "web" / name).read_bytes())
    subprocess.run(["npm", "ci", "--omit=dev", "--ignore-scripts", "--silent"], cwd=folder, check=True)
    lock = json.loads((folder / "package-lock.json").read_text())["packages"]
    found = {}
    for place, package in lock.items():
        if place and not package.get("dev") and (folder / place).is_dir():
            found[place.split("node_modules/")[-1], package["version"]] = (package["license"], folder / place)
    return found


def texts(folder):
    """Returns the texts of a package, of code of others within it too."""
    files = [file for depth in ["*", "*/*", "*/*/*"] for file in folder.glob(depth) if NAMES.match(file.name) and file.is_file()]
    ends = {"", ".md", ".txt", ".rst", ".mit", ".apache", ".apache2", ".apache-2.0", ".bsd", ".zlib", ".boost"}
    kept = [file for file in files if file.suffix.lower() in ends or not file.suffix[1:].isalpha()]
    outside = [file for file in kept if "node_modules" not in file.relative_to(folder).parts]
    return [file.read_text(encoding="utf-8", errors="replace").replace("\f", "\n") for file in sorted(outside)]


def parts(text):
    """Returns who holds the rights, and the text without them."""
    lines = [line.strip() for line in text.replace("\r", "").strip().split("\n")]
    is_long = len(text) > 5000
    holders = [line for at, line in enumerate(lines) if HOLDER.match(line) and (at < 30 or not is_long) and "[yyyy]" not in line]
    return holders, [line for line in lines if line not in holders]


def collected(packages):
    """Returns the list of packages and the texts, as Markdown."""
    numbers, bodies, rows = {}, [], []
    folders = {name: texts(folder) for (name, _), (_, folder) in packages.items()}
    for (name, version), (license, folder) in sorted(packages.items()):
        found = texts(folder) or next((folders[of] for begin, of in BORROWED.items() if name.startswith(begin)), [])
        of_package, holders = [], []
        for text in found:
            who, body = parts(text)
            key = re.sub(r"\W+", " ", " ".join(body).replace("https:", "http:")).strip().lower()
            # What follows the terms says how to apply them, and titles vary.
            key = re.sub(r"(?<=end of terms and conditions) appendix how to apply.{0,1500}$", "", key)
            key = re.sub(r"^((the )?(mit|isc|bsd|apache|zlib) licen[cs]e( mit| isc| expat)? )+", "", key)
            if key not in numbers and len(key) > 60:
                numbers[key] = len(numbers) + 1
                bodies.append("\n".join(body).strip())
            of_package += [numbers[key]] if key in numbers and numbers[key] not in of_package else []
            holders += [holder for holder in who if holder not in holders]
        if not of_package:
            sys.exit(f"{name} {version} ({license}) has no text; name the package of its project in BORROWED")
        links = ", ".join(f"[{number}](#text-{number})" for number in of_package)
        who = "; ".join(re.sub(r"[<>|`*_\[\]]", "", re.sub(r"<\S*>", "", holder)).strip() for holder in holders)
        rows.append(f"| {name} {version} | {license} | {links} | {re.sub(r' +', ' ', who)} |")
    blocks = [f"### Text {number}\n\n```text\n{re.sub(chr(10) + '{3,}', chr(10) * 2, body)}\n```\n" for number, body in enumerate(bodies, 1)]
    table = "\n".join(["| package | licence | texts | rights |", "|---|---|---|---|", *rows])
    return f"{HEAD}\n## Packages\n\n{table}\n\n## Texts\n\n" + "\n".join(blocks)


def main():
    with tempfile.TemporaryDirectory() as folder:
        made = collected({**crates(), **libraries(Path(folder))})
    if "--write" in sys.argv[1:]:
        FILE.write_text(made)
    elif made != FILE.read_text():
        sys.exit("LICENSES.md is not of these lock files; run tests/licenses.py --write")


if __name__ == "__main__":
    main()
