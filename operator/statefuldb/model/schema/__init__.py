"""The one source of the manifest language: structural schemas, CEL rules and printer columns of our kinds.

`crds/` is generated from it (`make crds`), `model.parse` validates with it, and a test keeps the two in step.
"""

from statefuldb.model.schema.crd import custom_resource_definitions
from statefuldb.model.schema.database import DATABASE_SPEC
from statefuldb.model.schema.policies import admission_policies

__all__ = ["DATABASE_SPEC", "admission_policies", "custom_resource_definitions"]
