import type { ServiceAbility } from "../abilities.ts";
import type { Provider } from "../provider.ts";

const tested = "docs.gitlab.com/api/container_registry";
const graphql = "docs.gitlab.com/api/graphql/reference";
const native = (note: string, page = tested): ServiceAbility => ({ how: "native", note, tested: page });
const impossible = (instead: string): ServiceAbility => ({ how: "impossible", instead, tested });

/** The registry of a GitLab: of GitLab.com by its host, of any other by the realm of its challenge. */
export const gitlab: Provider = {
  name: "gitlab",
  title: "GitLab",
  hosts: ["registry.gitlab.com", "registry.HOST", "HOST:5050"],
  matches: (host) => /^registry\.gitlab\.com(?::443)?$/i.test(host),
  // Forgejo and Gitea name the same service, at /v2/token.
  fingerprints: [{ scheme: "bearer", realm: /^https?:\/\/[^?#]+\/jwt\/auth$/, service: /^container_registry$/ }],
  login: {
    cause: "it takes a token with read_registry for a password; with two-factor login nothing else",
  },
  quirks: {
    upload: { whole: true, chunks: true },
    mount: "yes",
    referrers: "differs",
    catalog: "administrators",
    deleteTag: "untags",
    deleteDigest: "all tags too",
    immutableTags: { patterns: "regex", most: 5 },
    createOnPush: "in a project",
    pages: { tags: 1000, api: 100 },
    lists: "tags",
    manifestGet: "free",
    tagOrder: "by name",
    rateHeaders: ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after"],
    tokenSeconds: 300,
    lies: [
      {
        status: 403,
        text: /HTTP Basic: Access denied/,
        means: "the password is refused where two-factor login is on: it takes a token with read_registry",
      },
      { status: 404, text: /Project Not Found/, means: "to the API: it is not there, or this login may not see it" },
      {
        status: 400,
        text: /at most once an hour/,
        means: "tags of a repository are deleted by pattern once in an hour: delete them one by one",
      },
    ],
  },
  abilities: {
    listRepositories: native("of a group or project"),
    describeRepository: native("its size on GitLab.com alone"),
    images: native("20 tags with a request; with a CI job token a request for each tag", graphql),
    search: impossible("list those of a group: `gantry repo list --filter '**NAME*' HOST/GROUP`"),
    createRepository: impossible("push to it: that makes it, where its project is there"),
    deleteRepository: native("GitLab does it some time later"),
    deleteTag: native("by the distribution API with a deploy token"),
    deleteManifests: {
      how: "protocol",
      note: "refused in a project with any rule of immutability",
      tested: "docs.gitlab.com/user/packages/container_registry/immutable_container_tags",
    },
    immutability: native("of the project; Ultimate, since 18.1", graphql),
    setImmutability: native(
      "for the whole project: at most 5 patterns of immutable tags; Ultimate, since 18.1",
      graphql,
    ),
    lifecycle: native("of the project", "docs.gitlab.com/api/projects"),
    setLifecycle: native("for the whole project", "docs.gitlab.com/api/projects"),
    deleteLifecycle: native("for the whole project, by switching it off", "docs.gitlab.com/api/projects"),
    previewLifecycle: impossible("list what is old: `gantry ls -l`"),
    labels: impossible("read the image's own: `gantry inspect`"),
    replication: impossible("copy what is to be elsewhere: `gantry copy`"),
    findings: impossible("scan the image, or read the report of the job container_scanning"),
    allowances: native("of the API", "docs.gitlab.com/administration/settings/user_and_ip_rate_limits"),
  },
  connect: async (context) => (await import("./connect.ts")).connect(context),
};
