import { digestFault, digestHint, isDigest, type Digest } from "./digest.ts";
import { RegistryError } from "./error.ts";
import { maskUserinfo } from "./userinfo.ts";

/** Names one repository in a registry, and a tag or a digest in it. */
export interface Reference {
  /** The registry's `host[:port]`; an IPv6 address is in brackets. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const dockerHub = "docker.io";
const dockerHubHosts = ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];
const nameLimit = 255;
const componentHint = "components are lower-case letters and digits, joined by one '.', one or two '_', or '-'";
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const componentForm = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const label = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const hostForm = new RegExp(`^(${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])(?::(\\d{1,5}))?$`);

/**
 * Reads `[registry/]repository[:tag][@digest]` by distribution's reference grammar. A first component without a dot, a
 * port or the name `localhost` belongs to the repository; no registry means docker.io, and one component there means
 * `library/`. Neither tag nor digest is made up. Throws INVALID with the position and the way out.
 */
export function parseReference(text: string): Reference {
  const { name, tag, digest } = splitReference(text);
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const explicit = isHost(first);
  const registry = explicit ? parseHost(text, first) : dockerHub;
  const path = explicit ? name.slice(slash + 1) : name;
  const canonical = dockerHubHosts.includes(registry) ? dockerHub : registry;
  const repository = canonical === dockerHub && path !== "" && !path.includes("/") ? `library/${path}` : path;
  checkRepository(text, path, explicit ? slash + 1 : 0);
  if (repository.length > nameLimit) {
    throw invalid(
      text,
      `the repository has ${repository.length} characters, ${nameLimit} are allowed`,
      explicit ? slash + 1 : 0,
    );
  }
  return { registry: canonical, repository, ...(tag !== undefined && { tag }), ...(digest && { digest }) };
}

/** Writes a reference in full. */
export function formatReference(reference: Reference): string {
  const { tag, digest } = reference;
  return `${reference.registry}/${reference.repository}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`;
}

/** Writes a reference as people write it: without docker.io and library/, where that still reads as the same. */
export function familiarReference(reference: Reference): string {
  const full = formatReference(reference);
  if (reference.registry !== dockerHub) return full;
  const [first = "", ...rest] = reference.repository.split("/");
  const short = full.slice(
    first === "library" && rest.length === 1 ? "docker.io/library/".length : "docker.io/".length,
  );
  return (rest.length > 0 && isHost(first)) || isBareDigest(short) ? full : short;
}

/** Whether a text can be a tag (distribution-spec, "Pulling manifests"). */
export function isTag(text: string): boolean {
  return tagForm.test(text);
}

/** Whether a tag names what hangs on a digest: `sha256-<hex>` (the referrers tag schema) or `sha256-<hex>.<suffix>` (Cosign's). */
export function isDigestTag(tag: string): boolean {
  return /^sha(?:256|512)-[0-9a-f]{64}(?:\.|$)/.test(tag);
}

/** Whether a name in an archive, be it a mere tag or a reference, has such a tag. */
export function hasDigestTag(name: string): boolean {
  return isDigestTag(name.slice(name.lastIndexOf(":") + 1));
}

/** Whether a text can be a repository's name. */
export function isRepository(text: string): boolean {
  return text.length <= nameLimit && text.split("/").every((component) => componentForm.test(component));
}

/**
 * Where a registry's API answers, as URLs have it: Docker Hub's is not at the name that references carry, and HTTPS's
 * port is left out. What is no host is answered as it is.
 */
export function apiHost(registry: string): string {
  const name = registry.toLowerCase().replace(/:443$/, "");
  if (dockerHubHosts.includes(name)) return "registry-1.docker.io";
  return URL.parse(`https://${name}`)?.host ?? registry;
}

/** All names that one registry goes by in files of credentials; Docker Hub has several. */
export function hostAliases(host: string): readonly string[] {
  return dockerHubHosts.includes(host) ? dockerHubHosts : [host];
}

/** The names by which helpers know a registry's login, the usual one first: Docker Hub's is an address of long ago. */
export function loginNames(host: string): readonly string[] {
  return dockerHubHosts.includes(host) ? ["https://index.docker.io/v1/", dockerHub] : [host];
}

/** Whether a host (`name[:port]`) is this machine, where plain HTTP is allowed, as Docker does. */
export function isLoopback(host: string): boolean {
  const name = host.startsWith("[") ? host.slice(1, host.indexOf("]")) : host.replace(/:\d+$/, "");
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127\.\d+\.\d+\.\d+$/.test(name);
}

function splitReference(text: string): { name: string; tag?: string; digest?: Digest } {
  if (text === "") throw invalid(text, "it is empty", 0);
  if (maskUserinfo(text) !== text) throw invalid(text, "there is a user in it", 0, loginHint(text));
  const scheme = /^([a-z]+):\/\//i.exec(text);
  if (scheme) {
    throw invalid(text, `it starts with ${scheme[0]}`, 0, `leave ${scheme[0]} out: registry/repository:tag`);
  }
  const space = text.search(/\s/);
  if (space >= 0) throw invalid(text, "white space", space);
  if (isBareDigest(text)) throw invalid(text, "a digest without a repository", 0, "write repository@sha256:...");
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : parseReferenceDigest(text, at + 1);
  const rest = at < 0 ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(":");
  if (colon <= rest.lastIndexOf("/")) return { name: rest, ...(digest && { digest }) };
  const tag = rest.slice(colon + 1);
  if (!isTag(tag)) throw invalid(text, tagFault(tag), colon + 1 + Math.max(0, tag.search(/[^A-Za-z0-9._-]/)));
  return { name: rest.slice(0, colon), tag, ...(digest && { digest }) };
}

function parseReferenceDigest(text: string, start: number): Digest {
  const digest = text.slice(start);
  if (isDigest(digest)) return digest;
  const { what, position } = digestFault(digest);
  throw invalid(text, what, start + position, digestHint);
}

function tagFault(tag: string): string {
  if (tag === "") return "the tag is empty";
  if (tag.length > 128) return `the tag has ${tag.length} characters, 128 are allowed`;
  const stray = tag.search(/[^A-Za-z0-9._-]/);
  return stray < 0
    ? `a tag cannot start with ${JSON.stringify(tag[0])}`
    : `${JSON.stringify(tag[stray])} cannot be in a tag`;
}

/** A digest or an image's ID alone: the grammar takes it for a repository, or for `sha256` with a long tag. */
function isBareDigest(text: string): boolean {
  return isDigest(text) || /^[0-9a-f]{64}$/.test(text);
}

function isHost(first: string): boolean {
  return /[.:[\]]/.test(first) || first.toLowerCase() === "localhost";
}

function parseHost(text: string, host: string): string {
  const [, name, port] = hostForm.exec(host) ?? [];
  if (name === undefined || !isUrlHost(name)) throw invalid(text, `${quoted(host)} is not a host name`, 0);
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) {
    throw invalid(text, `port ${port} is not between 1 and 65535`, host.length - port.length);
  }
  return host.toLowerCase();
}

