"""HttpParser: reads one HTTP/1.1 response as its bytes arrive (RFC 9112), in time linear in its size."""


class HttpParser:
    """An incremental parser with the methods that pymesos calls."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._status = 0
        self._headers: dict[str, str] = {}
        self._in_body = False
        self._body: list[bytes] = []
        self._left_bytes = 0
        self._complete = False
        self._failed = False

    def execute(self, data: bytes, length: int) -> int:
        """Take in `data`; return how much of it was parsed: less than `length` only where it is no HTTP."""
        self._buffer += data[:length]
        try:
            if not self._in_body:
                self._read_head()
            if self._in_body:
                self._read_body()
        except (ValueError, IndexError):
            self._failed = True
            return 0
        return length

    def get_errno(self) -> int:
        """Return 0, or 1 after something that is no HTTP."""
        return int(self._failed)

    def is_headers_complete(self) -> bool:
        """Say whether the whole head has arrived."""
        return self._in_body

    def get_status_code(self) -> int:
        """Return the status code, 0 before it arrived."""
        return self._status

    def get_headers(self) -> dict[str, str]:
        """Return the header fields."""
        return dict(self._headers)

    def is_chunked(self) -> bool:
        """Say whether the body comes in chunks."""
        return self._headers.get("Transfer-Encoding", "").lower() == "chunked"

    def is_partial_body(self) -> bool:
        """Say whether there is a body part to take."""
        return bool(self._body)

    def recv_body(self) -> bytes:
        """Take what has arrived of the body since the last call."""
        taken, self._body = b"".join(self._body), []
        return taken

    def is_message_complete(self) -> bool:
        """Say whether the whole response has arrived."""
        return self._complete

    def _read_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *fields = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        self._status = int(first.split(" ")[1])
        for field in fields:
            name, _, value = field.partition(":")
            self._headers[name.strip().title()] = value.strip()
        self._left_bytes = int(self._headers.get("Content-Length", 0))
        self._in_body = True
        if not self.is_chunked() and self._left_bytes == 0 and "Content-Length" in self._headers:
            self._complete = True

    def _read_body(self) -> None:
        if not self.is_chunked():
            taken = bytes(self._buffer)
            self._buffer.clear()
            if taken:
                self._body.append(taken)
            self._left_bytes -= len(taken)
            self._complete = self._complete or self._left_bytes == 0
            return
        position = self._read_chunks()
        del self._buffer[:position]

    def _read_chunks(self) -> int:
        """Take every whole chunk; return how far they reach."""
        position = 0
        while not self._complete:
            line = self._buffer.find(b"\r\n", position)
            if line < 0:
                break
            size = int(bytes(self._buffer[position:line]).split(b";")[0], 16)
            end = line + 2 + size + 2
            if len(self._buffer) < end:
                break
            if size == 0:
                self._complete = True
            else:
                self._body.append(bytes(self._buffer[line + 2 : end - 2]))
            position = end
        return position
