import type { Rule } from "./rule.ts";

/** What it means where no answer came, by the system's and OpenSSL's codes. */
export const networkRules: readonly Rule[] = [
  {
    checks: ["dns"],
    causes: /^(ENOTFOUND|ENODATA)$/,
    cause: "the name is misspelt, or only the DNS of another network (a VPN, a company's) knows it",
    command: "getent hosts {hostname}",
  },
  {
    checks: ["dns"],
    causes: /^(EAI_AGAIN|ETIMEOUT|ESERVFAIL|ECONNREFUSED|EREFUSED)$/,
    cause: "this machine has no network, or its DNS server does not answer",
    command: "cat /etc/resolv.conf",
  },
  { causes: /^ECONNREFUSED$/, cause: "nothing listens on that port: the registry is down, or on another port" },
  {
    checks: ["tls"],
    causes: /^(ETIMEDOUT|TIMEOUT)$/,
    cause: "something takes the connection and says nothing: a firewall, or a service that speaks no TLS",
  },
  {
    checks: ["api", "login", "pull", "push", "abilities"],
    causes: /^(ETIMEDOUT|TIMEOUT)$/,
    cause: "the registry, or a proxy before it, is overloaded or waits for something else",
  },
  {
    causes: /^(ETIMEDOUT|TIMEOUT)$/,
    cause: "a firewall drops what is sent there, or the host is down; where only a proxy leads out, none is set",
  },
  {
    causes: /^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/,
    cause: "this machine has no route there: no network, no VPN, or no IPv6",
  },
  { causes: /^EACCES$|^EPERM$/, cause: "a firewall on this machine forbids the connection" },
  {
    causes: /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/,
    cause: "the registry speaks plain HTTP on this port",
    command: "gantry doctor --plain-http {place}",
  },
  {
    causes: /UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|VERSION_TOO_LOW/,
    cause: "the server has only versions of TLS that are out of use: it must offer TLS 1.2 or later",
  },
  {
    causes: /CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE/,
    cause: "the server wants a client certificate, or shares no cipher with us",
  },
  {
    checks: ["tls", "api"],
    causes: /^(ECONNRESET|EPIPE|ECONNABORTED)$/,
    cause: "what listens there is no TLS server, or a firewall ends connections by the name that is asked for",
  },
  { text: /is not an HTTP response/, cause: "what listens there speaks no HTTP: the port belongs to something else" },
];

/** Words in the issuers of certificates that proxies and virus scanners make when they look into connections. */
export const inspectors: readonly string[] = [
  "avast",
  "bitdefender",
  "blue coat",
  "burp",
  "portswigger",
  "charles proxy",
  "check point",
  "cisco umbrella",
  "cloudflare gateway",
  "gateway ca - cloudflare",
  "eset ssl",
  "fiddler",
  "forcepoint",
  "fortigate",
  "fortinet",
  "iboss",
  "kaspersky",
  "mcafee web gateway",
  "menlo security",
  "mitmproxy",
  "netskope",
  "palo alto",
  "sophos",
  "squid",
  "trend micro",
  "zscaler",
];
