import type { DetailedPeerCertificate, TLSSocket } from "node:tls";

/** What a server shows of itself in a handshake, as far as verdicts need it. */
export interface Shown {
  readonly protocol: string;
  /** The certificates sent, the server's own first. */
  readonly chain: readonly Certificate[];
  /** Node's code for what is wrong with them, going by the authorities that this host is trusted by. */
  readonly wrong?: string;
  /** Whether the certificate is for another name. */
  readonly otherName: boolean;
}

export interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** The names it is for. */
  readonly names: readonly string[];
  /** Whether it says where its issuer's certificate is to be had: those of public authorities do. */
  readonly namesIssuerUrl: boolean;
}

/** Reads a handshake that accepted any certificate. */
export function shownBy(socket: TLSSocket, hostname: string): Shown {
  const { checkServerIdentity } = process.getBuiltinModule("node:tls");
  const leaf = socket.getPeerCertificate(true);
  const wrong = socket.authorized ? undefined : codeOf(socket.authorizationError);
  return {
    protocol: socket.getProtocol() ?? "TLS",
    chain: chainOf(leaf),
    ...(wrong !== undefined && { wrong }),
    otherName: checkServerIdentity(hostname, leaf) !== undefined,
  };
}

/** Node says it by an error or, in some versions, by its code alone. */
function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : String(error);
}

function chainOf(leaf: DetailedPeerCertificate): readonly Certificate[] {
  const chain: Certificate[] = [];
  const seen = new Set<string>();
  let at: DetailedPeerCertificate | undefined = leaf;
  // The issuer of a root is the root itself.
  while (at?.fingerprint256 && !seen.has(at.fingerprint256)) {
    seen.add(at.fingerprint256);
    chain.push({
      subject: nameOf(at.subject),
      issuer: nameOf(at.issuer),
      from: Date.parse(at.valid_from),
      to: Date.parse(at.valid_to),
      names: (at.subjectaltname ?? "")
        .split(/, ?/)
        .flatMap((one) => /^(?:DNS|IP Address):"?([^"]*)/.exec(one)?.[1] ?? []),
      namesIssuerUrl: (at.infoAccess?.["CA Issuers - URI"]?.length ?? 0) > 0,
    });
    at = at.issuerCertificate as DetailedPeerCertificate | undefined;
  }
  return chain;
}

function nameOf(subject: Readonly<Record<string, string | string[] | undefined>>): string {
  const [organization, name] = [subject["O"], subject["CN"]].map((part) => [part].flat().join(" "));
  if (!name || !organization || name.includes(organization)) return name || organization || "nobody";
  return `${name} (${organization})`;
}
