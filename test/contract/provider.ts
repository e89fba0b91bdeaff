import { describe, expect, test } from "vitest";
import { isRegistryError } from "../../src/oci/error.ts";
import { abilityTitles, type AbilityName } from "../../src/provider/abilities.ts";
import { providerOfChallenges } from "../../src/provider/detect.ts";
import type { Provider } from "../../src/provider/provider.ts";
import { providerOf, providers } from "../../src/provider/providers.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { parseChallenges } from "../../src/auth/challenge.ts";

/** A provider, and what its service is like. */
export interface ProviderUnderTest {
  readonly provider: Provider;
  /** Hosts of the service; with ports and capitals where it has such. */
  readonly hosts: readonly string[];
  /** Hosts that look like its own. */
  readonly lookAlikes: readonly string[];
  /** The WWW-Authenticate header of `/v2/`, as documented or recorded, and the host that sent it. */
  readonly challenges: readonly { readonly host: string; readonly header: string }[];
  /** A registry of the service that cannot be reached: every request throws NETWORK. */
  readonly silent: () => Promise<ServiceRegistry>;
}

/** Stretches a host in the ways that look-alikes are made of. */
function disguises(host: string): readonly string[] {
  return [
    `${host}.evil.test`,
    `${host}.evil.test:443`,
    `evil-${host}`,
    `${host}-evil.test`,
    `evil.test/${host}`,
    `${host}@evil.test`,
  ];
}

const digest = `sha256:${"a".repeat(64)}` as const;

/** Each ability, used in the plainest way. */
const uses: Readonly<Record<AbilityName, (service: ServiceRegistry) => Promise<unknown>>> = {
  listRepositories: (service) => Array.fromAsync(service.listRepositories()),
  describeRepository: (service) => service.describeRepository("team/app"),
  images: (service) => Array.fromAsync(service.images("team/app")),
  search: (service) => Array.fromAsync(service.search({ term: "app" })),
  createRepository: (service) => service.createRepository("team/app"),
  deleteRepository: (service) => service.deleteRepository("team/app"),
  deleteTag: (service) => service.deleteTag("team/app", "v1"),
  deleteManifests: async (service) => {
    for await (const { error } of service.deleteManifests("team/app", [digest])) throw error;
  },
  immutability: (service) => service.immutability("team/app"),
  setImmutability: (service) => service.setImmutability("team/app", { tags: "immutable" }),
  lifecycle: (service) => service.lifecycle("team/app"),
  setLifecycle: (service) => service.setLifecycle("team/app", {}),
  deleteLifecycle: (service) => service.deleteLifecycle("team/app"),
  previewLifecycle: (service) => Array.fromAsync(service.previewLifecycle("team/app")),
  labels: (service) => service.labels("team/app"),
  replication: (service) => Array.fromAsync(service.replication()),
  findings: (service) => service.findings("team/app", "v1"),
  allowances: (service) => service.allowances(),
};

/** What holds for every provider. */
export function providerContract({ provider, hosts, lookAlikes, challenges, silent }: ProviderUnderTest): void {
  const names = Object.keys(abilityTitles) as AbilityName[];
  const impossible = names.filter((name) => provider.abilities[name].how === "impossible");

  describe(`the provider ${provider.name}`, () => {
    test("is in the table, once", () => {
      expect(providers.filter(({ name }) => name === provider.name)).toEqual([provider]);
    });

    test.each(hosts)("knows %s as its own", (host) => {
      expect(providerOf(host)).toBe(provider);
    });

    test.each([...lookAlikes, ...hosts.flatMap(disguises)])("takes %s for nobody's", (host) => {
      expect(provider.matches(host)).toBe(false);
    });

    test.each(challenges)("is known by the challenge of $host", ({ host, header }) => {
      expect(providerOfChallenges(host, parseChallenges(header))).toBe(provider);
    });

    test.each(names)("says of %s how it is done and tested, and where it is not, what to do instead", (name) => {
      const { how, instead, tested } = provider.abilities[name];
      expect(tested).not.toBe("");
      expect(tested).not.toMatch(/\blive\b/i);
      expect(instead !== undefined).toBe(how === "impossible");
    });

    test.runIf(impossible.length > 0).each(impossible)(
      "refuses %s with what to do instead, and asks nobody",
      async (name) => {
        const error: unknown = await uses[name](await silent()).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(isRegistryError(error, "UNSUPPORTED")).toBe(true);
        expect(error).toMatchObject({ hint: provider.abilities[name].instead });
      },
    );

    test.each(names.filter((name) => !impossible.includes(name)))("tries %s, and says what failed", async (name) => {
      const error: unknown = await uses[name](await silent()).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(isRegistryError(error)).toBe(true);
      expect(isRegistryError(error, "UNSUPPORTED")).toBe(false);
    });
  });
}
