/** What a failure of Node's means to a person: the end of a sentence that begins with a host's name, and a way out. */
export interface Meaning {
  readonly says: string;
  readonly hint?: string;
  readonly retryable?: boolean;
}

const certificateHint = "give its CA certificate for this host, or declare the host insecure";
const plainHint = "it may speak plain HTTP: declare the host insecure to allow that";
const networkHint = "check the network, a firewall or the proxy settings";
const clientHint = "give a certificate and its key for this host";
const lookupHint = "check the network and the DNS settings";
const clockHint = "check this machine's clock";

const passing = (says: string, hint?: string): Meaning => ({
  says,
  retryable: true,
  ...(hint !== undefined && { hint }),
});
const unreachable = passing("cannot be reached from here", networkHint);
const unknownName: Meaning = { says: "is not known: DNS has no such name", hint: "check the spelling of the host" };
const noLookup = passing("could not be looked up: DNS does not answer", lookupHint);
const forbidden: Meaning = { says: "may not be connected to from here", hint: "a firewall of this machine forbids it" };
const filesHint = "raise the limit of open files (ulimit -n)";
const broken = passing("broke the connection off");
const otherAuthority: Meaning = {
  says: "has a TLS certificate from an authority that is not trusted here",
  hint: certificateHint,
};
const notTls: Meaning = { says: "does not speak TLS", hint: plainHint };
const otherVersion: Meaning = { says: "speaks no TLS version that is allowed here" };
const weak: Meaning = { says: "has a TLS certificate or key that is too weak", hint: "have it replaced" };

/** By the codes of Node, c-ares and OpenSSL's verification. */
const byCode: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: passing("refused the connection", "is it running, and on this port?"),
  ECONNRESET: broken,
  ECONNABORTED: broken,
  EPIPE: passing("closed the connection while we were sending"),
  ERR_STREAM_PREMATURE_CLOSE: broken,
  ETIMEDOUT: passing("did not answer", networkHint),
  EHOSTUNREACH: unreachable,
  EHOSTDOWN: unreachable,
  ENETUNREACH: unreachable,
  ENETDOWN: unreachable,
  EADDRNOTAVAIL: passing("cannot be reached: this machine has no address or port left for it", networkHint),
  EACCES: forbidden,
  EPERM: forbidden,
  EMFILE: { says: "cannot be connected to: this process has too many files open", hint: filesHint },
  ENFILE: passing("cannot be connected to: this machine has too many files open", filesHint),
  ENOTFOUND: unknownName,
  ENODATA: { says: "has no address in DNS", hint: "check the spelling of the host" },
  EAI_AGAIN: noLookup,
  EAI_FAIL: noLookup,
  ESERVFAIL: noLookup,
  ETIMEOUT: noLookup,
  CERT_HAS_EXPIRED: {
    says: "has a TLS certificate that has expired",
    hint: "have it renewed, or check this machine's clock",
  },
  CERT_NOT_YET_VALID: { says: "has a TLS certificate that is not valid yet", hint: clockHint },
  CERT_REVOKED: { says: "has a TLS certificate that was revoked", hint: "have it replaced" },
  CERT_REJECTED: otherAuthority,
  CERT_UNTRUSTED: otherAuthority,
  CERT_SIGNATURE_FAILURE: { says: "has a TLS certificate whose signature is wrong", hint: "have it replaced" },
  CERT_CHAIN_TOO_LONG: otherAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: { says: "has a self-signed TLS certificate", hint: certificateHint },
  SELF_SIGNED_CERT_IN_CHAIN: otherAuthority,
  UNABLE_TO_GET_ISSUER_CERT: otherAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: otherAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: otherAuthority,
  INVALID_CA: { says: "has a TLS certificate whose issuer is no authority", hint: certificateHint },
  INVALID_PURPOSE: { says: "has a TLS certificate that is not for servers", hint: "have it replaced" },
  EE_KEY_TOO_SMALL: weak,
  CA_KEY_TOO_SMALL: weak,
  CA_MD_TOO_WEAK: weak,
  ERR_TLS_CERT_ALTNAME_INVALID: {
    says: "has a TLS certificate for another name",
    hint: "use the name that is in the certificate",
  },
  ERR_TLS_HANDSHAKE_TIMEOUT: passing("did not finish the TLS handshake", networkHint),
  EPROTO: { says: "broke the TLS handshake off" },
  HPE_HEADER_OVERFLOW: { says: "sent a response whose header is too large" },
};

