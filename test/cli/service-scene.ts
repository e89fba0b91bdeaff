import { onTestFinished } from "vitest";
import { isAbsent, RegistryError } from "../../src/oci/error.ts";
import { abilityTitles, unsupported, type Abilities, type AbilityName } from "../../src/provider/abilities.ts";
import { protocolService } from "../../src/provider/protocol.ts";
import type { Provider, ServiceContext } from "../../src/provider/provider.ts";
import { providers } from "../../src/provider/providers.ts";
import type { Quirks } from "../../src/provider/quirks.ts";
import type {
  Findings,
  ImageInfo,
  Immutability,
  LifecyclePolicy,
  SearchResult,
  ServiceRegistry,
} from "../../src/provider/service.ts";
import type { Access } from "../../src/server/index.ts";
import { requireDocument } from "../../src/policy/lifecycle/check.ts";
import { retention } from "./lifecycle-scene.ts";
import { testRegistry, type TestRegistry } from "./support.ts";

export interface TestServiceOptions {
  /** Whether its host tells which service it is; else it takes a request. */
  readonly known?: boolean;
  readonly impossible?: readonly AbilityName[];
  readonly quirks?: Partial<Quirks>;
  readonly access?: Access;
  /** Calls that stand in for the service's own. */
  readonly calls?: (service: ServiceRegistry, context: ServiceContext) => Partial<ServiceRegistry>;
}

export interface TestService extends TestRegistry {
  /** The service's own calls, as they came: `createRepository team/app`. */
  readonly log: readonly string[];
  /** Adds an image that has no tag. */
  readonly untagged: (image: ImageInfo) => void;
  readonly found: (findings: Findings) => void;
}

const quirks: Quirks = {
  upload: { whole: true, chunks: true },
  mount: "yes",
  referrers: "api",
  catalog: "nobody",
  deleteTag: "refused",
  deleteDigest: "all tags too",
  createOnPush: "no",
  pages: { tags: 1000 },
  lists: "images",
  manifestGet: "free",
  tagOrder: "by name",
  rateHeaders: [],
  tokenSeconds: 43_200,
  lies: [],
};

const vulnerable: Findings = {
  status: "complete",
  scanner: "Scanner 1.0",
  scanned: "2026-11-20T14:05:00Z",
  counts: { high: 1, critical: 1, low: 1 },
  vulnerabilities: [
    { id: "CVE-2026-2", severity: "high", package: "zlib", installed: "1.0", fixed: "1.1", title: "a hole" },
    { id: "CVE-2026-3", severity: "low", package: "zlib", installed: "1.0" },
    { id: "CVE-2026-1", severity: "critical", package: "openssl", installed: "3.0", fixed: "3.1" },
  ],
};

/** A registry of a service that can do everything, in memory on a port of its own, gone when the test is over. */
export async function testService(options: TestServiceOptions = {}): Promise<TestService> {
  const { known = true, impossible = [], access } = options;
  const registry = await testRegistry({ extension: false, ...(access && { access }) });
  const log: string[] = [];
  const policy: LifecyclePolicy = { dialect: "harbor", document: retention, scope: "project library" };
  const state: State = {
    repositories: new Map(),
    deleted: new Set(),
    untagged: [],
    findings: vulnerable,
    lifecycle: policy,
  };
  const how = (name: AbilityName) => (impossible.includes(name) ? "impossible" : "native");
  const names = Object.keys(abilityTitles) as AbilityName[];
  const abilities = Object.fromEntries(
    names.map((name) => [
      name,
      { how: how(name), ...(how(name) === "impossible" && { instead: "do otherwise" }), tested: "nothing" },
    ]),
  ) as Abilities;
  const provider: Provider = {
    name: "harbor",
    title: "Test Service",
    hosts: ["registry.example"],
    matches: (host) => known && host === registry.host,
    fingerprints: [],
    probe: { path: "/v2/", fits: () => true },
    quirks: { ...quirks, ...options.quirks },
    abilities,
    connect: async (context) => {
      const own = { ...protocolService(provider, context), ...calls(state, context) };
      return logged({ ...own, ...options.calls?.(own, context) }, provider, context.host, log);
    },
  };
  (providers as Provider[]).unshift(provider);
  onTestFinished(() => void (providers as Provider[]).splice(providers.indexOf(provider), 1));
  return {
    ...registry,
    log,
    untagged: (image) => void state.untagged.push(image),
    found: (findings) => void (state.findings = findings),
  };
}

interface State {
  readonly repositories: Map<string, Immutability>;
  /** What the registry itself still has a name for. */
  readonly deleted: Set<string>;
  readonly untagged: ImageInfo[];
  findings: Findings;
  lifecycle: LifecyclePolicy | undefined;
}

