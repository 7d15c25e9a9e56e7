"""Suricata writes a rule's classification as its description; this is the way back to the short name.

The short names and descriptions are those of the standard ``classification.config`` (Suricata and Snort).
"""

from __future__ import annotations

UNKNOWN = "unknown"

_BY_SLUG = {
    "not-suspicious": "Not Suspicious Traffic",
    "unknown": "Unknown Traffic",
    "bad-unknown": "Potentially Bad Traffic",
    "attempted-recon": "Attempted Information Leak",
    "successful-recon-limited": "Information Leak",
    "successful-recon-largescale": "Large Scale Information Leak",
    "attempted-dos": "Attempted Denial of Service",
    "successful-dos": "Denial of Service",
    "denial-of-service": "Detection of a Denial of Service Attack",
    "attempted-user": "Attempted User Privilege Gain",
    "unsuccessful-user": "Unsuccessful User Privilege Gain",
    "successful-user": "Successful User Privilege Gain",
    "attempted-admin": "Attempted Administrator Privilege Gain",
    "successful-admin": "Successful Administrator Privilege Gain",
    "rpc-portmap-decode": "Decode of an RPC Query",
    "shellcode-detect": "Executable Code was Detected",
    "string-detect": "A Suspicious String was Detected",
    "suspicious-filename-detect": "A Suspicious Filename was Detected",
    "suspicious-login": "An Attempted Login Using a Suspicious Username was Detected",
    "default-login-attempt": "Attempt to Login By a Default Username and Password",
    "system-call-detect": "A System Call was Detected",
    "tcp-connection": "A TCP Connection was Detected",
    "unusual-client-port-connection": "A Client was Using an Unusual Port",
    "network-scan": "Detection of a Network Scan",
    "non-standard-protocol": "Detection of a Non-Standard Protocol or Event",
    "protocol-command-decode": "Generic Protocol Command Decode",
    "icmp-event": "Generic ICMP event",
    "web-application-activity": "Access to a Potentially Vulnerable Web Application",
    "web-application-attack": "Web Application Attack",
    "misc-activity": "Misc activity",
    "misc-attack": "Misc Attack",
    "inappropriate-content": "Inappropriate Content was Detected",
    "policy-violation": "Potential Corporate Privacy Violation",
    "targeted-activity": "Targeted Malicious Activity was Detected",
    "trojan-activity": "A Network Trojan was Detected",
    "exploit-kit": "Exploit Kit Activity Detected",
    "external-ip-check": "Device Retrieving External IP Address Detected",
    "domain-c2": "Domain Observed Used for C2 Detected",
    "command-and-control": "Malware Command and Control Activity Detected",
    "pup-activity": "Possibly Unwanted Program Detected",
    "credential-theft": "Successful Credential Theft Detected",
    "social-engineering": "Possible Social Engineering Attempted",
    "coin-mining": "Crypto Currency Mining Activity Detected",
    "sdf": "Sensitive Data was Transmitted Across the Network",
    "file-format": "Known malicious file or file based exploit",
    "malware-cnc": "Known malware command and control traffic",
    "client-side-exploit": "Known client side exploit attempt",
}

SLUGS = {text.lower(): slug for slug, text in _BY_SLUG.items()} | {slug: slug for slug in _BY_SLUG}
"""Slug by description or slug, in lower case."""


def slug_of(category: str) -> str:
    """The short name of a description in any case; ``unknown`` when it is not a standard one."""
    return SLUGS.get(category.lower(), UNKNOWN)
