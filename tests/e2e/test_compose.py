"""Services of Compose, by the labels that it gives to their containers."""

import pytest
from engines import awaited
from images import IMAGES, names_the_leak

SERVICE, PROJECT = "com.docker.compose.service", "com.docker.compose.project"


@pytest.fixture
def desks(docker):
    """The containers of a service `desk`: one in each of two projects, by project."""
    image = docker.load(IMAGES["go"], is_bare=False)

    def options(project: str, number: int) -> tuple[str, ...]:
        return (
            f"--name=caulk-e2e-{project}_desk_{number}",
            f"--label={PROJECT}={project}",
            f"--label={SERVICE}=desk",
            f"--label=com.docker.compose.container-number={number}",
        )

    with (
        docker.container(image, *IMAGES["go"].command, options=options("north", 1)) as north,
        docker.container(image, *IMAGES["go"].command, options=options("south", 1)) as south,
        docker.container(image, *IMAGES["go"].command, options=options("south", 2)) as second,
    ):
        for name in (north, south, second):
            awaited(lambda name=name: "ready" in docker.logs(name), lambda name=name: docker.logs(name))
        yield {"north": [north], "south": [south, second]}


def test_a_service_is_captured_by_its_name_and_project(caulk, desks, matrix):
    manifest = caulk.json("capture", "compose:desk@north")
    assert manifest["target"]["reference"] == f"docker:{desks['north'][0]}"
    assert manifest["target"]["name"] == "desk"
    assert {"project": "north", "service": "desk"}.items() <= manifest["target"]["labels"].items()
    assert names_the_leak("go", caulk.json("analyze", manifest["path"]))
    matrix("compose", "go", "full", manifest["method"])


def test_a_service_of_several_projects_is_not_guessed_at(caulk, desks):
    said = caulk("capture", "compose:desk", code=2).stderr
    assert "compose:desk@north" in said and "compose:desk@south" in said


def test_of_several_replicas_each_is_listed(caulk, desks):
    said = caulk("doctor", "compose:desk@south", code=2).stderr
    assert all(f"docker:{name}" in said for name in desks["south"])
    listed = caulk.json("ps", "compose:desk@south")["rows"]
    assert {row["target"] for row in listed} == {f"docker:{name}" for name in desks["south"]}
    assert {row["runtime"] for row in listed} == {"go"}


def test_a_service_that_is_not_there_is_told_with_what_is(caulk, desks):
    said = caulk("capture", "compose:nobody@north", code=3).stderr
    assert "there is no such container" in said and desks["north"][0] in said
