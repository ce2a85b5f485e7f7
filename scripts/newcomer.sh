#!/usr/bin/env bash
# Does what somebody does who has just found the project: clones it into an
# empty folder and runs the two commands of its README there. Only what is
# committed takes part.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d "${TMPDIR:-/tmp}/newcomer.XXXXXX")
trap 'rm -rf "$folder"' EXIT
git clone -q --no-hardlinks . "$folder/ringdown"
cd "$folder/ringdown"

# The commands are those of the README's first block of shell.
mapfile -t commands < <(awk '/^```sh$/ { inside = 1; next } /^```$/ && inside { exit } inside { sub(/ *#.*/, ""); print }' README.md)
[ "${commands[*]}" = "make demo make test" ] || {
	echo "the README begins with other commands than \"make demo\" and \"make test\": ${commands[*]}" >&2
	exit 1
}
for command in "${commands[@]}"; do
	echo "newcomer: $command"
	$command
done