/** OpenSSL's reasons, the first that fits: their prefixes change from version to version. */
const byPattern: readonly (readonly [RegExp, Meaning])[] = [
  [/^HPE_/, { says: "sent something that is not an HTTP response" }],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/, notTls],
  [/^ERR_SSL_(UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|.*_?ALERT_PROTOCOL_VERSION)$/, otherVersion],
  [/^ERR_SSL_.*CERTIFICATE_REQUIRED$/, { says: "wants a client certificate", hint: clientHint }],
  [/^ERR_SSL_.*ALERT_CERTIFICATE_EXPIRED$/, { says: "does not take our client certificate: it has expired" }],
  [
    /^ERR_SSL_.*ALERT_(BAD_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_UNKNOWN|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)$/,
    { says: "does not take our client certificate", hint: clientHint },
  ],
  [
    /^ERR_SSL_.*UNRECOGNIZED_NAME$/,
    { says: "has no TLS certificate for this name", hint: "check the spelling of the host" },
  ],
  [/^ERR_SSL_.*HANDSHAKE_FAILURE$/, { says: "has no way of TLS in common with us, or wants a client certificate" }],
  [/^ERR_SSL_.*(KEY_TOO_SMALL|MD_TOO_WEAK)$/, weak],
  [/^ERR_SSL_.*BAD_RECORD_MAC$/, passing("sent bytes that were damaged on their way")],
  [/^ERR_SSL_UNEXPECTED_EOF/, broken],
  [/^ERR_SSL_/, byCode["EPROTO"]!],
];

/** What Node threw, as a person would say it, with a cause to keep. */
export function meaningOf(error: unknown): Meaning & { readonly retryable: boolean; readonly cause?: unknown } {
  const { code, cause } = describe(error);
  const found = byCode[code] ?? byPattern.find(([pattern]) => pattern.test(code))?.[1];
  const { says, hint, retryable = false } = found ?? { says: `could not be talked to (${code || "unknown cause"})` };
  return { says, retryable, ...(hint !== undefined && { hint }), ...(cause !== undefined && { cause }) };
}

/** Whether what Node threw says that the other end does not speak TLS. */
export function saysNotTls(error: unknown): boolean {
  return meaningOf(error).says === notTls.says;
}

/** Whether what Node threw is about whom a certificate is from. */
export function saysUntrusted(error: unknown): boolean {
  return meaningOf(error).hint === certificateHint;
}

/** Node's code for an error, and a cause to keep: a parse error carries the response's bytes, which are not for showing. */
function describe(error: unknown): { readonly code: string; readonly cause?: unknown } {
  if (!(error instanceof Error)) return { code: "" };
  const several =
    error instanceof AggregateError ? (error.errors as unknown[]).find((one) => one instanceof Error) : undefined;
  const found = (several ?? error) as Error & { readonly code?: unknown };
  const code = sslCode(found) ?? (typeof found.code === "string" ? found.code : "");
  return "rawPacket" in found ? { code } : { code, cause: found };
}

/** The code that Node gives an OpenSSL error in some places, where it only put OpenSSL's words into an EPROTO. */
function sslCode({ code, message }: Error & { readonly code?: unknown }): string | undefined {
  const reason = code === "EPROTO" ? /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] : undefined;
  return reason && `ERR_SSL_${reason.toUpperCase().replaceAll(/[ /]/g, "_")}`;
}
