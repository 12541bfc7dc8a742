"""Admission policies: what a definition's own rules cannot say, because it is about deletion or about annotations."""

from statefuldb.model.identity import ANNOTATION_RELEASE
from statefuldb.model.schema.build import Schema
from statefuldb.model.schema.crd import GROUP


def admission_policies() -> dict[str, tuple[Schema, Schema]]:
    """Return each policy with its binding, by the name of its file."""
    return {"deletion-protection": _deletion_protection(), "volume-release": _volume_release()}


def _deletion_protection() -> tuple[Schema, Schema]:
    """Refuse to delete a protected database."""
    return _policy(
        "deletion-protection",
        operation="DELETE",
        resource="statefuldatabases",
        expression="has(oldObject.spec.deletionProtection) && oldObject.spec.deletionProtection == 'Disabled'",
        message="spec.deletionProtection is not Disabled: set it to Disabled first; "
        "spec.retention.whenDeleted says what becomes of the data",
    )


def _volume_release() -> tuple[Schema, Schema]:
    """Refuse to give retained data up, unless it is named once more. The operator itself never does."""
    named = (
        f"has(object.metadata.annotations) && '{ANNOTATION_RELEASE}' in object.metadata.annotations"
        f" && object.metadata.annotations['{ANNOTATION_RELEASE}'] == object.metadata.name"
    )
    return _policy(
        "volume-release",
        operation="UPDATE",
        resource="databasevolumes",
        expression=f"oldObject.spec.intent != 'Retain' || object.spec.intent != 'Delete' || ({named})",
        message="retained data is destroyed by name only: statefuldb volumes release NAME, or set the annotation "
        f"{ANNOTATION_RELEASE} to the entry's name in the same change",
    )


def _policy(name: str, *, operation: str, resource: str, expression: str, message: str) -> tuple[Schema, Schema]:
    full_name = f"{name}.{GROUP}"
    policy: Schema = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": full_name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [GROUP],
                        "apiVersions": ["*"],
                        "operations": [operation],
                        "resources": [resource],
                        # Filled in by the API else: what lies in a list is compared whole, so that every apply of the
                        # same, and Argo CD, would find a difference.
                        "scope": "*",
                    }
                ]
            },
            "validations": [{"expression": expression, "message": message, "reason": "Forbidden"}],
        },
    }
    binding: Schema = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": full_name},
        "spec": {"policyName": full_name, "validationActions": ["Deny"]},
    }
    return policy, binding
