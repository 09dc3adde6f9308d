"""Give a PostgreSQL database the tables that Chainlit's data layer reads and writes.

The Python of the app's image runs it in a pod, with DATABASE_URL. Arguments: modules that the app needs for its storage.
Every statement may run again, and a database that has all columns is not written to.
"""

import asyncio
import importlib
import os
import sys
import time
from urllib.parse import urlsplit

#: Raise it with a change that is more than another table, column or index, and apply that change in `apply`.
VERSION = 1
VERSIONS = "chainlit_schema_version"
LOCK = 4_839_201_157  # of pods that migrate at the same time, one does
PATIENCE = 60  # seconds; a database may start together with the app

MOMENT = "timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc')"
JSON = "jsonb NOT NULL DEFAULT '{}'"

#: Columns by table, after `id`. Ids are texts, because Chainlit compares them with what a browser sends.
TABLES = {
    "User": {"identifier": "text NOT NULL", "metadata": JSON, "createdAt": MOMENT, "updatedAt": MOMENT},
    "Thread": {
        "name": "text",
        "userId": 'text REFERENCES "User" (id) ON DELETE CASCADE',
        "tags": "text[] NOT NULL DEFAULT '{}'",
        "metadata": JSON,
        "createdAt": MOMENT,
        "updatedAt": MOMENT,
        "deletedAt": "timestamp",
    },
    "Step": {
        "threadId": 'text REFERENCES "Thread" (id) ON DELETE CASCADE',
        "parentId": 'text REFERENCES "Step" (id) ON DELETE CASCADE',
        "name": "text",
        "type": "text NOT NULL",
        "input": "text",
        "output": "text",
        "metadata": JSON,
        "showInput": "text",
        "isError": "boolean DEFAULT false",
        "startTime": MOMENT,
        "endTime": MOMENT,
        "createdAt": MOMENT,
    },
    "Element": {
        "threadId": 'text REFERENCES "Thread" (id) ON DELETE CASCADE',
        "stepId": 'text REFERENCES "Step" (id) ON DELETE CASCADE',
        "name": "text NOT NULL",
        "mime": "text",
        "url": "text",
        "objectKey": "text",
        "chainlitKey": "text",
        "display": "text",
        "size": "text",
        "language": "text",
        "page": "integer",
        "metadata": JSON,
        "props": JSON,
    },
    "Feedback": {
        "stepId": 'text REFERENCES "Step" (id) ON DELETE CASCADE',
        "name": "text NOT NULL",
        "value": "double precision NOT NULL",
        "comment": "text",
    },
}

INDEXES = """
CREATE UNIQUE INDEX IF NOT EXISTS "User_identifier_key" ON "User" (identifier);
CREATE INDEX IF NOT EXISTS "Thread_userId_updatedAt_idx" ON "Thread" ("userId", "updatedAt");
CREATE INDEX IF NOT EXISTS "Step_threadId_startTime_idx" ON "Step" ("threadId", "startTime");
CREATE INDEX IF NOT EXISTS "Step_parentId_idx" ON "Step" ("parentId");
CREATE INDEX IF NOT EXISTS "Element_threadId_idx" ON "Element" ("threadId");
CREATE INDEX IF NOT EXISTS "Element_stepId_idx" ON "Element" ("stepId");
CREATE INDEX IF NOT EXISTS "Feedback_stepId_idx" ON "Feedback" ("stepId");
"""

OWN_LAYER = "If the app has a data layer of its own, set database.migration=none."
NO_URL = (
    "DATABASE_URL is not a URL. Write / : @ # [ ] and % in user and password as %2F %3A %40 %23 %5B %5D and %25; an"
    " address of IPv6 is in brackets."
)


class MigrationError(Exception):
    """The database cannot be migrated; the text says why, and the remedy."""


def schema():
    """Return the SQL that makes what is missing."""
    parts = []
    for table, columns in TABLES.items():
        added = ", ".join(f'ADD COLUMN IF NOT EXISTS "{name}" {kind}' for name, kind in columns.items())
        parts += [f'CREATE TABLE IF NOT EXISTS "{table}" (id text PRIMARY KEY);', f'ALTER TABLE "{table}" {added};']
    return "\n".join([*parts, INDEXES])


