"""The names under which the operator owns fields (``metadata.managedFields``)."""

#: Of the variables and probe paths in workloads that others own.
FIELD_MANAGER = "chainlit-operator"
#: Of whole objects that the operator created. With one name for both, an apply of the variables alone would give up
#: all other fields when a ``ref`` takes the place of a template.
CREATED_FIELD_MANAGER = "chainlit-operator-created"
