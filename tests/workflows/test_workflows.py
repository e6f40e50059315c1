"""GitHub's workflows, as far as they can be looked at without GitHub: form, safety, and agreement with the project."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from shared.version import VERSION
from tests.architecture.tree import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
PROGRAMS = Path(sys.executable).parent
PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
WRITES = {"id-token": {"deploy.yml"}, "security-events": {"codeql.yml"}}
"""Which permissions to write there are, and where: to ask Azure for a token, and to hand in findings."""


def read(file: Path) -> dict[str, Any]:
    """Read a file of YAML 1.2, in which `on` is a word."""
    content: dict[str, Any] = YAML(typ="safe").load(file)
    return content


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    """List all jobs, with their workflow and their name."""
    return [(file.name, name, job) for file in WORKFLOWS for name, job in read(file)["jobs"].items()]


def scripts() -> list[str]:
    """List what is run in a shell."""
    return [step["run"] for _, _, job in jobs() for step in job["steps"] if "run" in step]


def ran(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program that was installed with the tests."""
    command = [PROGRAMS / program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words


@pytest.mark.parametrize(
    ("schema", "files"), [("github-workflows", WORKFLOWS), ("dependabot", [GITHUB / "dependabot.yml"])]
)
def test_github_understands_them(schema: str, files: list[Path]) -> None:
    """By the schemas that editors use."""
    done = ran("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)

    assert done.returncode == 0, done.stdout


def test_zizmor_finds_no_weakness() -> None:
    """Injection of what others write, kept credentials, dangerous triggers, too many permissions and the like."""
    done = ran("zizmor", "--offline", "--no-progress", GITHUB)

    assert done.returncode == 0, done.stdout


def test_weaknesses_are_noticed(tmp_path: Path) -> None:
    """The proof above is worth as much as this."""
    text = (GITHUB / "workflows/ci.yml").read_text()
    broken = tmp_path / ".github/workflows/ci.yml"
    broken.parent.mkdir(parents=True)
    broken.write_text(text.replace("- run: make check", "- run: echo ${{ github.event.pull_request.title }}"))

    done = ran("zizmor", "--offline", "--no-progress", tmp_path)

    assert "template-injection" in done.stdout


def test_actions_are_pinned_to_a_commit() -> None:
    """A tag can be moved to something else; each action has one version everywhere."""
    used = {line for file in WORKFLOWS for line in re.findall(r"uses: (.*)", file.read_text())}

    assert [line for line in used if not PINNED.fullmatch(line)] == []
    assert len({line.split("@")[0] for line in used}) == len(used)


def test_jobs_end_and_may_do_little() -> None:
    """Whoever takes an action over gets as little as possible, and not for ever."""
    granted = [
        (file, name)
        for file, each in [(file.name, read(file)) for file in WORKFLOWS]
        for permissions in (each["permissions"], *(job.get("permissions", {}) for job in each["jobs"].values()))
        for name, kind in permissions.items()
        if kind == "write"
    ]

    assert [(file, name) for file, name in granted if file not in WRITES.get(name, set())] == []
    assert [name for _, name, job in jobs() if not 0 < job["timeout-minutes"] <= 60] == []
    assert [file.name for file in WORKFLOWS if "pull_request_target" in read(file)["on"]] == []


def test_one_run_does_not_get_in_the_way_of_another() -> None:
    """Two deployments to one environment wait for each other; a check of what was replaced is of no use."""
    alone = {file.name for file in WORKFLOWS if "concurrency" in read(file)}
    deploying = {name: job.get("concurrency", {}) for file, name, job in jobs() if file == "deploy.yml"}

    assert alone == {file.name for file in WORKFLOWS} - {"deploy.yml"}
    assert deploying["deploy"] == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}
    assert deploying["what-if"]["cancel-in-progress"] is True


@pytest.mark.parametrize("script", scripts())
def test_scripts_are_well_formed(script: str) -> None:
    """Bash reads them without running them; nothing of GitHub's is put into their text."""
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)  # noqa: S607 - any bash

    assert done.stderr == ""
    assert "${{" not in script


def test_github_does_what_every_build_server_does() -> None:
    """The commands of .ci/run."""
    commands = set(re.findall(r"^make .*", (ROOT / ".ci/run").read_text(), re.MULTILINE))

    assert commands
    assert commands <= {step.get("run") for file, _, job in jobs() if file == "ci.yml" for step in job["steps"]}


def test_a_deployment_asks_for_outputs_that_there_are() -> None:
    """It finds the app by the outputs of the templates."""
    text = (GITHUB / "workflows/deploy.yml").read_text()
    listed = re.search(r"for name in ((?:[A-Z_]+ ?)+);", text)
    outputs = set(re.findall(r"^output (\w+)", (ROOT / "infra/main.bicep").read_text(), re.MULTILINE))

    assert listed
    assert set(listed[1].split()) <= outputs
    assert set(re.findall(r"\$(MEMBERS_\w+|AZURE_RESOURCE_GROUP)", text)) <= set(listed[1].split())


def test_a_deployment_knows_the_version_of_an_older_package() -> None:
    """It looks for the line that the package has."""
    text = (GITHUB / "workflows/deploy.yml").read_text()
    sed = re.search(r"sed -n ('.*?')", text)

    assert sed
    program = f"sed -n {sed[1]} shared/version.py"
    done = subprocess.run(["bash", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603, S607 - ours

    assert done.stdout.strip() == VERSION


def test_every_folder_with_pins_is_kept_up_to_date() -> None:
    """Dependabot looks where pins are, and nowhere else."""
    kinds = {each["package-ecosystem"]: each for each in read(GITHUB / "dependabot.yml")["updates"]}
    pins = [file for file in ROOT.rglob("requirements*.txt") if not {"node_modules", ".venv"} & {*file.parts}]
    locks = ROOT.glob("local/*/package-lock.json")

    assert kinds.keys() == {"github-actions", "npm", "pip"}
    assert set(kinds["pip"]["directories"]) == {_folder(file) for file in pins}
    assert set(kinds["npm"]["directories"]) == {_folder(file) for file in locks}


def _folder(file: Path) -> str:
    return f"/{file.parent.relative_to(ROOT).as_posix()}".removesuffix("/.") or "/"
