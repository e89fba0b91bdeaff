import { extensionHeader } from "../../oci/extension.ts";
import type { ServiceAbility } from "../abilities.ts";
import type { Provider } from "../provider.ts";

const tested = "`gantry serve`";
const native: ServiceAbility = { how: "native", tested };
const protocol: ServiceAbility = { how: "protocol", tested };
const impossible = (instead: string): ServiceAbility => ({ how: "impossible", instead, tested });
const noPolicy = impossible("let `gantry retain` say what is old, and delete it");

/** Gantry's own registry, on whatever host: known by a header of its answers (docs/guide/inventory.md). */
export const gantry: Provider = {
  name: "gantry",
  title: "Gantry",
  hosts: [],
  matches: () => false,
  fingerprints: [],
  header: extensionHeader,
  quirks: {
    upload: { whole: true, chunks: true },
    mount: "yes",
    referrers: "api",
    catalog: "by scope",
    deleteTag: "untags",
    deleteDigest: "all tags too",
    createOnPush: "yes",
    pages: { tags: 10_000, api: 1000 },
    lists: "manifests",
    manifestGet: "recorded",
    tagOrder: "by name",
    rateHeaders: [],
    tokenSeconds: 900,
    lies: [],
  },
  abilities: {
    listRepositories: { ...protocol, note: "names, of those that the login may pull" },
    describeRepository: { ...native, note: "out of the list of its images" },
    images: { ...native, note: "1000 tags a request; times of push and pull, platforms, what is attached" },
    search: { how: "client", note: "in the names of the catalog", tested },
    createRepository: impossible("push to it: that makes it"),
    deleteRepository: impossible("delete its images: what has none is not listed any more"),
    deleteTag: protocol,
    deleteManifests: protocol,
    immutability: impossible("say in the pipeline that pushes which tags may move"),
    setImmutability: impossible("say in the pipeline that pushes which tags may move"),
    lifecycle: noPolicy,
    setLifecycle: noPolicy,
    deleteLifecycle: impossible("there is none that could delete anything"),
    previewLifecycle: noPolicy,
    labels: impossible("read the image's own: `gantry inspect`"),
    replication: impossible("copy what is to be elsewhere: `gantry copy`, `gantry sync`"),
    findings: impossible("scan the image"),
    allowances: { ...protocol, note: "it sets none; as what is before it tells in its headers" },
  },
  connect: async (context) => (await import("./service.ts")).gantryService(gantry, context),
};
