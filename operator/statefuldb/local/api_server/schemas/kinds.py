"""The kinds that are served: the built-in ones, and those that CustomResourceDefinitions declare."""

from dataclasses import dataclass, field
from typing import Any

from statefuldb.local.api_server.schemas.rules import rules_of

Json = dict[str, Any]
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """One served resource. `storage` names another kind whose objects this one shows; reviews are never stored.

    `rules` is what of its schema leads to CEL rules. A PUT of what is not there makes it where `made_by_put`.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    schema: Json | None = None
    rules: Json = field(default_factory=dict)
    status_subresource: bool = False
    scale: Json | None = None
    columns: tuple[Json, ...] = ()
    custom: bool = False
    generation: bool = field(default=False)
    verbs: tuple[str, ...] = VERBS
    selectable: tuple[str, ...] = ()
    storage: str = ""
    singular: str = ""
    made_by_put: bool = False

    @property
    def api_version(self) -> str:
        """`group/version`, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def key(self) -> str:
        """The storage key: versions and views of one kind share it."""
        return self.storage or (f"{self.plural}.{self.group}" if self.group else self.plural)

    @property
    def conditional(self) -> bool:
        """Whether a PUT must say which version it replaces."""
        return self.custom or self.group in (ADMISSION, _EXTENSIONS, "coordination.k8s.io")

    @property
    def subresources(self) -> tuple[str, ...]:
        """The names below an object's path."""
        present = {
            "finalize": self.key == "namespaces",
            "status": self.status_subresource,
            "scale": self.scale is not None,
            "token": self.key == "serviceaccounts",
        }
        return tuple(name for name, served in present.items() if served)


_EXTENSIONS = "apiextensions.k8s.io"
ADMISSION = "admissionregistration.k8s.io"
_ACCESS = "authorization.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_EVENT_FIELDS = (
    *(f"involvedObject.{name}" for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion")),
    *("involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"),
)
_CREATE = ("create",)

BUILT_IN: tuple[Kind, ...] = (
    Kind(
        *("", "v1", "Namespace", "namespaces"),
        namespaced=False,
        short_names=("ns",),
        status_subresource=True,
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
        selectable=("status.phase",),
    ),
    Kind("", "v1", "ConfigMap", "configmaps", short_names=("cm",)),
    Kind("", "v1", "Secret", "secrets", selectable=("type",)),
    Kind("", "v1", "Event", "events", short_names=("ev",), selectable=_EVENT_FIELDS, made_by_put=True),
    Kind("", "v1", "ServiceAccount", "serviceaccounts", short_names=("sa",)),
    Kind("", "v1", "Service", "services", short_names=("svc",), categories=("all",)),
    # Stored like any other object: there are no nodes here on which something would come of it.
    Kind(*("apps", "v1", "Deployment", "deployments"), short_names=("deploy",), categories=("all",), generation=True),
    Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", short_names=("netpol",), generation=True),
    Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", short_names=("pdb",), generation=True),
    Kind("coordination.k8s.io", "v1", "Lease", "leases", made_by_put=True),
    Kind("events.k8s.io", "v1", "Event", "events", short_names=("ev",), selectable=_EVENT_FIELDS, storage="events"),
    Kind(_ACCESS, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False, verbs=_CREATE),
    Kind(_ACCESS, "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", False, verbs=_CREATE),
    Kind(_ACCESS, "v1", "SubjectAccessReview", "subjectaccessreviews", False, verbs=_CREATE),
    Kind(_ACCESS, "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", verbs=_CREATE),
    Kind("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", False, verbs=_CREATE),
    Kind(_RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False, made_by_put=True),
    Kind(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False, made_by_put=True),
    Kind(_RBAC, "v1", "Role", "roles", made_by_put=True),
    Kind(_RBAC, "v1", "RoleBinding", "rolebindings", made_by_put=True),
    Kind(
        _EXTENSIONS,
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        namespaced=False,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        status_subresource=True,
        generation=True,
    ),
    Kind(ADMISSION, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", False, generation=True),
    Kind(ADMISSION, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", False),
    Kind(
        *(ADMISSION, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
        namespaced=False,
        categories=("api-extensions",),
        generation=True,
    ),
)


def kinds_of(crd: Json) -> tuple[Kind, ...]:
    """Return the kinds that a CustomResourceDefinition declares, one for each served version."""
    spec = crd["spec"]
    names = spec["names"]
    return tuple(
        Kind(
            spec["group"],
            version["name"],
            names["kind"],
            names["plural"],
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames", ())),
            categories=tuple(names.get("categories", ())),
            schema=version["schema"]["openAPIV3Schema"],
            rules=rules_of(version["schema"]["openAPIV3Schema"]),
            status_subresource="status" in (version.get("subresources") or {}),
            scale=(version.get("subresources") or {}).get("scale"),
            columns=tuple(version.get("additionalPrinterColumns", ())),
            custom=True,
            generation=True,
            verbs=CUSTOM_VERBS,
            selectable=tuple(f["jsonPath"].lstrip(".") for f in version.get("selectableFields", ())),
            singular=names.get("singular", ""),
        )
        for version in spec["versions"]
        if version.get("served", True)
    )
