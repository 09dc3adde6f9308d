"""Every fact about Chainlit that the operator uses: variables, port, endpoints, its own path segments.

Source: ``chainlit/server.py`` and ``chainlit/config.py`` of release 2.12.0, unless a line says otherwise. A test
compares ``OWN_SEGMENTS`` with the route table of the Chainlit wheel that the tests pin.
"""

from __future__ import annotations

#: Prefix of every route and of the socket: ``""`` or ``/a/b``. Chainlit reads an empty variable as unset.
ROOT_PATH = "CHAINLIT_ROOT_PATH"
#: Prefix that only the served HTML gets, for a proxy that strips it.
PARENT_ROOT_PATH = "CHAINLIT_PARENT_ROOT_PATH"
VARIABLES = (ROOT_PATH, PARENT_ROOT_PATH)
#: The beginning of the names of Chainlit's variables.
VARIABLE_PREFIX = "CHAINLIT_"
#: The address and the port that Chainlit listens on.
HOST_VARIABLE, PORT_VARIABLE = "CHAINLIT_HOST", "CHAINLIT_PORT"
#: The directory of ``.chainlit`` and ``.files``.
APP_ROOT = "CHAINLIT_APP_ROOT"
#: The origin that browsers see. Chainlit adds the root path; without it, Chainlit reads the origin from each request.
URL = "CHAINLIT_URL"
#: Chainlit reads every cookie that begins with this name. The cookie's path is ``/`` whatever the root path is.
AUTH_COOKIE_NAME = "CHAINLIT_AUTH_COOKIE_NAME"
#: The name of the login cookie without that variable.
LOGIN_COOKIE = "access_token"
#: The key of login tokens: Chainlit has no login without it.
LOGIN_KEY = "CHAINLIT_AUTH_SECRET"
#: The addresses of proxies whose ``X-Forwarded-*`` headers uvicorn believes.
FORWARDED_ALLOW_IPS = "FORWARDED_ALLOW_IPS"
#: The command-line option that wins over ``ROOT_PATH``.
ROOT_PATH_OPTION = "--root-path"
#: The port that Chainlit listens on unless ``CHAINLIT_PORT`` says otherwise.
PORT = 8000
#: The container that runs Chainlit, where a pod has several.
CONTAINER = "chainlit"

#: The path of the Socket.IO server below the root path, without slashes at its ends.
SOCKET = "ws/socket.io"
#: The directory of the page's scripts.
ASSETS = "assets"
#: The endpoint that the page asks before it opens a chat. Every release in ``tests/releases`` has it.
SETTINGS = "/project/settings"
AUTH_CONFIG = "/auth/config"
#: The endpoint for new probes: below the right root path, every release answers it with 200.
PROBE_ENDPOINT = "/health"
#: Endpoints that probes ask (``/health`` since 2.10.0, ``/auth/config`` before).
PROBE_ENDPOINTS = (AUTH_CONFIG, PROBE_ENDPOINT)
#: More paths that Chainlit itself answers below its root path, so that no other app answers them at the same port.
ENDPOINTS = frozenset({"/", "/login", "/favicon", "/logo", SETTINGS, "/project/translations"})
SUBTREES = (f"/{ASSETS}/", "/public/", f"/{SOCKET}/")

#: The endpoint that sets the session cookie (since 2.5.5); some edges choose the replica by that cookie.
SESSION_COOKIE_ENDPOINT = "set-session-cookie"
#: Paths below the root path whose requests need the process with the session.
SESSION_PATHS = ("/ws", "/project", "/mcp")
#: The description of Chainlit's API, outside the root path (FastAPI's own). It has ``SETTINGS`` and ``AUTH_CONFIG``.
OPENAPI = "/openapi.json"
#: Where ``mount_chainlit`` mounts Chainlit by default.
MOUNT_PATH = "/chainlit"
#: Part of the page that every release since 1.1.300 answers to paths that nobody defines: a tag with the root path.
PAGE_MARK = b'property="og:root_path"'

# Releases that answer elsewhere, each tried with its wheel (``tests/releases``):
#
# ==================  ========================================  ==============================================
# releases            with ``CHAINLIT_ROOT_PATH=/chat``         with ``CHAINLIT_PARENT_ROOT_PATH=/chat`` only
# ==================  ========================================  ==============================================
# 1.1.300 – 1.1.404   the socket is at ``//chat/ws``            ignored
# 1.2.0 – 2.0.5       all at ``/chat``                          ignored
# 2.0.6 – 2.2.1       all at ``/``, ``/chat`` in the page only  ignored
# 2.3.0 – 2.4.0       all at ``/chat``                          ignored
# 2.4.1 and later     all at ``/chat``                          all at ``/``, ``/chat`` in the page only
# ==================  ========================================  ==============================================
#: The first release that works behind every route: before it, ``PARENT_ROOT_PATH`` is ignored.
RECOMMENDED_SINCE = "2.4.1"
DOUBLED_SLASH_BEFORE = "1.2.0"
ROOT_PATH_IN_PAGE_ONLY = "2.0.6 to 2.2.1"

#: First segments of the routes that Chainlit itself serves below its root path, also of those that only some settings
#: switch on (``slack``, ``teams``), and of the page that it opens in a window of its own (``element``).
OWN_SEGMENTS = frozenset(
    {
        *("assets", "auth", "avatars", "copilot", "element", "favicon", "feedback", "health", "login", "logo"),
        *("logout", "mcp", "project", "public", "set-session-cookie", "slack", "teams", "user", "ws"),
    }
)

#: The methods of the requests that a browser sends to Chainlit. ``PUT`` and ``DELETE`` are for feedback and threads.
METHODS = ("GET", "POST", "PUT", "DELETE")

_ID = "5f0c9a1e-7d2b-4c3d-9e8f-0A1B2C3D4E5F"
#: Paths of requests below the root path, at least one for each of ``OWN_SEGMENTS``: the page and its socket first, then
#: what the page loads, pages of the front end, and a page that only the app's author knows.
REQUESTS = (
    *("/", f"/{SOCKET}/", f"/{ASSETS}/index-B3l_x9.js", f"/{ASSETS}/index-a1.css", SETTINGS),
    *("/project/translations", "/project/file", f"/project/file/{_ID}", f"/project/thread/{_ID}/element/{_ID}"),
    *(AUTH_CONFIG, "/auth/oauth/azure-ad-hybrid/callback", "/login", "/login/callback", "/logout", "/user"),
    *(f"/{SESSION_COOKIE_ENDPOINT}", "/feedback", "/mcp", "/favicon", "/logo", "/avatars/My_Bot", PROBE_ENDPOINT),
    *("/public/logo_dark.png", "/public/elements/Chart.jsx", "/copilot/index.js", "/slack/events", "/teams/events"),
    *(f"/element/{_ID}", f"/thread/{_ID}", f"/share/{_ID}", "/a/B-c_d.e~f/0"),
)
