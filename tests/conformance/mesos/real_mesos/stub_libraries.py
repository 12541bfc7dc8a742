"""Build stand-ins for the libraries that libmesos names and Debian 12 no longer has: OpenSSL 1.0 and Python 2.7.

TLS is never switched on and no Python is ever run, so no stub but those with an answer below is called for its result.
Needs nm and gcc.

usage: stub_libraries.py LIBMESOS FOLDER
"""

import subprocess
import sys
from pathlib import Path

OPENSSL_VERSIONS = ("OPENSSL_1.0.0", "OPENSSL_1.0.1", "OPENSSL_1.0.2")
# What libprocess asks for at start although TLS is off, and what it must hear.
ANSWERS = {
    "SSL_library_init": "return 1;",
    "CRYPTO_num_locks": "return 41;",
    "RAND_poll": "return 1;",
    "ERR_error_string": 'return (long)"stub";',
    "ERR_reason_error_string": 'return (long)"stub";',
}


def undefined_symbols(library: Path) -> list[str]:
    """Return the names, with their versions, that a library expects others to define."""
    listing = subprocess.run(["nm", "-D", "--undefined-only", library], check=True, capture_output=True, text=True)
    return [line.split()[-1] for line in listing.stdout.splitlines()]


def version_map(symbols: dict[str, list[str]]) -> str:
    """Return a linker version script; each version inherits from the one before it."""
    lines, before = [], ""
    for version, names in symbols.items():
        hidden = "" if before else " local: *;"
        lines.append(f"{version} {{ global: {'; '.join(names)};{hidden} }} {before};\n")
        before = version
    return "".join(lines)


def build(folder: Path, soname: str, source: str, versions: dict[str, list[str]] | None = None) -> None:
    """Compile one C source into a shared library called `soname`."""
    code = folder / f"{soname}.c"
    code.write_text(source)
    script = []
    if versions is not None:
        path = folder / f"{soname}.map"
        path.write_text(version_map(versions))
        script = [f"-Wl,--version-script={path}"]
    gcc = ["gcc", "-w", "-fno-builtin", "-shared", "-fPIC", f"-Wl,-soname,{soname}", *script]
    subprocess.run([*gcc, "-o", folder / soname, code], check=True)


def openssl(folder: Path, symbols: list[str]) -> None:
    """Build libcrypto (it holds all the stubs) and an empty libssl; both with the versions that are asked for."""
    # A version without a symbol would not be written into the library.
    by_version = {version: [f"no_symbol_{number}"] for number, version in enumerate(OPENSSL_VERSIONS)}
    code = ["/* TLS is never enabled here. */"]
    for symbol in symbols:
        name, version = symbol.replace("@@", "@").split("@")
        by_version[version].append(name)
        code.append(f"long {name}() {{ {ANSWERS.get(name, 'return 0;')} }}")
    empty = [f"int no_symbol_{number}() {{ return 0; }}" for number, _ in enumerate(OPENSSL_VERSIONS)]
    build(folder, "libcrypto.so.1.0.0", "\n".join([*code, *empty]) + "\n", by_version)
    only_versions = {version: [f"no_symbol_{number}"] for number, version in enumerate(OPENSSL_VERSIONS)}
    build(folder, "libssl.so.1.0.0", "\n".join(empty) + "\n", only_versions)


def python(folder: Path, symbols: list[str]) -> None:
    """Build the Python that is never run: its functions abort, its data is zero."""
    data = [name for name in symbols if name.startswith(("PyExc_", "_Py_"))]
    code = ["#include <stdlib.h>"]
    code += [f"long {name}() {{ abort(); }}" for name in symbols if name not in data]
    code += [f"void *{name}[16];" for name in data]
    build(folder, "libpy27stub.so", "\n".join(code) + "\n")


def main() -> None:
    """Build all three beside each other."""
    library, folder = Path(sys.argv[1]), Path(sys.argv[2])
    symbols = undefined_symbols(library)
    openssl(folder, [symbol for symbol in symbols if "@OPENSSL_1" in symbol])
    python(folder, [symbol for symbol in symbols if symbol.startswith(("Py", "_Py"))])


if __name__ == "__main__":
    main()
