#!/usr/bin/env bash
# CI remediation with GitOps review, whole and small.
#
#   remediate.sh run    ALERT_FILE REPOSITORY INVENTORY [WAIT_S]   render, wait for the merge, apply, verify
#   remediate.sh render ALERT_FILE REPOSITORY INVENTORY            write the plan to a branch and push it
#   remediate.sh apply  PLAN_DIR INVENTORY                         commit a merged plan and verify it
#
# REPOSITORY: anything git can clone (a bare repository here; your forge there). Plans live in plans/INCIDENT on the
# branch secloop/INCIDENT. The plan on the main branch, by merge, squash or rebase, is the approval; deleting the branch
# without it is the refusal.
# Exit: 0 done or nothing to do, 1 failed, 3 not merged within WAIT_S seconds (3600), 4 refused.
set -euo pipefail
secloop=$(cd "$(dirname "$0")/../.." && pwd)
export ANSIBLE_CONFIG="${ANSIBLE_CONFIG:-$secloop/ansible.cfg}" GIT_TERMINAL_PROMPT=0
bin=${SECLOOP_BIN:-$secloop/.venv/bin}
main=${SECLOOP_MAIN_BRANCH:-main}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clone=$work/clone

say() { echo "remediate: $*" >&2; }
fail() { say "$*"; exit 1; }
field() { "$bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
blob() { git -C "$clone" rev-parse --verify --quiet "$1:plans/$incident/manifest.json"; }

render() { # ALERT_FILE REPOSITORY INVENTORY; sets incident, empty when there is nothing to change
  local plan=$work/plan alert
  alert=$(realpath "$1") # ansible-playbook runs in the playbook's folder
  incident=
  git clone --quiet "$2" "$clone" || fail "cannot clone $2"
  "$bin/ansible-playbook" "$secloop/playbooks/render.yml" -i "$3" -e alert_file="$alert" -e plan_dir="$plan" >&2 ||
    fail "$1: no plan was rendered"
  if [ -z "$(find "$plan" -name edit.xml -size +0)" ]; then
    say "incident $(field "$plan/manifest.json" incident_id) needs no change"
    return
  fi
  incident=$(field "$plan/manifest.json" incident_id)
  if git -C "$clone" rev-parse --verify --quiet "origin/$main" >/dev/null; then
    git -C "$clone" checkout --quiet -B "secloop/$incident" "origin/$main"
  else # an empty repository
    git -C "$clone" checkout --quiet --orphan "secloop/$incident"
  fi
  mkdir -p "$clone/plans"
  rm -rf "$clone/plans/$incident"
  mv "$plan" "$clone/plans/$incident"
  git -C "$clone" add "plans/$incident"
  git -C "$clone" -c user.name=secloop -c user.email=secloop@localhost commit --quiet \
    -m "Respond to incident $incident" -m "$(cat "$clone/plans/$incident/summary.txt")"
  git -C "$clone" push --quiet --force origin "secloop/$incident" || fail "cannot push secloop/$incident to $2"
  echo "$incident"
}

await() { # WAIT_S; returns once the main branch holds this plan's manifest
  local until=$((SECONDS + $1)) pushed
  pushed=$(blob HEAD)
  say "waiting for secloop/$incident to be merged into $main"
  while [ $SECONDS -lt "$until" ]; do
    if git -C "$clone" fetch --quiet --prune origin; then
      if [ "$(blob "origin/$main" || true)" = "$pushed" ]; then
        git -C "$clone" checkout --quiet --detach "origin/$main"
        return
      fi
      if ! git -C "$clone" rev-parse --verify --quiet "origin/secloop/$incident" >/dev/null; then
        say "incident $incident was refused: its branch is gone"
        exit 4
      fi
    fi
    sleep 1
  done
  say "incident $incident was not merged within $1 s"
  exit 3
}

apply() { # PLAN_DIR INVENTORY
  "$bin/ansible-playbook" "$secloop/playbooks/apply.yml" -i "$2" -e plan_dir="$(realpath "$1")" || fail "$1: the plan was not applied"
  "$bin/secloop" status --json | "$bin/python" -c '
import json, sys
here = [m for m in json.load(sys.stdin) if m["incident"] == sys.argv[1] and m["state"] == "active"]
print(f"remediate: incident {sys.argv[1]}: {len(here)} mitigations active")
sys.exit(not here)' "$(field "$1/manifest.json" incident_id)"
}

case ${1:-}:$# in
  render:4) render "$2" "$3" "$4" ;;
  apply:3) apply "$2" "$3" ;;
  run:[45])
    render "$2" "$3" "$4"
    [ -n "$incident" ] || exit 0
    await "${5:-3600}"
    apply "$clone/plans/$incident" "$4"
    ;;
  *)
    sed -n '2,11p' "$0" | cut -c3-
    exit 1
    ;;
esac
