import type { ServiceAbility } from "../abilities.ts";
import type { Provider } from "../provider.ts";

const tested = "docs.github.com/en/rest/packages/packages";
const native = (note?: string): ServiceAbility => ({ how: "native", ...(note !== undefined && { note }), tested });
const impossible = (instead: string): ServiceAbility => ({ how: "impossible", instead, tested });
const clean = "list what is old, and delete it: `gantry ls -l`, `gantry delete`";

/** GitHub's Container registry, and that of GitHub Enterprise Server with subdomain isolation. */
export const ghcr: Provider = {
  name: "ghcr",
  title: "GitHub Packages",
  hosts: ["ghcr.io", "containers.HOST", "containers.NAME.ghe.com"],
  matches: (host) => /^(?:ghcr\.io|containers\.[a-z0-9-]+\.ghe\.com)(?::443)?$/i.test(host),
  fingerprints: [{ scheme: "bearer", realm: /^https:\/\/(?:ghcr\.io|containers\.[\w.-]+)\/token$/ }],
  login: { cause: "it takes a classic token with read:packages, or the GITHUB_TOKEN of a workflow, for a password" },
  quirks: {
    upload: { whole: true, chunks: true, largestLayer: 10 * 1024 ** 3 },
    mount: "yes",
    referrers: "tags",
    catalog: "nobody",
    deleteTag: "refused",
    deleteDigest: "refused",
    createOnPush: "yes",
    pages: { tags: 1000, api: 100 },
    lists: "manifests",
    manifestGet: "free",
    tagOrder: "oldest first",
    rateHeaders: ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"],
    lies: [
      {
        status: 416,
        text: /maximum permissible limit/,
        means: "a part with a Content-Range has at most 4 MiB; whole blobs may be larger",
      },
      {
        status: 403,
        text: /permission_denied: write_package/,
        means: "the token lacks write:packages, or the package does not give its repository access",
      },
      {
        status: 400,
        text: /Invalid argument/,
        means: "to a list of packages: the GITHUB_TOKEN of a workflow cannot list those of an organization",
      },
      { status: 404, text: /Not Found/, means: "to the API: it is not there, or this token may not see it" },
    ],
  },
  abilities: {
    listRepositories: native("of one owner; with no owner, the login's own"),
    describeRepository: native("without a login, how many tags it has"),
    images: native("no sizes; without a login by tags, manifests and configs"),
    search: impossible("list the packages of an owner: `gantry repo list HOST/OWNER`"),
    createRepository: impossible("push to it: that makes it"),
    deleteRepository: native("restorable for 30 days"),
    deleteTag: impossible(
      "delete the image by its digest, which takes all its tags, or push another image under the tag: GitHub has no way to take one tag away",
    ),
    deleteManifests: native("one by one; the last tagged image only with its package"),
    immutability: impossible("refer to images by digest"),
    setImmutability: impossible("refer to images by digest, or let one workflow alone push"),
    lifecycle: impossible(clean),
    setLifecycle: impossible(clean),
    deleteLifecycle: impossible("there is none that could delete anything"),
    previewLifecycle: impossible("list what is old: `gantry ls -l`"),
    labels: impossible("read the image's own: `gantry inspect`"),
    replication: impossible("copy what is to be elsewhere: `gantry copy`"),
    findings: impossible("scan the image"),
    allowances: native("of the API; what the registry allows is not told"),
  },
  connect: async (context) => (await import("./connect.ts")).connect(context),
};
