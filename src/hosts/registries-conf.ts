import { RegistryError } from "../oci/error.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import { parseTomlFile } from "./parse.ts";
import type { Table } from "./table.ts";

/** For which pulls a mirror is asked: all of them, those by digest, or those by tag. */
export type MirrorUse = "all" | "digest-only" | "tag-only";

/** A `[[registry.mirror]]`. */
export interface ConfMirror {
  /** `host[:port][/path]`. */
  readonly location: string;
  readonly insecure: boolean;
  readonly use: MirrorUse;
}

/** A `[[registry]]`: what holds for the images whose names start with its prefix. */
export interface ConfRegistry {
  /** `host[:port][/path]`, or `*.domain`. */
  readonly prefix: string;
  /** What stands for the prefix in pulls; empty where a wildcard leaves names as they are. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly ConfMirror[];
  /** The file, and the entry in it. */
  readonly origin: string;
}

/** A short name's meaning; a name without one was taken its meaning by a later file. */
export interface ConfAlias {
  readonly target: Pick<Reference, "registry" | "repository"> | undefined;
  readonly origin: string;
}

/** One file of registries.conf(5), version 2, or several made one; what is absent was not said. */
export interface RegistriesConf {
  /** One for each prefix. */
  readonly registries: readonly ConfRegistry[];
  readonly aliases: ReadonlyMap<string, ConfAlias>;
  readonly searchRegistries?: { readonly hosts: readonly string[]; readonly origin: string };
  readonly credentialHelpers?: readonly string[];
}

const hostForm = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[\da-fA-F:]+\])(?::\d{1,5})?$/;
const noUser = "leave it out: logins come from Docker's and Podman's files";
const modes = ["enforcing", "permissive", "disabled"];

/** Reads a registries.conf as containers-registries.conf(5) has it; unknown keys are passed over. Throws INVALID with file and key. */
export function parseRegistriesConf(text: string, file: string): RegistriesConf {
  const conf = parseTomlFile(text, file);
  refuseVersion1(conf, file);
  const registries = conf.tables("registry").map((entry) => readRegistry(entry, file));
  refuseConflicts(registries);
  const hosts = conf.texts("unqualified-search-registries")?.map((host) => readHost(host, conf));
  const helpers = conf.texts("credential-helpers");
  const mode = conf.text("short-name-mode");
  if (mode !== undefined && mode !== "" && !modes.includes(mode)) {
    throw invalid(conf.place("short-name-mode"), `${JSON.stringify(mode)} is none of ${modes.join(", ")}`);
  }
  return {
    // The first of several with one prefix counts.
    registries: registries.filter(({ prefix }, i) => registries.findIndex((other) => other.prefix === prefix) === i),
    aliases: readAliases(conf, file),
    ...(hosts && { searchRegistries: { hosts, origin: conf.place("unqualified-search-registries") } }),
    ...(helpers && { credentialHelpers: helpers }),
  };
}

function readRegistry(entry: Table, file: string): ConfRegistry {
  const location = readLocation(entry, "location");
  const prefix = readLocation(entry, "prefix") || location;
  const isWildcard = prefix.startsWith("*.");
  if (prefix === "") throw invalid(entry.at, "it has neither location nor prefix");
  if (location === "" && !isWildcard) throw invalid(entry.at, "it has a prefix and no location");
  if (isWildcard && /[/@:]/.test(prefix)) {
    throw invalid(
      entry.place("prefix"),
      `${JSON.stringify(prefix)} is no wildcard`,
      "write *.example.com, and no more",
    );
  }
  if (entry.text("pull-from-mirror")) {
    throw invalid(entry.place("pull-from-mirror"), "it is for mirrors", "move it into [[registry.mirror]]");
  }
  const byDigest = entry.flag("mirror-by-digest-only") ?? false;
  return {
    prefix,
    location,
    insecure: entry.flag("insecure") ?? false,
    blocked: entry.flag("blocked") ?? false,
    mirrors: entry.tables("mirror").map((mirror) => readMirror(mirror, byDigest)),
    origin: `${file}: [[registry]] ${JSON.stringify(prefix)}`,
  };
}

const uses: readonly MirrorUse[] = ["all", "digest-only", "tag-only"];

