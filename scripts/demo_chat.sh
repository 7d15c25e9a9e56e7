#!/usr/bin/env bash
# The demo decided by a chat model behind an OpenAI-compatible server of our own, which ends with it.
# usage: demo_chat.sh VENV MODEL_FOLDER   a small model is made there, in minutes, where there is none
set -euo pipefail
venv=${1:-.venv}
model=${2:-var/chat-small}

if [ ! -f "$model/config.json" ]; then
  echo "demo: making a small chat model in $model"
  "$venv/bin/python" -m training.chat_small --out "$model"
fi
said=$(mktemp)
"$venv/bin/python" -m training.serve "$model" --port 0 --name small >"$said" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -f "$said"' EXIT
until address=$(grep -o 'http://[^ ]*' "$said" | head -n 1) && [ -n "$address" ]; do
  kill -0 "$server" 2>/dev/null || { echo "demo: the model's server ended" >&2; exit 1; }
  sleep 0.2
done
echo "demo: $(head -n 1 "$said")"
SECLOOP_POLICY="openai:small@$address" "$venv/bin/python" -m labs.demo
