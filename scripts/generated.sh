#!/usr/bin/env bash
# Fails when "go generate" changes a file: then somebody forgot to run it.
# Changes that are not committed yet do not matter.
set -euo pipefail
cd "$(dirname "$0")/.."

# files prints a checksum of every file that git does not ignore.
files() {
	git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' file; do
		[ ! -f "$file" ] || sha256sum "$file"
	done
}

before=$(files)
go generate ./...
if ! changed=$(diff <(echo "$before") <(files)); then
	echo "\"make docs\" changes these files; run it and commit them:" >&2
	sed -n 's/^> [0-9a-f]*//p' <<<"$changed" >&2
	exit 1
fi
