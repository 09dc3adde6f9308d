"""The names under which the operator owns fields (``metadata.managedFields``)."""

#: The manager of the variables and probe paths in workloads that others own.
FIELD_MANAGER = "chainlit-operator"
#: The manager of whole objects that the operator created. With one name for both, the first apply after a change from
#: ``template`` to ``ref`` would remove all fields but the variables.
CREATED_FIELD_MANAGER = "chainlit-operator-created"
