import { ownRealm } from "../fingerprint.ts";
import type { ServiceAbility } from "../abilities.ts";
import type { Provider } from "../provider.ts";
import { isOwnHost } from "./place.ts";

const rest = "https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories";
const tagsList = "https://github.com/goharbor/harbor/blob/main/src/pkg/reg/adapter/googlegcr/adapter.go";
const analysis = "https://cloud.google.com/artifact-analysis/docs/investigate-vulnerabilities";
const native = (note: string, tested = rest): ServiceAbility => ({ how: "native", note, tested });
const impossible = (instead: string): ServiceAbility => ({ how: "impossible", instead, tested: rest });

/** Google Artifact Registry, and the hosts of Container Registry that it serves. */
export const artifactRegistry: Provider = {
  name: "artifact-registry",
  title: "Google Artifact Registry",
  hosts: ["LOCATION-docker.pkg.dev", "docker.REGION.rep.pkg.dev", "docker.pkg.dev", "[us.|eu.|asia.]gcr.io"],
  matches: isOwnHost,
  fingerprints: [
    {
      scheme: "bearer",
      realm: ownRealm("/v2/token"),
      service: /(?:^|\.)gcr\.io$|(?:^|-)docker\.(?:[a-z0-9-]+\.rep\.)?pkg\.dev$/,
    },
  ],
  login: {
    cause: "it takes the user oauth2accesstoken and an access token, for an hour",
    command: "gcloud auth print-access-token | gantry login --username oauth2accesstoken --password-stdin {registry}",
  },
  quirks: {
    upload: { whole: true, chunks: false, largestLayer: 5_000_000_000_000 },
    mount: "yes",
    referrers: "api",
    catalog: "nobody",
    deleteTag: "untags",
    deleteDigest: "refused while tagged",
    createOnPush: "setting",
    pages: { tags: 1000, api: 1000 },
    lists: "manifests",
    manifestGet: "free",
    tagOrder: "by name",
    rateHeaders: [],
    tokenSeconds: 3600,
    lies: [
      {
        status: 403,
        text: /denied on resource .*\(or it may not exist\)/,
        means: "the permission is lacking, or the project, location or repository is not there",
      },
      { status: 403, text: /Unauthenticated request/, means: "nobody is logged in to this very host" },
      { status: 400, text: /GOOGLE_MANIFEST_DANGLING_TAG/, means: "tags still name it: delete them first" },
      {
        status: 400,
        text: /GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE|GOOGLE_MANIFEST_REFERRING_MANIFEST/,
        means: "an index is made of it, or something is attached to it: delete that first",
      },
      { status: 200, text: /"child":\[\],"manifest":\{\}/, means: "to tags/list: there is no such image" },
    ],
  },
  abilities: {
    listRepositories: native("below a project; with no login, below a public repository"),
    describeRepository: native("an image by its list of tags, a repository by the API", tagsList),
    images: native("all in one request", tagsList),
    search: impossible("list what a project has: `gantry ls HOST/PROJECT`"),
    createRepository: native("a repository of Docker's format; the images in it need no creating"),
    deleteRepository: native("an image with all its versions, or a repository"),
    deleteTag: { how: "protocol", tested: tagsList },
    deleteManifests: native("tags, then indexes, then what they are made of", tagsList),
    immutability: native("one switch for a whole repository"),
    setImmutability: native("one switch for a whole repository"),
    lifecycle: native("cleanup policies of a whole repository"),
    setLifecycle: native("cleanup policies of a whole repository, run about once a day"),
    deleteLifecycle: native("cleanup policies of a whole repository"),
    previewLifecycle: impossible(
      'set it with "cleanupPolicyDryRun": true and read in the audit log what it would delete, or list what is old: `gantry ls -l`',
    ),
    labels: native("of a whole repository"),
    replication: impossible("a location of several regions (us, europe, asia) is replicated by itself"),
    findings: native("by Artifact Analysis, where its API is on", analysis),
    allowances: impossible("see the quotas of the project: IAM & Admin, Quotas, in the console"),
  },
  credentials: async (context) => (await import("./credentials.ts")).googleCredentials(context),
  connect: async (context) => (await import("./service.ts")).artifactRegistryService(context),
};
