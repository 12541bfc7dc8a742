"""images/: linted, and in step with pyproject.toml, the chart, and what the keeper imports. Nothing is built here."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from chart import MASTERS, ROOT, one, rendered

IMAGES = sorted((ROOT / "images").glob("*.Containerfile"))
OPERATOR, KEEPER = (ROOT / "images" / f"{name}.Containerfile" for name in ("operator", "keeper-mariadb"))
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]


def instructions(path: Path, word: str) -> list[str]:
    """Return what follows each instruction of a kind, continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", path.read_text())
    return [line.removeprefix(word).strip() for line in text.splitlines() if line.startswith(f"{word} ")]


def copied(path: Path) -> set[str]:
    """Return what is copied from the tree."""
    lines = [line.split() for line in instructions(path, "COPY") if not line.startswith("--from")]
    return {source for words in lines for source in words[:-1]}


@pytest.mark.parametrize("path", IMAGES, ids=lambda p: str(p.stem))
def test_hadolint_finds_nothing_to_say(path: Path) -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint is not installed: make test installs it")
    done = subprocess.run([hadolint, str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", IMAGES, ids=lambda p: str(p.stem))
def test_everything_that_the_package_is_built_from_is_there(path: Path) -> None:
    wheel = SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = {"pyproject.toml", PROJECT["readme"], *wheel["packages"], *wheel["force-include"]}
    held = copied(path)
    missing = {name for name in wanted if not any(name == c or name.startswith(f"{c}/") for c in held)}
    assert not missing
    sent = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    assert held <= sent
    assert all((ROOT / name).exists() for name in sent)


@pytest.mark.parametrize("path", IMAGES, ids=lambda p: str(p.stem))
def test_the_version_is_the_projects(path: Path) -> None:
    assert f'image.version="{PROJECT["version"]}"' in instructions(path, "LABEL")[0]


def test_the_operator_runs_as_the_chart_says() -> None:
    pod = one(rendered(MASTERS), "Deployment")["spec"]["template"]["spec"]
    security = pod["securityContext"]
    assert instructions(OPERATOR, "USER")[-1] == f"{security['runAsUser']}:{security['runAsGroup']}"
    assert instructions(OPERATOR, "ENTRYPOINT") == ['["/opt/statefuldb/bin/statefuldb"]']
    assert "statefuldb" in PROJECT["scripts"]
    (container,) = pod["containers"]
    assert "command" not in container
    (python,) = {line.split()[0].rpartition("/")[2] for line in instructions(OPERATOR, "FROM")}
    version = tuple(int(part) for part in re.findall(r"\d+", python)[:2])
    least = tuple(int(part) for part in re.findall(r"\d+", PROJECT["requires-python"]))
    assert version >= least


def test_what_sync_calls_is_in_the_operators_image() -> None:
    """git, and ssh for it, which wants its user to have a name."""
    installed = instructions(OPERATOR, "RUN")[-1]
    called = {"git": "git", "ssh": "openssh-client"}
    sources = "".join((ROOT / "operator/statefuldb/sync" / name).read_text() for name in ("git.py", "credentials.py"))
    for program, package in called.items():
        assert f'["{program}", ' in sources
        assert re.search(rf"\s{package}\s", installed)
    pod = one(rendered(MASTERS), "Deployment")["spec"]["template"]["spec"]
    assert f"useradd --uid {pod['securityContext']['runAsUser']} " in installed


def test_the_chart_looks_for_the_keeper_where_its_image_has_it() -> None:
    (container,) = one(rendered(MASTERS), "Deployment")["spec"]["template"]["spec"]["containers"]
    (python,) = [argument for argument in container["args"] if argument.startswith("--keeper=")]
    assert python == "--keeper=/opt/statefuldb/bin/python3"
    assert "python3 -m venv /opt/statefuldb" in KEEPER.read_text()
    assert instructions(KEEPER, "ENTRYPOINT") == ['["/opt/statefuldb/bin/statefuldb-keeper"]']
    assert "statefuldb-keeper" in PROJECT["scripts"]


def test_the_keepers_image_has_what_the_keeper_imports_and_no_more() -> None:
    installed = {text for line in instructions(KEEPER, "RUN") for text in re.findall(r'"([^"]+)"', line)}
    assert installed <= set(PROJECT["dependencies"]), "constraints differ from those of pyproject.toml"
    names = {re.split(r"[<>=]", text)[0].lower() for text in installed}
    assert names == set(third_party("statefuldb.keeper.__main__"))


def third_party(start: str) -> Iterator[str]:
    """Yield the top-level packages that a module of ours imports, directly or through others of ours."""
    seen, waiting = set(), [start]
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        waiting.append(module.rpartition(".")[0] or module)  # a package is imported before what is in it
        path = ROOT / "operator" / Path(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if not path.exists():
            continue  # a name within a module, not a module
        for name in imported(path):
            top = name.partition(".")[0]
            if top == "statefuldb":
                waiting.append(name)
            elif top not in sys.stdlib_module_names:
                yield top.lower()


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module.startswith("statefuldb"))
