#!/bin/sh
# Deno 2.9.6 (npm) colours the report of an uncaught error although its standard error is a file. Escape sequences surround the word
# `error` and each part of `file:line:column`. Node writes none there. NO_COLOR turns them off; whoever reads the logs of others has to
# look past them.
#
# Prints what was seen and ends with 0 while that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset NO_COLOR FORCE_COLOR CLICOLOR_FORCE || true
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 >/dev/null
echo 'function pay() { throw new TypeError("no order") } pay()' >crash.js
npx deno run crash.js 2>seen || true
NO_COLOR=1 npx deno run crash.js 2>plain || true
node crash.js 2>of_node || true
sed 's/\x1b/<ESC>/g' seen
escape=$(printf '\033')
grep -q "$escape" seen
grep -q 'TypeError' seen
if grep -q "$escape" plain of_node; then exit 1; fi
