#!/usr/bin/env bash
# CI remediation with GitOps review, whole and small.
#
#   remediate.sh run    ALERT_FILE REPOSITORY INVENTORY [WAIT_S]   render, wait for the merge, apply, verify
#   remediate.sh render ALERT_FILE REPOSITORY INVENTORY            write the plan to a branch and push it
#   remediate.sh apply  PLAN_DIR INVENTORY                         commit a merged plan and verify it
#
# REPOSITORY: anything git can clone (a bare repository here; your forge there). Plans live in plans/INCIDENT on the
# branch secloop/INCIDENT; merging the branch is the approval, deleting it the refusal.
# Exit: 0 done or nothing to do, 1 failed, 3 not merged in time, 4 refused (branch deleted).
set -euo pipefail
secloop=$(cd "$(dirname "$0")/../.." && pwd)
export ANSIBLE_CONFIG="$secloop/ansible.cfg"
bin=${SECLOOP_BIN:-$secloop/.venv/bin}
main=${SECLOOP_MAIN_BRANCH:-main}

field() { "$bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }

render() { # ALERT_FILE REPOSITORY INVENTORY -> prints the incident, or nothing when there is nothing to change
  local alert=$1 repository=$2 inventory=$3 clone incident
  clone=$(mktemp -d)
  git clone --quiet "$repository" "$clone"
  "$bin/ansible-playbook" "$secloop/playbooks/render.yml" -i "$inventory" -e alert_file="$alert" \
    -e plan_dir="$clone/.new-plan" >&2
  incident=$(field "$clone/.new-plan/manifest.json" incident_id)
  if ! find "$clone/.new-plan/devices" -name edit.xml -size +0 2>/dev/null | grep -q .; then
    echo "remediate: incident $incident needs no change" >&2
  else
    mkdir -p "$clone/plans"
    rm -rf "$clone/plans/$incident"
    mv "$clone/.new-plan" "$clone/plans/$incident"
    git -C "$clone" checkout --quiet -B "secloop/$incident"
    git -C "$clone" add "plans/$incident"
    git -C "$clone" -c user.name=secloop -c user.email=secloop@localhost commit --quiet \
      -m "Respond to incident $incident" -m "$(cat "$clone/plans/$incident/summary.txt")"
    git -C "$clone" push --quiet --force origin "secloop/$incident"
    echo "$incident"
  fi
  rm -rf "$clone"
}

wait_for_merge() { # REPOSITORY INCIDENT WAIT_S CLONE
  local repository=$1 incident=$2 until=$((SECONDS + $3)) clone=$4 branch="secloop/$2" tip
  git clone --quiet "$repository" "$clone"
  tip=$(git -C "$clone" rev-parse "origin/$branch")
  echo "remediate: waiting for $branch to be merged into $main" >&2
  while [ $SECONDS -lt "$until" ]; do
    git -C "$clone" fetch --quiet --prune origin
    if git -C "$clone" rev-parse --verify --quiet "origin/$main" >/dev/null &&
      git -C "$clone" merge-base --is-ancestor "$tip" "origin/$main"; then
      git -C "$clone" checkout --quiet --detach "origin/$main"
      return 0
    fi
    git -C "$clone" rev-parse --verify --quiet "origin/$branch" >/dev/null || return 4
    sleep 1
  done
  return 3
}

apply() { # PLAN_DIR INVENTORY
  local plan=$1 inventory=$2 incident
  "$bin/ansible-playbook" "$secloop/playbooks/apply.yml" -i "$inventory" -e plan_dir="$plan"
  incident=$(field "$plan/manifest.json" incident_id)
  "$bin/secloop" status --json | "$bin/python" -c '
import json, sys
here = [m for m in json.load(sys.stdin) if m["incident"] == sys.argv[1] and m["state"] == "active"]
print(f"remediate: incident {sys.argv[1]}: {len(here)} mitigations active")
sys.exit(not here)' "$incident"
}

case ${1:-} in
  render) render "$2" "$3" "$4" ;;
  apply) apply "$2" "$3" ;;
  run)
    incident=$(render "$2" "$3" "$4")
    [ -n "$incident" ] || exit 0
    clone=$(mktemp -d)
    trap 'rm -rf "$clone"' EXIT
    status=0
    wait_for_merge "$3" "$incident" "${5:-3600}" "$clone/at" || status=$?
    [ "$status" = 0 ] || { echo "remediate: incident $incident was not merged" >&2; exit "$status"; }
    apply "$clone/at/plans/$incident" "$4"
    ;;
  *)
    sed -n '2,11p' "$0" | cut -c3-
    exit 1
    ;;
esac
