"""The pages of docs/reference that are made from code and data.

Run as a module (``make generate``), it writes all of them. A unit test compares each page with what this module makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
from prometheus_client.metrics import MetricWrapperBase

from chainlit_operator import cli
from chainlit_operator.kinds import registry
from chainlit_operator.observability import metrics
from tests import releases, route_forms
from tests.charts.rights import WITH_CREATION, WITHOUT_CREATION
from tests.docs import crd, installing, reasons
from tests.field import page as setups
from tests.release import home

REFERENCE = Path(__file__).parents[2] / "docs/reference"
NOTE = "<!-- Made by `make generate` from {source}; do not edit. -->"

# ------------------------------------------------------------------------------------------------------------- metrics

METRICS = """\
The operator serves its metrics in the format of Prometheus at `/metrics` of the address in `--listen`; the chart sets
port 8080. No label contains the name of an app, a host or a path. The endpoint also has the metrics `process_*` and
`python_*` of the Prometheus client library. [Monitor the operator](../how-to/monitor.md) has the alerts.

| metric | type | labels | description |
|---|---|---|---|"""


def _metrics() -> str:
    rows = []
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name, labels = metric._name, metric._labelnames
            name += "_total" if metric._type == "counter" else ""
            rows.append((name, metric._type, labels, metric._documentation))
    rows += [(found.name, found.type, found._labelnames, found.documentation) for found in metrics.READINESS.collect()]
    lines = [
        f"| `{name}` | {type_} | {', '.join(f'`{label}`' for label in labels) or '–'} | {text} |"
        for name, type_, labels, text in sorted(rows)
    ]
    return "\n".join([METRICS, *lines, ""])


# ----------------------------------------------------------------------------------------------------------------- cli

EXIT_CODES = {
    "run": (
        "a signal stopped the operator",
        "the operator cannot use the cluster, the kubeconfig or the address of `--listen`",
        "wrong usage",
    ),
    "probe": ("the app can be used", "the app cannot be used", "wrong usage"),
}

COMMAND = """\
The image and the Python package have one command with two subcommands. An option on the command line wins over its
environment variable. Each failure is one line on standard error.
"""


def _cli() -> str:
    lines = [COMMAND]
    with click.Context(cli.cli, info_name="chainlit-operator") as context:
        for name, command in cli.cli.commands.items():
            lines += _command(name, command, context)
    return "\n".join(lines)


def _command(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    prefix = cli.cli.context_settings["auto_envvar_prefix"]
    with click.Context(command, info_name=name, parent=parent) as context:
        usage = " ".join(command.collect_usage_pieces(context))
    yield f"## chainlit-operator {name}\n"
    yield f"```\nchainlit-operator {name} {usage}\n```\n"
    yield f"{' '.join((command.help or '').split())}\n"
    yield "| option | variable | default | description |\n|---|---|---|---|"
    for option in command.params:
        if isinstance(option, click.Option):
            variable = option.envvar or f"{prefix}_{name}_{option.name}".upper()
            text, default = _described(option)
            yield f"| {_names(option)} | `{variable}` | {default} | {text} |"
    yield ""
    yield "| exit code | meaning |\n|--:|---|"
    yield "\n".join(f"| {code} | {meaning} |" for code, meaning in enumerate(EXIT_CODES[name])) + "\n"


def _names(option: click.Option) -> str:
    """Return all spellings of an option, with what its value is."""
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    if option.is_flag:
        return names
    if isinstance(option.type, click.Choice):
        choices = " \\| ".join(f"`{choice}`" for choice in option.type.choices)
        return f"{names} {choices}"
    value = option.metavar or option.type.name.removesuffix(" range").upper()
    return f"{names} {value}{_range(option.type)}"


def _range(type_: click.ParamType[object]) -> str:
    return f" ({type_.min:g} to {type_.max:g})" if isinstance(type_, click.IntRange | click.FloatRange) else ""


def _described(option: click.Option) -> tuple[str, str]:
    """Return help and default of an option; a default that click cannot show is in brackets at the end of the help."""
    text, _, shown = (option.help or "").partition("[default: ")
    if shown:
        return text.strip(), shown.rstrip("]")
    default = option.to_info_dict()["default"]
    if option.is_flag:
        return text.strip(), "on" if default else "off"
    return text.strip(), "–" if default in {None, ""} else f"`{default}`"


# -------------------------------------------------------------------------------------------------------------- events

EVENTS = """\
The operator writes Kubernetes Events about ChainlitApps; `kubectl describe chainlitapp NAME` shows them. Conditions are
the truth, Events are news: the operator sends 25 at once and then one each second, and drops the rest.

