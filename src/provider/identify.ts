import type { Challenge } from "../auth/challenge.ts";
import type { Res } from "../transport/transport.ts";
import { describeQuirks } from "./describe.ts";
import { isSent, providerOfChallenges, providerOfHeaders } from "./detect.ts";
import type { Fingerprint, LoginAdvice } from "./fingerprint.ts";
import { providerOf } from "./providers.ts";

/** A registry service as far as what it answers to `/v2/` tells. */
export interface Identity {
  /** As people call it. */
  readonly name: string;
  readonly login?: LoginAdvice;
  /** In what it differs from others, a line for each thing. */
  readonly quirks?: readonly string[];
}

/** Registries that are known by their challenges, and have no API of their own here. */
const others: readonly { readonly name: string; readonly fingerprint: Fingerprint }[] = [
  {
    name: "Forgejo or Gitea",
    fingerprint: { scheme: "bearer", realm: /\/v2\/token$/, service: /^container_registry$/ },
  },
  { name: "Artifactory", fingerprint: { scheme: "basic", realm: /^Artifactory Realm$/ } },
];

/** Whose a registry (`name[:port]`) is that sends these challenges and headers; undefined where it is nobody's in particular. */
export function identify(
  host: string,
  challenges: readonly Challenge[],
  headers: Res["headers"] = {},
): Identity | undefined {
  const provider = providerOfChallenges(host, challenges) ?? providerOfHeaders(headers) ?? providerOf(host);
  if (!provider) return others.find(({ fingerprint }) => challenges.some((one) => isSent(fingerprint, one, host)));
  const { title, login, quirks } = provider;
  return { name: title, ...(login && { login }), quirks: describeQuirks(quirks) };
}
