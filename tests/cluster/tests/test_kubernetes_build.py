"""How the module that builds Kubernetes' programs is written."""

from tests.cluster.golang import staged_modules
from tests.cluster.kubernetes import version_flags

GO_MOD = """\
module example

replace (
\tk8s.io/api => ./staging/src/k8s.io/api
\tk8s.io/client-go => ./staging/src/k8s.io/client-go
\tgithub.com/other/thing => github.com/fork/thing v1.0.0
)

replace k8s.io/kubectl => ./staging/src/k8s.io/kubectl
"""


def test_the_replaced_parts_are_read_from_the_module_itself() -> None:
    assert staged_modules(GO_MOD) == ["k8s.io/api", "k8s.io/client-go", "k8s.io/kubectl"]


def test_the_programs_know_their_version() -> None:
    flags = version_flags("v1.35.4")
    assert "-X=k8s.io/component-base/version.gitVersion=v1.35.4" in flags
    assert "-X=k8s.io/component-base/version.gitMinor=35" in flags
    assert "-X=k8s.io/client-go/pkg/version.gitVersion=v1.35.4" in flags
