"""The routes that the text of a file refers to."""

from __future__ import annotations

import pytest

from querylint.frontends.convex.texts import Text


@pytest.mark.parametrize(
    ("source", "routes"),
    [
        ("useQuery(api.posts.list)", ["posts:list"]),
        ("runQuery(internal.posts\n  .drafts.open, {})", ["posts/drafts:open", "posts:drafts"]),
        ("(internal as any).posts.open; convexApi?.posts!.list", ["posts:list", "posts:open"]),
        ("components.mail.lib.send; components?.mail.lib.fetch", ["lib:fetch", "lib:send"]),
        ("components.api.posts.list; api.internal.posts.open", ["internal/posts:open", "internal:posts", "posts:list"]),
        ("subcomponents.mail.lib.send; tapir.posts; rapid; PI.posts.list", []),
        ("Api.posts.list; myInternals.posts.open; capital", ["posts:list", "posts:open"]),
    ],
)
def test_references_stand_for_routes(source: str, routes: list[str]) -> None:
    assert Text(lambda _: source.encode(), "a.ts", {}, None).references() == routes
