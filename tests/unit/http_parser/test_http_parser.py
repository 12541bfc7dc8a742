"""The drop-in parser: any cut of the bytes gives the same answer."""

from itertools import pairwise

import pytest
from http_parser.http import HttpParser
from hypothesis import given
from hypothesis import strategies as st

BODY = b"7\nabcdefg"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nMesos-Stream-Id: s\r\n\r\n"
    b"4\r\n7\nab\r\n5;x=y\r\ncdefg\r\n0\r\n\r\n"
)


@given(st.lists(st.integers(1, len(CHUNKED) - 1), max_size=8))
def test_chunks_are_put_together_however_they_arrive(cuts: list[int]) -> None:
    parser, body = HttpParser(), b""
    places = [0, *sorted(cuts), len(CHUNKED)]
    for begin, end in pairwise(places):
        part = CHUNKED[begin:end]
        assert parser.execute(part, len(part)) == len(part)
        if parser.is_partial_body():
            body += parser.recv_body()
    assert parser.is_message_complete()
    assert body == BODY
    assert parser.get_status_code() == 200
    assert parser.get_headers()["Mesos-Stream-Id"] == "s"


def test_a_length_is_kept_to() -> None:
    parser = HttpParser()
    text = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
    assert parser.execute(text, len(text)) == len(text)
    assert (parser.get_status_code(), parser.is_chunked(), parser.recv_body()) == (503, False, b"busy")
    assert parser.is_message_complete()


@pytest.mark.parametrize("text", [b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_an_error(text: bytes) -> None:
    parser = HttpParser()
    assert parser.execute(text, len(text)) == 0
    assert parser.get_errno() == 1
