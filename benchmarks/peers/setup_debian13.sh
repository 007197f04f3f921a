#!/usr/bin/env bash
# The newest peers need a newer C++ runtime than this machine's: they live in a Debian 13 root of their own under $PEERS_HOME/debian13.
# Installs oneDNN 3.7 and TorchSharp 0.107 (libtorch 2.10) there. Run as root, after setup.sh; about 4 minutes and 2 GB.
#   $PEERS_HOME/peer13 onednn3 THREADS < shapes in lines
#   $PEERS_HOME/peer13 torchsharp SHAPES.json THREADS [NAME ...]
#   $PEERS_HOME/peer13 torchsharp-model MODELS.json THREADS [NAME ...]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PEERS_HOME=${PEERS_HOME:-$HOME/.cache/rnn-peers}
root=$PEERS_HOME/debian13
mkdir -p "$root"
if [ ! -e "$root/usr/include/oneapi/dnnl/dnnl.hpp" ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq debootstrap >/dev/null
  mirror=$(grep -rhoE 'https?://[^ ]+/debian/?$' /etc/apt/sources.list.d /etc/apt/sources.list 2>/dev/null | head -1 || true)
  debootstrap --variant=minbase --include=g++,libdnnl-dev,libgomp1,libssl3t64,ca-certificates trixie "$root" "$mirror" >"$PEERS_HOME/debian13.log"
fi
mkdir -p "$root/peers" "$root/dotnet"
cp "$here/dnnl_peer.cpp" "$root/peers/"
chroot "$root" g++ -O2 -fopenmp /peers/dnnl_peer.cpp -ldnnl -o /peers/onednn3
if [ ! -e "$root/dotnet/dotnet" ]; then
  home=$(dirname "$(readlink -f "$(command -v dotnet)")")
  cp -r "$home/dotnet" "$home/host" "$root/dotnet/"
  mkdir -p "$root/dotnet/shared" && cp -r "$home/shared/Microsoft.NETCore.App" "$root/dotnet/shared/"
fi
build=$(mktemp -d)
cp "$here"/torchsharp_peer/*.{cs,csproj,props} "$build/"
dotnet publish "$build" -c Release -o "$root/peers/torchsharp" -v q --nologo >"$PEERS_HOME/torchsharp.log"
rm -rf "$build"
cat >"$PEERS_HOME/peer13" <<'R'
#!/usr/bin/env bash
# peer13 PEER ARGUMENTS …: a peer inside the Debian 13 root.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/debian13
peer=$1
shift
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
case $peer in
  onednn3) exec chroot "$root" /peers/onednn3 "$@" ;;
  torchsharp) what=layers ;;
  torchsharp-model) what=models ;;
  *) echo "peer13: expected onednn3, torchsharp or torchsharp-model but got '$peer'" >&2; exit 2 ;;
esac
file=$1
shift
OMP_NUM_THREADS=$1 MKL_NUM_THREADS=$1 exec chroot "$root" /dotnet/dotnet /peers/torchsharp/torchsharp_peer.dll "$what" - "$@" <"$file"
R
chmod +x "$PEERS_HOME/peer13"
"$here/shapes_as_lines.py" "$here/shapes.json" stream-gru | "$PEERS_HOME/peer13" onednn3 1
"$PEERS_HOME/peer13" torchsharp "$here/shapes.json" 1 stream-gru
