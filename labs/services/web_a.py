"""What the web servers fall for: the published method's means."""

from __future__ import annotations

from .web import WebRule

MARKER = "secloop-lab"

RULES = (
    WebRule(
        means="nextjs-middleware-bypass",
        target="/dashboard",
        header=("x-middleware-subrequest", MARKER),
        answer="<h1>Dashboard</h1>{canary}",
    ),
    WebRule(
        means="upload-web-shell",
        method="POST",
        target="/upload",
        body=f"<?php /* {MARKER}",
        sets="uploaded",
        status=201,
        answer="/uploads/lab.php",
    ),
    WebRule(means="upload-web-shell", target="/uploads/lab.php?cmd=lab-flag", needs="uploaded", answer="{canary}"),
    WebRule(
        means="unsafe-deserialisation",
        method="POST",
        target="/session",
        header=("content-type", "application/x-java-serialized-object"),
        body=f"rO0ABXQA{MARKER}",
        answer="{canary}",
    ),
    WebRule(
        means="jenkins-cli-file-read",
        method="POST",
        target="/cli?remoting=false",
        body="@/lab/flag",
        answer='ERROR: No such agent "{canary}" exists.',
    ),
    WebRule(
        means="tomcat-partial-put",
        method="PUT",
        target="/lab/session",
        header=("content-range", "bytes 0-"),
        body=MARKER,
        sets="put",
        status=201,
    ),
    WebRule(
        means="tomcat-partial-put",
        target="/index.jsp",
        header=("cookie", "JSESSIONID=.lab"),
        needs="put",
        status=500,
        answer="{canary}",
    ),
    WebRule(
        means="web-shell-stage-two", method="POST", target="/uploads/lab.php", body=f"z0={MARKER}", answer="{canary}"
    ),
    WebRule(means="php-filter-chain", target="page=php://filter/convert.iconv.LAB.MARKER", answer="{canary}"),
    WebRule(
        means="xss-cookie-theft", method="POST", target="/comments", body="labMarker(", sets="read", answer="saved"
    ),
    WebRule(means="xss-cookie-theft", target="/comments", needs="read", answer="<p>session={canary}</p>"),
    WebRule(
        means="csrf",
        method="POST",
        target="/account/email",
        header=("origin", "lure.example"),
        body="email=",
        answer="changed, confirmation code {canary}",
    ),
    WebRule(means="sql-injection", target="UNION%20SELECT%20flag%20FROM%20secloop_lab", answer='[{"id": "{canary}"}]'),
    WebRule(means="file-inclusion", target="../../lab/flag", answer="{canary}"),
    WebRule(means="ssrf", target="url=http://169.254.169.254/lab/flag", answer="{canary}"),
    WebRule(means="vite-file-read", target="/@fs/lab/flag?raw-lab??", answer='export default "{canary}"'),
    WebRule(
        means="zero-day",
        method="POST",
        target="/rpc/relay",
        header=("transfer-encoding", "lab-relay"),
        answer="{canary}",
    ),
)