| reason | type | when | message |
|---|---|---|---|"""

#: Events beside those of the condition Ready: type, when, and what the message contains.
EVENT_REASONS = {
    "Aligned": ("Normal", "the operator changed the variables or the probe paths of a workload", "old and new values"),
    "Created": ("Normal", "the operator created objects that the ChainlitApp describes", "the objects"),
    "Deleted": ("Normal", "the operator deleted objects that the ChainlitApp describes no longer", "the objects"),
    "Released": (
        "Normal",
        "a `ref` replaced `template`, `ingress` or `gateway`: the operator no longer owns the object",
        "the objects",
    ),
    "Repaired": (
        "Normal",
        "somebody else changed an object that the operator created, and the operator reverted the change",
        "fields and field managers",
    ),
    "TookOver": (
        "Normal",
        "another field manager owned a field that the operator now owns",
        "fields and field managers, and what the next apply of that manager does",
    ),
    "Updated": (
        "Normal",
        "the ChainlitApp describes an object differently, and the operator changed it",
        "the objects",
    ),
}

READY_EVENTS = """\
| `Ready` | Normal | condition `Ready` became True | as in the condition |
| each [reason](reasons.md) of `Ready` | Warning | condition `Ready` became False, or its reason changed | as in the \
condition |

No Event reports that `Ready` became Unknown: such a state passes by itself. `TookOver` has a queue of its own, because
no condition shows it; the metric `chainlit_operator_events_dropped_total` counts the Events that were dropped.
"""


def _events() -> str:
    rows = [f"| `{name}` | {type_} | {when} | {text} |" for name, (type_, when, text) in EVENT_REASONS.items()]
    return "\n".join([EVENTS, *rows, READY_EVENTS])


# ---------------------------------------------------------------------------------------------------------------- rbac

RBAC = """\
The chart creates these rules: a ClusterRole, or a Role in each namespace of `watchNamespaces`. `rbac.create=false`
leaves them out. The operator has no rights on Secrets, ConfigMaps, Pods and Namespaces. It reads by list and watch;
only its own Lease it gets by name, and EndpointSlices it lists for one Service at a time.

| API group | resource | verbs | with `creation.enabled` also | why |
|---|---|---|---|---|"""

#: Resources that are not of a kind in the registry, whose purpose is not written there.
RBAC_WHY = {
    (
        "chainlit-operator.dev",
        "chainlitapps",
    ): "The resources that the operator manages. It never writes their spec or metadata.",
    (
        "chainlit-operator.dev",
        "chainlitapps/status",
    ): "Writes the status. Only version 0.1.0 needs `patch`, during an upgrade from it.",
    ("", "events"): "Events report changes and obstacles.",
}

RBAC_REST = """\

With `leaderElection.enabled` a Role in the operator's namespace allows `create` on `leases` of `coordination.k8s.io`,
and `get` and `update` on the one Lease of the release.

With `rbac.aggregate` the chart adds ChainlitApps to the cluster roles `view` (read), `edit` and `admin` (read and
write). A user who may create ChainlitApps can run pods: grant this right only to users who may create Deployments.

## Without the rights to create

With `creation.enabled=false` the operator may only patch Deployments, Rollouts and StatefulSets. A ChainlitApp with
`template`, `ingress` or `gateway` then has the reason [Forbidden](reasons.md#forbidden). A ChainlitApp with `ref` works
as before.
"""


def _rbac() -> str:
    rows = []
    purposes = RBAC_WHY | {(kind.group, kind.plural): kind.purpose for kind in registry.WATCHED.values()}
    purposes |= {(kind.group, kind.plural): kind.purpose for kind in registry.LISTED.values()}
    for (group, resource), verbs in sorted(WITHOUT_CREATION.items()):
        more = WITH_CREATION[group, resource] - verbs
        cells = (
            f"`{group}`" if group else "core",
            f"`{resource}`",
            _verbs(verbs),
            _verbs(more),
            purposes[group, resource],
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([RBAC, *rows, RBAC_REST])


def _verbs(verbs: set[str]) -> str:
    order = ("list", "watch", "create", "patch", "update", "delete")
    return ", ".join(sorted(verbs, key=order.index)) or "–"


# --------------------------------------------------------------------------------------------------------------- pages

PAGES: dict[str, tuple[str, str, Callable[[], str]]] = {
    "chainlitapp.md": ("ChainlitApp", "charts/chainlit-operator/files/chainlitapps.yaml", crd.page),
    "metrics.md": ("Metrics", "chainlit_operator.observability.metrics", _metrics),
    "cli.md": ("Command line", "chainlit_operator.cli", _cli),
    "events.md": ("Events", "tests/docs/generate.py", _events),
    "reasons.md": ("Reasons", "tests/docs/reasons.yaml", reasons.page),
    "set-ups.md": ("Set-ups that people run", "tests/field/setups.py", setups.page),
    "rbac.md": ("Rights of the operator", "the registry of kinds", _rbac),
}


def page(name: str) -> str:
    """Return the text of a page by the name of its file."""
    title, source, body = PAGES[name]
    return f"# {title}\n\n{NOTE.format(source=source)}\n\n{body().rstrip()}\n"


def main() -> None:
    """Write all pages, also those that are printed from the tables of the tests, and parts of others."""
    made = {name: page(name) for name in PAGES}
    for name, lines in (("routes.md", route_forms.page()), ("compatibility.md", releases.page())):
        made[name] = "\n".join(lines) + "\n"
    for name, text in made.items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    for name in installing.PAGES:
        (installing.TOP / name).write_text(installing.page(name, home.read(environment={})), encoding="utf-8")


if __name__ == "__main__":
    main()
