import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import { requireDocument } from "../../policy/lifecycle/check.ts";
import { plainText } from "../../store/remote/answer.ts";
import type { Call } from "../../store/store.ts";
import type { Immutability, LifecyclePolicy, RepositoryInfo, ServiceRegistry } from "../service.ts";
import type { GoogleApis } from "./api.ts";
import { moments } from "./listing.ts";
import { parsePlace, resourceOf, scopeOf, type Place } from "./place.ts";

type Answer = Readonly<Record<string, unknown>>;

type Methods = Pick<
  ServiceRegistry,
  "immutability" | "setImmutability" | "lifecycle" | "setLifecycle" | "deleteLifecycle" | "labels"
>;

/** The settings of repositories of Artifact Registry. */
interface RepositorySettings {
  readonly methods: Methods;
  /** The repository that a path names. */
  readonly describe: (path: string, call?: Call) => Promise<RepositoryInfo>;
}

type Read = (path: string, place: Place, call?: Call) => Promise<Answer>;
type Change = (
  path: string,
  place: Place,
  change: readonly [body: Answer, mask: string],
  call?: Call,
) => Promise<Answer>;

const policies = "cleanupPolicies,cleanupPolicyDryRun";

/** What is set of a repository of Artifact Registry, and holds for all images in it. */
export function repositorySettings(host: string, apis: GoogleApis): RepositorySettings {
  const read: Read = async (path, place, call = {}) => {
    const api = await apis("registry", path, call);
    const what = `read the settings of ${host}/${path}`;
    return objectOf((await api.send("GET", `/${resourceOf(place)}`, { ...call, what })).body, what, host);
  };
  const change: Change = async (path, place, [body, updateMask], call = {}) => {
    const api = await apis("registry", path, call);
    const what = `change the settings of ${host}/${path}`;
    const request = { ...call, what, body, query: { updateMask } };
    return objectOf((await api.send("PATCH", `/${resourceOf(place)}`, request)).body, what, host);
  };
  return {
    methods: methodsOver(host, read, change),
    describe: async (path, call) => infoOf(path, await read(path, parsePlace(host, path), call)),
  };
}

function methodsOver(host: string, read: Read, change: Change): Methods {
  return {
    async immutability(path, call) {
      const place = parsePlace(host, path);
      return { ...immutabilityOf(await read(path, place, call)), ...scopeOf(place) };
    },
    async setImmutability(path, { tags, except = [] }, call) {
      if (except.length > 0) throw noExceptions(host);
      const dockerConfig = { immutableTags: tags === "immutable" };
      await change(path, parsePlace(host, path), [{ dockerConfig }, "dockerConfig.immutableTags"], call);
    },
    async lifecycle(path, call) {
      const place = parsePlace(host, path);
      return policyOf(await read(path, place, call), place);
    },
    async setLifecycle(path, document, call) {
      requireDocument("artifact-registry", document);
      const place = parsePlace(host, path);
      const { cleanupPolicies, cleanupPolicyDryRun = false } = document as Answer;
      const answer = await change(path, place, [{ cleanupPolicies, cleanupPolicyDryRun }, policies], call);
      return policyOf(answer, place) ?? { dialect: "artifact-registry", document, ...scopeOf(place) };
    },
    async deleteLifecycle(path, call) {
      const none = { cleanupPolicies: {}, cleanupPolicyDryRun: false };
      await change(path, parsePlace(host, path), [none, policies], call);
    },
    async labels(path, call) {
      const { labels } = await read(path, parsePlace(host, path), call);
      const pairs = Object.entries(isObject(labels) ? labels : {});
      return Object.fromEntries(pairs.flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])));
    },
  };
}

function noExceptions(host: string): RegistryError {
  return new RegistryError("INVALID", "Artifact Registry makes all tags of a repository immutable, or none", {
    host,
    hint: "set it without exceptions, or keep the tags that move in a repository of their own",
  });
}

function objectOf(body: unknown, what: string, host: string): Answer {
  if (isObject(body)) return body;
  throw new RegistryError("NETWORK", `cannot ${what}: Artifact Registry answered with no JSON object`, { host });
}

function immutabilityOf({ dockerConfig }: Answer): Immutability {
  return { tags: isObject(dockerConfig) && dockerConfig["immutableTags"] === true ? "immutable" : "mutable" };
}

function policyOf({ cleanupPolicies, cleanupPolicyDryRun }: Answer, place: Place): LifecyclePolicy | undefined {
  if (!isObject(cleanupPolicies) || Object.keys(cleanupPolicies).length === 0) return undefined;
  const document = { cleanupPolicies, cleanupPolicyDryRun: cleanupPolicyDryRun === true };
  return { dialect: "artifact-registry", document, ...scopeOf(place) };
}

function infoOf(name: string, answer: Answer): RepositoryInfo {
  const { description, sizeBytes, mode } = answer;
  const size = typeof sizeBytes === "string" && /^\d{1,15}$/.test(sizeBytes) ? Number(sizeBytes) : undefined;
  const isStandard = typeof mode !== "string" || mode === "STANDARD_REPOSITORY";
  return {
    name,
    ...moments(answer),
    ...(size !== undefined && { size }),
    ...(typeof description === "string" && description !== "" && { description: plainText(description) }),
    immutability: immutabilityOf(answer),
    ...(!isStandard && {
      state: plainText(mode)
        .replace(/_REPOSITORY$/, "")
        .toLowerCase(),
    }),
  };
}
