"""What the web servers fall for: scans, guessing, a planted shell, an open relay."""

from __future__ import annotations

import base64

from .web import WebRule

GUESSED = ("admin", "sunshine99")
"""What http-brute-force finds."""
BASIC = base64.b64encode(":".join(GUESSED).encode()).decode()
FACTORY = base64.b64encode(b"tomcat:tomcat").decode()
"""The name and password that a manager's page is delivered with."""

RULES = (
    WebRule(means="vuln-scan", target="/robots.txt", answer="User-agent: *\nDisallow: /{canary}\n"),
    WebRule(means="wordlist-scan", target="/backup-old", answer="{canary}"),
    WebRule(means="http-brute-force", target="/private", header=("authorization", f"Basic {BASIC}"), answer="{canary}"),
    WebRule(means="http-brute-force", target="/private", status=401, answer="who are you?"),
    WebRule(
        means="default-account", target="/manager/html", header=("authorization", f"Basic {FACTORY}"), answer="{canary}"
    ),
    WebRule(means="web-shell-command", target="/uploads/help.php?cmd=lab-id", answer="uid=33 {canary}"),
    WebRule(means="internal-proxy", target="http://inner.house.example/flag", answer="{canary}"),
)
