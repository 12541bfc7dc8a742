"""What tests of every kind may ask for."""

from collections.abc import Iterator

import pytest

from glusterfs import GlusterFs, glusterfs


@pytest.fixture(scope="module")
def gluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GlusterFs]:
    """Yield a real GlusterFS with two views, or skip with the reason."""
    with glusterfs(tmp_path_factory.mktemp("gluster")) as servers:
        yield servers
