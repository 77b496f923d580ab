#!/bin/sh
# Installs the pinned Node.js and npm with whatever npm is here, and checks what came.
# usage: tools/node/ensure.sh   (prints nothing when everything is there)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case $(uname -s)-$(uname -m) in
  Linux-x86_64) arch=x64 ;;
  Linux-aarch64) arch=arm64 ;;
  *) echo "enigm-device runs on Linux on x86_64 or aarch64; this is $(uname -s) on $(uname -m)." >&2; exit 1 ;;
esac
node="$here/node_modules/node-linux-$arch/bin/node"
stamp="$here/node_modules/.checked-$(cksum <"$here/package-lock.json" | tr ' ' -)"
[ -f "$stamp" ] && [ -x "$node" ] && exit 0
command -v npm >/dev/null 2>&1 || { echo "npm is missing: apt-get install npm" >&2; exit 1; }
echo "fetching the pinned Node.js and npm …" >&2
(cd "$here" && npm ci --no-audit --no-fund --loglevel=error --ignore-scripts >/dev/null)
[ -x "$node" ] || { echo "npm $(npm --version) did not install node-linux-$arch; a newer npm does." >&2; exit 1; }
expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  node-linux-$arch\$/\1/p" "$here/SHA256SUMS")
actual=$(sha256sum "$node" | cut -d' ' -f1)
if [ -z "$expected" ] || [ "$expected" != "$actual" ]; then
  rm -rf "$here/node_modules"
  echo "the Node.js that npm brought is not the one this project pins ($actual); nothing was kept." >&2
  exit 1
fi
: >"$stamp"
