import type { ServiceAbility } from "../abilities.ts";
import { ownRealm } from "../fingerprint.ts";
import type { Provider } from "../provider.ts";

const source = "github.com/quay/quay, endpoints/api";
const guide = "docs.redhat.com, Red Hat Quay API guide";
const native = (note: string, tested = guide): ServiceAbility => ({ how: "native", note, tested });
const impossible = (instead: string): ServiceAbility => ({ how: "impossible", instead, tested: source });
const token = "with an OAuth token";

/** Quay: quay.io, and Red Hat Quay under any name. Its own API is at the registry's origin. */
export const quay: Provider = {
  name: "quay",
  title: "Quay",
  hosts: ["quay.io", "any host of Red Hat Quay"],
  matches: (host) => /^quay\.io(?::443)?$/i.test(host),
  fingerprints: [{ scheme: "bearer", realm: ownRealm("/v2/auth"), service: /^HOST$/ }],
  login: {
    cause:
      "it takes a robot (NAMESPACE+NAME), a user with an encrypted password, or the user $oauthtoken with an OAuth token",
  },
  quirks: {
    upload: { whole: true, chunks: true },
    mount: "yes",
    referrers: "api",
    catalog: "by scope",
    deleteTag: "untags",
    deleteDigest: "all tags too",
    immutableTags: { patterns: "regex" },
    createOnPush: "yes",
    pages: { tags: 100, api: 100 },
    lists: "tags",
    manifestGet: "free",
    tagOrder: "by name",
    rateHeaders: [],
    lies: [
      {
        status: 401,
        text: /UNAUTHORIZED|Requires authentication/,
        means: "there is no such repository, or it is private: which, it does not tell",
      },
      {
        status: 429,
        text: /<html/i,
        means: "the web server before it limits requests by address or login: wait a minute",
      },
      { status: 409, text: /TAG_IMMUTABLE|tag_immutable/, means: "an immutability policy keeps the tag" },
      { status: 413, text: /TOO_MANY_TAGS|LAYER_TOO_LARGE/, means: "a limit of the service, not of the connection" },
      { status: 405, text: /namespace is disabled/i, means: "the owner's account is switched off" },
    ],
  },
  abilities: {
    listRepositories: native("of one namespace, or of all that are the token's"),
    describeRepository: native("public ones without a token"),
    images: native("100 tags a request; public ones without a token"),
    search: native("the first pages, as many as the service gives", source),
    createRepository: native(`private; ${token} (repo:create); a push does it too`),
    deleteRepository: native(`${token} (repo:admin)`, source),
    deleteTag: { how: "protocol", note: "comes back from the history for some time", tested: source },
    deleteManifests: { how: "protocol", note: "with all its tags", tested: source },
    immutability: native(`${token} (repo:admin); where FEATURE_IMMUTABLE_TAGS is on`),
    setImmutability: native("tags that a policy made immutable stay so when it goes"),
    lifecycle: native(`auto-prune policies; ${token} (repo:admin); where FEATURE_AUTO_PRUNE is on`),
    setLifecycle: native("of a repository, or of an organization named alone (org:admin)"),
    deleteLifecycle: native("of a repository, or of an organization named alone (org:admin)"),
    previewLifecycle: impossible("list what is old: `gantry ls -l`"),
    labels: impossible("labels are of images: `gantry inspect`"),
    replication: impossible("see its mirroring on Quay's own pages"),
    findings: native("of one image of an index; where Clair is set up", source),
    allowances: native(
      `storage of the token's namespaces; ${token} (user:read); pulls have no limit that is told`,
      source,
    ),
  },
  connect: async (context) => (await import("./connect.ts")).connectQuay(quay, context),
};
