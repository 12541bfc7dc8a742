#!/usr/bin/env bash
# A real Apache Mesos 1.11.0 master and agents in one process, for tests, out of the Python package index alone.
# The egg `mesos.scheduler` 1.11.0 carries Apache's own libmesos (master and agent included, all symbols exported).
# Needs: g++, binutils, python3 with pip, and Debian's libcurl4 libsvn1 libsasl2-2 libapr1 zlib1g. TLS stays off.
# usage: build.sh DEST      then: DEST/run-local.sh [AGENTS=1] [PORT=5050] [STATE_DIR=./mesos-state]   (foreground)
set -euo pipefail
python=${PYTHON:-python3}  # any with pip
here=$(cd "$(dirname "$0")" && pwd)
dest=${1:?usage: build.sh DEST}
mkdir -p "$dest/lib" "$dest/libexec"
cd "$dest"
dest=$PWD
[ -s egg.zip ] || "$python" "$here/fetch_egg.py" egg.zip
"$python" -c 'import zipfile; zipfile.ZipFile("egg.zip").extract("mesos/scheduler/_scheduler.so", ".")'
"$python" "$here/retarget_libmesos.py" mesos/scheduler/_scheduler.so lib/libmesos_egg.so
"$python" "$here/stub_libraries.py" "$dest/lib/libmesos_egg.so" "$dest/lib"
flags=(-O1 -w -ldl -Wl,--disable-new-dtags "-Wl,-rpath,$dest/lib")
g++ -o local_cluster "$here/local_cluster.cpp" "${flags[@]}"
g++ -o libexec/mesos-containerizer "$here/mesos-containerizer.cpp" "${flags[@]}"
install -m 0755 "$here/command_executor.py" libexec/mesos-executor
install -m 0755 "$here/fetcher.py" libexec/mesos-fetcher
cat > run-local.sh <<RUN
#!/usr/bin/env bash
# run-local.sh [AGENTS] [PORT] [STATE_DIR]: master and agents on loopback, in the foreground. MESOS_RESOURCES, MESOS_ATTRIBUTES and
# any other MESOS_* flag of master and agent are taken from the environment. All agents share them and live in one process.
mkdir -p "\${3:-mesos-state}"
export LIBPROCESS_IP=127.0.0.1 LIBPROCESS_PORT="\${2:-5050}" MESOS_LAUNCHER_DIR="$dest/libexec"
export MESOS_ISOLATION=posix/cpu,posix/mem,filesystem/posix MESOS_LAUNCHER=posix MESOS_CONTAINERIZERS=mesos
export MESOS_SYSTEMD_ENABLE_SUPPORT=false MESOS_HOSTNAME=127.0.0.1 MESOS_SWITCH_USER=\${MESOS_SWITCH_USER:-false}
export MESOS_RESOURCES="\${MESOS_RESOURCES:-cpus:4;mem:8192;disk:40960;ports:[31000-31999]}" MESOS_ATTRIBUTES="\${MESOS_ATTRIBUTES:-rack:r1}"
exec "$dest/local_cluster" "\${1:-1}" "\$(cd "\${3:-mesos-state}" && pwd)"
RUN
chmod +x run-local.sh
rm -rf mesos
echo "built in $dest"
