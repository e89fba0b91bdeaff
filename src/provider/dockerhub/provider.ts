import type { ServiceAbility } from "../abilities.ts";
import type { Provider } from "../provider.ts";

const reference = "docs.docker.com/reference/api/hub/latest";
const native = (note: string, tested = reference): ServiceAbility => ({ how: "native", note, tested });
const impossible = (instead: string): ServiceAbility => ({ how: "impossible", instead, tested: reference });
const noLifecycle = impossible("list what is old, and delete its tags: `gantry ls -l`, `gantry delete`");
const hosts = ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

/** Docker Hub: the distribution API at registry-1.docker.io, and its own at hub.docker.com. */
export const dockerHub: Provider = {
  name: "dockerhub",
  title: "Docker Hub",
  hosts,
  matches: (host) => hosts.includes(host.toLowerCase().replace(/:443$/, "")),
  fingerprints: [{ scheme: "bearer", realm: /^https:\/\/auth\.docker\.io\/token$/ }],
  login: {
    cause: "it takes the user name and a personal access token, or the password where two-factor login is off",
  },
  quirks: {
    upload: { whole: true, chunks: true },
    mount: "yes",
    referrers: "differs",
    catalog: "nobody",
    deleteTag: "refused",
    deleteDigest: "refused",
    immutableTags: { patterns: "regex" },
    createOnPush: "yes",
    pages: { tags: 1000, api: 100 },
    lists: "tags",
    manifestGet: "limited",
    tagOrder: "by name",
    rateHeaders: ["ratelimit-limit", "ratelimit-remaining", "docker-ratelimit-source", "x-ratelimit-remaining"],
    tokenSeconds: 300,
    lies: [
      {
        status: 429,
        text: /HAP429/,
        means: "the limit against abuse, which no login raises: wait some minutes, with fewer requests at once",
      },
      {
        status: 429,
        text: /pull rate limit/i,
        means: "the pulls of this address, or of this account, are used up for some hours",
      },
      {
        status: 401,
        text: /insufficient_scope|access to the resource is denied/,
        means: "there is no such repository, or it is private and this login may not have it",
      },
      { status: 405, text: /UNSUPPORTED/, means: "to a DELETE: its own API alone deletes, and tags only" },
    ],
  },
  abilities: {
    listRepositories: native("of one namespace, by default that of the login"),
    describeRepository: native("public ones without a login"),
    images: native("100 tags a request; what full_size counts is not explained"),
    search: native(
      "filters look through the first 1000 results",
      "answers of hub.docker.com that public repositories recorded in 2026",
    ),
    createRepository: native("public, as Docker Hub makes them by default; a push does it too"),
    deleteRepository: native("not in its reference; as Docker's hub-tool does", "github.com/docker/hub-tool"),
    deleteTag: native("not in its reference; as Docker's hub-tool does", "github.com/docker/hub-tool"),
    deleteManifests: impossible("delete its tags: `gantry delete IMAGE:TAG`; Docker Hub deletes nothing by digest"),
    immutability: native("a beta of Docker Hub"),
    setImmutability: native("all tags, or those that fit regular expressions (RE2); a beta of Docker Hub"),
    lifecycle: noLifecycle,
    setLifecycle: noLifecycle,
    deleteLifecycle: impossible("there is none that could delete anything"),
    previewLifecycle: impossible("list what is old: `gantry ls -l`"),
    labels: impossible("read the image's own: `gantry inspect`"),
    replication: impossible("copy to it: `gantry copy`, `gantry sync`"),
    findings: impossible("scan the image; Docker Scout's findings are not in the API"),
    allowances: native(
      "pulls, which to ask costs none, and requests of its API",
      "docs.docker.com/docker-hub/usage/pulls",
    ),
  },
  connect: async (context) => (await import("./connect.ts")).connectHub(dockerHub, context),
};
