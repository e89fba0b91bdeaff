import { plainText } from "../store/remote/answer.ts";
import type { Certificate, Shown } from "./certificate.ts";
import { fault, type Diagnosis } from "./diagnosis.ts";
import type { Place } from "./place.ts";
import { inspectors } from "./rules/network.ts";

const day = 86_400_000;

/** What is wrong with the certificates that a host shows, why, and what mends it; nothing where they are right. */
export function certificateFault(shown: Shown, place: Place, now: number): Diagnosis | undefined {
  const { wrong, otherName } = shown;
  const said =
    (wrong !== undefined && wrong !== "ERR_TLS_CERT_ALTNAME_INVALID" ? untrusted(shown, place, now) : undefined) ??
    (otherName ? forAnother(shown, place) : undefined);
  return (
    said && fault("tls", said.message, { code: "NETWORK", host: place.host, cause: said.cause, command: said.command })
  );
}

interface Said {
  readonly message: string;
  readonly cause: string;
  readonly command?: string;
}

function untrusted({ wrong, chain }: Shown, place: Place, now: number): Said {
  const [leaf] = chain;
  const trust = `gantry doctor --ca-file FILE ${place.name}`;
  switch (wrong) {
    case "CERT_HAS_EXPIRED":
      return expired(chain, place, now);
    case "CERT_NOT_YET_VALID":
      return {
        message: `its certificate is not valid before ${dateOf(leaf?.from)}`,
        cause: "this machine's clock is behind, or the certificate was made too early",
        command: "date -u",
      };
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return {
        message: "its certificate is self-signed",
        cause: "nobody vouches for it: get it from who runs the registry, and trust it for this host",
        command: trust,
      };
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return leaf?.namesIssuerUrl ? incomplete(leaf, place) : unknownAuthority(chain, trust);
    default:
      return unknownAuthority(chain, trust, wrong);
  }
}

function expired(chain: readonly Certificate[], { host, hostname, port }: Place, now: number): Said {
  const at = Math.max(
    0,
    chain.findIndex((one) => one.to < now),
  );
  const old = chain[at];
  const ago = old ? Math.floor((now - old.to) / day) : 0;
  const which = at === 0 ? "its certificate" : `the certificate of its authority, ${plainText(old?.subject ?? "")},`;
  return {
    message: `${which} expired ${ago === 0 ? "today" : `${ago} ${ago === 1 ? "day" : "days"} ago`} (${dateOf(old?.to)})`,
    cause: `who runs ${host} has not renewed it, or this machine's clock is ahead`,
    command: `openssl s_client -connect ${hostname}:${port} -servername ${hostname} </dev/null | openssl x509 -noout -dates`,
  };
}

function incomplete(leaf: Certificate, { hostname, port }: Place): Said {
  return {
    message: `it does not send the certificate of ${plainText(leaf.issuer)}, which signed its own`,
    cause: "the server is to send its whole chain, with the intermediate; browsers hide that it does not",
    command: `openssl s_client -connect ${hostname}:${port} -servername ${hostname} -showcerts </dev/null`,
  };
}

function unknownAuthority(chain: readonly Certificate[], trust: string, wrong?: string): Said {
  const issuer = plainText(chain.at(-1)?.issuer ?? "nobody");
  const inspector = chain.find(({ issuer }) => inspectors.some((name) => issuer.toLowerCase().includes(name)));
  if (inspector) {
    return {
      message: `its certificate was made by ${plainText(inspector.issuer)}, which is not trusted here`,
      cause:
        "a proxy or virus scanner of this network looks into the connection: trust its authority, or have this host left alone",
      command: trust,
    };
  }
  const known = [
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  ];
  const code = wrong === undefined || known.includes(wrong) ? "" : ` (${wrong})`;
  return {
    message: `its certificate is of an authority that is not trusted here: ${issuer}${code}`,
    cause: "a private authority: get its certificate from who runs the registry, and trust it for this host",
    command: trust,
  };
}

function forAnother({ chain: [leaf] }: Shown, { hostname, reference, port }: Place): Said {
  const names = (leaf?.names ?? []).map(plainText);
  const plain = names.find((name) => /^[\w-]+(\.[\w-]+)+$/.test(name));
  const at = `${port === 443 ? "" : `:${port}`}${reference ? `/${reference.repository}` : ""}`;
  const list = names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
  return {
    message: `its certificate is for ${list || "no name at all"}, not for ${hostname}`,
    cause: "the name is misspelt or an alias, DNS leads to another server, or the wrong certificate is installed",
    ...(plain && { command: `gantry doctor ${plain}${at}` }),
  };
}

function dateOf(time: number | undefined): string {
  return time === undefined || Number.isNaN(time) ? "an unknown day" : new Date(time).toISOString().slice(0, 10);
}
