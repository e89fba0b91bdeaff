import { hostAliases } from "../oci/reference.ts";
import type { Credential } from "./credential.ts";
import { readAuth, type AuthEntry } from "./docker-config.ts";

/**
 * The login that Kubernetes would pull an image with (its "Images", "Interpretation of config.json"): of the keys whose
 * host fits label by label, with `*`, `?` and `[...]`, whose port is the same and whose path the repository begins with, the
 * last in alphabetical order. Throws INVALID, `at` being where the logins stand.
 */
export function findPullSecret(
  auths: ReadonlyMap<string, AuthEntry>,
  host: string,
  path: string,
  at: string,
): Credential | undefined {
  const keys = [...auths.keys()].map((written) => ({ written, place: placeOf(written) }));
  keys.sort((a, b) => (a.place < b.place ? 1 : -1));
  for (const { written, place } of keys) {
    if (!hostAliases(host).some((name) => matches(place, name, path))) continue;
    const credential = readAuth(auths.get(written)!, `${at}: auths[${JSON.stringify(written)}]`);
    if (credential) return credential;
  }
  return undefined;
}

/** A key without its scheme and without `/v1/` and `/v2/`, its host in lower case. */
function placeOf(key: string): string {
  const bare = key.replace(/^https?:\/\//i, "");
  const slash = bare.indexOf("/");
  if (slash < 0) return bare.toLowerCase();
  const path = bare.slice(slash).replace(/^\/v[12]\//, "/");
  return bare.slice(0, slash).toLowerCase() + (path === "/" ? "" : path);
}

function matches(place: string, host: string, path: string): boolean {
  const slash = place.indexOf("/");
  const [name, port] = splitPort(slash < 0 ? place : place.slice(0, slash));
  const [wantedName, wantedPort] = splitPort(host);
  const labels = name.split(".");
  const wanted = wantedName.split(".");
  return (
    port === wantedPort &&
    labels.length === wanted.length &&
    labels.every((label, i) => matchesLabel(label, wanted[i]!)) &&
    (slash < 0 || `/${path}`.startsWith(place.slice(slash)))
  );
}

function splitPort(host: string): readonly [name: string, port: string] {
  const colon = host.lastIndexOf(":");
  return colon > host.lastIndexOf("]") ? [host.slice(0, colon), host.slice(colon + 1)] : [host, ""];
}

type Fits = (character: string) => boolean;

/** Whether a label fits a pattern, by the rules of Go's path.Match; the last `*` alone is gone back to, so it takes no long time. */
function matchesLabel(pattern: string, label: string): boolean {
  const pieces = piecesOf(pattern);
  let [at, piece] = [0, 0];
  let star: { at: number; readonly piece: number } | undefined;
  while (at < label.length) {
    const next = pieces[piece];
    if (next === "*") {
      star = { at, piece };
      piece += 1;
    } else if (next?.(label[at]!)) {
      at += 1;
      piece += 1;
    } else if (star) {
      star.at += 1;
      [at, piece] = [star.at, star.piece + 1];
    } else {
      return false;
    }
  }
  return pieces.slice(piece).every((rest) => rest === "*");
}

function piecesOf(pattern: string): readonly ("*" | Fits)[] {
  return [...pattern.matchAll(/\*|\[(\^?)([^\]]+)\]|\\?([^])/g)].map(([text, not, range, character]) => {
    if (text === "*") return "*";
    if (text === "?") return () => true;
    return range === undefined ? (one) => one === character : (one) => inRange(range, one) === (not === "");
  });
}

/** Whether a character is in what stands between `[` and `]`: characters, and ranges of them. */
function inRange(range: string, character: string): boolean {
  return [...range.matchAll(/([^])-([^])|([^])/g)].some(([, from = "", to = "", single]) =>
    single === undefined ? from <= character && character <= to : single === character,
  );
}