/** Whether URLs can carry a host, and read nothing else into it: `127.1` and `[:::]` fit the grammar, but are no names. */
function isUrlHost(name: string): boolean {
  const url = `https://${name}`;
  return URL.canParse(url) && (name.startsWith("[") || new URL(url).hostname === name.toLowerCase());
}

function checkRepository(text: string, path: string, offset: number): void {
  if (path === "") throw invalid(text, "the repository is missing", offset);
  let position = offset;
  for (const component of path.split("/")) {
    if (component === "") throw invalid(text, "an empty path component", position);
    if (!componentForm.test(component)) {
      const upper = component.search(/[A-Z]/);
      if (upper >= 0)
        throw invalid(
          text,
          "an upper-case letter in the repository",
          position + upper,
          lowerCaseHint(text, path, offset),
        );
      const stray = component.search(/[^a-z0-9._-]/);
      const what =
        stray >= 0
          ? `${JSON.stringify(component[stray])} cannot be in a repository`
          : `${quoted(component)} is no path component`;
      throw invalid(text, what, position + Math.max(0, stray), componentHint);
    }
    position += component.length + 1;
  }
}

function lowerCaseHint(text: string, path: string, offset: number): string {
  const lower = path.toLowerCase();
  if (!isRepository(lower)) return componentHint;
  return `write ${JSON.stringify(text.slice(0, offset) + lower + text.slice(offset + path.length))}`;
}

function invalid(text: string, what: string, position: number, hint?: string): RegistryError {
  return new RegistryError("INVALID", `invalid reference ${quoted(text)}: ${what}, at position ${position + 1}`, {
    hint: hint ?? "write [registry/]repository[:tag][@digest]",
  });
}

/** Where user and password belong that stand before a host. */
function loginHint(text: string): string {
  const [, host] = /USER:PASSWORD@([^/]+)/.exec(maskUserinfo(text)) ?? [];
  return `leave user and password out, and give them to gantry login${host && isHost(host) ? ` ${host}` : ""}`;
}

function quoted(text: string): string {
  const shown = maskUserinfo(text);
  return JSON.stringify(shown.length > 300 ? `${shown.slice(0, 300)}...` : shown);
}
