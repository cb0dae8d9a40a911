#!/bin/sh
# Write the image's lock files: the versions and hashes of requirements.lock, without what only developers need.
set -eu
cd "$(dirname "$0")/../.."
compile="uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header"
$compile pyproject.toml deploy/image/more.in --extra leads --extra threecx -c requirements.lock -o deploy/image/requirements.lock
$compile pyproject.toml deploy/image/more.in deploy/image/lambda.in --extra leads --extra threecx --extra aws -c requirements.lock -o deploy/image/requirements-lambda.lock
