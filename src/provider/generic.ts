import type { ServiceAbility } from "./abilities.ts";
import { protocolService } from "./protocol.ts";
import type { Provider } from "./provider.ts";

const tested = "docker-registry 2.8";
const protocol: ServiceAbility = { how: "protocol", tested };
const impossible = (instead: string): ServiceAbility => ({ how: "impossible", instead, tested });

/** Any registry that speaks the distribution API and has no other that is known. */
export const generic: Provider = {
  name: "generic",
  title: "a plain registry",
  hosts: [],
  matches: () => false,
  fingerprints: [],
  quirks: {
    upload: { whole: true, chunks: true },
    mount: "yes",
    referrers: "differs",
    catalog: "everybody",
    deleteTag: "differs",
    deleteDigest: "all tags too",
    createOnPush: "yes",
    pages: { tags: 1000 },
    lists: "tags",
    manifestGet: "free",
    tagOrder: "none",
    rateHeaders: [],
    lies: [
      {
        status: 404,
        text: /404 page not found/,
        means: "there is no referrers API: they are listed under sha256- tags",
      },
      {
        status: 400,
        text: /DIGEST_INVALID/,
        means: "to a DELETE of a tag: it deletes by digest only, which takes all tags of the image",
      },
      { status: 400, text: /PAGINATION_NUMBER_INVALID/, means: "pages have at most 1000 entries" },
      { status: 405, text: /UNSUPPORTED/, means: "to a DELETE: deleting is switched off in its configuration" },
    ],
  },
  abilities: {
    listRepositories: { ...protocol, note: "names" },
    describeRepository: { ...protocol, note: "how many tags" },
    images: { how: "client", note: "a manifest and a config for each tag; the time is config.created", tested },
    search: { how: "client", note: "in the names of the catalog", tested },
    createRepository: impossible("push to it: that makes it"),
    deleteRepository: impossible("delete its images; the empty repository goes with the registry's own tools"),
    deleteTag: { ...protocol, note: "where the registry does; 2.x of CNCF Distribution does not" },
    deleteManifests: protocol,
    immutability: impossible("say in the pipeline that pushes which tags may move"),
    setImmutability: impossible("say in the pipeline that pushes which tags may move"),
    lifecycle: impossible("list what is old, and delete it: `gantry ls -l`, `gantry delete`"),
    setLifecycle: impossible("list what is old, and delete it: `gantry ls -l`, `gantry delete`"),
    deleteLifecycle: impossible("there is none that could delete anything"),
    previewLifecycle: impossible("list what is old: `gantry ls -l`"),
    labels: impossible("read the image's own: `gantry inspect`"),
    replication: impossible("read the registry's configuration"),
    findings: impossible("scan the image"),
    allowances: { ...protocol, note: "as it tells in its headers" },
  },
  connect: async (context) => protocolService(generic, context),
};
