#!/usr/bin/env bash
# Puts the unmodified amazon-connect-chatjs and a WebSocket for Node into a folder,
# and prints the folder. Without an argument it is a temporary one.
#
#   scripts/chatjs/install.sh [FOLDER]
set -euo pipefail

folder=${1:-$(mktemp -d "${TMPDIR:-/tmp}/chatjs.XXXXXX")}
if ! command -v npm >/dev/null; then
	echo "chatjs: npm is missing (apt-get install npm)" >&2
	exit 1
fi
mkdir -p "$folder"
if [ ! -d "$folder/node_modules/amazon-connect-chatjs" ]; then
	(cd "$folder" && npm install --silent --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
		--legacy-peer-deps amazon-connect-chatjs@5.0.0 ws@8.18.3) >&2
fi
echo "$folder"
