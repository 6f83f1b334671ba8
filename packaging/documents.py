"""Writes what describes the packages: a bill of materials (CycloneDX), checksums, and provenance (in-toto, SLSA)."""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests"))
import licenses  # noqa: E402


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def as_json(path, document):
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def component(kind, name, version, license):
    reference = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    told = {"type": "library", "bom-ref": reference, "purl": reference, "name": name, "version": version}
    return told | {"licenses": [{"expression": license.replace("/", " OR ")}]}


def crate_components():
    """Returns the crates that are linked, with the hashes and needs that Cargo.lock has of them."""
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    entries = {(one["name"], one["version"]): one for one in locked}
    linked = {key: component("cargo", *key, license) for key, (license, _) in licenses.crates().items()}
    versions = {name: version for name, version in entries}
    for key, one in linked.items():
        one["hashes"] = [{"alg": "SHA-256", "content": entries[key]["checksum"]}]
    needs = []
    for key, one in linked.items():
        # `NAME`, or `NAME VERSION` where there are several.
        words = [need.split(" ") for need in entries[key].get("dependencies", [])]
        keys = [(word[0], word[1] if len(word) > 1 else versions[word[0]]) for word in words]
        needs.append({"ref": one["bom-ref"], "dependsOn": sorted(linked[key]["bom-ref"] for key in keys if key in linked)})
    return list(linked.values()), needs


def library_components():
    """Returns the libraries of the page."""
    lock = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    used = {place.split("node_modules/")[-1]: one for place, one in lock.items() if place and not one.get("dev")}
    return [component("npm", name, one["version"], one["license"]) for name, one in used.items()]


def bill_of_materials(version):
    crates, needs = crate_components()
    application = {"type": "application", "name": "catat", "version": version, "bom-ref": "catat"}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": application | {"licenses": [{"expression": "Apache-2.0"}]}},
        "components": sorted(crates + library_components(), key=lambda one: one["bom-ref"]),
        "dependencies": sorted(needs, key=lambda one: one["ref"]),
    }


def provenance(subjects, version, commit, executables, packages):
    """Returns what the packages were made of: the commit, the lock files, the compiler, the executables, Debian's packages."""
    compiler = subprocess.run(["rustc", "-vV"], capture_output=True, text=True).stdout
    made_of = [{"name": "source", "digest": {"gitCommit": commit}}]
    for path in [ROOT / "Cargo.lock", ROOT / "web/package-lock.json", *executables]:
        made_of.append({"name": path.name, "digest": {"sha256": sha256(path)}})
    made_of += [{"uri": f"pkg:deb/debian/{name.replace('_', '@', 1).rpartition('_')[0]}"} for name in packages]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:catat:packaging/build",
                "externalParameters": {"version": version, "commit": commit},
                "internalParameters": {"rustc": compiler.strip(), "SOURCE_DATE_EPOCH": os.environ["SOURCE_DATE_EPOCH"]},
                "resolvedDependencies": made_of,
            },
            "runDetails": {"builder": {"id": "urn:catat:local"}},
        },
    }


def write(out, version, commit, executables, packages):
    """Writes catat-VERSION.cdx.json, SHA256SUMS and provenance.json for all files of a directory."""
    as_json(out / f"catat-{version}.cdx.json", bill_of_materials(version))
    files = sorted(out.iterdir())
    sums = {path.name: sha256(path) for path in files}
    subjects = [{"name": name, "digest": {"sha256": digest}} for name, digest in sums.items()]
    as_json(out / "provenance.json", provenance(subjects, version, commit, executables, packages))
    sums["provenance.json"] = sha256(out / "provenance.json")
    (out / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