function readMirror(mirror: Table, byDigest: boolean): ConfMirror {
  const location = readLocation(mirror, "location");
  if (location === "") throw invalid(mirror.at, "a mirror without a location");
  const text = mirror.text("pull-from-mirror") ?? "";
  const use = uses.find((one) => one === text);
  const at = mirror.place("pull-from-mirror");
  if (text !== "" && !use) throw invalid(at, `${JSON.stringify(text)} is none of ${uses.join(", ")}`);
  if (text !== "" && byDigest) {
    throw invalid(at, "the registry has mirror-by-digest-only already", "leave one of the two out");
  }
  return { location, insecure: mirror.flag("insecure") ?? false, use: byDigest ? "digest-only" : (use ?? "all") };
}

function readLocation(entry: Table, key: string): string {
  const text = (entry.text(key) ?? "").replace(/\/+$/, "");
  if (/^(?:https?:\/\/)?[^/]*@/.test(text)) throw invalid(entry.place(key), "there is a user in it", noUser);
  if (!/^https?:\/\//.test(text)) return text;
  throw invalid(entry.place(key), "it is a URL", `write ${JSON.stringify(text.replace(/^https?:\/\//, ""))}`);
}

function readHost(text: string, conf: Table): string {
  const host = text.replace(/\/+$/, "");
  if (hostForm.test(host)) return host;
  throw invalid(
    conf.place("unqualified-search-registries"),
    `${JSON.stringify(text)} is not a host`,
    "write host[:port]",
  );
}

function readAliases(conf: Table, file: string): RegistriesConf["aliases"] {
  const aliases = conf.table("aliases");
  return new Map(
    (aliases?.keys ?? []).map((name) => {
      const origin = `${file}: aliases[${JSON.stringify(name)}]`;
      const text = aliases!.text(name)!;
      return [name, { target: text === "" ? undefined : readTarget(text, origin), origin }];
    }),
  );
}

function readTarget(text: string, origin: string): ConfAlias["target"] {
  let target: Reference;
  try {
    target = parseReference(text);
  } catch (error) {
    throw invalid(origin, `${JSON.stringify(text)} is no repository`, "write host[:port]/repository", error);
  }
  if (target.tag !== undefined || target.digest || !isHost(text.split("/")[0]!)) {
    throw invalid(origin, `${JSON.stringify(text)} is no repository of a host`, "write host[:port]/repository");
  }
  return { registry: target.registry, repository: target.repository };
}

/** One place cannot be both blocked and not, or both insecure and not. */
function refuseConflicts(registries: readonly ConfRegistry[]): void {
  for (const one of registries) {
    const place = ({ location, prefix }: ConfRegistry): string => location || prefix;
    for (const key of ["insecure", "blocked"] as const) {
      const other = registries.find((found) => place(found) === place(one) && found[key] !== one[key]);
      if (other) throw invalid(one.origin, `${place(one)} is there several times, ${key} and not ${key}`);
    }
  }
}

/** Version 1 has tables `[registries.search]`, `[registries.insecure]` and `[registries.block]`. */
function refuseVersion1(conf: Table, file: string): void {
  const old = conf.table("registries");
  const names = ["search", "insecure", "block"] as const;
  if (!old || !names.some((name) => old.table(name) !== undefined)) return;
  const [search, insecure, block] = names.map((name) => old.table(name)?.texts("registries") ?? []);
  const lines = [
    ...(search!.length > 0 ? [`unqualified-search-registries = ${JSON.stringify(search)}`] : []),
    ...insecure!.map((host) => `[[registry]] location = ${JSON.stringify(host)}, insecure = true`),
    ...block!.map((host) => `[[registry]] location = ${JSON.stringify(host)}, blocked = true`),
  ];
  const mixed = ["registry", "unqualified-search-registries", "aliases"].some((key) => conf.value(key) !== undefined);
  throw invalid(
    file,
    `it is written in version 1 of the format${mixed ? ", and in version 2 too" : ""}`,
    lines.length === 0 ? "take [registries.*] out" : `write version 2 in its place: ${lines.join("; ")}`,
  );
}

function isHost(text: string): boolean {
  return /[.:]/.test(text) || text === "localhost";
}

function invalid(at: string, what: string, hint?: string, cause?: unknown): RegistryError {
  return new RegistryError("INVALID", `${at}: ${what}`, {
    ...(hint && { hint }),
    ...(cause !== undefined && { cause }),
  });
}
