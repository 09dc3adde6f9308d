"""How the commands of README are read."""

from __future__ import annotations

from tests.stranger import __main__ as stranger
from tests.stranger import commands

TEXT = """\
docker build --tag REGISTRY/x operator   # your registry
helm install x charts/x \\
  --set image=REGISTRY/x
kubectl apply --namespace team-a -f - <<'EOF'
kind: ChainlitApp
# a comment, and a \\
metadata: {name: support}   # any name
EOF
kubectl get chainlitapp
"""


def test_a_command_ends_where_a_shell_ends_it() -> None:
    found = list(commands.split(TEXT))
    assert "\n".join(found) + "\n" == TEXT
    assert [commands.title(command) for command in found] == [
        "docker build --tag REGISTRY/x operator",
        "helm install x charts/x --set image=REGISTRY/x",
        "kubectl apply --namespace team-a -f -",
        "kubectl get chainlitapp",
    ]


def test_a_value_to_choose_is_counted_once_and_not_in_comments() -> None:
    assert commands.choices(list(commands.split(TEXT))) == ["REGISTRY", "team-a", "support"]
    assert commands.choices(["make up   # a demo chat"]) == []
    assert commands.choices(["helm install chainlit-operator charts/chat-x --set a=b/chat"]) == []


def test_readme_has_both_paths() -> None:
    assert [command.split()[:2] for command in commands.of_section(stranger.DEMO)] == [["make", "up"], ["make", "test"]]
    assert commands.choices(commands.of_section(stranger.INSTALL)) == list(commands.CHOICES)
    assert commands.of_section(stranger.INSTALL)[-1].startswith("kubectl get chainlitapp")


def test_an_app_is_ready_by_its_line() -> None:
    heading = "NAME      PATH    URL                         READY   REASON   AGE\n"
    assert stranger.is_ready(heading + "support   /chat   https://example.com/chat/   True    Ready    1m\n")
    assert not stranger.is_ready(heading + "support                                                    1m\n")
    assert not stranger.is_ready(heading + "True      Ready   https://example.com/chat/   False   Waiting  1m\n")
