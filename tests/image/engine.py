"""An engine that builds the image and runs it: Docker, or what Debian offers in its place.

Without Docker the base image is Debian with its own Python instead of python:3.12-slim, made by
debootstrap from the mirror that apt itself uses. Everything after its FROM is the Dockerfile as it
is. Every container runs the way the guide tells operators to: read-only, without capabilities.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMMAND_S_MAX = 120
BUILD_S_MAX = 900

BASE = "localhost/clearsplit-test-base"
IMAGE = "localhost/clearsplit-test"
HARDENED = ("--read-only", "--cap-drop", "all", "--tmpfs", "/tmp")
"""How the guide runs the image."""

_BUILDAH = ("buildah", "--storage-driver", "overlay")
_PODMAN = (
    *("podman", "--storage-driver", "overlay", "--runtime", "runc"),
    *("--cgroup-manager", "cgroupfs", "--events-backend", "file"),
)
_DOCKER_LIMITS = ("--memory", "512m", "--cpus", "1.0", "--pids-limit", "256")
"""The guide's; podman has no control groups to set them with where the tests use it."""
_PODMAN_LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")
_CERTIFICATES = Path("/etc/ssl/certs")


class ToolsMissing(Exception):
    """There is no engine on this machine."""


@dataclass(frozen=True)
class Done:
    """A container that has ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Engine:
    """Runs containers of one image. `words` are what stands before `run`, `exec` and so on."""

    words: tuple[str, ...]
    limits: tuple[str, ...]
    image: str

    def run(self, *command: str, env: Mapping[str, str] | None = None, entry: str = "") -> Done:
        """What the command said and how it ended, in a container that is gone afterwards."""
        return _do([*self._run("--rm", env=env, entry=entry), *command])

    def run_as_root(self, *command: str, entry: str) -> Done:
        """The same as uid 0, which may look into every folder."""
        return _do([*self._run("--rm", "--user", "0", entry=entry), *command])

    def start(self, name: str, *command: str, env: Mapping[str, str]) -> None:
        _must([*self._run("--detach", "--name", name, env=env), *command])

    def inside(self, name: str, *command: str) -> Done:
        """The same for a command in a container that runs."""
        return _do([*self.words, "exec", name, *command])

    def terminate(self, name: str) -> None:
        _must([*self.words, "kill", "--signal", "TERM", name])

    def wait(self, name: str) -> int:
        """The status with which the container ended."""
        return int(_must([*self.words, "wait", name]))

    def logs(self, name: str) -> str:
        done = _do([*self.words, "logs", name])
        return done.out + done.err

    def remove(self, name: str) -> None:
        _must([*self.words, "rm", "--force", name])

    @cached_property
    def described(self) -> Mapping[str, Any]:
        """What the image says about itself."""
        described: Mapping[str, Any] = json.loads(
            _must([*self.words, "image", "inspect", self.image])
        )[0]
        return described

    def _run(
        self, *options: str, env: Mapping[str, str] | None = None, entry: str = ""
    ) -> list[str]:
        given = [f"--env={name}={value}" for name, value in (env or {}).items()]
        entered = [f"--entrypoint={entry}"] if entry else []
        network = ("--network", "host")
        words = (*self.words, "run", *options, *network, *HARDENED, *self.limits)
        return [*words, *given, *entered, self.image]


def engine() -> Engine:
    """The image, built, and what runs it. Raises ToolsMissing.

    IMAGE_ENGINE=docker takes Docker; IMAGE names an image that has been built already.
    """
    built = os.environ.get("IMAGE")
    if os.environ.get("IMAGE_ENGINE") == "docker":
        return Engine(("docker",), _DOCKER_LIMITS, built or _built_by_docker())
    _refuse_without("buildah", "podman", "runc", "debootstrap")
    return Engine(_PODMAN, _PODMAN_LIMITS, built or _built_by_buildah())


def _refuse_without(*tools: str) -> None:
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        raise ToolsMissing(
            f"no {', '.join(missing)} here: install them with tests/install.sh, or set"
            " IMAGE_ENGINE=docker"
        )
    if os.geteuid() != 0:
        raise ToolsMissing("debootstrap needs root; run this as root, or set IMAGE_ENGINE=docker")


def _built_by_docker() -> str:
    _must(["docker", "build", "--tag", IMAGE, str(ROOT)], timeout_s=BUILD_S_MAX)
    return IMAGE


def _built_by_buildah() -> str:
    """`--format docker` keeps the health check, which OCI images do not know."""
    if _do([*_BUILDAH, "inspect", "--type", "image", BASE]).status != 0:
        _make_base()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "pip.conf"
        config.write_text(_pip_config())
        _must(
            [
                *(*_BUILDAH, "bud", "--isolation", "chroot", "--format", "docker"),
                *("--network", "host", "--pull=never", "--build-arg", f"PYTHON_IMAGE={BASE}"),
                *("--volume", f"{_CERTIFICATES}:{_CERTIFICATES}:ro"),
                *("--volume", f"{config}:/etc/pip.conf:ro", "--tag", IMAGE, str(ROOT)),
            ],
            timeout_s=BUILD_S_MAX,
        )
    return IMAGE


def _pip_config() -> str:
    """Where this machine's pip finds packages: mounted while building, and never in the image."""
    names = ("index-url", "extra-index-url", "trusted-host", "cert")
    found = {name: _pip_setting(name) for name in names}
    return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in found.items() if value)


def _pip_setting(name: str) -> str:
    """Only what the build can reach as well: no folder of this machine."""
    pip = (shutil.which("python3") or "python3", "-m", "pip", "config", "get")
    found = (_do([*pip, f"{scope}.{name}"]).out.strip() for scope in (":env:", "global"))
    words = " ".join(found).split()
    return " ".join(word for word in words if not word.startswith("file:"))


def _make_base() -> None:
    """Debian of the same release as this machine, with Python, pip and venv, as a local image."""
    with tempfile.TemporaryDirectory() as folder:
        rootfs = Path(folder) / "rootfs"
        packages = "python3,python3-venv,python3-pip,ca-certificates"
        words = ("debootstrap", "--variant=minbase", f"--include={packages}", _release())
        _must([*words, str(rootfs), _mirror()], timeout_s=BUILD_S_MAX)
        (rootfs / "usr/bin/python").symlink_to("python3")
        for mark in rootfs.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
            mark.unlink()
        container = _must([*_BUILDAH, "from", "scratch"])
        _must([*_BUILDAH, "add", container, str(rootfs), "/"], timeout_s=BUILD_S_MAX)
        _must([*_BUILDAH, "commit", "--rm", container, BASE], timeout_s=BUILD_S_MAX)


def _release() -> str:
    lines = Path("/etc/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["VERSION_CODENAME"]


def _mirror() -> str:
    """The mirror of this release in apt's own sources."""
    listed = _must(
        [
            *("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)"),
            "Identifier: Packages",
        ]
    )
    wanted = f"{_release()} main "
    return next(line for line in listed.splitlines() if line.startswith(wanted)).split()[2]


def _do(words: Sequence[str], timeout_s: float = COMMAND_S_MAX) -> Done:
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=timeout_s
    )
    return Done(done.returncode, done.stdout, done.stderr)


def _must(words: Sequence[str], timeout_s: float = COMMAND_S_MAX) -> str:
    done = _do(words, timeout_s)
    assert done.status == 0, f"{' '.join(words)}\n{done.out}{done.err}"
    return done.out.strip()
