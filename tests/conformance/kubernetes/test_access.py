"""Who is answered: the kubeconfig's user; a stranger only about health and version. Reviews say what one may do."""

from typing import Any

import pytest

from conformance.kubernetes.server import Api
from conformance.kubernetes.things import GROUP_NAME

Json = dict[str, Any]


def test_a_bad_token_is_401(api: Api, space: str) -> None:
    answer = api.unknown(space, {"Authorization": "Bearer nonsense"})
    assert (answer.status, answer.body["reason"], answer.body["message"]) == (401, "Unauthorized", "Unauthorized")


def test_a_token_is_taken_whatever_the_case_of_its_scheme(api: Api, space: str) -> None:
    token = api.credentials.get("Authorization", "").partition(" ")[2]
    if not token:
        pytest.skip("the kubeconfig has no token")
    assert api.unknown(space, {"Authorization": f"bearer {token}"}).status == 200
    assert api.unknown(space, {"Authorization": f"Basic {token}"}).status == 403, "that is no token, so it is nobody"


def test_nobody_is_forbidden_and_told_what(api: Api, space: str) -> None:
    answer = api.unknown(space, {})
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["details"] == {"group": GROUP_NAME, "kind": "things"}
    assert answer.body["message"] == (
        f'things.{GROUP_NAME} is forbidden: User "system:anonymous" cannot list resource "things" in API group '
        f'"{GROUP_NAME}" in the namespace "{space.split("/")[-2]}"'
    )
    answer = api.unknown(f"{space}/x/status", {})
    assert f'things.{GROUP_NAME} "x" is forbidden' in answer.body["message"]
    assert 'cannot get resource "things/status"' in answer.body["message"]


@pytest.mark.parametrize("path", ["/apis", "/nope"])
def test_other_paths_are_forbidden_too(api: Api, path: str) -> None:
    answer = api.unknown(path, {})
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["message"].startswith(f'forbidden: User "system:anonymous" cannot get path "{path}"')


@pytest.mark.parametrize("path", ["/readyz", "/livez", "/healthz", "/version"])
def test_health_and_version_are_public(api: Api, path: str) -> None:
    assert api.unknown(path, {}).status == 200


def test_a_review_of_access(api: Api) -> None:
    asked = {"namespace": "default", "verb": "create", "group": GROUP_NAME, "resource": "things"}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    answer = api.made("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
    assert answer["kind"] == "SelfSubjectAccessReview"
    assert answer["spec"]["resourceAttributes"] == asked
    assert answer["status"]["allowed"] is True


def test_a_review_of_oneself(api: Api) -> None:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = api.made("/apis/authentication.k8s.io/v1/selfsubjectreviews", body)
    assert answer["status"]["userInfo"]["username"]
    assert "system:authenticated" in answer["status"]["userInfo"]["groups"]