def require(modules):
    """Return the driver. Raises MigrationError if it, or one of the modules, is not in the image."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise MigrationError(
                f"The image cannot import {module}, which Chainlit needs for database and storage ({error}). Install"
                f" chainlit[custom-data] in the image, or add the package to app.requirements. {OWN_LAYER}"
            ) from None
    return importlib.import_module("asyncpg")


def place(url):
    """Return host, port and database of a URL, without user and password. Raises MigrationError."""
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme not in ("postgresql", "postgres"):
        found = f"begins with {scheme}://" if scheme else "is empty" if not url else "has no scheme"
        raise MigrationError(
            f"DATABASE_URL {found}, and Chainlit's data layer needs postgresql://user:password@host:5432/name. Correct"
            f" the key of the Secret in database.existingSecret. {OWN_LAYER}"
        )
    try:
        parts = urlsplit(url)
    except ValueError:  # its text may have a part of the password
        raise MigrationError(NO_URL) from None
    found = parts.netloc.rpartition("@")[2] + parts.path
    # A password with / or # in it ends the host too early; then nothing of the URL is safe to show.
    return found if "@" in parts.netloc and "@" not in found else "the host of DATABASE_URL"


async def connect(asyncpg, url):
    """Return a connection, and wait for a database that does not answer yet. Raises MigrationError."""
    where, deadline, told = place(url), time.monotonic() + PATIENCE, ""
    refused = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
    while True:
        try:
            return await asyncpg.connect(url, timeout=10, statement_cache_size=0)
        except refused as error:
            raise MigrationError(
                f"The database at {where} refuses the login: {error}. Correct user, password and name in DATABASE_URL."
            ) from None
        except (OSError, asyncio.TimeoutError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as error:
            cause = str(error) or "no answer within 10 s"
            if time.monotonic() > deadline:
                raise MigrationError(
                    f"The database at {where} cannot be reached: {cause}. Correct host and port in DATABASE_URL, or let"
                    " the pod reach it (networkPolicy.egress)."
                ) from None
            if cause != told:
                print(f"Waiting for the database at {where}: {cause}", flush=True)
            told = cause
            await asyncio.sleep(2)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise MigrationError(f"DATABASE_URL does not work: {error}. Correct it.") from None
        except ValueError:  # its text may have a part of the password
            raise MigrationError(NO_URL) from None


async def missing(connection):
    """Return the columns that the database has not got, as `"Table".column`."""
    found = []
    for table, columns in TABLES.items():
        query = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped"
        present = {row["attname"] for row in await connection.fetch(query, f'"{table}"')}
        found += [f'"{table}".{name}' for name in ("id", *columns) if name not in present]
    return found


async def forbidden(connection):
    """Return the tables that the database user may not read and write."""
    rights = " AND ".join(f"has_table_privilege(to_regclass($1), '{r}')" for r in ("SELECT", "INSERT", "UPDATE", "DELETE"))
    return [name for name in TABLES if not await connection.fetchval(f"SELECT {rights}", f'"{name}"')]


async def apply(connection):
    """Make what is missing, in one transaction."""
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        if not await missing(connection):
            return
        await connection.execute(schema())
        await connection.execute(
            f"CREATE TABLE IF NOT EXISTS {VERSIONS} (version integer PRIMARY KEY, applied timestamptz DEFAULT now());"
            f" INSERT INTO {VERSIONS} (version) VALUES ({VERSION}) ON CONFLICT DO NOTHING"
        )


async def migrate(url, modules):
    """Migrate the database at a URL. Raises MigrationError."""
    where = place(url)
    asyncpg = require(["asyncpg", *modules])
    connection = await connect(asyncpg, url)
    try:
        lacking = await missing(connection)
        if lacking:
            await apply(connection)
        if tables := await forbidden(connection):
            raise MigrationError(
                f"The database user may not read and write {', '.join(tables)}. Grant it SELECT, INSERT, UPDATE and"
                " DELETE on these tables."
            )
        made = f" now; {len(lacking)} columns were missing" if lacking else ""
        print(f"The database at {where} has all tables{made}.")
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(
            f"The database user may not make the tables: {error}. Make it the owner of schema and tables, or let the"
            f" owner run this once, and set database.migration=none. Missing: {', '.join(lacking[:3])} …"
        ) from None
    except asyncpg.PostgresError as error:
        raise MigrationError(f"The tables in {where} cannot be changed: {error}. Missing: {', '.join(lacking)}") from None
    finally:
        await connection.close()


if __name__ == "__main__":
    try:
        asyncio.run(migrate(os.environ.get("DATABASE_URL", ""), sys.argv[1:]))
    except MigrationError as error:
        sys.exit(f"error: {error}")