/** What the service does, with what is in the registry and what it keeps beside. */
function calls(state: State, { host, registry }: ServiceContext): Partial<ServiceRegistry> {
  const tagsOf = async (name: string): Promise<readonly string[]> => {
    try {
      return await Array.fromAsync(registry.repository(name).tags());
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  };
  const names = async (prefix = ""): Promise<readonly string[]> => {
    const all = new Set([...state.repositories.keys(), ...(await Array.fromAsync(registry.repositories()))]);
    return [...all].filter((name) => name.startsWith(prefix) && !state.deleted.has(name)).sort();
  };
  const describe: ServiceRegistry["describeRepository"] = async (name) => {
    if (!(await names()).includes(name)) return undefined;
    const tags = (await tagsOf(name)).length;
    return { name, tags, size: 1000 * tags, created: "2026-01-02T03:04:05Z", visibility: "private" };
  };
  const there = async (name: string): Promise<void> => {
    if (!(await names()).includes(name)) throw new RegistryError("NAME_UNKNOWN", `there is no ${name}`, { host });
  };
  return {
    async *listRepositories(prefix) {
      for (const name of await names(prefix)) yield (await describe(name))!;
    },
    describeRepository: describe,
    async *images(name) {
      await there(name);
      const more = { sizeKind: "largest child", size: 4321, pushed: "2026-11-20T14:05:00Z" } as const;
      for (const tag of await tagsOf(name)) {
        yield { tags: [tag], digest: (await registry.repository(name).head(tag))!.digest, ...more };
      }
      yield* state.untagged;
    },
    async *search({ term, limit = Infinity, stars = 0 }) {
      const fits = (await names()).filter((name) => name.includes(term)).slice(0, limit);
      const result = (name: string): SearchResult => ({
        name,
        reference: `${host}/${name}`,
        stars: 12,
        official: true,
      });
      yield* fits.map(result).filter((one) => one.stars! >= stars);
    },
    async createRepository(name) {
      if ((await names()).includes(name)) return "exists";
      state.repositories.set(name, { tags: "mutable" });
      return "created";
    },
    async deleteRepository(name, { force = false } = {}) {
      await there(name);
      const tags = await tagsOf(name);
      if (tags.length > 0 && !force) throw new RegistryError("CONFLICT", `${name} is not empty`, { host });
      for (const tag of tags) await registry.repository(name).deleteTag(tag);
      state.repositories.delete(name);
      state.deleted.add(name);
    },
    async immutability(name) {
      await there(name);
      return state.repositories.get(name) ?? { tags: "mutable" };
    },
    async setImmutability(name, immutability) {
      await there(name);
      state.repositories.set(name, immutability);
    },
    lifecycle: async () => state.lifecycle,
    async setLifecycle(name, document) {
      await there(name);
      requireDocument("harbor", document);
      state.lifecycle = { dialect: "harbor", document, scope: "project library" };
      return state.lifecycle;
    },
    async deleteLifecycle() {
      state.lifecycle = undefined;
    },
    async *previewLifecycle(name) {
      for (const tag of await tagsOf(name)) {
        const { digest } = (await registry.repository(name).head(tag))!;
        yield { digest, tags: [tag], size: 4321, action: tag === "old" ? "delete" : "keep", rule: "rule 1" };
      }
    },
    labels: async () => ({ team: "core", draft: "" }),
    async *replication() {
      yield { name: "abroad", to: "mirror.example", filter: "team/**", enabled: true };
    },
    findings: async () => state.findings,
    allowances: async () => [
      { what: "pulls", unit: "pulls", limit: 100, remaining: 76, windowSeconds: 21_600 },
      { what: "storage", unit: "bytes", used: 1_500_000, limit: 2_000_000 },
    ],
  };
}

/** Notes each call that the service itself is asked for, and refuses those that it cannot do. */
function logged(service: ServiceRegistry, provider: Provider, host: string, log: string[]): ServiceRegistry {
  const own = Object.keys(abilityTitles) as AbilityName[];
  const entries = own.map((name) => {
    const call = service[name] as (...words: readonly unknown[]) => unknown;
    const noted = (...words: readonly unknown[]): unknown => {
      if (provider.abilities[name].how === "impossible")
        return Promise.reject(unsupported(provider.title, host, name, provider.abilities[name]));
      log.push([name, ...words.filter((word) => typeof word === "string")].join(" "));
      return call(...words);
    };
    return [name, noted] as const;
  });
  return { ...service, ...(Object.fromEntries(entries) as Partial<ServiceRegistry>) };
}
