"""What kopf is told and given, as far as no cluster is needed."""

from __future__ import annotations

import subprocess
import sys

#: As deep as the API server takes it, in a field without a schema.
READ = """
import json
from chainlit_operator import handlers
from chainlit_operator.domain import blueprint, owned, paths
from chainlit_operator.engine import wire

handlers.allow_nests()
nest = '{"a":' * 9990 + "1" + "}" * 9990
body = json.loads('{"metadata":{"name":"x"},"spec":{"workload":{"template":{"image":"x","affinity":%s}}}}' % nest)
made = blueprint.deployment(wire.app_from_object(body), paths.Roots("", "")).body
json.dumps(made)
print(len(list(owned.differences(made, json.loads(json.dumps(made))))))
"""


def test_an_app_that_nests_deep_is_read_and_not_the_operators_end() -> None:
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "0"), done.stderr[-500:]
