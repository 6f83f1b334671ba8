"""Makes the image: a layout of the Open Container Initiative in one archive, without a daemon.

The first layer is the C library, authorities' certificates and busybox of this machine's Debian, the second catat. busybox is there for health
checks (`busybox wget`). Nothing else of a system is in it. The user is 22828, and everything but the volume /var/lib/catat may be read-only.
"""

import os
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path

PACKAGES = ["libc6", "busybox", "ca-certificates"]
# What programs of these packages need at run time, and the licences.
KEPT = ["lib/*", "lib64/*", "bin/busybox", "usr/share/ca-certificates/mozilla/*", "usr/share/doc/*/copyright"]
LEFT_OUT = ["usr/lib/*/gconv", "lib/systemd"]
UID = 22828
PASSWD = "root:x:0:0:root:/root:/sbin/nologin\ncatat:x:{0}:{0}:catat:/var/lib/catat:/sbin/nologin\n".format(UID)
CONFIG = [
    *("--config.user", f"{UID}:{UID}"),
    *("--config.entrypoint", "/usr/bin/catat", "--config.cmd", "serve"),
    *("--config.volume", "/var/lib/catat", "--config.workingdir", "/var/lib/catat"),
    *("--config.exposedports", "22828/tcp", "--config.stopsignal", "SIGTERM"),
    # Other machines are admitted once there is a key.
    *("--config.env", "PATH=/usr/bin:/bin", "--config.env", "CATAT_STORAGE__DIR=/var/lib/catat"),
    *("--config.env", "CATAT_LISTEN=0.0.0.0:22828"),
]


def tar(root, archive, names, owners=()):
    """Packs files in the order of their names, with the time of the commit; all are root's but those of `owners`."""
    same = ["--sort=name", "--numeric-owner", "--format=gnu", f"--mtime=@{os.environ['SOURCE_DATE_EPOCH']}"]
    every = ["--owner=0", "--group=0", f"--exclude={owners[0]}"] if owners else ["--owner=0", "--group=0"]
    subprocess.run(["tar", "-C", root, *same, *every, "-cf", archive, *names], check=True)
    if owners:
        own = [f"--owner={UID}", f"--group={UID}", "--append"]
        subprocess.run(["tar", "-C", root, *same, *own, "-f", archive, *owners], check=True)


def base(root, scratch):
    """Unpacks the packages as far as they are needed, and returns their versions."""
    downloads, unpacked = scratch / "downloads", scratch / "unpacked"
    downloads.mkdir()
    subprocess.run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", *PACKAGES], check=True, cwd=downloads)
    for package in sorted(downloads.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", package, unpacked], check=True)
    for pattern in LEFT_OUT:
        for folder in unpacked.glob(pattern):
            shutil.rmtree(folder)
    for path in [path for pattern in KEPT for path in unpacked.glob(pattern)]:
        target = root / path.relative_to(unpacked)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if path.is_dir() else shutil.copy2
        copy(path, target, **({"symlinks": True} if path.is_dir() else {"follow_symlinks": False}))
    authorities = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    files = {
        "etc/passwd": PASSWD,
        "etc/group": f"root:x:0:\ncatat:x:{UID}:\n",
        "etc/ssl/certs/ca-certificates.crt": "".join(path.read_text() for path in authorities),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "var/lib/catat").mkdir(parents=True)
    (root / "var/lib/catat").chmod(0o700)
    return sorted(path.name.removesuffix(".deb") for path in downloads.glob("*.deb"))


def umoci(*arguments):
    subprocess.run(["umoci", *arguments], check=True, stdout=subprocess.DEVNULL)


def make(staged, version, revision, architecture, archive, scratch):
    """Writes the archive of the image, with the files that `staged` has for catat."""
    root, layout = scratch / "base", scratch / "layout"
    root.mkdir()
    packages = base(root, scratch)
    tar(root, scratch / "base.tar", ["."], ["./var/lib/catat"])
    tar(staged, scratch / "catat.tar", ["./etc", "./usr/bin", "./usr/share/doc"])
    name, created = f"{layout}:{version}", datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
    created = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    umoci("init", "--layout", layout)
    umoci("new", "--image", name)
    for layer, what in [("base", " ".join(packages)), ("catat", f"catat {version}")]:
        umoci("raw", "add-layer", "--image", name, "--history.created", created, "--history.created_by", what, scratch / f"{layer}.tar")
    labels = {"title": "catat", "version": version, "revision": revision, "licenses": "Apache-2.0", "created": created}
    marked = [word for key, value in labels.items() for word in ("--config.label", f"org.opencontainers.image.{key}={value}")]
    what = ["--created", created, "--architecture", architecture, "--os", "linux", *CONFIG, *marked]
    umoci("config", "--image", name, "--no-history", *what)
    umoci("gc", "--layout", layout)
    for path in layout.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    tar(layout, archive, ["blobs", "index.json", "oci-layout"])
    return packages
