"""The command ``chainlit-operator``: options, environment, exit codes.

Exit codes of ``run``: 0 after a signal, 1 if the cluster or the address cannot be used, 2 for wrong usage. Exit codes
of ``probe``: 0 if the app works, 1 if it does not, 2 for wrong usage. Each failure is one line on standard error.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import sys
import uuid
from pathlib import Path

import click
import uvloop

from chainlit_operator import __version__
from chainlit_operator.controller.runtime import VERIFICATIONS_PER_SECOND, Options, Runtime
from chainlit_operator.kinds.registry import OPTIONAL, RESOURCES
from chainlit_operator.kopf_layer import handlers
from chainlit_operator.kube import config as configs
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.leader_election import LeaseTiming
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import health, logs
from chainlit_operator.verification import one_shot
from chainlit_operator.verification.edge_tls import CAFileError, EdgeTLS

logger = logging.getLogger(__name__)


class _Namespaces(click.ParamType[tuple[str, ...]]):
    """Namespaces, separated by commas or white space."""

    name = "namespaces"

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        return value if isinstance(value, tuple) else tuple(value.replace(",", " ").split())


class _Kinds(_Namespaces):
    """Kinds that the operator can do without, separated by commas or white space."""

    name = "kinds"

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        kinds = super().convert(value, param, ctx)
        for kind in kinds:
            if kind not in OPTIONAL:
                self.fail(f"{kind!r} is none of {', '.join(sorted(OPTIONAL))}.", param, ctx)
        return kinds


class _Number(click.FloatRange):
    """A number within limits. click itself accepts NaN, which is neither below nor above a limit."""

    what = "a number"

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is not {self.what}.", param, ctx) if math.isnan(number) else number


class _Seconds(_Number):
    """Seconds within limits."""

    what = "a number of seconds"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "CHAINLIT_OPERATOR"})
@click.version_option(__version__, "-V", "--version", prog_name="chainlit-operator")
def cli() -> None:
    """Keep CHAINLIT_ROOT_PATH of Chainlit apps equal to the path of their route."""


@cli.command()
@click.option(
    "--namespace",
    "-n",
    multiple=True,
    type=_Namespaces(),
    envvar="CHAINLIT_OPERATOR_NAMESPACE",
    metavar="NAMES",
    help="Namespace to watch. Repeat it, or separate several by commas.  [default: all namespaces]",
)
@click.option(
    "--disable-kind",
    multiple=True,
    type=_Kinds(),
    envvar="CHAINLIT_OPERATOR_DISABLE_KIND",
    metavar="KINDS",
    help="Kind that the operator does not read, and needs no rights for. Repeat it, or separate several by commas. "
    f"Kinds: {', '.join(sorted(OPTIONAL))}.",
)
@click.option(
    "--kubeconfig",
    envvar="CHAINLIT_OPERATOR_KUBECONFIG",
    type=click.Path(exists=True, dir_okay=False),
    help="Path of a kubeconfig. Needs the package extra chainlit-operator[kubeconfig].",
)
@click.option("--context", envvar="CHAINLIT_OPERATOR_CONTEXT", help="Context of the kubeconfig.")
@click.option(
    "--concurrency",
    envvar="CHAINLIT_OPERATOR_CONCURRENCY",
    type=click.IntRange(1, 256),
    default=16,
    show_default=True,
    help="Maximum number of apps that are reconciled at the same time.",
)
@click.option(
    "--verification/--no-verification",
    envvar="CHAINLIT_OPERATOR_VERIFICATION",
    default=True,
    show_default=True,
    help="Verify the WebSocket of each app. Turn it off if the operator cannot reach Services, as outside the cluster.",
)
@click.option(
    "--verification-concurrency",
    envvar="CHAINLIT_OPERATOR_VERIFICATION_CONCURRENCY",
    type=click.IntRange(1, 256),
    default=32,
    show_default=True,
    help="Maximum number of apps that are verified at the same time.",
)
@click.option(
    "--verifications-per-second",
    envvar="CHAINLIT_OPERATOR_VERIFICATIONS_PER_SECOND",
    type=_Number(0.1, 1000),
    default=VERIFICATIONS_PER_SECOND,
    show_default=True,
    metavar="NUMBER",
    help="Maximum number of verifications that begin in a second. Where apps need more, they are verified later than "
    "intervalSeconds says.",
)
@click.option(
    "--ca-file",
    envvar="CHAINLIT_OPERATOR_CA_FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate authorities (PEM) to trust at public URLs, in addition to the system's.",
)
@click.option(
    "--leader-election/--no-leader-election",
    envvar="CHAINLIT_OPERATOR_LEADER_ELECTION",
    default=False,
    show_default=True,
    help="Work only while this replica holds the Lease. Needed for more than one replica.",
)
@click.option(
    "--lease-name",
    envvar="CHAINLIT_OPERATOR_LEASE_NAME",
    default="chainlit-operator",
    show_default=True,
    help="Name of the Lease.",
)
@click.option(
    "--lease-namespace",
    envvar="CHAINLIT_OPERATOR_LEASE_NAMESPACE",
    help="Namespace of the Lease.  [default: the pod's namespace]",
)
@click.option(
    "--lease-duration",
    envvar="CHAINLIT_OPERATOR_LEASE_DURATION",
    type=click.IntRange(3, 3600),
    default=15,
    show_default=True,
    metavar="SECONDS",
    help="Seconds until another replica takes over from a leader that stopped renewing.",
)
@click.option(
    "--identity",
    envvar="CHAINLIT_OPERATOR_IDENTITY",
    help="Unique identity of this replica in the Lease.  [default: made of the host name]",
)
@click.option(
    "--listen",
    envvar="CHAINLIT_OPERATOR_LISTEN",
    default="",
    metavar="HOST:PORT",
    help="Address for /healthz, /readyz and /metrics; :8080 for all, of IPv4 and IPv6.  [default: no HTTP server]",
)
@click.option(
    "--log-format",
    envvar="CHAINLIT_OPERATOR_LOG_FORMAT",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the log: one line for each record.",
)
@click.option(
    "--log-level",
    envvar="CHAINLIT_OPERATOR_LOG_LEVEL",
    show_default=True,
    default="info",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    help="Minimum log level.",
)
def run(  # noqa: PLR0913, PLR0917 - click passes one argument for each option
    namespace: tuple[tuple[str, ...], ...],
    disable_kind: tuple[tuple[str, ...], ...],
    kubeconfig: str | None,
    context: str | None,
    concurrency: int,
    verification: bool,
    verification_concurrency: int,
    verifications_per_second: float,
    ca_file: Path | None,
    leader_election: bool,
    lease_name: str,
    lease_namespace: str | None,
    lease_duration: int,
    identity: str | None,
    listen: str,
    log_format: str,
    log_level: str,
) -> None:
    """Run the operator until SIGTERM or SIGINT.

    Uses the kubeconfig if there is one, otherwise the in-cluster configuration. Each option is also an environment
    variable: CHAINLIT_OPERATOR_ and its name, for example CHAINLIT_OPERATOR_LOG_LEVEL.
    """
    logs.configure(log_format, log_level)
    try:
        options = Options(
            namespaces=tuple(dict.fromkeys(name for names in namespace for name in names)),
            disabled_kinds=frozenset(name for names in disable_kind for name in names),
            concurrency=concurrency,
            verification=verification,
            verification_concurrency=verification_concurrency,
            verifications_per_second=verifications_per_second,
            edge_tls=EdgeTLS(ca_file),
            listen=listen,
            lease=_lease(lease_name, lease_namespace) if leader_election else None,
            identity=identity or f"{socket.gethostname()}_{uuid.uuid4()}",
            timing=LeaseTiming.of(lease_duration),
        )
        uvloop.run(_run(kubeconfig, context, options))
    except configs.MissingPackageError as error:
        sys.exit(f"chainlit-operator: {error}: pip install 'chainlit-operator[kubeconfig]'")
    except (configs.ConfigError, ApiError, health.ListenError, CAFileError, handlers.StoppedError) as error:
        sys.exit(f"chainlit-operator: {error}")


@cli.command()
@click.argument("url")
@click.option(
    "--service",
    is_flag=True,
    help="Send requests as other pods do, to the app's Service. Default: as a browser does, through the route.",
)
@click.option(
    "--parent-root-path",
    default="",
    metavar="PATH",
    help="With --service: the prefix that the route strips. The page has it, requests to the Service do not.",
)
@click.option(
    "--connect-to",
    default="",
    metavar="HOST[:PORT]",
    help="Connect to this address instead of the URL's host, for example to the ingress controller's Service.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate authorities (PEM) to trust in addition to the system's.",
)
@click.option(
    "--timeout",
    type=_Seconds(0.1, 600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Time limit of one attempt.",
)
@click.option(
    "--wait",
    type=_Seconds(0, 3600),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="Repeat failed attempts for this long: an ingress controller may need a moment for a new route.",
)
@click.option(
    "--message",
    default="",
    metavar="TEXT",
    help="Also send this chat message, and wait for any answer within the time limit. It starts the app's own code.",
)
@click.option(
    "--cookie",
    envvar="CHAINLIT_OPERATOR_PROBE_COOKIE",
    default="",
    metavar="NAME=VALUE",
    help="With --message, for an app with a login: the cookies of somebody who is logged in.",
)
def probe(  # noqa: PLR0913, PLR0917 - as above
    url: str,
    service: bool,
    parent_root_path: str,
    connect_to: str,
    ca_file: Path | None,
    timeout: float,
    wait: float,
    message: str,
    cookie: str,
) -> None:
    """Check once whether the Chainlit app at URL works.

    Sends the requests with which the operator verifies apps: Socket.IO handshake, WebSocket upgrade, page, script and
    project settings. Prints the result in one line. Needs no cluster.
    """
    if parent_root_path and not service:
        raise click.UsageError("--parent-root-path is for --service: the URL of a browser contains that path")
    if cookie and not message:
        raise click.UsageError("--cookie is for --message: the other requests have no login")
    if not (cookie.isascii() and cookie.isprintable()):
        raise click.UsageError("--cookie is not NAME=VALUE in printable ASCII characters")
    try:
        target = one_shot.parse_target(
            url, connect_to=connect_to, at_service=service, parent_root_path=parent_root_path
        )
        steps = one_shot.probe(target, EdgeTLS(ca_file), timeout=timeout, wait=wait, message=message, cookie=cookie)
        outcome = uvloop.run(steps)
    except one_shot.AddressError as error:
        raise click.UsageError(str(error)) from error
    except CAFileError as error:
        sys.exit(f"chainlit-operator: {error}")
    if not outcome.reachable:
        click.echo(f"chainlit-operator: {url} failed: {outcome.reason}: {outcome.message}", err=True)
        sys.exit(1)
    click.echo(f"{url} answered: {outcome.message}")


def _lease(name: str, namespace: str | None) -> Ref:
    """Return the Lease of the leader; raises UsageError outside a pod if no namespace is given."""
    if namespace is None:
        try:
            namespace = (configs.SERVICE_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise click.UsageError("outside a pod, --leader-election needs --lease-namespace") from error
    return Ref("Lease", namespace, name)


async def _run(kubeconfig: str | None, context: str | None, options: Options) -> None:
    stop = asyncio.Event()
    handlers.stop_by_signal(stop)  # at once: SIGTERM alone does not end the first process of a container
    config = await handlers.run_until(stop, configs.load(kubeconfig, context))
    if config is None:
        return
    async with Api(config, RESOURCES, f"chainlit-operator/{__version__}") as api:
        await handlers.run_until(stop, _check_cluster(api, options))
        if stop.is_set():
            return
        runtime = Runtime(api, options)
        runner = None
        if options.listen:
            runner = await health.serve(options.listen, stale=runtime.stale, unready=runtime.unready)
        try:
            logger.info("Watching %s", ", ".join(options.namespaces) or "all namespaces")
            await handlers.run(runtime, api, stop)
        finally:
            if runner is not None:
                await runner.cleanup()


async def _check_cluster(api: Api, options: Options) -> None:
    """Raise ApiError, with one line that names the fix, if ChainlitApps cannot be listed."""
    host = api.config.host
    for namespace in options.namespaces or (None,):
        try:
            await api.list_page("ChainlitApp", namespace, limit=1)
        except ApiError as error:
            if error.code == 0:
                raise ApiError(0, error.reason, f"cannot reach the API server at {host}: {error}") from error
            if error.code == 404:
                message = f"the API server at {host} has no ChainlitApps: install the CRD (chart chainlit-operator)"
                raise ApiError(404, error.reason, message) from error
            raise ApiError(error.code, error.reason, f"cannot list ChainlitApps at {host}: {error}") from error


def main() -> None:
    """Entry point of ``chainlit-operator``."""
    cli(prog_name="chainlit-operator")
