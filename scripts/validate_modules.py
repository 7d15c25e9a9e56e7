"""Runs ansible-test's validate-modules on modules/ without its network bootstrap.

`ansible-test sanity` wants the code inside a collection tree and downloads its requirements; the checker itself
is a script that only needs the tree, so a temporary one is made of links.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# The modules are Apache-2.0 like the rest and are not part of the Ansible project, which alone wants GPLv3 headers.
NOT_OURS = ("missing-gplv3-license",)


def main() -> int:
    """Check every module; the exit status is the checker's."""
    spec = importlib.util.find_spec("ansible_test")
    if spec is None or not spec.submodule_search_locations:
        print("validate-modules: ansible-core is not installed", file=sys.stderr)
        return 2
    checker = Path(spec.submodule_search_locations[0]) / "_util/controller/sanity/validate-modules"
    modules = Path(__file__).resolve().parent.parent / "modules"
    with tempfile.TemporaryDirectory() as tmp:
        path = "ansible_collections/secloop/ai"
        collection = Path(tmp) / path
        (collection / "plugins").mkdir(parents=True)
        (collection / "plugins/modules").symlink_to(modules)
        (collection / "galaxy.yml").write_text("namespace: secloop\nname: ai\nversion: 0.1.0\n")
        names = [f"plugins/modules/{p.name}" for p in sorted(modules.glob("*.py"))]
        done = subprocess.run(
            [sys.executable, checker / "validate.py", "--arg-spec", "--format", "json", "--collection", path, *names],
            cwd=collection,
            env={**os.environ, "PYTHONPATH": f"{checker}:{tmp}", "ANSIBLE_COLLECTIONS_PATH": tmp},
            check=False,
            capture_output=True,
            text=True,
        )
    return report(done.stdout, done.stderr, len(names))


def report(answer: str, said: str, checked: int) -> int:
    """Print what the checker found, without what is not ours to meet."""
    try:
        found = json.loads(answer)
    except ValueError:
        print(f"validate-modules: the checker did not run:\n{answer}{said}", file=sys.stderr)
        return 2
    errors = [
        f"{Path(path).name}:{e['line']}: {e['code']}: {e['msg']}"
        for path, kinds in found.items()
        for e in kinds.get("errors", ())
        if e["code"] not in NOT_OURS
    ]
    print("\n".join([*errors, f"validate-modules: {checked} modules, {len(errors)} errors"]))
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main())
