"""Make the library of the egg `mesos.scheduler` 1.11.0 loadable on Debian 12.

It asks for the symbol version CURL_OPENSSL_3; libcurl.so.4 is the same today, but calls that version CURL_OPENSSL_4.
Both the name and its hash are rewritten in the version needs of the ELF file (gABI, section SHT_GNU_verneed).

usage: retarget_libmesos.py SOURCE DESTINATION
"""

import struct
import sys
from dataclasses import dataclass
from pathlib import Path

SHT_GNU_VERNEED = 0x6FFFFFFE
OLD, NEW = b"CURL_OPENSSL_3", b"CURL_OPENSSL_4"


@dataclass(frozen=True, slots=True)
class Section:
    """What is needed of one section header (Elf64_Shdr)."""

    kind: int
    offset_bytes: int
    link: int
    info: int


def elf_hash(name: bytes) -> int:
    """Return the hash by which the dynamic linker compares version names (System V gABI, `ELF hash`)."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & 0xFFFFFFFF
    return value


def sections(image: bytes | bytearray) -> list[Section]:
    """Return the section headers of a 64-bit little-endian ELF file."""
    if image[:5] != b"\x7fELF\x02":
        raise SystemExit("not a 64-bit ELF file")
    (table,) = struct.unpack_from("<Q", image, 0x28)
    size, count, _ = struct.unpack_from("<HHH", image, 0x3A)
    found = []
    for index in range(count):
        _, kind, _, _, offset, _, link, info, _, _ = struct.unpack_from("<IIQQQQIIQQ", image, table + index * size)
        found.append(Section(kind, offset, link, info))
    return found


def retarget(image: bytearray) -> int:
    """Rewrite every need of OLD to NEW in place; return how many there were."""
    headers = sections(image)
    rewritten = 0
    for section in headers:
        if section.kind != SHT_GNU_VERNEED:
            continue
        strings = headers[section.link].offset_bytes
        need = section.offset_bytes
        for _ in range(section.info):
            _, versions, _, first, next_need = struct.unpack_from("<HHIII", image, need)
            version = need + first
            for _ in range(versions):
                _, _, _, name, next_version = struct.unpack_from("<IHHII", image, version)
                start = strings + name
                if image[start : image.index(b"\0", start)] == OLD:
                    image[start : start + len(OLD)] = NEW
                    struct.pack_into("<I", image, version, elf_hash(NEW))
                    rewritten += 1
                version += next_version
            need += next_need
    return rewritten


def main() -> None:
    """Rewrite one file into another."""
    source, destination = map(Path, sys.argv[1:])
    image = bytearray(source.read_bytes())
    if retarget(image) == 0:
        raise SystemExit(f"{source} does not need {OLD.decode()}: another egg than mesos.scheduler 1.11.0?")
    destination.write_bytes(image)


if __name__ == "__main__":
    main()
