"""`carrel mcp` as a process, asked by the official SDK's own client, which validates each answer against its schema."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp_client import shelf

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(find_spec("mcp") is None, reason="needs the official SDK (the test extra)"),
]
PATIENCE = 120.0  # seconds until a test gives up; none waits for it when all is well
NOTES = {
    "sourdough.md": "# Sourdough\n\nFeed the starter with flour and water twice a day.\n",
    "stove.md": "# Camping stove\n\nThe electric starter must be kept dry.\n",
}
SERVER = """
import sys
from functools import partial
from pathlib import Path
sys.path.insert(0, {tests!r})
from mcp_client import opened
from app.cli import factories, main
factories.open_library = lambda path, create=False: opened(path)
main(["mcp", "--library", {library!r}])
"""


@pytest.fixture(scope="module")
def library_file(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with shelf(tmp_path_factory.mktemp("conformance"), NOTES) as path:
        yield path


@asynccontextmanager
async def connected(library: Path, mode: str) -> AsyncIterator[Any]:
    """Start the server, whose encoder needs no model, and connect the SDK's client."""
    from mcp import StdioServerParameters  # 2 s, which only the process that runs these tests is to wait for
    from mcp.client import Client

    tests = Path(__file__).parent
    code = SERVER.format(tests=str(tests), library=str(library))
    environment = {"CARREL_HOME": str(library.parent / "home"), "PYTHONPATH": os.pathsep.join((str(tests.parent),))}
    server = StdioServerParameters(
        command=sys.executable, args=["-c", code], env=environment, cwd=str(tests.parents[1])
    )
    async with asyncio.timeout(PATIENCE), Client(server, mode=mode) as client:
        yield client


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_sdks_client_lists_calls_and_validates_every_tool(library_file: Path, mode: str) -> None:
    from mcp.shared.exceptions import MCPError

    async with connected(library_file, mode) as client:
        assert client.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
        listed = (await client.list_tools()).tools
        assert [tool.name for tool in listed] == ["search", "read", "related", "why"]
        assert all(tool.annotations.read_only_hint and tool.output_schema for tool in listed)

        steps: list[str] = []

        async def heard(progress: float, total: float | None, message: str | None) -> None:
            steps.append(message or "")

        found = await client.call_tool("search", {"query": "feed a starter"}, progress_callback=heard)
        assert not found.is_error and steps[-1] == "searching"
        place = found.structured_content["hits"][0]["place"]
        assert "Feed the starter" in found.content[0].text
        read = await client.call_tool("read", {"place": place})
        assert "twice a day" in read.structured_content["text"] and read.structured_content["next"] is None
        related = await client.call_tool("related", {"place": place, "limit": 3})
        assert related.structured_content["hits"][0]["title"].count("Camping stove")
        why = await client.call_tool("why", {"query": "-electric starter", "path": "stove.md"})
        assert why.structured_content["found"] is False

        refused = await client.call_tool("search", {"query": "x", "limit": 99})
        assert refused.is_error and "from 1 to 20" in refused.content[0].text
        with pytest.raises(MCPError):
            await client.call_tool("forget", {})
        with pytest.raises(MCPError):
            await client.list_resources()


async def test_the_sdks_client_gives_a_call_up_and_asks_on(library_file: Path) -> None:
    async with connected(library_file, "legacy") as client:
        with anyio.CancelScope() as scope:

            async def give_up(*_: object) -> None:
                scope.cancel()

            await client.call_tool("search", {"query": "starter"}, progress_callback=give_up)
        assert scope.cancelled_caught
        assert (await client.call_tool("search", {"query": "starter"})).structured_content["hits"]
