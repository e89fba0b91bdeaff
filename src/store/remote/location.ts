import { nonsense, plainText } from "./answer.ts";
import { RegistryError } from "../../oci/error.ts";
import { isConfidential, mayLeadTo } from "../../transport/origin.ts";
import type { Remote } from "./remote.ts";

/** Where a Location or a Link leads. */
export interface Located {
  readonly url: URL;
  /** Whether that is another origin than the registry's, which gets no credentials. */
  readonly anonymous: boolean;
}

/**
 * Reads a Location or Link, absolute or relative to `from`. One that names the registry's own host under the other
 * scheme means the registry itself: behind a proxy that ends TLS, registries do not know their own scheme.
 */
export function locate(at: Pick<Remote, "origin" | "registry" | "isInsecure">, from: URL, text: string): Located {
  const url = URL.parse(text, from.href);
  const attempt = { what: `go on from ${from.host}`, host: at.registry };
  if (url === null || !/^https?:$/.test(url.protocol))
    throw nonsense(attempt, `sent a location that is none: ${plainText(text).slice(0, 200)}`);
  url.username = "";
  url.password = "";
  const own = new URL(url.href);
  own.protocol = at.origin.protocol;
  if (own.origin === at.origin.origin) return { url: own, anonymous: false };
  const trusted = at.isInsecure?.(at.registry) ?? false;
  if (!trusted && !isConfidential(url)) throw refused(at, `leads from TLS to plain HTTP at ${url.host}`);
  if (!trusted && !mayLeadTo(at.origin, url))
    throw refused(at, `leads to ${url.host}, an address of a private network`);
  return { url, anonymous: true };
}

function refused({ registry }: Pick<Remote, "registry">, why: string): RegistryError {
  return new RegistryError("NETWORK", `cannot go on: ${registry} ${why}`, {
    host: registry,
    hint: "if it is right to trust this registry in that, declare it insecure",
  });
}
